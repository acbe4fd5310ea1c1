"""Expressions of flows: which part of a whole input is meant, and whether a condition holds.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/flows-expressions.html (a subset of JsonPath that begins with
``$.data``) and the page on nodes for conditions: comparisons of inputs, numbers, strings and Booleans by ``==``, ``!=``,
``<``, ``<=``, ``>``, ``>=``, joined by ``and``, ``or`` and ``not``, with parentheses.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_WHOLE = "$.data"
_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*|\*)"
    r"|\[\s*(?P<index>-?\d+|\*)\s*\]"
    r"|\[\s*(?P<indices>-?\d+(?:\s*,\s*-?\d+)+)\s*\]"
    r"|\[\s*(?P<start>-?\d*)\s*:\s*(?P<end>-?\d*)\s*\]"
    r"""|\[\s*(?P<quote>['"])(?P<key>.+?)(?P=quote)\s*\]"""
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<operator>==|!=|<=|>=|<|>|\(|\))|(?P<number>-?\d+(?:\.\d+)?)|"(?P<text>[^"]*)"|'(?P<quoted>[^']*)'|(?P<word>\w+))"""
)
_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CONSTANTS = {"true": True, "false": False}
_END = ("", "")


class ExpressionError(Exception):
    """An expression that is malformed, or that finds nothing in its input."""


def check_path(expression: str) -> None:
    """Check the form of an input's expression.

    Raises:
        ExpressionError: it has none.
    """
    list(_steps(expression))


def extract(expression: str, whole: Any) -> Any:
    """What an expression finds in a whole input.

    Raises:
        ExpressionError: it is malformed, or there is no such part.
    """
    found, many = [whole], False
    for step in _steps(expression):
        many = many or step["name"] == "*" or step["index"] == "*"
        found = [part for one in found for part in _parts(step, one)]
    if not found and not many:
        raise ExpressionError(f"the input has no {expression}")
    return found if many else found[0]


def _steps(expression: str) -> Iterator[re.Match[str]]:
    if not expression.startswith(_WHOLE):
        raise ExpressionError(f"the expression {expression} does not begin with {_WHOLE}")
    position = len(_WHOLE)
    while position < len(expression):
        step = _STEP.match(expression, position)
        if step is None:
            raise ExpressionError(f"the expression {expression} is malformed at {expression[position:]}")
        yield step
        position = step.end()


def _parts(step: re.Match[str], value: Any) -> Iterator[Any]:
    """What one step finds in one value."""
    name = step["name"] or step["key"]
    if name == "*" or step["index"] == "*":
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif name is not None:
        if isinstance(value, dict) and name in value:
            yield value[name]
    elif isinstance(value, list):
        yield from _members(step, value)


def _members(step: re.Match[str], value: list[Any]) -> Iterator[Any]:
    if step["indices"] is not None:
        numbers = [int(number) for number in step["indices"].split(",")]
        yield [value[number] for number in numbers if -len(value) <= number < len(value)]
    elif step["index"] is not None:
        if -len(value) <= int(step["index"]) < len(value):
            yield value[int(step["index"])]
    else:
        start, end = (int(step[side]) if step[side] else None for side in ("start", "end"))
        yield value[start:end]


def holds(expression: str, inputs: Mapping[str, Any]) -> bool:
    """Whether a condition holds.

    Args:
        expression: such as ``retailPrice > 10 and not (stock == 0)``.
        inputs: values of the node's inputs, by name.

    Raises:
        ExpressionError: it is malformed, names an input that is not there, or compares what cannot be compared.
    """
    return _Condition(expression, inputs).result()


def check_condition(expression: str, names: Iterator[str] | tuple[str, ...]) -> None:
    """Check the form of a condition.

    Raises:
        ExpressionError: it is malformed, or names an input that its node does not have.
    """
    _Condition(expression, dict.fromkeys(names)).parse()


class _Condition:
    """A condition: recursive descent over its tokens, or binding weakest, not strongest."""

    def __init__(self, expression: str, inputs: Mapping[str, Any]) -> None:
        self._expression, self._inputs = expression, inputs
        self._tokens = list(self._read())
        self._deciding = True

    def _read(self) -> Iterator[tuple[str, str]]:
        text, position = self._expression.strip(), 0
        while position < len(text):
            token = _TOKEN.match(text, position)
            if token is None:
                raise ExpressionError(f"the condition {self._expression} is malformed at {text[position:]}")
            kind = str(token.lastgroup)
            yield kind, token[kind]
            position = token.end()

    def parse(self) -> None:
        """Read the whole, comparing nothing."""
        self._deciding = False
        self.result()

    def result(self) -> bool:
        """Whether it holds."""
        value = self._either()
        if self._tokens:
            raise ExpressionError(f"the condition {self._expression} has {self._tokens[0][1]} too much")
        return value

    def _next(self) -> tuple[str, str]:
        return self._tokens[0] if self._tokens else _END

    def _takes(self, *words: str) -> str | None:
        kind, text = self._next()
        if kind in {"operator", "word"} and text in words:
            self._tokens.pop(0)
            return text
        return None

    def _either(self) -> bool:
        value = self._both()
        while self._takes("or"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> bool:
        value = self._one()
        while self._takes("and"):
            other = self._one()
            value = value and other
        return value

    def _one(self) -> bool:
        if self._takes("not"):
            return not self._one()
        if self._takes("("):
            value = self._either()
            if not self._takes(")"):
                raise ExpressionError(f"the condition {self._expression} lacks a closing parenthesis")
            return value
        return self._comparison()

    def _comparison(self) -> bool:
        left = self._value()
        sign = self._takes(*_COMPARISONS)
        if sign is None:
            if self._deciding and not isinstance(left, bool):
                raise ExpressionError(f"the condition {self._expression} compares nothing")
            return bool(left)
        right = self._value()
        if not self._deciding:
            return True
        try:
            return _COMPARISONS[sign](left, right)
        except TypeError as error:
            raise ExpressionError(
                f"the condition {self._expression} compares {left!r} with {right!r}"
            ) from error

    def _value(self) -> Any:
        kind, text = self._next()
        if kind in {"", "operator"}:
            raise ExpressionError(f"the condition {self._expression} lacks a value")
        self._tokens.pop(0)
        if kind == "number":
            return float(text)
        if kind in {"text", "quoted"} or text in _CONSTANTS:
            return _CONSTANTS.get(text, text) if kind == "word" else text
        if text not in self._inputs:
            raise ExpressionError(f"the condition {self._expression} names no input: {text}")
        return self._inputs[text]
