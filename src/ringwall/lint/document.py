"""A policy document as the rules read it: its statements one by one, each with its place.

Statements are parsed apart, so that a mistake in one hides nothing in the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from ringwall.catalog import Catalog
from ringwall.iam.locate import Path
from ringwall.iam.parser import PolicySyntaxError, parse_policy
from ringwall.iam.policy import ConditionTest, Effect, Statement
from ringwall.lint.discover import Found, guess
from ringwall.lint.rule import Mark, PolicyType
from ringwall.lint.templates import HOLE, fill, is_reference

POLICY_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip
MAX_SIZE = 128 * 1024
"""Characters up to which statements are read: four times what AWS stores of any policy."""

_ACTIONS = ("Action", "NotAction")
_OPAQUE = ("Effect", "NotAction", "Condition")


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement that parses, and where it stands.

    Attributes:
        statement: the parsed statement.
        path: its path in the document.
        raw: its JSON.
    """

    statement: Statement
    path: Path
    raw: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        """Whether it is an Allow."""
        return self.statement.effect is Effect.ALLOW

    @property
    def denies(self) -> bool:
        """Whether it is a Deny."""
        return self.statement.effect is Effect.DENY

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"statement {self.statement.label}"

    def element(self, *names: str) -> Path:
        """Path of the first of these elements that the statement has; its own path if it has none."""
        return next(((*self.path, name) for name in names if name in self.raw), self.path)

    def items(self, name: str) -> Iterator[tuple[Path, str]]:
        """The strings of an element (``Action``, ``Resource``) with their paths."""
        value = self.raw.get(name)
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield (*self.path, name, index), item
        elif isinstance(value, str):
            yield (*self.path, name), value

    def tests(self) -> Iterator[tuple[Path, ConditionTest]]:
        """The condition tests with the paths of their keys."""
        written = [
            (operator, key) for operator, keys in self.raw.get("Condition", {}).items() for key in keys
        ]
        for (operator, key), test in zip(written, self.statement.conditions, strict=True):
            yield (*self.path, "Condition", operator, key), test


@dataclass(frozen=True, slots=True)
class Document:
    """One policy document.

    Attributes:
        type: what kind of policy it is.
        declared: whether the type was given or follows from the place, and is no guess.
        place: type of the resource that holds it, empty where unknown.
        raw: its JSON, with :data:`ringwall.lint.templates.HOLE` for what a template fills in.
        size: its characters, without the white space between them.
        clauses: the statements that parse; none of a document beyond :data:`MAX_SIZE`.
        problems: what does not parse.
        catalog: AWS's actions, resource types and keys.
        today: the day on which lifecycles are judged.
    """

    type: PolicyType
    declared: bool
    place: str
    raw: Any
    size: int
    clauses: tuple[Clause, ...]
    problems: tuple[Mark, ...]
    catalog: Catalog
    today: date

    @property
    def allowing(self) -> tuple[Clause, ...]:
        """Its Allow statements."""
        return tuple(clause for clause in self.clauses if clause.allows)

    @property
    def denying(self) -> tuple[Clause, ...]:
        """Its Deny statements."""
        return tuple(clause for clause in self.clauses if clause.denies)


def read(found: Found, catalog: Catalog, today: date, given: PolicyType | None) -> Document:
    """The document that was found; ``given`` is its type if the user said it."""
    raw = found.value
    if found.nested:
        raw = fill(raw, terraform=found.terraform, substituted=found.substituted)
    kind = given or found.type
    clauses: list[Clause] = []
    problems: list[Mark] = []
    size = 0
    if not isinstance(raw, Mapping):
        expected = "a policy document must be an object with a Statement element"
        problems.append(Mark((), found.problem.message if found.problem else expected))
    elif not (found.nested and is_reference(found.value["Statement"])):
        size = len(json.dumps(raw, separators=(",", ":"), ensure_ascii=False))
        problems += _frame_problems(raw)
        for path, statement in _statements(raw) if size <= MAX_SIZE else ():
            if not (found.nested and _is_opaque(found, path)):
                _read_statement(raw, path, statement, clauses, problems)
    return Document(
        type=kind or guess(raw),
        declared=kind is not None,
        place=found.place,
        raw=raw,
        size=size,
        clauses=tuple(clauses),
        problems=tuple(problems),
        catalog=catalog,
        today=today,
    )


def _is_opaque(found: Found, path: Path) -> bool:
    """Whether a template decides later what the statement does."""
    value = found.value
    for step in path:
        value = value[step]
    if not isinstance(value, Mapping) or is_reference(value):
        return True
    return is_reference(value.get("Action")) or any(
        _holds_reference(value.get(name), name) for name in _OPAQUE
    )


def _holds_reference(value: Any, name: str) -> bool:
    if is_reference(value):
        return True
    if isinstance(value, list):
        return any(map(is_reference, value))
    return name == "Condition" and isinstance(value, Mapping) and any(map(is_reference, value.values()))


def _statements(raw: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    listed = raw.get("Statement")
    if isinstance(listed, list):
        for index, statement in enumerate(listed):
            yield ("Statement", index), statement
    elif isinstance(listed, Mapping):
        yield ("Statement",), listed


def _frame_problems(raw: Mapping[str, Any]) -> Iterator[Mark]:
    frame = {key: raw[key] for key in raw if key in POLICY_ELEMENTS}
    if isinstance(raw.get("Statement"), list | Mapping):
        frame["Statement"] = []
    try:
        parse_policy(frame)
    except PolicySyntaxError as error:
        yield _mark(error, error.path)


def _read_statement(
    raw: Mapping[str, Any], path: Path, value: Any, clauses: list[Clause], problems: list[Mark]
) -> None:
    if isinstance(value, Mapping):
        value = {key: item for key, item in value.items() if key in STATEMENT_ELEMENTS}
        value |= {name: _with_service(value[name]) for name in _ACTIONS if name in value}
    version = raw.get("Version")
    frame = {
        "Version": version if version in ("2012-10-17", "2008-10-17") else "2012-10-17",
        "Statement": [value],
    }
    try:
        parsed = parse_policy(frame).statements[0]
    except PolicySyntaxError as error:
        problems.append(_mark(error, (*path, *error.path[2:])))
        return
    index = path[-1] if isinstance(path[-1], int) else 0
    clauses.append(Clause(replace(parsed, index=index), path, value))


def _with_service(actions: Any) -> Any:
    """Actions of which nothing is known, so that they read like actions."""
    if isinstance(actions, list):
        return [_with_service(item) for item in actions]
    unknown = isinstance(actions, str) and HOLE in actions and ":" not in actions
    return f"{HOLE}:{HOLE}" if unknown else actions


def _mark(error: PolicySyntaxError, path: Path) -> Mark:
    """What the parser says, with its suggestion apart; it is about a name if it quotes the last one of the path."""
    message, _, nearest = _without_path(error).partition("; did you mean ")
    about_name = bool(path) and isinstance(path[-1], str) and repr(path[-1]) in message
    if nearest and about_name and str(path[-1]).endswith("IfExist"):
        nearest = f"{nearest.rstrip('?')}IfExists?"
    return Mark(path, message, f"did you mean {nearest}" if nearest else None, at_key=about_name)


def _without_path(error: PolicySyntaxError) -> str:
    """The message without the path that it begins with where a document is not given as text."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path).removeprefix(
        "."
    )
    return error.message.removeprefix(f"{text}: ") if text else error.message
