"""What changed between two audits: verdicts, claims, and the configuration behind them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.audit.bundle import ESTATE, FINDINGS, PROOFS, Bundle

WORSE = {"FAIL": 0, "violated": 0, "UNKNOWN": 1, "unknown": 1, "PASS": 2, "holds": 2, "NOT_APPLICABLE": 3}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that two audits see differently.

    Attributes:
        what: ``finding``, ``claim``, ``resource`` or ``declaration``.
        key: what it is called: control and resource, the claim's name, type and id.
        before: its verdict, or ``present``; ``None`` = it was not there.
        after: likewise in the second audit.
        summary: the second audit's words (the first's, if it is gone).
        properties: of a resource, the names of the properties that differ.
    """

    what: str
    key: str
    before: str | None
    after: str | None
    summary: str = ""
    properties: tuple[str, ...] = ()

    @property
    def worse(self) -> bool:
        """Whether a verdict got worse, or a bad one is new."""
        if self.what not in ("finding", "claim"):
            return False
        before = WORSE[self.before] if self.before else len(WORSE)
        after = WORSE[self.after] if self.after else len(WORSE)
        return after < before and after < WORSE["PASS"]

    def to_json(self) -> dict[str, Any]:
        """Plain data, as ``audit diff --json`` prints it."""
        return {
            "what": self.what,
            "key": self.key,
            "before": self.before,
            "after": self.after,
            "worse": self.worse,
            "summary": self.summary,
            "properties": list(self.properties),
        }


def differences(before: Bundle, after: Bundle) -> tuple[Change, ...]:
    """What the second audit sees otherwise than the first: verdicts that got worse first."""
    found = [*_declaration(before, after), *_findings(before, after), *_claims(before, after)]
    return (*sorted(found, key=lambda item: not item.worse), *_resources(before, after))


def _declaration(before: Bundle, after: Bundle) -> Iterator[Change]:
    first, second = (None if item.perimeter is None else item.perimeter.to_json() for item in (before, after))
    if first != second:
        names = tuple(_differing(first or {}, second or {}))
        yield Change("declaration", "declaration.json", _there(first), _there(second), properties=names)


def _findings(before: Bundle, after: Bundle) -> Iterator[Change]:
    for key, one, other in _pairs(
        _named(before, FINDINGS, _finding_key), _named(after, FINDINGS, _finding_key)
    ):
        if (one or {}).get("status") != (other or {}).get("status"):
            yield Change(
                "finding",
                key,
                _member(one, "status"),
                _member(other, "status"),
                str((other or one)["summary"]),
            )


def _claims(before: Bundle, after: Bundle) -> Iterator[Change]:
    for key, one, other in _pairs(_named(before, PROOFS, _claim_key), _named(after, PROOFS, _claim_key)):
        if (one or {}).get("verdict") != (other or {}).get("verdict"):
            yield Change(
                "claim", key, _member(one, "verdict"), _member(other, "verdict"), str((other or one)["title"])
            )


def _resources(before: Bundle, after: Bundle) -> Iterator[Change]:
    for key, one, other in _pairs(_resources_of(before), _resources_of(after)):
        names = tuple(_differing((one or {}).get("properties", {}), (other or {}).get("properties", {})))
        if one is None or other is None or names:
            changed = names if one is not None and other is not None else ()
            yield Change("resource", key, _there(one), _there(other), properties=changed)


def _finding_key(item: Mapping[str, Any]) -> str:
    return f"{item['control']} {item['region']} {item['resource']}"


def _claim_key(item: Mapping[str, Any]) -> str:
    return str(item["id"])


def _named(bundle: Bundle, name: str, key: Any) -> dict[str, Any]:
    return {key(item): item for item in json.loads(bundle.verdicts[name])}


def _resources_of(bundle: Bundle) -> dict[str, Any]:
    document = json.loads(bundle.verdicts[ESTATE])
    return {f"{item['type']} {item['region']} {item['id']}": item for item in document["resources"]}


def _pairs(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for key in sorted(one.keys() | other.keys()):
        yield key, one.get(key), other.get(key)


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    return (name for name in sorted(one.keys() | other.keys()) if one.get(name) != other.get(name))


def _member(item: Mapping[str, Any] | None, name: str) -> str | None:
    return None if item is None else str(item[name])


def _there(item: Any) -> str | None:
    return None if item is None else "present"
