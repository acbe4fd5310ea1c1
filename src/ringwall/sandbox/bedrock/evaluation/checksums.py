"""Check digits of structured identifiers: each function takes the text that matched and says whether it is one."""

from __future__ import annotations

import re

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]")


def _digits(text: str) -> list[int]:
    return [int(c) for c in text if c.isdigit() and c.isascii()]


def luhn(text: str) -> bool:
    """ISO/IEC 7812 mod 10, of payment cards and of the Canadian social insurance number."""
    digits = _digits(text)
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = digit * 2 if position % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return bool(digits) and total % 10 == 0 and len(set(digits)) > 1


def payment_card(text: str) -> bool:
    """13 to 19 digits with a right check digit and an issuer range in use."""
    digits = _digits(text)
    return 13 <= len(digits) <= 19 and digits[0] in {2, 3, 4, 5, 6} and luhn(text)


def social_insurance_number(text: str) -> bool:
    """Canadian SIN: 9 digits, Luhn, and a first digit in use (8 is not)."""
    digits = _digits(text)
    return len(digits) == 9 and digits[0] not in {0, 8} and luhn(text)


def iban(text: str) -> bool:
    """ISO 13616: mod 97 of the rearranged number is 1."""
    compact = _NOT_ALPHANUMERIC.sub("", text).upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def routing_number(text: str) -> bool:
    """ABA routing transit number: weights 3-7-1, and a Federal Reserve prefix in use."""
    digits = _digits(text)
    if len(digits) != 9:
        return False
    prefix = digits[0] * 10 + digits[1]
    in_use = prefix <= 12 or 21 <= prefix <= 32 or 61 <= prefix <= 72 or prefix == 80
    weighted = sum(w * d for w, d in zip((3, 7, 1) * 3, digits, strict=True))
    return in_use and any(digits) and weighted % 10 == 0


def social_security_number(text: str) -> bool:
    """US SSN: area not 000, 666 or 900-999, group not 00, serial not 0000 (SSA, since 2011)."""
    digits = "".join(map(str, _digits(text)))
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return (
        len(digits) == 9
        and area not in {"000", "666"}
        and area < "900"
        and group != "00"
        and serial != "0000"
    )


def taxpayer_number(text: str) -> bool:
    """US ITIN: 9xx with a group of 50-65, 70-88, 90-92 or 94-99 (IRS)."""
    digits = _digits(text)
    if len(digits) != 9 or digits[0] != 9:
        return False
    group = digits[3] * 10 + digits[4]
    return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99


def national_health_service_number(text: str) -> bool:
    """UK NHS number: 10 digits, mod 11 with weights 10 to 2."""
    digits = _digits(text)
    if len(digits) != 10 or len(set(digits)) == 1:
        return False
    check = 11 - sum(w * d for w, d in zip(range(10, 1, -1), digits, strict=False)) % 11
    return check != 10 and check % 11 == digits[9]


def unique_taxpayer_reference(text: str) -> bool:
    """UK UTR: 10 digits, the first one checks the rest."""
    digits = _digits(text)
    if len(digits) != 10:
        return False
    weighted = sum(w * d for w, d in zip((6, 7, 8, 9, 10, 5, 4, 3, 2), digits[1:], strict=True))
    return digits[0] == int("21987654321"[weighted % 11])


def vehicle_identification_number(text: str) -> bool:
    """ISO 3779 with North America's check digit in place 9."""
    values = dict(
        zip(
            "ABCDEFGHJKLMNPRSTUVWXYZ",
            [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 7, 9, *range(2, 10)],
            strict=True,
        )
    )
    values.update({str(d): d for d in range(10)})
    weights = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
    compact = text.upper()
    if len(compact) != 17 or any(c not in values for c in compact):
        return False
    remainder = sum(w * values[c] for w, c in zip(weights, compact, strict=True)) % 11
    return compact[8] == ("X" if remainder == 10 else str(remainder)) and len(set(compact)) > 4
