"""What the report says in words: verdicts, the headline, requests and sizes. Pure functions over text and numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ringwall.controls.findings import Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.iam.request import Request
    from ringwall.proof.question import Verdict

STATUS_WORDS: Mapping[Status, str] = {
    Status.FAIL: "Fail",
    Status.UNKNOWN: "Unknown",
    Status.PASS: "Pass",
    Status.NOT_APPLICABLE: "Not applicable",
}
"""Worst first."""

STATUS_SLUGS: Mapping[Status, str] = {
    Status.FAIL: "fail",
    Status.UNKNOWN: "unknown",
    Status.PASS: "pass",
    Status.NOT_APPLICABLE: "na",
}
"""For class names and symbols."""

PROOF_STATUS: Mapping[Verdict, Status] = {
    "holds": Status.PASS,
    "violated": Status.FAIL,
    "unknown": Status.UNKNOWN,
}
PROOF_WORDS: Mapping[Verdict, str] = {"holds": "Proved", "violated": "Violated", "unknown": "Undecided"}

POLICY_TYPES: Mapping[str, str] = {
    "identity": "identity policy",
    "permissions_boundary": "permissions boundary",
    "session": "session policy",
    "resource": "resource policy",
    "scp": "service control policy",
    "rcp": "resource control policy",
    "vpc_endpoint": "VPC endpoint policy",
}

DERIVED_KEYS = frozenset(
    {
        "aws:principalarn",
        "aws:principalaccount",
        "aws:principaltype",
        "aws:principalisawsservice",
        "aws:resourceaccount",
        "aws:userid",
        "aws:username",
    }
)
"""Context keys that the principal and the resource determine: a sentence about a request need not repeat them."""

Span = tuple[bool, str]
"""A piece of running text, and whether it is code."""

_MISLEADING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
"""Control characters, invisible and direction-changing ones, and halves of surrogate pairs."""


def visible(text: str) -> str:
    r"""A text in which characters that hide or reorder what is read stand as escapes, such as ``\u202e``.

    A resource's name is anybody's to choose; it must not make the report show something else than what is there.
    """
    return _MISLEADING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def anchor(prefix: str, text: str) -> str:
    """An HTML id for a name."""
    return f"{prefix}-{re.sub(r'[^A-Za-z0-9_-]', '-', text)}"


def number(count: int, one: str, many: str | None = None) -> str:
    """``1 control``, ``2 controls``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def size(count: int) -> str:
    """Bytes for people, in powers of 1000: ``3.9 MB``."""
    if count < 1_000:
        return number(count, "byte")
    if count < 1_000_000:
        return f"{count / 1_000:.1f} kB"
    return f"{count / 1_000_000:.1f} MB"


def moment(text: str) -> str:
    """An ISO 8601 time in UTC as ``2026-11-23 09:17:26 UTC``; what is not one stays."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)", text)
    return f"{found[1]} {found[2]} UTC" if found else text


def headline(status: Status) -> str:
    """The overall verdict."""
    return {
        Status.FAIL: "The perimeter does not hold.",
        Status.UNKNOWN: "It cannot be said that the perimeter holds.",
        Status.PASS: "The perimeter holds.",
        Status.NOT_APPLICABLE: "Nothing was judged.",
    }[status]


def explanation(controls: Mapping[Status, int], claims: Mapping[Verdict, int]) -> str:
    """The sentence under the headline: how many controls and claims came out how."""
    verbs = {
        Status.FAIL: ("fails", "fail"),
        Status.UNKNOWN: ("is undecided", "are undecided"),
        Status.PASS: ("passes", "pass"),
        Status.NOT_APPLICABLE: ("does not apply", "do not apply"),
    }
    total = sum(controls.values())
    parts = [
        f"{count} {verbs[status][0 if count == 1 else 1]}"
        for status in STATUS_WORDS
        if (count := controls.get(status, 0))
    ]
    judged = f"Of {number(total, 'control')}, {', '.join(parts)}." if parts else "No control was judged."
    if len(parts) == 1 and total > 1:
        judged = f"All {total} controls {parts[0].split(' ', 1)[1]}."
    asked = sum(claims.values())
    if not asked:
        return f"{judged} No claim was put to the prover."
    proved = claims.get("holds", 0)
    verdicts: tuple[Verdict, ...] = ("violated", "unknown")
    rest = [
        f"{claims[verdict]} {PROOF_WORDS[verdict].lower()}" for verdict in verdicts if claims.get(verdict)
    ]
    if proved == asked > 1:
        return f"{judged} All {asked} claims are proved."
    tail = f"; {' and '.join(rest)}" if rest else ""
    return f"{judged} {proved} of {number(asked, 'claim')} {'is' if proved == 1 else 'are'} proved{tail}."


def sentence(text: str) -> str:
    """A text that begins with a capital letter, unless it begins with a name such as ``vpce-1``."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first.isalpha() else text


def request_words(request: Request, route: str | None) -> tuple[Span, ...]:
    """A request in one sentence: who may do what, on what, by which way, under which circumstances."""
    anybody = request.principal == "*"
    pieces: list[Span] = [
        (not anybody, "anybody, without credentials," if anybody else request.principal),
        (False, " is allowed "),
        (True, request.action),
        (False, " on "),
        (True, request.resource),
    ]
    if route:
        pieces.append((False, f", {route}"))
    extra = [(key, values) for key, values in sorted(request.context.items()) if key not in DERIVED_KEYS]
    for index, (key, values) in enumerate(extra):
        pieces.append((False, "; " if index else ", where "))
        pieces.append((True, f"{key} = {', '.join(values) if values else '(empty)'}"))
    return (*pieces, (False, "."))
