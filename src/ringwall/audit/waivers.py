"""Waivers: failures that somebody answers for, until a day. A waived failure stays a failure.

    waivers:
      - control: trail-records-inference
        resource: "arn:aws:cloudtrail:us-east-1:111122223333:trail/*"
        owner: security@example.com
        reason: the organization's trail takes over in January, SEC-1234
        expires: 2027-01-31

``resource`` is a pattern with ``*`` and ``?`` over the finding's resource; ``account`` and ``region`` may narrow it.
The day of expiry still counts; it is compared with the day on which the account was read, in UTC, so that the same
bundle gives the same verdicts on any day.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ringwall.controls import registry
from ringwall.controls.findings import Finding, Status, Waiver
from ringwall.errors import DeclarationError, Problem, RingwallError
from ringwall.iam.patterns import glob_matches
from ringwall.perimeter.yaml_text import parse_yaml

FIELDS = ("control", "resource", "account", "region", "owner", "reason", "expires")
REQUIRED = ("control", "resource", "owner", "reason", "expires")
LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Waived:
    """What waivers did to an audit.

    Attributes:
        findings: the findings, failures that are waived with their waiver.
        expired: waivers whose day has passed; they waive nothing.
        unused: waivers that hold and match no failure: what they were for is gone, or never was.
    """

    findings: tuple[Finding, ...]
    expired: tuple[Waiver, ...]
    unused: tuple[Waiver, ...]


def waive(findings: tuple[Finding, ...], waivers: tuple[Waiver, ...], taken_at: str) -> Waived:
    """Mark the failures that a waiver covers. No status changes, and what is unknown cannot be waived.

    Args:
        findings: the verdicts.
        waivers: in the order of their file; of several that cover one failure the first counts.
        taken_at: when the account was read, ISO 8601. Without it every waiver counts as expired.
    """
    day = datetime.fromisoformat(taken_at).date() if taken_at else date.max
    valid = tuple(item for item in waivers if item.expires >= day)
    found = tuple(
        replace(finding, waiver=next((item for item in valid if covers(item, finding)), None))
        for finding in findings
    )
    used = {item.waiver for item in found}
    return Waived(
        found,
        tuple(item for item in waivers if item.expires < day),
        tuple(item for item in valid if item not in used),
    )


def covers(waiver: Waiver, finding: Finding) -> bool:
    """Whether a waiver is about a failure."""
    return (
        finding.status is Status.FAIL
        and finding.control == waiver.control
        and glob_matches(waiver.resource, finding.resource)
        and waiver.account in (None, finding.account)
        and waiver.region in (None, finding.region)
    )


# -- reading ---------------------------------------------------------------------------------------------------------


def load_waivers(path: str | Path) -> tuple[Waiver, ...]:
    """Read a file of waivers.

    Raises:
        RingwallError: it cannot be read.
        DeclarationError: it is wrong; carries every problem with its line and column.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise RingwallError(f"{path} cannot be read: {error.strerror}") from error
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DeclarationError((Problem(str(path), line, 1, "", "is not UTF-8 text"),)) from None
    return loads_waivers(text, file=str(path))


def loads_waivers(text: str, *, file: str = "waivers.yaml") -> tuple[Waiver, ...]:
    """Waivers from text. ``file`` is what messages call it. Raises DeclarationError with every problem."""
    document = parse_yaml(text, file)
    entries = document.get("waivers") if isinstance(document, Mapping) else None
    if not isinstance(entries, Sequence) or isinstance(entries, str) or set(document) != {"waivers"}:
        raise DeclarationError((Problem(file, 1, 1, "", "must be a mapping that holds `waivers`, a list"),))
    problems: list[Problem] = []
    found = []
    for index, entry in enumerate(entries):
        wrong = list(_wrong(entry, index, entries, file))
        problems += wrong
        if not wrong:
            found.append(_waiver(entry))
    if problems:
        raise DeclarationError(tuple(problems))
    return tuple(found)


def _waiver(entry: Mapping[str, Any]) -> Waiver:
    """An entry in which nothing is wrong."""
    account, region = (str(entry[name]) if name in entry else None for name in ("account", "region"))
    return Waiver(
        control=str(entry["control"]),
        resource=str(entry["resource"]),
        owner=str(entry["owner"]),
        reason=str(entry["reason"]),
        expires=_day(entry["expires"]) or date.min,
        account=account,
        region=region,
    )


def _wrong(entry: Any, index: int, entries: Any, file: str) -> Iterator[Problem]:
    """What is wrong with one entry."""
    path = f"waivers[{index}]"
    line, column = entries.lc.item(index)
    if not isinstance(entry, Mapping):
        yield Problem(file, line + 1, column + 1, path, "must be a mapping")
        return
    for name in entry:
        if name not in FIELDS:
            yield _at(entry, name, path, file, f"unknown field{_nearest(str(name), FIELDS)}", key=True)
    for name in REQUIRED:
        if name not in entry:
            yield Problem(file, line + 1, column + 1, f"{path}.{name}", "this field is required")
    for name in FIELDS:
        message = _unfit(name, entry[name]) if name in entry else None
        if message is not None:
            yield _at(entry, name, path, file, message)


def _unfit(name: str, value: Any) -> str | None:
    if name == "expires":
        return None if _day(value) else f"must be a day such as 2027-01-31, not {value!r}"
    if not isinstance(value, str):
        return f'must be text: write it in quotes, "{value}"'
    if not value.strip() or len(value) > LONGEST:
        return f"must hold 1 to {LONGEST} characters"
    slugs = tuple(control.slug for control in registry())
    if name == "control" and value not in slugs:
        return f"there is no control {value!r}{_nearest(value, slugs)}"
    if name == "account" and not re.fullmatch(r"\d{12}", value):
        return f"{value!r} is no account id: twelve digits"
    return None


def _day(value: Any) -> date | None:
    """A day, as YAML reads it or as text; a moment is none."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def _at(entry: Any, name: Any, path: str, file: str, message: str, *, key: bool = False) -> Problem:
    line, column = entry.lc.key(name) if key else entry.lc.value(name)
    return Problem(file, line + 1, column + 1, f"{path}.{name}", message)


def _nearest(word: str, options: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, options, n=1, cutoff=0.6)
    return f", did you mean {close[0]}?" if close else ""


# -- as data ---------------------------------------------------------------------------------------------------------


def to_json(waivers: tuple[Waiver, ...]) -> dict[str, Any]:
    """The document that :func:`loads_waivers` reads, as the bundle keeps it."""
    return {"waivers": [item.to_json() for item in waivers]}
