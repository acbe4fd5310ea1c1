"""Is there a request that makes a formula true? The SAT solver proposes, the values decide.

The solver sees tests on values as free atoms. Of each model only the atoms that justify it are kept; for each variable
a value is looked for that passes and fails just those tests. Where there is none, a small part that excludes itself
becomes a clause, and the solver proposes again. This ends, because there are finitely many atoms, with values for
every variable or with the assumptions that no request can meet together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pysat.solvers import Solver

from ringwall.proof.formula import FALSE, TRUE, Formula
from ringwall.proof.language import Clock, GaveUpError, Tokens, contains, disjoint
from ringwall.proof.theory import (
    Conflict,
    Free,
    Holds,
    IncompleteError,
    Literal,
    Opaque,
    Present,
    Single,
    Some,
    Variable,
    is_pattern,
    several_values,
    single_value,
)

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

_BUDGET = 2000  # conflicts between two looks at the clock
_COMPARISONS = 64  # of patterns, likewise


@dataclass(frozen=True)
class Model:
    """A proposal that holds.

    Attributes:
        values: of each variable that matters, the value; several for multivalued keys.
        present: of each key that matters, whether the request carries it.
        free: the free choices that matter.
        opaque: the inexpressible tests that were guessed, with the guess.
        atoms: the signed nodes that justify it.
    """

    values: Mapping[str, tuple[str, ...]]
    present: Mapping[str, bool]
    free: Mapping[str, bool]
    opaque: Mapping[Opaque, bool]
    atoms: frozenset[int]


@dataclass(frozen=True)
class Refutation:
    """There is no request; these assumptions are enough to see it."""

    core: tuple[int, ...]


@dataclass
class Search:
    """One formula, its variables and a clock; asked once or, under other assumptions, several times.

    Attributes:
        formula: the arena.
        root: what must be true.
        variables: of each name, what is known of its values.
        multivalued: names of variables with several values.
        clock: when to stop.
        rounds: proposals so far.
        most: proposals after which to stop; the same on every machine, which the clock is not.
        incomplete: names of variables on which a proposal was given up undecided.
    """

    formula: Formula
    root: int
    variables: Mapping[str, Variable]
    multivalued: AbstractSet[str]
    clock: Clock
    incomplete: set[str] = field(default_factory=set)
    rounds: int = 0
    most: int | None = None
    _clashes: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._solver = Solver(name="minisat22")
        self._known: set[int] = set()
        self._solver.add_clause([TRUE])
        self._solver.append_formula(self.formula.clauses(self.root, self._known), no_return=True)
        self._solver.add_clause([self.root])

    def close(self) -> None:
        """Free the solver."""
        self._solver.delete()

    def forbid(self, atoms: Sequence[int]) -> None:
        """Never propose these signed nodes together again."""
        self._solver.add_clause([-atom for atom in atoms])

    def run(self, assumptions: Sequence[int], *, goal: int = TRUE) -> Model | Refutation:
        """A model under the assumptions, or the assumptions that refute it.

        Args:
            assumptions: literals to take for true.
            goal: what must be true besides the root, in this run alone.

        Raises:
            GaveUpError: the clock or the room ran out.
        """
        wanted = self.formula.conj((self.root, goal))
        if wanted == FALSE:
            return Refutation(())
        self._solver.append_formula(self.formula.clauses(wanted, self._known), no_return=True)
        taken = [*assumptions, wanted]
        while True:
            self.clock.check()
            if self.most is not None and self.rounds >= self.most:
                raise GaveUpError(f"{self.most} proposals were not enough")
            if not self._satisfiable(taken):
                core = self._solver.get_core() or ()
                return Refutation(tuple(one for one in core if one != wanted))
            self.rounds += 1
            model = self._judge(wanted, self._model())
            if model is not None:
                return model

    def _satisfiable(self, assumptions: Sequence[int]) -> bool:
        while True:
            self._solver.conf_budget(_BUDGET)
            answer: bool | None = self._solver.solve_limited(assumptions=list(assumptions))
            if answer is not None:
                return answer
            self.clock.check()

    def _model(self) -> list[bool]:
        found = self._solver.get_model()
        model = [False, *(literal > 0 for literal in found[: self.formula.size])]
        model.extend([False] * (self.formula.size + 1 - len(model)))
        model[TRUE] = True
        return model

    def _judge(self, wanted: int, model: list[bool]) -> Model | None:
        support = self.formula.support(wanted, model)
        by_variable: defaultdict[str, list[Literal]] = defaultdict(list)
        present: dict[str, bool] = {}
        free: dict[str, bool] = {}
        opaque: dict[Opaque, bool] = {}
        for signed in support:
            atom = self.formula.atoms[abs(signed)]
            wanted = signed > 0
            if isinstance(atom, Holds | Some | Single):
                by_variable[atom.variable].append((atom, wanted))
            elif isinstance(atom, Present):
                present[atom.variable] = wanted
            elif isinstance(atom, Opaque):
                opaque[atom] = wanted
            elif isinstance(atom, Free):
                free[atom.name] = wanted
        values = self._values(by_variable, present, support)
        if values is None:
            return None
        return Model(values, present, free, opaque, frozenset(support))

    def _values(
        self, by_variable: Mapping[str, list[Literal]], present: Mapping[str, bool], support: set[int]
    ) -> dict[str, tuple[str, ...]] | None:
        values: dict[str, tuple[str, ...]] = {}
        failed = False
        for name in {**by_variable, **{name: None for name, there in present.items() if there}}:
            if not present.get(name, not name.startswith(KEY)):
                continue
            try:
                outcome = self._settled(name, by_variable.get(name, []), present=present.get(name, False))
            except IncompleteError as error:
                self.incomplete.add(error.variable)
                self.forbid([signed for signed in support if self._concerns(signed, name)])
                failed = True
                continue
            if isinstance(outcome, Conflict):
                self._learn(outcome)
                failed = True
            else:
                values[name] = outcome
        return None if failed else values

    def _learn(self, conflict: Conflict) -> None:
        """Never propose the conflict again; and where one test clashes a second time, nor its plain clashes."""
        self.forbid([self._signed(literal) for literal in conflict.literals])
        if len(conflict.literals) != 2:
            return
        for one in conflict.literals:
            signed = self._signed(one)
            self._clashes[signed] += 1
            if self._clashes[signed] == 2:
                for other in self._clashing(one):
                    self.forbid([signed, other])

    def _clashing(self, one: Literal) -> Iterable[int]:
        """The signed nodes of tests on the same variable that plainly exclude a literal."""
        (atom, wanted) = one
        if not isinstance(atom, Holds) or not is_pattern(atom.test):
            return
        for count, (node, test) in enumerate(self._patterns.get(atom.variable, ())):
            if not count % _COMPARISONS:
                self.clock.check()
            if wanted and disjoint(atom.test, test):
                yield node
            elif wanted and test != atom.test and contains(test, atom.test):
                yield -node
            elif not wanted and test != atom.test and contains(atom.test, test):
                yield node

    @cached_property
    def _patterns(self) -> Mapping[str, Sequence[tuple[int, Tokens]]]:
        """Of each variable, the patterns that it is tested with."""
        found: defaultdict[str, list[tuple[int, Tokens]]] = defaultdict(list)
        for node, atom in self.formula.atoms.items():
            if isinstance(atom, Holds) and is_pattern(atom.test):
                found[atom.variable].append((node, atom.test))
        return found

    def _settled(
        self, name: str, literals: Iterable[Literal], *, present: bool
    ) -> tuple[str, ...] | Conflict:
        """:meth:`_values_of`, kept: the same demands come again in the next proposal, and for the next principal."""
        variable = self.variables[name]
        key = (name, variable.known, name in self.multivalued, present, frozenset(literals))
        found = _SETTLED.get(key)
        if found is None:
            found = self._values_of(name, sorted(key[-1], key=repr), present=present)
            if len(_SETTLED) >= _SETTLED_KEPT:
                _SETTLED.clear()
            _SETTLED[key] = found
        return found

    def _values_of(self, name: str, literals: list[Literal], *, present: bool) -> tuple[str, ...] | Conflict:
        variable = self.variables[name]
        if name in self.multivalued:
            return several_values(variable, name, literals, present=present, clock=self.clock)
        outcome = single_value(variable, name, literals, self.clock)
        return outcome if isinstance(outcome, Conflict) else (outcome,)

    def _concerns(self, signed: int, name: str) -> bool:
        atom = self.formula.atoms[abs(signed)]
        return isinstance(atom, Holds | Some | Present | Single) and atom.variable == name

    def _signed(self, literal: Literal) -> int:
        atom, wanted = literal
        node = self.formula.atom(atom)
        return node if wanted else -node


_Demands = tuple[str, "Hashable", bool, bool, frozenset[Literal]]
_SETTLED_KEPT = 16384
_SETTLED: dict[_Demands, tuple[str, ...] | Conflict] = {}
"""Values, or why there are none, by variable, what is known of it, and the literals that are to be true."""

KEY = "key:"
"""What the names of context keys' variables begin with; other variables always have a value."""
