"""Values for variables: strings that pass some tests and fail others.

The SAT solver decides which tests hold; here a value (or, for a multivalued key, values) is found for which they do, or
a small part of them is named that no value can meet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeGuard

from ringwall.proof.language import Clock, Tokens, accepts, filled, fixed_text
from ringwall.proof.listed import Listed, find_listed
from ringwall.proof.strings import Demand, find
from ringwall.proof.typed import Typed, candidates

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

Test = Tokens | Typed | Listed


class Holds(NamedTuple):
    """Atom: the variable's value passes the test."""

    variable: str
    test: Test


class Some(NamedTuple):
    """Atom: some value of a multivalued key passes the test, or (``none_of``) passes none of the tests."""

    variable: str
    tests: tuple[Test, ...]
    none_of: bool


class Present(NamedTuple):
    """Atom: the request carries the key."""

    variable: str


class Single(NamedTuple):
    """Atom: the request carries exactly one value of the multivalued key."""

    variable: str


class Free(NamedTuple):
    """Atom: a free choice (an action, a form of resource, a selector)."""

    name: str


class Opaque(NamedTuple):
    """Atom: a test that the prover cannot express; ``construct`` is its name for people."""

    construct: str
    owner: str


class IncompleteError(Exception):
    """The demands on a value mix kinds of test that no procedure here decides; ``variable`` names it."""

    def __init__(self, variable: str) -> None:
        super().__init__(variable)
        self.variable = variable


@dataclass
class Variable:
    """What is known of a variable's values.

    Attributes:
        samples: values to prefer in witnesses.
        alphabet: characters that values consist of; ``None`` = any.
        shape: groups of patterns of each of which every value matches one.
        closed: the ``samples`` are all the values there are.
        listed: its tests are lists of patterns, all of them.
        typed: typed tests met so far.
        is_text: a value may be any text, even under typed tests.
    """

    samples: tuple[str, ...] = ()
    alphabet: str | None = None
    shape: tuple[tuple[Tokens, ...], ...] = ()
    closed: bool = False
    is_text: bool = True
    listed: bool = False
    typed: set[Typed] = field(default_factory=set)

    @property
    def known(self) -> Hashable:
        """All of it as a key; it changes while a formula is built."""
        return (
            self.samples, self.alphabet, self.shape, self.closed, self.is_text, self.listed, frozenset(self.typed),
        )  # fmt: skip


def passes(test: Test, text: str) -> bool:
    """Whether a text passes a test."""
    return test.accepts(text) if isinstance(test, Typed | Listed) else accepts(test, text)


@dataclass(frozen=True, slots=True)
class _Needs:
    """One value's obligations: of each group one test passes, of the others none."""

    inside: tuple[tuple[Test, ...], ...]
    outside: tuple[Test, ...]

    def met_by(self, text: str) -> bool:
        return all(any(passes(test, text) for test in group) for group in self.inside) and not any(
            passes(test, text) for test in self.outside
        )


def value_for(
    variable: Variable, name: str, inside: Sequence[tuple[Test, ...]], outside: Sequence[Test], clock: Clock
) -> str | None:
    """A value of the variable, or ``None`` if there is none.

    Raises:
        IncompleteError: typed tests and patterns are mixed, and no value was met by chance.
        GaveUpError: the clock or the room ran out.
    """
    if variable.listed:
        lists = [test for group in inside for test in group if isinstance(test, Listed)]
        none_of = [test for test in outside if isinstance(test, Listed)]
        return find_listed(lists, none_of, variable.shape, variable.alphabet, clock)
    needs = _Needs((*variable.shape, *inside), tuple(outside))
    if variable.closed:
        return next((text for text in variable.samples if needs.met_by(text)), None)
    if not variable.typed:
        return find(_demand(needs), clock, samples=variable.samples, alphabet=variable.alphabet)
    return _typed_value(variable, name, needs, clock)


def _demand(needs: _Needs) -> Demand:
    return Demand(
        tuple(tuple(test for test in group if is_pattern(test)) for group in needs.inside),
        tuple(test for test in needs.outside if is_pattern(test)),
    )


def is_pattern(test: Test) -> TypeGuard[Tokens]:
    """Whether the test is a single pattern."""
    return not isinstance(test, Typed | Listed)


def _is_typed(tests: Iterable[Test]) -> bool:
    return any(isinstance(test, Typed) for test in tests)


def _typed_value(variable: Variable, name: str, needs: _Needs, clock: Clock) -> str | None:
    exact = next(
        (text for group in needs.inside if len(group) == 1 and (text := _exact(group[0])) is not None), None
    )
    if exact is not None:
        return exact if needs.met_by(exact) else None
    pool = [*variable.samples, *_texts(needs), *candidates(variable.typed, is_text=variable.is_text)]
    for text in pool:
        if needs.met_by(text):
            return text
    patterns = _Needs(
        tuple(group for group in needs.inside if not _is_typed(group)),
        tuple(test for test in needs.outside if is_pattern(test)),
    )
    if not patterns.inside and not patterns.outside:
        return None
    found = find(_demand(patterns), clock, alphabet=variable.alphabet)
    if found is None:
        return None
    if needs.met_by(found):
        return found
    typed = _Needs(
        tuple(group for group in needs.inside if all(isinstance(test, Typed) for test in group)),
        tuple(test for test in needs.outside if isinstance(test, Typed)),
    )
    if not any(typed.met_by(text) for text in pool):
        return None
    raise IncompleteError(name)


