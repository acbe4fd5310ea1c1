"""The responses as the report shows them: each once, the ones that findings rest on first, within a budget.

A bundle holds every response whole; a page of hundreds of megabytes would be read by nobody.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.audit.report_words import anchor, moment, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringwall.controls.findings import Finding
    from ringwall.estate.recording import Recorded

SHOWN = 20_000
"""Characters of one body that are shown."""

BUDGET = 4_000_000
"""Characters of all bodies together; what comes after them is named, not shown."""


@dataclass(frozen=True, slots=True)
class Response:
    """One response.

    Attributes:
        anchor: HTML id.
        digest: ``sha256:...`` of the whole body.
        call: ``iam GetRole``.
        facts: label and value pairs: parameters, account, Region, caller, request id, time.
        body: indented JSON, at most ``SHOWN`` characters of it.
        note: what is not shown, in words; empty if all is.
        size: of the body, in words.
        used_by: controls whose findings rest on it: HTML id, slug, number of findings.
        recorded: whether the run holds it.
    """

    anchor: str
    digest: str
    call: str
    facts: tuple[tuple[str, str], ...] = ()
    body: str = ""
    note: str = ""
    size: str = ""
    used_by: tuple[tuple[str, str, int], ...] = ()
    recorded: bool = True


def responses(recorded: Mapping[str, Recorded], findings: Sequence[Finding]) -> tuple[Response, ...]:
    """Every response that was recorded or that a finding names, those that findings name first."""
    users: dict[str, Counter[str]] = {}
    for finding in findings:
        for digest in dict.fromkeys(finding.evidence):
            users.setdefault(digest, Counter())[finding.control] += 1
    return tuple(_responses(recorded, users))


def _responses(recorded: Mapping[str, Recorded], users: Mapping[str, Counter[str]]) -> Iterator[Response]:
    left = BUDGET
    for digest in [*users, *(other for other in recorded if other not in users)]:
        used_by = tuple(
            (anchor("control", slug), slug, count) for slug, count in users.get(digest, {}).items()
        )
        if digest not in recorded:
            note = "This run did not record it: the verdict rests on a response of another run."
            yield Response(
                anchor("response", digest), digest, "not recorded", note=note, used_by=used_by, recorded=False
            )
            continue
        found = _response(recorded[digest], digest, used_by, min(left, SHOWN))
        left -= len(found.body)
        yield found


def _response(item: Recorded, digest: str, used_by: tuple[tuple[str, str, int], ...], room: int) -> Response:
    whole = json.dumps(json.loads(item.body), indent=2, ensure_ascii=False)
    weight = size(len(item.body.encode("utf-8", "surrogatepass")))
    shown = whole[:room]
    note = ""
    if len(shown) < len(whole):
        part = f"The first {size(len(shown))} of {weight}" if shown else f"Not shown here ({weight})"
        note = f"{part}. The evidence bundle has it whole: responses/{digest.replace(':', '-')}.json"
    return Response(
        anchor=anchor("response", digest),
        digest=digest,
        call=f"{item.service} {item.operation}",
        facts=_facts(item),
        body=shown,
        note=note,
        size=weight,
        used_by=used_by,
    )


def _facts(item: Recorded) -> tuple[tuple[str, str], ...]:
    parameters = (
        json.dumps(item.parameters, sort_keys=True, ensure_ascii=False) if item.parameters else "none"
    )
    return (
        ("Operation", f"{item.service} {item.operation}"),
        ("Parameters", parameters),
        ("Account", item.account),
        ("Region", item.region),
        ("Caller", item.caller),
        ("Request id", item.request_id or "none given"),
        ("Time", moment(item.time)),
    )
