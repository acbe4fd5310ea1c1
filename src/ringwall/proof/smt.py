"""Strings and patterns as terms of cvc5, for a second opinion (:mod:`ringwall.proof.second_opinion`).

Needs the package ``cvc5`` (extra ``smt``). Nothing here is shared with the prover's own automata: a pattern becomes a
regular expression by the readings that :mod:`ringwall.iam.patterns` documents.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import cvc5
from cvc5 import Kind

from ringwall.iam.patterns import Reading, Tokens, Variable, Wildcard

Term = Any
"""A term of cvc5, which ships no types."""

_FIELDS: Final = 6


class InexpressibleError(Exception):
    """A test has no translation here; the message is its name for people."""


class Terms:
    """Builds terms and asks the solver.

    Args:
        timeout: seconds for the answer.
    """

    def __init__(self, timeout: float) -> None:
        self._terms = cvc5.TermManager()
        self.solver = cvc5.Solver(self._terms)
        for name, value in (
            ("produce-models", "true"),
            ("strings-exp", "true"),
            ("tlimit-per", str(max(1, int(timeout * 1000)))),
        ):
            self.solver.setOption(name, value)
        self.solver.setLogic("QF_SLIA")
        self.true, self.false = self._terms.mkTrue(), self._terms.mkFalse()
        self._declared: dict[str, str] = {}

    def string(self, name: str) -> Term:
        """A string variable."""
        return self._declare(name, self._terms.getStringSort())

    def boolean(self, name: str) -> Term:
        """A truth variable."""
        return self._declare(name, self._terms.getBooleanSort())

    def _declare(self, name: str, sort: Term) -> Term:
        made = self._terms.mkConst(sort, name)
        self._declared[str(made)] = str(sort)
        return made

    def script(self) -> str:
        """What was asserted, in SMT-LIB, for other solvers."""
        declared = [f"(declare-const {name} {sort})" for name, sort in self._declared.items()]
        asserted = [f"(assert {term})" for term in self.solver.getAssertions()]
        return "\n".join([*declared, *asserted])

    def choices(self, name: str, listed: list[str]) -> dict[str, Term]:
        """For each of the listed things, the term that it is chosen; no two are."""
        chosen = self._declare(name, self._terms.getIntegerSort())
        return {one: self.same(chosen, self._terms.mkInteger(index)) for index, one in enumerate(listed)}

    def text(self, value: str) -> Term:
        """A literal string."""
        return self._terms.mkString(value.replace("\\", "\\u{5c}"), True)

    def constant(self, value: object) -> Term:
        """A truth value."""
        return self.true if value else self.false

    def all(self, parts: Iterable[Term]) -> Term:
        """All of the parts."""
        listed = [part for part in parts if part != self.true]
        if self.false in listed:
            return self.false
        return self._joined(Kind.AND, listed, self.true)

    def any(self, parts: Iterable[Term]) -> Term:
        """Any of the parts."""
        listed = [part for part in parts if part != self.false]
        if self.true in listed:
            return self.true
        return self._joined(Kind.OR, listed, self.false)

    def _joined(self, kind: Kind, listed: list[Term], empty: Term) -> Term:
        if len(listed) < 2:
            return listed[0] if listed else empty
        return self._terms.mkTerm(kind, *listed)

    def no(self, part: Term) -> Term:
        """The negation."""
        if part in (self.true, self.false):
            return self.false if part == self.true else self.true
        return self._terms.mkTerm(Kind.NOT, part)

    def implies(self, premise: Term, conclusion: Term) -> Term:
        """If the premise then the conclusion."""
        return self.any((self.no(premise), conclusion))

    def same(self, one: Term, other: Term) -> Term:
        """Equality of strings or of truth values."""
        return self._terms.mkTerm(Kind.EQUAL, one, other)

    def concat(self, parts: list[Term]) -> Term:
        """Strings one after the other."""
        if len(parts) < 2:
            return parts[0] if parts else self.text("")
        return self._terms.mkTerm(Kind.STRING_CONCAT, *parts)

    def prefix(self, start: Term, whole: Term) -> Term:
        """Whether a string begins with another."""
        return self._terms.mkTerm(Kind.STRING_PREFIX, start, whole)

    def suffix(self, end: Term, whole: Term) -> Term:
        """Whether a string ends in another."""
        return self._terms.mkTerm(Kind.STRING_SUFFIX, end, whole)

    def inside(self, part: Term, whole: Term) -> Term:
        """Whether a string contains another."""
        return self._terms.mkTerm(Kind.STRING_CONTAINS, whole, part)

    def is_in(self, value: Term, expression: Term) -> Term:
        """Whether a string is of a regular language."""
        return self._terms.mkTerm(Kind.STRING_IN_REGEXP, value, expression)

    # Regular expressions.

    def re_text(self, value: str) -> Term:
        """Exactly this text."""
        return self._terms.mkTerm(Kind.STRING_TO_REGEXP, self.text(value))

    def re_range(self, first: str, last: str) -> Term:
        """One character of a range."""
        return self._terms.mkTerm(Kind.REGEXP_RANGE, self.text(first), self.text(last))

    def re_any_of(self, expressions: list[Term]) -> Term:
        """Any of the languages."""
        return (
            expressions[0] if len(expressions) == 1 else self._terms.mkTerm(Kind.REGEXP_UNION, *expressions)
        )

    def re_seq(self, expressions: list[Term]) -> Term:
        """One language after the other."""
        if not expressions:
            return self.re_text("")
        return (
            expressions[0] if len(expressions) == 1 else self._terms.mkTerm(Kind.REGEXP_CONCAT, *expressions)
        )

    def re_star(self, expression: Term) -> Term:
        """Any number of times."""
        return self._terms.mkTerm(Kind.REGEXP_STAR, expression)

    def re_times(self, expression: Term, count: int) -> Term:
        """That many times."""
        return self.re_seq([expression] * count)

    @property
    def re_char(self) -> Term:
        """Any one character."""
        return self._terms.mkTerm(Kind.REGEXP_ALLCHAR)

    @property
    def re_no_colon(self) -> Term:
        """Any one character but a colon."""
        return self._terms.mkTerm(Kind.REGEXP_DIFF, self.re_char, self.re_text(":"))

    def pattern(self, tokens: Tokens, reading: Reading) -> Term:
        """The language of a pattern without variables.

        ``None`` if it matches nothing: under ARN operators, a pattern without five colons other than ``*``.
        """
        colons = sum(token.count(":") for token in tokens if isinstance(token, str))
        if reading is Reading.ARN and colons < _FIELDS - 1:
            if tokens != (Wildcard.ANY,):
                return None
            field = self.re_star(self.re_no_colon)
            between = [part for _ in range(4) for part in (self.re_text(":"), field)]
            return self.re_seq([self.re_text("arn"), *between, self.re_text(":"), self.re_star(self.re_char)])
        parts: list[Term] = []
        passed = 0
        for index, token in enumerate(tokens):
            if isinstance(token, str):
                passed += token.count(":")
                parts.append(self.re_text(token))
                continue
            stays = reading is not Reading.TEXT and passed < _FIELDS - 1
            if token is Wildcard.ANY and reading is Reading.RESOURCE:
                following = tokens[index + 1 : index + 2]
                ends = not following or (isinstance(following[0], str) and following[0].startswith(":"))
                stays = stays and not ends
            char = self.re_no_colon if stays else self.re_char
            parts.append(char if token is Wildcard.ONE else self.re_star(char))
        return self.re_seq(parts)

    def equation(self, value: Term, tokens: Tokens, variables: dict[str, Term]) -> Term:
        """Whether a string matches a pattern that holds policy variables: a word equation.

        Raises:
            InexpressibleError: a wildcard stands between other parts.
        """
        ends = [bool(tokens) and tokens[end] is Wildcard.ANY for end in (0, -1)]
        inner = tokens[1 if ends[0] else 0 : len(tokens) - 1 if ends[1] and len(tokens) > 1 else len(tokens)]
        if any(isinstance(token, Wildcard) for token in inner):
            raise InexpressibleError("a policy variable in a pattern with wildcards in its middle")
        word = self.concat(
            [
                variables[token.key] if isinstance(token, Variable) else self.text(str(token))
                for token in inner
            ]
        )
        if all(ends):
            return self.inside(word, value)
        if ends[0]:
            return self.suffix(word, value)
        return self.prefix(word, value) if ends[1] else self.same(value, word)
