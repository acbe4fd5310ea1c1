"""The rules of composite alarms: ``ALARM("errors") AND NOT OK(calls)``.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

States = Mapping[str, str]
_Test = Callable[[States], bool]

_TOKEN = re.compile(
    r"\s*(?:(\(|\))|(AND|OR|NOT|TRUE|FALSE)\b|(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(\"[^\"]+\"|[^\s()\"]+)\s*\))"
)


class RuleError(ValueError):
    """The rule is none."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that was read.

    Attributes:
        holds: whether it holds, by the states of alarms by name and by ARN.
        names: the alarms that it names, as it names them.
    """

    holds: _Test
    names: frozenset[str]


@lru_cache(maxsize=1024)
def read(text: str) -> Rule:
    """Read a rule.

    Raises:
        RuleError: it is none.
    """
    reader = _Reader(text)
    test = reader.either()
    if reader.tokens:
        raise RuleError(f"unexpected {reader.tokens[0]}")
    return Rule(test, frozenset(reader.names))


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        self.names: set[str] = set()
        self._tests: list[tuple[str, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise RuleError(f"unexpected {text[at:].strip().split()[0]}")
            at = found.end()
            if found[3]:
                self._tests.append((found[3], found[4].strip('"')))
                self.names.add(found[4].strip('"'))
            self.tokens.append("state" if found[3] else found[1] or found[2])

    def either(self) -> _Test:
        tests = [self._both()]
        while self._take("OR"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda states: any(test(states) for test in tests)

    def _both(self) -> _Test:
        tests = [self._one()]
        while self._take("AND"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda states: all(test(states) for test in tests)

    def _one(self) -> _Test:
        if self._take("NOT"):
            inner = self._one()
            return lambda states: not inner(states)
        if self._take("("):
            inner = self.either()
            if not self._take(")"):
                raise RuleError("a bracket is not closed")
            return inner
        for word, value in (("TRUE", True), ("FALSE", False)):
            if self._take(word):
                return lambda _, value=value: value  # type: ignore[misc]
        if self._take("state"):
            state, name = self._tests.pop(0)
            return lambda states: states.get(name) == state
        raise RuleError("the rule ends too soon" if not self.tokens else f"unexpected {self.tokens[0]}")

    def _take(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            del self.tokens[0]
            return True
        return False
