"""The context of the symbolic request: which keys it carries, and with which values.

A key is *known* where the question or the principal determines it; its tests are then decided by the evaluator's own
operators. Every other key is a choice: carried or not, and a value (values, for a multivalued key).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.iam.conditions import OPERATORS, compile_test, passes_when_absent
from ringwall.iam.patterns import Reading, Tokens, Variable, Wildcard, as_text, expand
from ringwall.proof import samples
from ringwall.proof.formula import FALSE, TRUE, Formula
from ringwall.proof.globs import caseless_text, language_of, tokens_of
from ringwall.proof.language import STAR, accepts, literal
from ringwall.proof.language import Tokens as LanguageTokens
from ringwall.proof.places import VARIABLE
from ringwall.proof.search import KEY
from ringwall.proof.theory import Holds, Opaque, Present, Single, Some, Test
from ringwall.proof.theory import Variable as ValueVariable
from ringwall.proof.typed import Typed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ringwall.iam.policy import ConditionTest
    from ringwall.iam.vocabulary import Vocabulary

_VALUE_COST = 1
_OPAQUE_COST = 2
_CLOSED = {"Bool": ("true", "false")}
_READ_TYPES = frozenset({"Bool", "Numeric", "Date", "IPAddress", "Binary"})


class Keys:
    """All the keys that a formula speaks of.

    Attributes:
        variables: the value variable of each unknown key, by its name ``key:<lower-cased key>``.
        multivalued: names of those that can have several values.
        undetermined: keys of policy variables that nothing determines.
        qualified: keys that some test asks about with a set operator; one of them that the vocabulary does not know
            can have several values. To be complete before the first variable is made.
    """

    def __init__(
        self, formula: Formula, vocabulary: Vocabulary, *, single_valued: bool = True, typed: bool = True
    ) -> None:
        self.formula = formula
        self.variables: dict[str, ValueVariable] = {}
        self.multivalued: set[str] = set()
        self.undetermined: set[str] = set()
        self.qualified: set[str] = set()
        self._vocabulary = vocabulary
        self._single_valued = single_valued
        self._typed = typed

    def variable(self, key: str) -> str:
        """The name of a key's variable, made on first use."""
        name = KEY + key
        if name not in self.variables:
            kind = self._vocabulary.key_type(key)
            read = self._typed and kind in _READ_TYPES
            closed = _CLOSED.get(kind or "") if self._typed else None
            self.variables[name] = ValueVariable(
                samples=closed or samples.of_key(key), closed=closed is not None, is_text=not read
            )
            several = self._vocabulary.is_multivalued(key) or (kind is None and key in self.qualified)
            if several or not self._single_valued:
                self.multivalued.add(name)
        return name

    def present(self, key: str) -> int:
        """The request carries the key."""
        return self.formula.atom(Present(self.variable(key)))

    def test(self, key: str, test: Test) -> Test:
        """Note the test among the typed ones of the key."""
        if isinstance(test, Typed):
            self.variables[self.variable(key)].typed.add(test)
        return test


