"""The small language of ``--where``: conditions on a request, one at a time.

| written | means |
|---|---|
| ``KEY=VALUE`` | the key has that value |
| ``KEY!=VALUE`` | the key is absent, or has another value |
| ``KEY~GLOB`` | the key is like the pattern, with ``*`` and ``?`` |
| ``KEY!~GLOB`` | the key is absent, or unlike the pattern |
| ``KEY absent`` | the request does not carry the key |
| ``KEY present`` | it does |

The operator follows the key's type: ``aws:SourceIp=10.0.0.0/8`` is an ``IpAddress`` test, ``aws:PrincipalArn=...`` an
``ArnEquals``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ringwall.errors import RingwallError
from ringwall.iam.policy import ConditionTest

if TYPE_CHECKING:
    from ringwall.catalog.reference import Catalog

_COMPARED = re.compile(
    r"\s*(?P<key>[A-Za-z0-9-]+:[^=~!\s]+)\s*(?P<sign>!=|!~|=|~)\s*(?P<value>.*?)\s*\Z", re.DOTALL
)
_PRESENCE = re.compile(r"\s*(?P<key>[A-Za-z0-9-]+:\S+)\s+(?P<word>absent|present)\s*\Z")
_EQUALS = {
    # type of the key: (equal, different)
    "ARN": ("ArnEquals", "ArnNotEquals"),
    "Numeric": ("NumericEquals", "NumericNotEquals"),
    "Date": ("DateEquals", "DateNotEquals"),
    "IPAddress": ("IpAddress", "NotIpAddress"),
    "Bool": ("Bool", "Bool"),
}
_STRING = ("StringEquals", "StringNotEquals")
_LIKE = {"ARN": ("ArnLike", "ArnNotLike")}


class WhereError(RingwallError):
    """A condition cannot be read."""


def parse_where(text: str, catalog: Catalog) -> ConditionTest:
    """Read one condition.

    Raises:
        WhereError: it is not of the forms above, or no action of AWS carries the key.
    """
    presence = _PRESENCE.match(text)
    if presence:
        _known(presence["key"], catalog)
        return ConditionTest(
            "Null", None, False, presence["key"], ("true" if presence["word"] == "absent" else "false",)
        )
    compared = _COMPARED.match(text)
    if compared is None or not compared["value"]:
        raise WhereError(
            f"--where {text!r} cannot be read: write KEY=VALUE, KEY!=VALUE, KEY~GLOB, KEY!~GLOB, 'KEY absent' or "
            f"'KEY present'"
        )
    key, sign, value = compared["key"], compared["sign"], compared["value"]
    kind = _known(key, catalog)
    negated = sign.startswith("!")
    if kind == "Bool":
        value = _truth(text, value, negated=negated)
        return ConditionTest("Bool", None, False, key, (value,))
    table = (
        _LIKE.get(kind, ("StringLike", "StringNotLike")) if sign.endswith("~") else _EQUALS.get(kind, _STRING)
    )
    # A multivalued key is compared by any of its values; for the negation, all of them must differ.
    qualifier = None
    if catalog.is_multivalued(key):
        qualifier = "ForAllValues" if negated else "ForAnyValue"
    return ConditionTest(table[negated], qualifier, False, key, (value,))  # type: ignore[arg-type]


def _known(key: str, catalog: Catalog) -> str:
    kind = catalog.key_type(key)
    if kind is None:
        raise WhereError(
            f"there is no condition key {key}; `ringwall catalog {key.split(':', 1)[0]}` lists those of a service"
        )
    return kind


def _truth(text: str, value: str, *, negated: bool) -> str:
    lowered = value.lower()
    if lowered not in ("true", "false"):
        raise WhereError(f"--where {text!r}: the key is true or false")
    return lowered if not negated else {"true": "false", "false": "true"}[lowered]
