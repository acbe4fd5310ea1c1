"""Filter patterns of CloudWatch Logs: which log events FilterLogEvents finds and metric filters count.

Terms (all must occur; those after ``?`` are alternatives, those after ``-`` must not occur), quoted phrases, regular
expressions between ``%``, and properties of JSON events (``{ $.eventName = "Delete*" && $.errorCode NOT EXISTS }``).
Patterns of space-delimited events (``[ip, user, ...]``) are not carried out, rather than taken to match everything.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from ringwall.sandbox.bedrock.evaluation.regexes import InvalidPatternError, compile_pattern

Matcher = Callable[[str], bool]
_Test = Callable[[Any], bool]

_TERM = re.compile(r'\s*([?-]?)(?:"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s"%\[\]{}]+))')
_TOKEN = re.compile(
    r'\s*(?:(&&|\|\|)|(<=|>=|!=|=|<|>)|([()])|(\$(?:\.[\w@:-]+|\[\d+\]|\["[^"]+"\])+)|"((?:[^"\\]|\\.)*)"|%([^%]+)%|([^\s()&|=<>!"]+))'
)
_STEP = re.compile(r'\.([\w@:-]+)|\[(\d+)\]|\["([^"]+)"\]')
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "!=": operator.ne,
}  # fmt: skip


class PatternError(ValueError):
    """The pattern is none."""


class LackingError(PatternError):
    """The pattern is right, and of a form that is not carried out."""


@lru_cache(maxsize=1024)
def read(pattern: str) -> Matcher:
    """Read a pattern: whether it matches a message.

    Raises:
        LackingError: a form that is not carried out.
        PatternError: it is none.
    """
    text = pattern.strip()
    if not text:
        return lambda _: True
    if text.startswith("["):
        raise LackingError(f"the filter pattern {pattern}")
    if text.startswith("{"):
        if not text.endswith("}"):
            raise PatternError("a brace is not closed")
        return _json(_Properties(text[1:-1]).whole())
    return _terms(text)


def number_at(message: str, selector: str) -> float | None:
    """The number at a property (``$.latency``) of a JSON event; ``None`` where there is none."""
    text = text_at(message, selector)
    return None if text is None else _number(text)


def text_at(message: str, selector: str) -> str | None:
    """What stands at a property of a JSON event, as text; ``None`` where nothing does."""
    try:
        found = _at(json.loads(message), _steps(selector))
    except (ValueError, LookupError):
        return None
    return None if found is None or isinstance(found, dict | list) else _text(found)


def _json(test: _Test) -> Matcher:
    def matches(message: str) -> bool:
        try:
            event = json.loads(message)
        except ValueError:
            return False
        return test(event)

    return matches


def _terms(text: str) -> Matcher:
    needed: list[Matcher] = []
    choices: list[Matcher] = []
    at = 0
    while at < len(text):
        found = _TERM.match(text, at)
        if found is None:
            raise PatternError(f"unexpected {text[at:].strip()[:1]}")
        at = found.end()
        sign, quoted, regex, word = found.groups()
        test = _regex(regex) if regex else _contains(quoted if quoted is not None else word)
        if sign == "?":
            choices.append(test)
        else:
            needed.append(_not(test) if sign == "-" else test)
    if needed:  # with terms that must occur, alternatives bear on nothing
        return lambda message: all(test(message) for test in needed)
    return lambda message: any(test(message) for test in choices)


def _contains(term: str) -> Matcher:
    return lambda message: term in message


def _not(test: Matcher) -> Matcher:
    return lambda message: not test(message)


def _regex(pattern: str) -> Matcher:
    try:
        compiled = compile_pattern(pattern)
    except InvalidPatternError as error:
        raise PatternError(f"invalid regular expression {pattern}: {error}") from error
    return lambda message: compiled.search(message) is not None


def _steps(selector: str) -> tuple[str | int, ...]:
    return tuple(int(index) if index else name or quoted for name, index, quoted in _STEP.findall(selector))


def _at(event: Any, steps: tuple[str | int, ...]) -> Any:
    """What stands at a property.

    Raises:
        LookupError: nothing does.
    """
    for step in steps:
        inside: Any = event if isinstance(event, dict if isinstance(step, str) else list) else {}
        event = inside[step]
    return event


class _Properties:
    """A reader of patterns of JSON events."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[int, str]] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None or found.lastindex is None:
                raise PatternError(f"unexpected {text[at:].strip()[:1]}")
            at = found.end()
            self._tokens.append((found.lastindex, str(found[found.lastindex])))

    def whole(self) -> _Test:
        test = self._either()
        if self._tokens:
            raise PatternError(f"unexpected {self._tokens[0][1]}")
        return test

    def _either(self) -> _Test:
        tests = [self._both()]
        while self._take("||"):
            tests.append(self._both())
        return tests[0] if len(tests) == 1 else lambda event: any(test(event) for test in tests)

    def _both(self) -> _Test:
        tests = [self._one()]
        while self._take("&&"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda event: all(test(event) for test in tests)

    def _one(self) -> _Test:
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise PatternError("a bracket is not closed")
            return inner
        kind, selector = self._next()
        if kind != _SELECTOR:
            raise PatternError(f"a property like $.eventName is needed, not {selector}")
        steps = _steps(selector)
        kind, sign = self._next()
        if kind == _SIGN:
            return _compared(steps, sign, *self._next())
        words = sign.upper()
        if words in {"IS", "NOT"}:
            words += f" {self._next()[1].upper()}"
        return _said(steps, words)

    def _take(self, text: str) -> bool:
        if self._tokens and self._tokens[0][1] == text and self._tokens[0][0] in {1, 3}:
            del self._tokens[0]
            return True
        return False

    def _next(self) -> tuple[int, str]:
        if not self._tokens:
            raise PatternError("the pattern ends too soon")
        return self._tokens.pop(0)


_SIGN, _SELECTOR, _REGEX = 2, 4, 6


def _said(steps: tuple[str | int, ...], words: str) -> _Test:
    """``IS NULL``, ``IS TRUE``, ``IS FALSE``, ``EXISTS`` and ``NOT EXISTS``."""
    known: Mapping[str, Any] = {"IS NULL": None, "IS TRUE": True, "IS FALSE": False}
    if words not in {*known, "EXISTS", "NOT EXISTS"}:
        raise PatternError(f"unexpected {words}")

    def test(event: Any) -> bool:
        try:
            value = _at(event, steps)
        except LookupError:
            return words == "NOT EXISTS"
        return words == "EXISTS" or (words in known and value is known[words])

    return test


def _compared(steps: tuple[str | int, ...], sign: str, kind: int, wanted: str) -> _Test:
    compare = _value_test(sign, kind, wanted)

    def test(event: Any) -> bool:
        try:
            value = _at(event, steps)
        except LookupError:
            return False
        return not isinstance(value, dict | list) and value is not None and compare(value)

    return test


def _value_test(sign: str, kind: int, wanted: str) -> _Test:
    if kind == _REGEX:
        found = _regex(wanted)
        return (lambda value: found(_text(value))) if sign == "=" else lambda value: not found(_text(value))
    number = _number(wanted)
    if number is not None:
        return lambda value: (own := _number(value)) is not None and _COMPARE[sign](own, number)
    if sign not in {"=", "!="}:
        raise PatternError(f"{wanted} is no number")
    pattern = re.sub(r"([\[?])", r"[\1]", wanted)
    return lambda value: fnmatchcase(_text(value), pattern) is (sign == "=")


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