def _texts(needs: _Needs) -> list[str]:
    """What the wanted patterns look like when their stars stand for parts of numbers, dates and addresses."""
    patterns = [test for group in needs.inside for test in group if is_pattern(test)]
    return [filled(tokens, fill) for tokens in patterns for fill in _FILLS]


def _exact(test: Test) -> str | None:
    return fixed_text(test) if is_pattern(test) else None


_FILLS = ("0", "0.0", "0.0.0", "1", "7.7", "00", "01-01", "01-01T00:00:00Z", ":1")

Literal = tuple[Holds | Some | Present | Single, bool]
"""An atom and whether it is to be true."""


class Conflict(NamedTuple):
    """Literals that no value can make true together."""

    literals: tuple[Literal, ...]


def single_value(variable: Variable, name: str, literals: Sequence[Literal], clock: Clock) -> str | Conflict:
    """A value of a single-valued variable that makes the literals true, or the few that exclude each other.

    A literal is heeded only once a value was found that it rules out: mostly few of them matter, and those that then
    admit no value are nearly the smallest such part already.
    """

    def solve(chosen: Sequence[Literal]) -> str | None:
        inside, outside = _obligations(chosen)
        return value_for(variable, name, inside, outside, clock)

    heeded: list[Literal] = []
    while True:
        try:
            value = solve(heeded)
        except IncompleteError:
            if len(heeded) == len(literals):
                raise
            heeded = list(literals)
            continue
        if value is None:
            return Conflict(_smallest(heeded, solve))
        failing = [literal for literal in literals if not _is_true(literal, value)]
        if not failing:
            return value
        heeded += [literal for literal in failing if _is_positive(literal)][:1] or failing


def _is_positive(literal: Literal) -> bool:
    """Whether the literal says what a value is like rather than what it is not like."""
    atom, wanted = literal
    return wanted != (isinstance(atom, Some) and atom.none_of)


def _is_true(literal: Literal, value: str) -> bool:
    atom, _ = literal
    if isinstance(atom, Holds):
        return passes(atom.test, value) == _is_positive(literal)
    if isinstance(atom, Some):
        return any(passes(test, value) for test in atom.tests) == _is_positive(literal)
    return True


def several_values(
    variable: Variable, name: str, literals: Sequence[Literal], *, present: bool, clock: Clock
) -> tuple[str, ...] | Conflict:
    """Values of a multivalued variable that make the literals true, or the few that exclude each other."""
    single = next(((atom, wanted) for atom, wanted in literals if isinstance(atom, Single)), None)
    rest = [literal for literal in literals if not isinstance(literal[0], Single)]
    if single is not None and single[1]:
        outcome = single_value(variable, name, rest, clock)
        return Conflict((*outcome.literals, single)) if isinstance(outcome, Conflict) else (outcome,)
    wanted = [literal for literal in rest if literal[1]]
    always = [literal for literal in rest if not literal[1]]
    values: list[str] = []
    alone: list[list[Literal]] = [[]] if present or single is not None else []
    for one in [[literal] for literal in wanted] or alone:
        together = [*always, *one]
        outcome = single_value(variable, name, together, clock)
        if isinstance(outcome, Conflict):
            return outcome
        if outcome not in values:
            values.append(outcome)
    if single is not None and len(values) == 1:
        inside, outside = _obligations(always)
        known = tuple(f"={char}" for char in values[0])
        second = value_for(variable, name, inside, [*outside, known], clock)
        if second is None:
            return Conflict((*always, *wanted, single))
        values.append(second)
    return tuple(values)


def _obligations(literals: Sequence[Literal]) -> tuple[list[tuple[Test, ...]], list[Test]]:
    inside: list[tuple[Test, ...]] = []
    outside: list[Test] = []
    for atom, wanted in literals:
        if isinstance(atom, Holds):
            tests: tuple[Test, ...] = (atom.test,)
            positive = wanted
        elif isinstance(atom, Some):
            tests = atom.tests
            positive = wanted != atom.none_of
        else:
            continue
        if positive:
            inside.append(tests)
        else:
            outside.extend(tests)
    return inside, outside


def _smallest(
    literals: Sequence[Literal], solve: Callable[[Sequence[Literal]], str | None]
) -> tuple[Literal, ...]:
    """A part of the literals, without any of which there would be a value."""
    kept = list(literals)
    for literal in literals:
        fewer = [other for other in kept if other is not literal]
        if _is_empty(fewer, solve):
            kept = fewer
    return tuple(kept)


def _is_empty(literals: Sequence[Literal], solve: Callable[[Sequence[Literal]], str | None]) -> bool:
    try:
        return solve(literals) is None
    except IncompleteError:
        return False
