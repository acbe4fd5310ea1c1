"""Plans, drift and destructions as lines for a terminal, Terraform's symbols, what changes for people first.

A line is text with a style name; the command line turns styles into colours, and a pipe gets the text alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ringwall.deploy.classes import OTHER
from ringwall.deploy.line import Line
from ringwall.deploy.notes import notes
from ringwall.deploy.obstacles import obstacles
from ringwall.deploy.ownership import label

if TYPE_CHECKING:  # a plan is printed without what applies or destroys it
    from ringwall.deploy.access_change import AccessChange, AccessChanges
    from ringwall.deploy.apply import Applied
    from ringwall.deploy.changes import Action, Change, Difference, Effect, Plan
    from ringwall.deploy.destroy import Destruction
    from ringwall.deploy.drift import Drift
    from ringwall.deploy.unmanaged import Unmanaged
    from ringwall.iam.request import Decision

SYMBOLS: dict[Action, str] = {"create": "+", "update": "~", "replace": "-/+", "delete": "-", "no-op": " "}
STYLES: dict[Action, str] = {
    "create": "green",
    "update": "yellow",
    "replace": "magenta",
    "delete": "red",
    "no-op": "dim",
}
_EFFECTS: dict[Effect, tuple[str, str]] = {
    "weakens": ("  (weaker)", "red"),
    "strengthens": ("  (stronger)", "green"),
    "neutral": ("", ""),
    "unclear": ("", ""),
}
WIDTH = 100
"""Values longer than this are shortened; ``--json`` has them whole."""
_FIRST = ("foundation-model/", "inference-profile/")
SHOWN = 3
"""How many members of a list a line names before it counts the rest."""


def plain(lines: Iterable[Line]) -> str:
    """The lines as text, for a pipe."""
    return "".join(f"{line.text}\n" for line in lines)


def plan_lines(plan: Plan, access: AccessChanges, others: tuple[Unmanaged, ...] = ()) -> Iterator[Line]:
    """A whole plan; ``others`` is the access that exists outside of the declaration."""
    yield from access_lines(access)
    if others:
        yield Line("UNMANAGED  not declared, and widening; a plan leaves it alone", "bold")
        for finding in others:
            yield from _unmanaged(finding)
        yield Line()
    if plan.empty:
        yield Line("No changes. The account is as declared.", "green")
        yield from _kept_orphans(plan)
        return
    yield Line("RESOURCES", "bold")
    for change in plan.todo:
        yield from change_lines(change)
    yield from _kept_orphans(plan)
    yield Line()
    refused = obstacles(plan)
    if refused:
        yield Line("IN THE WAY  apply does not begin before this is settled", "bold red")
        yield from (Line(f"    ! {text}", "red") for text in refused)
        yield Line()
    found = notes(plan)
    if found:
        yield Line("NOTES", "bold")
        yield from (Line(f"    {text}", "dim") for text in found)
        yield Line()
    yield Line(summary_line(plan, access), "bold")
    if access.widening or access.unknown:
        yield Line("Widening access needs --allow-widening.", "bold red")


def access_lines(access: AccessChanges) -> Iterator[Line]:
    """What changes for people."""
    if not (access.newly_allows or access.newly_denies or access.unknown):
        return
    yield Line("ACCESS", "bold")
    for item in access.newly_allows:
        mark, style = ("!", "bold red") if item.widens else ("+", "green")
        yield Line(f"  {mark} newly ALLOWS  {_access(item)}", style)
        why = "new with this plan" if not item.widens else f"was {_decision(item.before)}"
        yield Line(f"      {why}", "dim")
    yield from _denied(access.newly_denies)
    for reason in access.unknown:
        yield Line(f"  ? unknown  {reason}", "yellow")
    if access.proved:
        yield Line(f"  = proved: nothing else is newly allowed to {_listed(access.proved)}", "dim")
    yield Line()


def _denied(changes: tuple[AccessChange, ...]) -> Iterator[Line]:
    """What is newly denied, one line for each principal and policy; ``--json`` has every statement."""
    groups: dict[tuple[str, str], list[AccessChange]] = {}
    for item in changes:
        groups.setdefault((item.label, _decider(item.after)), []).append(item)
    for (who, policy), items in groups.items():
        actions = tuple(dict.fromkeys(action for item in items for action in item.actions))
        bare = "  WITHOUT guardrail" if all(item.without_guardrail for item in items) else ""
        yield Line(f"  - newly DENIES  {who}  {_listed(actions)}{bare}  by {policy}", "cyan")


def _decider(decision: Decision) -> str:
    if decision.because:
        reason = decision.because[0]
        return f"{reason.policy_type.replace('_', ' ')} {reason.policy}"
    return f"no {' or '.join(name.replace('_', ' ') for name in decision.missing) or 'policy'} that allows it"


def change_lines(change: Change) -> Iterator[Line]:
    """One change and why."""
    name = change.id if change.action != "delete" else label(change.resource)
    physical = (
        f"  ({change.observed.id})" if change.observed is not None and change.observed.id != name else ""
    )
    yield Line(
        f"  {SYMBOLS[change.action]:>3} {name}  {change.resource.type}{physical}", STYLES[change.action]
    )
    for reason in change.reasons:
        if change.action != "create":
            yield Line(f"        {reason}", "dim")
    for item in change.differences:
        yield from difference_lines(item)


def difference_lines(item: Difference) -> Iterator[Line]:
    """One property."""
    note, style = _EFFECTS[item.effect]
    if item.before is None:
        yield Line(f"        + {item.path} = {_value(item.after)}{note}", style)
    elif item.after is None:
        yield Line(f"        - {item.path} = {_value(item.before)}{note}", style)
    elif len(_value(item.before)) + len(_value(item.after)) + len(item.path) < WIDTH:
        yield Line(f"        ~ {item.path}: {_value(item.before)} -> {_value(item.after)}{note}", style)
    else:
        yield Line(f"        ~ {item.path}{note}", style)
        yield from _members(item.before, item.after)


def summary_line(plan: Plan, access: AccessChanges) -> str:
    """The closing line, as in ``Plan: 1 to add, 2 to change, 0 to destroy``."""
    counts = plan.summary
    replaced = f", {counts['replace']} to replace" if counts["replace"] else ""
    widening = f", {len(access.widening)} widening" if access.widening else ""
    return (
        f"Plan: {counts['create']} to add, {counts['update']} to change{replaced}, "
        f"{counts['delete']} to destroy{widening}."
    )


def drift_lines(drift: Drift) -> Iterator[Line]:
    """A drift report: what is gravest first."""
    if drift.clean:
        yield Line("No drift. The account is as declared, and nothing unmanaged widens it.", "green")
        return
    if drift.unmanaged:
        yield Line("UNMANAGED  not declared, and widening", "bold")
        for finding in drift.unmanaged:
            yield from _unmanaged(finding)
    weaker = set(map(id, drift.weaker))
    changed = sorted(drift.changed, key=lambda change: id(change) not in weaker)
    for title, changes, symbol in (
        ("CHANGED  declared -> observed", changed, "~"),
        ("MISSING  declared, but not there", list(drift.missing), "-"),
        ("LEFT OVER  ours, but not declared any more", list(drift.leftover), "+"),
    ):
        if not changes:
            continue
        yield Line(title, "bold")
        for change in changes:
            physical = change.observed.id if change.observed is not None else ""
            style = "red" if id(change) in weaker or symbol == "-" else "yellow"
            yield Line(f"    {symbol} {change.id}  {change.resource.type}  {physical}".rstrip(), style)
            for item in change.differences:
                yield from difference_lines(item)
    for reason in drift.unknown:
        yield Line(f"  ? could not tell: {reason}", "yellow")
    yield Line()
    yield Line(
        f"Drift: {len(drift.changed)} changed ({len(drift.weaker)} weaker), {len(drift.missing)} missing, "
        f"{len(drift.leftover)} left over, {len(drift.unmanaged)} unmanaged.",
        "bold",
    )


def destruction_lines(destruction: Destruction) -> Iterator[Line]:
    """What destroy will do, and what it leaves."""
    for change in destruction.removals:
        yield from change_lines(change)
    if destruction.kept:
        yield Line("KEPT", "bold")
        for item in destruction.kept:
            yield Line(f"      {item.name}  ({item.resource.id})  {item.reason}")
            yield Line(f"        to remove it: {item.command}", "dim")
    yield Line()
    yield Line(f"Destroy: {len(destruction.removals)} to remove, {len(destruction.kept)} kept.", "bold")


def applied_lines(applied: Applied) -> Iterator[Line]:
    """What an apply or destroy did. What was not done is said as plainly as what was."""
    for failed in applied.failed:
        yield Line(f"  failed         {failed.change.id}: {failed.error}", "red")
        for detail in failed.error.details:
            yield Line(f"                 {detail}", "dim")
    for left in applied.not_attempted:
        yield Line(f"  not attempted  {left.change.id}: {left.reason}", "yellow")
    style = "green" if applied.complete else "bold red"
    yield Line(
        f"{len(applied.done)} done, {len(applied.failed)} failed, {len(applied.not_attempted)} not attempted."
        + ("" if applied.complete else " Run it again when the cause is gone; it goes on where it stopped."),
        style,
    )


def _kept_orphans(plan: Plan) -> Iterator[Line]:
    for change in plan.changes:
        if change.action == "no-op" and change.resource is change.observed:
            yield Line(f"      {label(change.resource)}  kept: {'; '.join(change.reasons)}", "dim")


def _unmanaged(item: Unmanaged) -> Iterator[Line]:
    style = {"critical": "bold red", "high": "red", "medium": "yellow"}.get(item.severity, "")
    yield Line(f"    ! {item.what}  [{item.severity}]", style)
    if item.grants:
        yield Line(f"        granted by {_listed(item.grants)}", "dim")
    if item.held_by:
        yield Line(f"        held by {_listed(item.held_by)}", "dim")


def _access(item: AccessChange) -> str:
    guardrail = "  WITHOUT guardrail" if item.without_guardrail else ""
    where = "" if len(item.routes) > 1 else f"  {item.routes[0]}"
    return f"{item.label}  {_listed(item.actions)}  on {_resources(item.resources)}{guardrail}{where}"


def _resources(arns: tuple[str, ...]) -> str:
    """Resources without what all of them share; examples of a whole type as ``type/*``, models first."""
    words = dict.fromkeys(arn.split(":", 5)[-1].replace(OTHER, "*") for arn in arns)
    ranked = sorted(words, key=lambda word: (not word.startswith(_FIRST), word.endswith("*"), word))
    return _listed(tuple(ranked))


def _decision(decision: Decision) -> str:
    if decision.outcome == "explicit_deny":
        by = ", ".join(
            dict.fromkeys(
                f"{reason.policy_type} {reason.policy}/{reason.statement}" for reason in decision.because
            )
        )
        return f"denied by {by}"
    if decision.outcome == "implicit_deny":
        return f"allowed by no {' or '.join(name.replace('_', ' ') for name in decision.missing) or 'policy'}"
    return "allowed"


def _listed(items: tuple[str, ...]) -> str:
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + more


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_reference)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def _reference(value: Any) -> Any:
    return value.to_json() if hasattr(value, "to_json") else dict(value)


def _members(before: Any, after: Any) -> Iterator[Line]:
    """Two long values: of lists what came and went, of mappings what differs, else both."""
    if isinstance(before, list) and isinstance(after, list):
        yield from (Line(f"            - {_value(item)}", "") for item in before if item not in after)
        yield from (Line(f"            + {_value(item)}", "") for item in after if item not in before)
    elif isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                yield Line(f"            {key}: {_value(before.get(key))}")
                yield Line(f"            {' ' * (len(key) - 2)}-> {_value(after.get(key))}")
    else:
        yield Line(f"            {_value(before)}")
        yield Line(f"         -> {_value(after)}")
