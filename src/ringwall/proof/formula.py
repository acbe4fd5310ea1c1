"""Boolean formulas as shared nodes: literals are signed integers, gates are n-ary conjunctions.

``TRUE`` is 1 and a negation is a minus sign, so building is arithmetic, equal parts are one node, and node numbers
serve the SAT solver as variables without translation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from ringwall.proof.language import Clock

TRUE: Final = 1
FALSE: Final = -1

# What it costs to rely on a literal: free choices nothing, values to be found by search more, gates their parts.
_GATE_COST: Final = 4
_NUMBER_BITS: Final = 40  # of a rank; no arena has so many nodes
_NODES_BETWEEN_LOOKS: Final = 256  # at the clock


class Formula:
    """An arena of atoms and conjunctions.

    Attributes:
        atoms: what each atom's node stands for.
        gates: the children of each conjunction's node, cheapest first.
        clock: when building has to end; ``None`` = whenever it does.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock
        self.atoms: dict[int, Hashable] = {}
        self.gates: dict[int, tuple[int, ...]] = {}
        self._count = TRUE
        self._atom_nodes: dict[tuple[type, Hashable], int] = {}
        self._gate_nodes: dict[tuple[int, ...], int] = {}
        self._costs: list[int] = [0, 0]
        self._ranks: dict[int, int] = {}
        """Of each literal, its place in a gate: by cost, then by number."""

    @property
    def size(self) -> int:
        """Number of nodes; the highest SAT variable."""
        return self._count

    def _new(self, cost: int) -> int:
        # First: who is told that the time is over may go on with this formula by another clock.
        if self.clock is not None and not self._count % _NODES_BETWEEN_LOOKS:
            self.clock.check()
        self._count += 1
        self._costs.append(cost)
        self._ranks[self._count] = self._ranks[-self._count] = cost << _NUMBER_BITS | self._count
        return self._count

    def atom(self, meaning: Hashable, *, cost: int = 0) -> int:
        """The literal of an atom; the same meaning gives the same literal."""
        key = (type(meaning), meaning)  # named tuples of different kinds can be equal
        node = self._atom_nodes.get(key)
        if node is None:
            node = self._new(cost)
            self._atom_nodes[key] = node
            self.atoms[node] = meaning
        return node

    def conj(self, literals: Iterable[int]) -> int:
        """All of the literals."""
        parts = set(literals)
        parts.discard(TRUE)
        if len(parts) < 2:
            return parts.pop() if parts else TRUE
        if FALSE in parts or not parts.isdisjoint([-part for part in parts]):
            return FALSE
        key = tuple(sorted(parts, key=self._ranks.__getitem__))
        node = self._gate_nodes.get(key)
        if node is None:
            costs = self._costs
            node = self._new(_GATE_COST + sum([costs[abs(part)] for part in key]))
            self._gate_nodes[key] = node
            self.gates[node] = key
        return node

    def disj(self, literals: Iterable[int]) -> int:
        """Any of the literals."""
        return -self.conj([-literal for literal in literals])

    def implies(self, premise: int, conclusion: int) -> int:
        """If the premise then the conclusion."""
        return -self.conj((premise, -conclusion))

    def same(self, one: int, other: int) -> int:
        """Both or neither."""
        return self.conj((self.implies(one, other), self.implies(other, one)))

    def clauses(self, root: int, known: set[int]) -> list[list[int]]:
        """Clauses that make ``root``'s parts mean what they say, one-sided by polarity (Plaisted and Greenbaum 1986).

        Args:
            root: the literal that will be asserted or assumed.
            known: signed nodes done already; extended.
        """
        result: list[list[int]] = []
        pending = [root]
        while pending:
            literal = pending.pop()
            if literal in known:
                continue
            known.add(literal)
            children = self.gates.get(abs(literal))
            if children is None:
                continue
            if literal > 0:
                result.extend([-literal, child] for child in children)
                pending.extend(children)
            else:
                result.append([-literal, *(-child for child in children)])
                pending.extend(-child for child in children)
        return result

    def support(self, root: int, model: list[bool]) -> set[int]:
        """Atom literals, true in ``model``, that alone make ``root`` true, preferring those that cost least.

        ``model[node]`` is the node's value; ``root`` must be true in it.
        """
        chosen: set[int] = set()
        seen: set[int] = set()
        pending = [root]
        while pending:
            literal = pending.pop()
            if literal in seen:
                continue
            seen.add(literal)
            children = self.gates.get(abs(literal))
            if children is None:
                chosen.add(literal)
            elif literal > 0:
                pending.extend(children)
            else:
                pending.append(self._cheapest(children, model, seen))
        chosen.discard(TRUE)
        return chosen

    @staticmethod
    def _cheapest(children: tuple[int, ...], model: list[bool], seen: set[int]) -> int:
        first = 0
        for child in children:
            if model[abs(child)] == (child < 0):
                if -child in seen:
                    return -child
                first = first or -child
        return first
