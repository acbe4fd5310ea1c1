"""The 31 PII entity types: one table of detectors, each an RE2 expression with a check and the words it needs nearby.

Structured types are decided by shape and check digits. Types whose shape says little (an account number is just
digits) count only close to a word that names them. NAME, ADDRESS and AGE are approximate.
"""

from __future__ import annotations

import importlib
import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.sandbox.bedrock.evaluation import checksums
from ringwall.sandbox.bedrock.evaluation.names import FIRST_NAMES
from ringwall.sandbox.bedrock.evaluation.regexes import compile_pattern, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringwall.sandbox.bedrock.evaluation.text import Folded

# Characters before (and a few after) a match in which a context word counts.
_BEFORE, _AFTER = 48, 24


@dataclass(frozen=True, slots=True)
class Detector:
    """How one shape of an entity type is found.

    Attributes:
        pattern: RE2 expression.
        group: its group that is the entity.
        check: further test of the text that matched.
        near: words of which one must stand close by, in lower case; empty = none needed.
    """

    pattern: str
    group: int = 0
    check: Callable[[str], bool] | None = None
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PiiMatch:
    """An entity in a text: type and span of the original."""

    type: str
    start: int
    end: int


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _mixed(text: str) -> bool:
    """An AWS secret key has upper case, lower case and digits; a hash or a path has not."""
    return bool(
        re.search(r"[A-Z]", text) and re.search(r"[a-z]", text) and re.search(r"\d", text)
    ) and not bool(re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", text))


def _has_digit(text: str) -> bool:
    return any(c.isdigit() for c in text)


_MONTHS = r"(?:0[1-9]|1[0-2])"
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Terrace|Way|Parkway|Pkwy"
    r"|Highway|Hwy|Circle|Cir)"
)

