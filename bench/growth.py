"""How the work of proofs grows with the published families: measured, then written as a table and as plots.

``python bench/growth.py`` prints the table, with ``--write`` into docs/growth.md and docs/growth.svg. Times are the
process's own (CPU seconds), medians of three; the last bend of each curve is what matters, not the machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import log10
from pathlib import Path
from typing import Any

import estate_families
import proof_families as families

from ringwall.access import Access
from ringwall.access.who_can import wanted, who_can
from ringwall.catalog import load as catalog
from ringwall.controls.proving import prove_declared
from ringwall.proof.prove import prove
from ringwall.proof.question import Question

DOCS = Path(__file__).resolve().parents[1] / "docs"
COLOURS = ("#1f6feb", "#cf222e", "#1a7f37")


@dataclass(frozen=True)
class Curve:
    """Times by the number that a family grows with.

    Attributes:
        panel: the family's title.
        axis: what the number counts.
        name: which of the panel's curves.
        points: number, median CPU seconds, what came of it.
    """

    panel: str
    axis: str
    name: str
    points: tuple[tuple[int, float, str], ...]


def curves() -> Iterator[Curve]:
    """Every family, one after the other."""
    guardrail = "Guardrail claim, one principal"
    for hole, name in ((False, "holds"), (True, "violated")):
        points = _asked((10, 30, 100, 300, 1000), lambda size, hole=hole: families.guardrail(size, hole=hole))
        yield Curve(guardrail, "statements", name, points)
    levels = _asked((1, 2, 3, 4, 5, 6), lambda number: families.guardrail(50, levels=number))
    yield Curve("SCP levels, 50 statements", "levels", "holds", levels)
    yield Curve(
        "Overlapping wildcards",
        "parts that a name must hold",
        "violated",
        _asked((2, 3, 4, 5, 6), families.overlapping),
    )
    for limits, name in (("all", "SCPs in place"), ("half", "half of them gone"), ("none", "all gone")):
        yield Curve(
            "Every claim of the quickstart, a whole account",
            "principals",
            name,
            tuple(_estate(size, limits) for size in (100, 300, 1000)),
        )
    for action in ("bedrock:InvokeModel", "s3:GetObject"):
        points = tuple(_who_can(size, action) for size in (50, 150, 500))
        yield Curve("Who can, roles with 4 policies", "roles", action, points)


def _asked(sizes: Sequence[int], make: Callable[[int], Question]) -> tuple[tuple[int, float, str], ...]:
    found = []
    for size in sizes:
        question = make(size)
        # As new policies: nothing of them was compiled before.
        seconds, answer = _median(
            lambda one=question: prove(replace(one, policies=replace(one.policies)), catalog())  # type: ignore[misc]
        )
        found.append((size, seconds, answer.verdict))
    return tuple(found)


def _estate(size: int, limits: estate_families.Limits) -> tuple[int, float, str]:
    perimeter, estate, attributes = estate_families.organization(size, limits=limits)
    seconds, proved = _median(
        lambda: list(prove_declared(perimeter, estate, attributes, catalog(), teach=True)), rounds=1
    )
    verdicts = [item.answer.verdict for item in proved]
    return size, seconds, f"{verdicts.count('holds')} of {len(verdicts)} hold"


def _who_can(size: int, action: str) -> tuple[int, float, str]:
    perimeter, estate, _ = families.estate(size, 4)
    vocabulary = catalog()
    what = wanted(action, "*", vocabulary)
    seconds, able = _median(lambda: list(who_can(Access(estate), perimeter.account, what, vocabulary)))
    return size, seconds, f"{len(able)} can"


def _median(call: Callable[[], Any], rounds: int = 3) -> tuple[float, Any]:
    taken = []
    for _ in range(rounds):
        started = time.process_time()
        result = call()
        taken.append(time.process_time() - started)
    return sorted(taken)[rounds // 2], result


# -- written ---------------------------------------------------------------------------------------------------------


def table(found: Sequence[Curve]) -> str:
    """The numbers as Markdown."""
    lines = ["| family | | number | CPU time | outcome |", "|---|---|---|---|---|"]
    lines += [
        f"| {one.panel} | {one.name} | {size} {one.axis} | {_text(seconds)} | {outcome} |"
        for one in found
        for size, seconds, outcome in one.points
    ]
    return "\n".join(lines)


def _text(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.1f} s"


WIDTH, HEIGHT, LEFT, TOP = 380, 230, 60, 30
COLUMNS = 2


def plots(found: Sequence[Curve]) -> str:
    """The curves as SVG, a panel for each family; both axes are logarithmic."""
    panels = list(dict.fromkeys((one.panel, one.axis) for one in found))
    rows = -(-len(panels) // COLUMNS)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * (WIDTH + 20)}" '
            f'height="{rows * (HEIGHT + 30)}" font-family="sans-serif" font-size="11">'
        ),
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for at, (panel, axis) in enumerate(panels):
        shift = f"{at % COLUMNS * (WIDTH + 20)},{at // COLUMNS * (HEIGHT + 30)}"
        curves_of = [one for one in found if one.panel == panel]
        parts += [f'<g transform="translate({shift})">', *_panel(panel, axis, curves_of), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _panel(title: str, axis: str, found: Sequence[Curve]) -> Iterator[str]:
    sizes = sorted({size for one in found for size, _, _ in one.points})
    times = [seconds for one in found for _, seconds, _ in one.points]
    low, high = _decade(min(times), down=True), _decade(max(times), down=False)
    right, bottom = WIDTH - 10, HEIGHT - 30

    def across(size: int) -> float:
        return LEFT + (right - LEFT) * log10(size / sizes[0]) / log10(sizes[-1] / sizes[0])

    def down(seconds: float) -> float:
        return bottom - (bottom - TOP) * (log10(max(seconds, 1e-9)) - low) / (high - low)

    yield f'<text x="{LEFT}" y="16" font-weight="bold">{title}</text>'
    for power in range(low, high + 1):
        y = down(10.0**power)
        yield f'<line x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_text(10.0**power)}</text>'
    for size in sizes:
        yield f'<text x="{across(size):.1f}" y="{bottom + 14}" text-anchor="middle">{size}</text>'
    yield f'<text x="{(LEFT + right) / 2}" y="{bottom + 27}" text-anchor="middle">{axis}</text>'
    for at, (one, colour) in enumerate(zip(found, COLOURS, strict=False)):
        line = " ".join(f"{across(size):.1f},{down(seconds):.1f}" for size, seconds, _ in one.points)
        yield f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="{LEFT + 8}" y="{TOP + 12 + 13 * at}" fill="{colour}">{one.name}</text>'


def _decade(seconds: float, *, down: bool) -> int:
    power = log10(max(seconds, 1e-6))
    return int(power // 1) if down else int(-(-power // 1))


PAGE = """# How proofs grow

Written by `python bench/growth.py --write`; the families are made from a seed by `bench/proof_families.py` and
`bench/estate_families.py`, so anybody can make the same questions. Times are CPU seconds of one process. A whole
account is proved as `ringwall prove` does it: witness, smallest fix and proofs without their axioms included.

![growth](growth.svg)

{table}
"""


def main(arguments: Sequence[str]) -> int:
    """Measure, print and, if asked to, write."""
    found = []
    for one in curves():
        found.append(one)
        print(
            *(f"{one.panel} ({one.name}): {size} {_text(t)} {outcome}" for size, t, outcome in one.points),
            sep="\n",
        )
    if "--write" in arguments:
        (DOCS / "growth.md").write_text(PAGE.format(table=table(found)), encoding="utf-8")
        (DOCS / "growth.svg").write_text(plots(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