class View:
    """The context as one authorization sees it.

    Args:
        keys: the shared keys.
        known: values of known keys; no values = known to be absent.
        owner: what opaque tests belong to, so that two authorizations do not share them.
        linked: keys whose value is another variable's under a condition: key -> (condition, variable).
    """

    def __init__(
        self,
        keys: Keys,
        known: Mapping[str, tuple[str, ...]],
        *,
        owner: str = "",
        linked: Mapping[str, tuple[int, str]] | None = None,
    ) -> None:
        self._keys = keys
        self._formula = keys.formula
        self.known = dict(known)
        self._owner = owner
        self.linked = dict(linked or {})
        self._done: dict[tuple[ConditionTest, bool], int] = {}
        self._can_carry: dict[str, bool] = {}

    def carries_only(self, carried: Mapping[str, bool]) -> None:
        """Say of keys whether this authorization can carry them."""
        self._can_carry.update(carried)

    def can_carry(self, key: str) -> bool:
        """Whether this authorization can carry a key."""
        return self._can_carry.get(key, True)

    def value(self, key: str, test: Test) -> int:
        """The literal that the value of a single-valued key passes a test."""
        return self._holds(key, self._keys.variable(key), test)

    def expand(self, tokens: Tokens) -> Tokens | Opaque | None:
        """Put known values in place of policy variables.

        ``None`` where a variable has no value, :class:`Opaque` where nothing determines it.
        """
        open_keys = [
            token.key
            for token in tokens
            if isinstance(token, Variable) and token.key not in self.known and self.can_carry(token.key)
        ]
        if open_keys:
            self._keys.undetermined.update(open_keys)
            return Opaque(f"{VARIABLE}{open_keys[0]}}}", f"{self._owner}{tokens!r}")
        return expand(tokens, self.known)

    def condition(self, test: ConditionTest, *, variables: bool) -> int:
        """The literal of a condition test."""
        done = self._done.get((test, variables))
        if done is None:
            done = self._done[test, variables] = self._condition(test, variables=variables)
        return done

    def _condition(self, test: ConditionTest, *, variables: bool) -> int:
        key = test.key.lower()
        absent = passes_when_absent(test)
        operator = OPERATORS[test.operator]
        listed = [tokens_of(value, variables=variables and operator.variables) for value in test.values]
        expanded = [self.expand(tokens) for tokens in listed]
        if key in self.known:
            return self._known(test, key, listed, expanded, variables=variables)
        if not self._can_carry.get(key, True):
            return TRUE if absent else FALSE
        present = self._keys.present(key)
        if test.operator == "Null":
            there = operator.build(tuple(listed))("")
            return self._formula.disj(
                (
                    self._formula.conj((present, TRUE if there else FALSE)),
                    self._formula.conj((-present, TRUE if absent else FALSE)),
                )
            )
        tests = _tests(test.operator, [item for item in expanded if not isinstance(item, Opaque)])
        for one in tests:
            self._keys.test(key, one)
        guesses = [
            (Opaque(item.construct, f"{test.operator} {key} {item.owner}"), cover_of(tokens, test.operator))
            for tokens, item in zip(listed, expanded, strict=True)
            if isinstance(item, Opaque)
        ]
        passing = self._passing(test, key, tests, guesses, negated=operator.negated)
        if absent:
            return self._formula.implies(present, passing)
        return self._formula.conj((present, passing))

    def _known(
        self,
        test: ConditionTest,
        key: str,
        listed: Sequence[Tokens],
        expanded: Sequence[Tokens | Opaque | None],
        *,
        variables: bool,
    ) -> int:
        """A test of a key whose value is known; open only where a policy variable in it is."""
        covers = [
            (item, cover_of(tokens, test.operator))
            for tokens, item in zip(listed, expanded, strict=True)
            if isinstance(item, Opaque)
        ]
        for item, cover in covers:
            if any(accepts(cover, value) for value in self.known[key]):
                return self._formula.atom(Opaque(item.construct, f"{self._owner}{test!r}"), cost=_OPAQUE_COST)
        return TRUE if compile_test(test, variables=variables)(self.known) else FALSE

    def _passing(
        self,
        test: ConditionTest,
        key: str,
        tests: list[Test],
        guesses: Sequence[tuple[Opaque, Test]],
        *,
        negated: bool,
    ) -> int:
        """The literal that the present value (or values) pass."""
        name = self._keys.variable(key)
        formula = self._formula
        if name not in self._keys.multivalued:
            guessed = [
                formula.conj((formula.atom(opaque, cost=_OPAQUE_COST), self._holds(key, name, cover)))
                for opaque, cover in guesses
            ]
            matches = formula.disj([*(self._holds(key, name, one) for one in tests), *guessed])
            return -matches if negated else matches
        if guesses:
            return formula.atom(Opaque(guesses[0][0].construct, f"{self._owner}{test!r}"), cost=_OPAQUE_COST)
        some = formula.disj([self._some(name, (one,), none_of=False) for one in tests])
        other = self._some(name, tuple(tests), none_of=True)
        if test.qualifier == "ForAllValues":
            return -some if negated else -other
        passing = other if negated else some
        if test.qualifier == "ForAnyValue":
            return passing
        return formula.conj((formula.atom(Single(name)), passing))

    def _some(self, name: str, tests: tuple[Test, ...], *, none_of: bool) -> int:
        if not none_of and tests == ((STAR,),):
            return TRUE
        if none_of and (STAR,) in tests:
            return FALSE
        return self._formula.atom(Some(name, tests, none_of), cost=_VALUE_COST)

    def _holds(self, key: str, name: str, test: Test) -> int:
        if test == (STAR,):
            return TRUE
        own = self._formula.atom(Holds(name, test), cost=_VALUE_COST)
        link = self.linked.get(key)
        if link is None:
            return own
        condition, other = link
        return self._formula.disj(
            (
                self._formula.conj((condition, self._formula.atom(Holds(other, test), cost=_VALUE_COST))),
                self._formula.conj((-condition, own)),
            )
        )


def _tests(operator: str, expanded: Sequence[Tokens | None]) -> list[Test]:
    """The comparisons with the listed values; what matches nothing is left out."""
    tests = [_test(operator, item) for item in expanded if item is not None]
    return list(dict.fromkeys(test for test in tests if test is not None))


def cover_of(tokens: Tokens, operator: str = "") -> LanguageTokens:
    """A pattern that matches at least what the given one does, whatever its policy variables stand for."""
    open_ended = tuple(Wildcard.ANY if isinstance(token, Variable) else token for token in tokens)
    cover = language_of(open_ended, Reading.TEXT)
    assert cover is not None
    return (
        tuple(f"~{token[1].lower()}" if token[0] == "=" else token for token in cover)
        if "Ignore" in operator
        else cover
    )


def _test(operator: str, item: Tokens) -> Test | None:
    family = OPERATORS[operator].family
    if family == "Arn":
        return language_of(item, Reading.ARN)
    if family == "String":
        if operator.endswith("Like"):
            return language_of(item, Reading.TEXT)
        return caseless_text(item) if operator.endswith("IgnoreCase") else literal(as_text(item))
    return Typed(operator, as_text(item))