DETECTORS: dict[str, tuple[Detector, ...]] = {
    "ADDRESS": (
        Detector(
            r"\b\d{1,6}[A-Za-z]?\s+(?:[NSEW]\.?\s+)?(?:[A-Z][A-Za-z'.-]*\s+){1,4}" + _STREET + r"\b\.?"
            r"(?:,?\s+(?:Apt|Apartment|Suite|Ste|Unit|#)\.?\s*[\w-]+)?"
            r"(?:,\s*[A-Z][A-Za-z .'-]+)?(?:,?\s+[A-Z]{2}\s+\d{5}(?:-\d{4})?)?"
        ),
        Detector(r"\bP\.?\s?O\.?\s+Box\s+\d+\b"),
    ),
    "AGE": (
        Detector(r"(?i)\b\d{1,3}(?:\s*-\s*|\s+)(?:years?|yrs?|months?)(?:\s*-\s*|\s+)old\b"),
        Detector(r"(?i)\b(?:aged?|age is|age of|age:)\s*:?\s*(\d{1,3})\b", group=1),
        Detector(r"(?i)\bI(?:'m| am)\s+(\d{1,3})\b(?:[.,;!]|$)", group=1),
    ),
    "AWS_ACCESS_KEY": (
        Detector(r"\b(?:AKIA|ASIA|AROA|AIDA|ABIA|ACCA|AGPA|ANPA|ANVA|APKA|ASCA)[A-Z2-7]{16}\b"),
    ),
    "AWS_SECRET_KEY": (
        Detector(
            r"(?i)secret[_ -]?(?:access)?[_ -]?key(?:\s+is)?[\"']?\s*[:=]?\s*[\"']?([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)",
            group=1,
        ),
        Detector(r"(?:^|[^A-Za-z0-9/+=])([A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)", group=1, check=_mixed),
    ),
    "CA_HEALTH_NUMBER": (
        Detector(
            r"\b\d{4}[ -]?\d{3}[ -]?\d{3}(?:[ -]?[A-Z]{2})?\b", near=("health", "ohip", "phn", "medicare")
        ),
    ),
    "CA_SOCIAL_INSURANCE_NUMBER": (
        Detector(r"\b\d{3}[ -]\d{3}[ -]\d{3}\b", check=checksums.social_insurance_number),
        Detector(r"\b\d{9}\b", check=checksums.social_insurance_number, near=("sin", "social insurance")),
    ),
    "CREDIT_DEBIT_CARD_CVV": (
        Detector(
            r"(?i)\b(?:cvv2?|cvc2?|cid|security code)\b(?:\s+(?:number|code))?(?:\s+is)?\s*[:=#]?\s*(\d{3,4})\b",
            group=1,
        ),
    ),
    "CREDIT_DEBIT_CARD_EXPIRY": (
        Detector(
            r"\b" + _MONTHS + r"\s?[/-]\s?(?:20)?\d{2}\b",
            near=("expir", "exp", "valid thru", "valid through", "valid until", "card"),
        ),
    ),
    "CREDIT_DEBIT_CARD_NUMBER": (Detector(r"\b\d(?:[ -]?\d){12,18}\b", check=checksums.payment_card),),
    "DRIVER_ID": (
        Detector(
            r"\b[A-Z]{0,3}\d[A-Z0-9-]{4,16}\b|\b[A-Z]{1,2}\d{5,13}\b",
            near=("driver", "driving licen", "licence number", "license number", "dl number", "dl#"),
        ),
    ),
    "EMAIL": (
        Detector(
            r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,24}\b"
        ),
    ),
    "INTERNATIONAL_BANK_ACCOUNT_NUMBER": (
        Detector(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b", check=checksums.iban),
        Detector(r"\b[A-Z]{2}\d{2}[A-Z0-9]{11,30}\b", check=checksums.iban),
    ),
    "IP_ADDRESS": (
        Detector(r"\b(?:\d{1,3}\.){3}\d{1,3}\b", check=_is_ip),
        Detector(
            r"(?i)(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}:){1,7}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,6})?",
            check=_is_ip,
        ),
    ),
    "LICENSE_PLATE": (
        Detector(
            r"\b[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5}\b",
            check=_has_digit,
            near=("plate", "registration", "number plate"),
        ),
    ),
    "MAC_ADDRESS": (
        Detector(r"(?i)\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b|\b(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}\b"),
    ),
    "NAME": (
        Detector(
            r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Madam)\.?\s+((?:[A-Z][\pL'-]+)(?:\s+[A-Z][\pL'-]+){0,2})",
            group=1,
        ),
        Detector(
            r"(?i:\b(?:my name is|my name's|name:|named|i am called|call me|signed,?))\s+([A-Z][\pL'-]+(?:\s+(?:[A-Z]\.\s+)?[A-Z][\pL'-]+){0,3})",
            group=1,
        ),
        Detector(r"\b(?:I am|I'm|This is)\s+([A-Z][\pL'-]+\s+[A-Z][\pL'-]+)", group=1),
        Detector(r"\b(?:" + "|".join(FIRST_NAMES) + r")\s+(?:[A-Z]\.\s+)?[A-Z][\pL'-]+\b"),
    ),
    "PASSWORD": (
        Detector(
            r"(?i)\b(?:password|passwd|passphrase|pwd|passcode)\b(?:\s+(?:is|was|to))?\s*[:=]?\s*[\"']?([^\s\"',;]{4,64})",
            group=1,
            check=lambda text: _has_digit(text) or any(not c.isalnum() for c in text.strip(".!?")),
        ),
    ),
    "PIN": (
        Detector(r"(?i)\bPIN\b(?:\s+(?:code|number))?(?:\s+(?:is|was))?\s*[:=#]?\s*(\d{4,8})\b", group=1),
    ),
    "SWIFT_CODE": (
        Detector(
            r"\b[A-Z]{4}(?:[A-Z]{2})[A-Z0-9]{2}(?:[A-Z0-9]{3})?\b", near=("swift", "bic", "bank", "wire")
        ),
    ),
    "UK_NATIONAL_HEALTH_SERVICE_NUMBER": (
        Detector(r"\b\d{3} \d{3} \d{4}\b", check=checksums.national_health_service_number),
        Detector(
            r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b",
            check=checksums.national_health_service_number,
            near=("nhs", "health service"),
        ),
    ),
    "UK_NATIONAL_INSURANCE_NUMBER": (
        Detector(
            r"(?i)\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b",
            check=lambda text: text[:2].upper() not in {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"},
        ),
    ),
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER": (
        Detector(
            r"\b\d{5} ?\d{5}\b",
            check=checksums.unique_taxpayer_reference,
            near=("utr", "taxpayer", "tax reference", "hmrc"),
        ),
    ),
    "URL": (
        Detector(r"(?i)\b(?:https?|ftp)://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}]"),
        Detector(r"(?i)\bwww\.[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}])?"),
    ),
    "USERNAME": (
        Detector(
            r"(?i)\b(?:user ?name|user ?id|login(?: name)?|handle)\b(?:\s+(?:is|was))?\s*[:=]?\s*[\"']?([A-Za-z0-9._@-]{3,64})",
            group=1,
            check=lambda text: _has_digit(text) or any(c in "._@-" for c in text.strip(".")),
        ),
    ),
    "US_BANK_ACCOUNT_NUMBER": (
        Detector(
            r"\b\d{6,17}\b",
            near=("account number", "account no", "acct", "bank account", "checking", "savings account"),
        ),
    ),
    "US_BANK_ROUTING_NUMBER": (
        Detector(
            r"\b\d{9}\b", check=checksums.routing_number, near=("routing", "aba", "rtn", "bank", "wire")
        ),
    ),
    "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER": (
        Detector(r"\b9\d{2}-\d{2}-\d{4}\b", check=checksums.taxpayer_number),
        Detector(
            r"\b9\d{2} ?\d{2} ?\d{4}\b", check=checksums.taxpayer_number, near=("itin", "taxpayer", "tax id")
        ),
    ),
    "US_PASSPORT_NUMBER": (Detector(r"\b(?:[A-Z]\d{8}|\d{9})\b", near=("passport",)),),
    "US_SOCIAL_SECURITY_NUMBER": (
        Detector(
            r"\b\d{3}[-\x{2010}-\x{2015}]\d{2}[-\x{2010}-\x{2015}]\d{4}\b",
            check=checksums.social_security_number,
        ),
        Detector(
            r"\b\d{3}[ ]?\d{2}[ ]?\d{4}\b",
            check=checksums.social_security_number,
            near=("ssn", "social security"),
        ),
    ),
    "VEHICLE_IDENTIFICATION_NUMBER": (
        Detector(r"(?i)\b[A-HJ-NPR-Z0-9]{17}\b", check=checksums.vehicle_identification_number),
    ),
}
"""Detectors by type. PHONE has none: libphonenumber finds those."""

