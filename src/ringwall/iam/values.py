"""Values of condition keys as numbers, dates, addresses and bytes.

What cannot be read is ``None``, never an error: a value that makes no sense simply does not match.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?\Z")
# https://www.w3.org/TR/NOTE-datetime, and seconds since 1970. Four digits are a year.
_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?)?)?\Z"
)
_CIDR = re.compile(r"[^/]*(?:/[0-9]{1,3})?\Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAPPED = 0xFFFF << 32
_V4_MASK = 0xFFFFFFFF


@lru_cache(maxsize=2048)
def number(text: str) -> Decimal | None:
    """A decimal number, exactly; scientific notation allowed."""
    return Decimal(text) if _NUMBER.match(text) else None


@lru_cache(maxsize=2048)
def date(text: str) -> Decimal | None:
    """Seconds since 1970 of an ISO 8601 (W3C) date, or of a number that is that already. No zone means UTC."""
    match = _DATE.match(text)
    if match is None:
        return number(text)
    part = match.groupdict()
    try:
        moment = datetime(
            int(part["year"]), int(part["month"] or 1), int(part["day"] or 1),
            int(part["hour"] or 0), int(part["minute"] or 0), int(part["second"] or 0), tzinfo=UTC,
        )  # fmt: skip
        seconds = (moment - _EPOCH) // timedelta(seconds=1) - _offset(part["zone"])
    except ValueError:
        return None
    return Decimal(seconds) + Decimal(f"0.{part['fraction'] or 0}")


def _offset(zone: str | None) -> int:
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    delta = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    signed = -delta if zone[0] == "-" else delta
    return int(timezone(signed).utcoffset(None).total_seconds())


def boolean(text: str) -> bool | None:
    """``true`` or ``false`` in any case."""
    return {"true": True, "false": False}.get(text.lower())


def binary(text: str) -> bytes | None:
    """The bytes of a base64 text."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


Address = tuple[int | None, int | None]
"""An address as (IPv4 number, IPv6 number): an IPv4-mapped IPv6 address is both."""

Network = tuple[int, int, int]
"""(IP version, first address, mask)."""


@lru_cache(maxsize=4096)
def address(text: str) -> Address | None:
    """An IPv4 or IPv6 address in any spelling."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return None
    value = int(parsed)
    if parsed.version == 4:
        return value, None
    return (value & _V4_MASK if value >> 32 == 0xFFFF else None), value


@lru_cache(maxsize=4096)
def network(text: str) -> Network | None:
    """A CIDR block, or one address; host bits are ignored. IPv4-mapped blocks are IPv4 blocks.

    A mask in place of the prefix's length is not CIDR notation, the only one that IAM documents.
    """
    if not _CIDR.match(text):
        return None
    try:
        parsed = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    first, mask = int(parsed.network_address), int(parsed.netmask)
    if parsed.version == 6 and parsed.prefixlen >= 96 and first >> 32 == 0xFFFF:
        return 4, first & _V4_MASK, mask & _V4_MASK
    return parsed.version, first, mask


def in_network(where: Address, block: Network) -> bool:
    """Whether the address lies in the block; IPv4 blocks hold no IPv6 addresses and the other way round."""
    version, first, mask = block
    value = where[0] if version == 4 else where[1]
    return value is not None and value & mask == first
