"""Tests that read a value as a number, date, address, truth value or bytes, and the few values that tell them apart.

Such tests cut their domain into finitely many classes: at each bound, and between neighbouring bounds, one value stands
for all. What a value means is asked of the evaluator's own operators.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from ringwall.iam import values
from ringwall.iam.conditions import OPERATORS
from ringwall.iam.patterns import TextTest, tokenize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_V4_LAST = (1 << 32) - 1
_V6_LAST = (1 << 128) - 1
_MAPPED = 0xFFFF << 32
_UNLISTED_ADDRESSES = ("203.0.113.7", "2001:db8::7")
_UNLISTED_TEXT = "unlisted"


class Typed(NamedTuple):
    """A comparison, before negation, with one listed value: ``NumericLessThan`` with ``10``."""

    operator: str
    value: str

    def accepts(self, text: str) -> bool:
        """Whether the comparison holds of a request's value."""
        return bool(_test(self)(text))


@lru_cache(maxsize=16384)
def _test(typed: Typed) -> TextTest:
    return OPERATORS[typed.operator].build((tokenize(typed.value, variables=False),))


def candidates(tests: Iterable[Typed], *, is_text: bool) -> list[str]:
    """Values, of which one falls into each class that the tests distinguish.

    Args:
        tests: the comparisons.
        is_text: whether a value may also be what none of the comparisons can read.
    """
    return list(_candidates(frozenset(tests), is_text))


@lru_cache(maxsize=1024)
def _candidates(tests: frozenset[Typed], is_text: bool) -> tuple[str, ...]:
    families: dict[str, list[str]] = {}
    for test in sorted(tests):
        families.setdefault(OPERATORS[test.operator].family, []).append(test.value)
    pool: list[str] = []
    if "IpAddress" in families:
        pool += _addresses(families["IpAddress"])
    numbers = [value for text in families.get("Numeric", ()) if (value := values.number(text)) is not None]
    dates = [value for text in families.get("Date", ()) if (value := values.date(text)) is not None]
    if "Date" in families:
        pool += map(_iso, _points(dates))
    if "Numeric" in families or "Date" in families:
        pool += (_plain(point, dated="Date" in families) for point in _points(numbers + dates))
    if "Bool" in families:
        pool += ["true", "false"]
    if "Binary" in families:
        pool += [*families["Binary"], "eA==", "eQ==", ""]
    if is_text:
        pool.append(_UNLISTED_TEXT)
    return tuple(dict.fromkeys(pool))


def _points(bounds: Iterable[Decimal]) -> list[Decimal]:
    """Each bound, a value between each two, one below and one above all."""
    ordered = sorted(set(bounds)) or [Decimal(0)]
    between = [(low + high) / 2 for low, high in pairwise(ordered)]
    whole = [Decimal(int(low) + 1) for low, high in pairwise(ordered) if int(low) + 1 < high]
    return [ordered[0] - 1, *ordered, ordered[-1] + 1, *whole, *between]


def _plain(point: Decimal, *, dated: bool) -> str:
    text = format(point, "f")
    # Four digits would be read as a year.
    return f"{text}.0" if dated and len(text) == 4 and text.isdigit() else text


def _iso(point: Decimal) -> str:
    whole = int(point // 1)
    fraction = format(point - whole, "f")[2:].rstrip("0")
    try:
        moment = _EPOCH + timedelta(seconds=whole)
    except OverflowError:
        return _plain(point, dated=True)
    return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' + fraction if fraction else ''}Z".rjust(20, "0")


def _addresses(blocks: Iterable[str]) -> Iterator[str]:
    """Unlisted addresses, then the ends and the neighbours of every block, IPv4-mapped forms last."""
    fourth: set[int] = set()
    sixth: set[int] = set()
    for text in blocks:
        block = values.network(text)
        if block is None:
            continue
        version, first, mask = block
        ends, widest = (fourth, _V4_LAST) if version == 4 else (sixth, _V6_LAST)
        last = first | (mask ^ widest)
        ends.update(
            point for point in (first - 1, first, (first + last) // 2, last, last + 1) if 0 <= point <= widest
        )
    yield from _UNLISTED_ADDRESSES
    for point in sorted(fourth):
        yield str(ipaddress.IPv4Address(point))
    for point in sorted(sixth):
        yield str(ipaddress.IPv6Address(point))
    if sixth:
        for point in sorted(fourth):
            yield str(ipaddress.IPv6Address(_MAPPED | point))