TYPES: tuple[str, ...] = tuple(sorted((*DETECTORS, "PHONE")))

# Of two types that claim the same characters, the one that stands earlier here keeps them.
_SPECIFIC_FIRST = (
    "AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CREDIT_DEBIT_CARD_NUMBER", "INTERNATIONAL_BANK_ACCOUNT_NUMBER",
    "VEHICLE_IDENTIFICATION_NUMBER", "US_SOCIAL_SECURITY_NUMBER", "US_INDIVIDUAL_TAX_IDENTIFICATION_NUMBER",
    "CA_SOCIAL_INSURANCE_NUMBER", "UK_NATIONAL_INSURANCE_NUMBER", "UK_NATIONAL_HEALTH_SERVICE_NUMBER",
    "UK_UNIQUE_TAXPAYER_REFERENCE_NUMBER", "US_BANK_ROUTING_NUMBER", "US_PASSPORT_NUMBER", "DRIVER_ID",
    "CA_HEALTH_NUMBER", "US_BANK_ACCOUNT_NUMBER", "SWIFT_CODE", "URL", "EMAIL", "MAC_ADDRESS", "IP_ADDRESS",
    "CREDIT_DEBIT_CARD_EXPIRY", "CREDIT_DEBIT_CARD_CVV", "PIN", "PASSWORD", "USERNAME", "PHONE", "LICENSE_PLATE",
    "AGE", "ADDRESS", "NAME",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(_SPECIFIC_FIRST)}


def find(text: Folded, types: frozenset[str]) -> list[PiiMatch]:
    """Entities of the given types, in order of position, no two of them on the same characters."""
    found = [match for name in types for match in _find_type(text, name)]
    found.sort(key=lambda m: (_RANK[m.type], m.start, -(m.end - m.start)))
    kept: list[PiiMatch] = []
    for match in found:
        if all(match.end <= other.start or match.start >= other.end for other in kept):
            kept.append(match)
    return sorted(kept, key=lambda m: m.start)


def _find_type(text: Folded, name: str) -> Iterator[PiiMatch]:
    if name == "PHONE":
        yield from _find_phones(text)
        return
    for detector in DETECTORS[name]:
        if detector.near and not any(word in text.lowered for word in detector.near):
            continue
        for start, end, matched in spans(compile_pattern(detector.pattern), text, detector.group):
            if detector.check is not None and not detector.check(matched):
                continue
            if not detector.near or _is_near(text, start, end, detector.near):
                yield PiiMatch(name, start, end)


def _is_near(text: Folded, start: int, end: int, words: tuple[str, ...]) -> bool:
    before = text.original[max(0, start - _BEFORE) : start].lower()
    after = text.original[end : end + _AFTER].lower()
    return any(re.search(rf"\b{re.escape(word)}", part) for word in words for part in (before, after))


def _find_phones(text: Folded) -> Iterator[PiiMatch]:
    if sum(c.isdigit() for c in text.text) < 7:
        return
    phonenumbers = importlib.import_module("phonenumbers")  # its tables are loaded when a number may be there
    for match in phonenumbers.PhoneNumberMatcher(text.text, "US", leniency=phonenumbers.Leniency.VALID):
        start, end = text.span(match.start, match.end)
        yield PiiMatch("PHONE", start, end)
