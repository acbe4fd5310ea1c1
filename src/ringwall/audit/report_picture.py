"""The architecture as a picture: the parts that a request passes on its way to a model, each with its verdicts.

The parts and arrows are those of Bedrock's security architecture: the application calls through a VPC endpoint and its
security group, IAM decides, resource policies, keys and logs stand around the models; the guardrail and the alarms are
drawn as parts of their own. One table says where everything stands; the template draws it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.audit.report_words import STATUS_WORDS
from ringwall.controls.findings import Status, worst

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.controls.findings import Finding

COLUMN, ROW = 198, 222
LEFT, TOP = 13, 48
WIDTH, HEIGHT = 182, 150
VIEW = (LEFT * 2 + COLUMN * 5 + WIDTH, TOP + ROW + HEIGHT + 50)
"""Width and height of the drawing, in its own units."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the architecture.

    Attributes:
        title: what it is called in the picture.
        column: from 0, left to right.
        row: 0 for the way of a request, 1 for what stands around it.
        controls: slug and short label of each control that judges it.
        about: what ``details.part`` of the findings says that are about this part; empty = a control's other findings.
    """

    title: str
    column: int
    row: int
    controls: tuple[tuple[str, str], ...]
    about: str = ""


PARTS = (
    Part(
        "Application", 0, 0,
        (
            ("api-keys-prevented", "no API keys"),
            ("agents-bounded", "agents bounded"),
            ("agentcore-enclosed", "AgentCore closed"),
        ),
    ),
    Part(
        "VPC endpoint", 1, 0,
        (("vpc-endpoint-effective", "private and narrow"), ("vpc-endpoint-cannot-be-skipped", "cannot be skipped")),
    ),
    Part("Security group", 2, 0, (("vpc-endpoint-effective", "application only"),), "security group"),
    Part(
        "IAM policies", 3, 0,
        (
            ("least-privilege-invoke", "least privilege"),
            ("models-restricted", "declared models"),
            ("regions-restricted", "declared Regions"),
            ("resources-stay-in-organization", "own organization"),
        ),
    ),
    Part(
        "Guardrail", 4, 0,
        (
            ("guardrail-cannot-be-bypassed", "cannot be bypassed"),
            ("guardrail-filters-content", "filters content"),
            ("guardrail-pinned", "pinned version"),
        ),
    ),
    Part(
        "Foundation models", 5, 0,
        (("data-retention-none", "nothing retained"), ("guardrail-enforced", "guardrail enforced")),
    ),
    Part(
        "Monitoring", 2, 1,
        (("alarms-reach-someone", "alarms arrive"), ("calls-stayed-inside", "calls stayed inside")),
    ),
    Part(
        "Resource policies", 3, 1,
        (
            ("controls-protected", "controls protected"),
            ("knowledge-base-sources", "sources apart"),
            ("vector-store-closed", "vectors apart"),
            ("nothing-shared-outside", "nothing shared"),
        ),
    ),
    Part("KMS keys", 4, 1, (("keys-effective", "keys effective"),)),
    Part(
        "Trail and logs", 5, 1,
        (
            ("trail-records-inference", "trail records calls"),
            ("invocation-logging-delivers", "logs delivered"),
            ("buckets-private", "buckets private"),
        ),
    ),
)  # fmt: skip

LANES = (
    # Title, first column, last column, first row, last row.
    ("Client", 0, 0, 0, 0),
    ("Network security", 1, 2, 0, 0),
    ("Access control", 3, 3, 0, 1),
    ("Amazon Bedrock", 4, 5, 0, 0),
    ("Monitoring", 2, 2, 1, 1),
    ("Data protection", 4, 5, 1, 1),
)


@dataclass(frozen=True, slots=True)
class Label:
    """A control inside a box: its place, verdict and short label."""

    slug: str
    text: str
    status: Status
    y: int


@dataclass(frozen=True, slots=True)
class Box:
    """A part where it is drawn. ``words`` says its verdict without the picture."""

    title: str
    status: Status
    x: int
    y: int
    width: int
    height: int
    labels: tuple[Label, ...]
    words: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A frame around parts."""

    title: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the drawing consists of; ``arrows`` are SVG paths."""

    width: int
    height: int
    lanes: tuple[Lane, ...]
    arrows: tuple[str, ...]
    boxes: tuple[Box, ...]


def part_verdicts(findings: tuple[Finding, ...]) -> Mapping[tuple[str, str], Status]:
    """Verdicts by control and part, for controls whose findings speak of several parts."""
    grouped: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((finding.control, str(finding.details.get("part", ""))), []).append(finding)
    split = {slug for slug, about in grouped if about}
    return {key: worst(tuple(own)) for key, own in grouped.items() if key[0] in split}


def picture(verdicts: Mapping[str, Status], parts: Mapping[tuple[str, str], Status] | None = None) -> Picture:
    """The drawing.

    Args:
        verdicts: by control slug.
        parts: by control slug and part, where a control judges several (:func:`part_verdicts`).
    """
    return Picture(
        *VIEW,
        lanes=tuple(_lane(*lane) for lane in LANES),
        arrows=tuple(_arrows()),
        boxes=tuple(_box(part, verdicts, parts or {}) for part in PARTS),
    )


def _place(column: int, row: int) -> tuple[int, int]:
    return LEFT + column * COLUMN, TOP + row * ROW


def _box(part: Part, verdicts: Mapping[str, Status], parts: Mapping[tuple[str, str], Status]) -> Box:
    x, y = _place(part.column, part.row)
    labels = tuple(
        Label(
            slug,
            text,
            parts.get((slug, part.about), verdicts.get(slug, Status.NOT_APPLICABLE)),
            y + 64 + 23 * index,
        )
        for index, (slug, text) in enumerate(part.controls)
    )
    status = next(status for status in STATUS_WORDS if any(label.status is status for label in labels))
    told = ", ".join(f"{label.text}: {STATUS_WORDS[label.status]}" for label in labels)
    return Box(
        part.title, status, x, y, WIDTH, HEIGHT, labels, f"{part.title}: {STATUS_WORDS[status]}. {told}"
    )


def _lane(title: str, first: int, last: int, top: int, bottom: int) -> Lane:
    left, upper = _place(first, top)
    right, lower = _place(last, bottom)
    return Lane(title, left - 12, upper - 34, right - left + WIDTH + 24, lower - upper + HEIGHT + 46)


def _arrows() -> list[str]:
    middle = TOP + HEIGHT // 2
    along = [
        f"M{LEFT + column * COLUMN + WIDTH} {middle}H{LEFT + (column + 1) * COLUMN - 3}"
        for column in range(5)
    ]
    top, bottom = TOP + ROW, TOP + HEIGHT
    models = LEFT + 5 * COLUMN
    guardrail = LEFT + 4 * COLUMN
    bend = bottom + 18
    upward = [
        f"M{guardrail + WIDTH - 30} {top}V{bend}M{LEFT + 3 * COLUMN + WIDTH // 2} {top}V{bend}H{models + 40}V{bottom + 3}",
        f"M{models + WIDTH - 30} {top}V{bottom + 3}",
    ]
    under = TOP + ROW + HEIGHT
    watched = [f"M{models + WIDTH // 2} {under}V{under + 30}H{LEFT + 2 * COLUMN + WIDTH // 2}V{under + 3}"]
    return [*along, *upward, *watched]
