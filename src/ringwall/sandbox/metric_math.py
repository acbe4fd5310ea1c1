"""Metric math: expressions over metrics, for alarms and GetMetricData.

A value is a number, a time series (a value or nothing per period) or an array of time series (``METRICS()``). Operators
and functions work point by point; a point that one side lacks, or that has no value (a division by zero), is lacking.

Carried out: ``+ - * / ^``, comparisons, ``AND OR``, and the functions of :data:`_FUNCTIONS`. An expression that needs another
one (``SEARCH``, ``ANOMALY_DETECTION_BAND``, ``INSIGHT_RULE_METRIC``, SQL) is refused by its name where it is put, so
that no alarm waits for a value that never comes.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
"""

from __future__ import annotations

import itertools
import math
import operator
import re
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Series: TypeAlias = "tuple[float | None, ...]"
"""A value per period, the oldest first; ``None`` = no data."""
Value: TypeAlias = "float | Series | list[Series]"

_TOKEN = re.compile(
    r"\s*(?:(\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(\"[^\"]*\"|'[^']*')|(<=|>=|==|!=|&&|\|\||[-+*/^()<>,\[\]]))"
)
_WORDS = {"&&": "AND", "||": "OR"}
_BINDING: Mapping[str, int] = {
    "OR": 1, "AND": 2, "==": 3, "!=": 3, "<": 3, ">": 3, "<=": 3, ">=": 3, "+": 4, "-": 4, "*": 5, "/": 5, "^": 7,
}  # fmt: skip
_NEGATION = 6


class ExpressionError(ValueError):
    """The expression is none, or names what is not there."""


class LackingError(ExpressionError):
    """The expression is right, and needs a function that is not carried out; the text is its name."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A number, a name (``value`` is a text), or an operation on further nodes."""

    value: float | str
    arguments: tuple[_Node, ...] | None = None


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read.

    Attributes:
        names: ids of the queries that it uses; ``METRICS()`` uses all that are metrics.
    """

    root: _Node
    names: frozenset[str]

    def series(self, known: Mapping[str, Value], metrics: Sequence[str], period: int, points: int) -> Series:
        """The expression's time series.

        Args:
            known: what each query's id stands for.
            metrics: ids that ``METRICS()`` stands for.
            period: seconds between two points.
            points: how many there are.

        Raises:
            ExpressionError: it gives no single time series.
        """
        found = _Scope(known, metrics, period).value(self.root)
        if isinstance(found, list):
            if len(found) != 1:
                raise ExpressionError("the expression must give a single time series")
            return found[0]
        return found if isinstance(found, tuple) else (found,) * points


def read(text: str) -> Expression:
    """Read an expression.

    Raises:
        LackingError: it needs what is not carried out.
        ExpressionError: it is none.
    """
    if text.strip().upper().startswith("SELECT"):
        raise LackingError("SELECT")
    reader = _Reader(text)
    root = reader.expression(0)
    if reader.ahead is not None:
        raise ExpressionError(f"unexpected {reader.ahead!r}")
    return Expression(root, frozenset(reader.names))


class _Reader:
    """A reader by binding powers."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self.names: set[str] = set()
        self.ahead: str | None = None
        self._next()

    def _next(self) -> str | None:
        token, rest = self.ahead, self._text[self._at :]
        found = _TOKEN.match(rest)
        if found is None:
            if rest.strip():
                raise ExpressionError(f"unexpected {rest.strip()[0]!r}")
            self.ahead = None
        else:
            self.ahead, self._at = found.group().strip(), self._at + found.end()
            self.ahead = _WORDS.get(self.ahead, self.ahead)
        return token

    def expression(self, least: int) -> _Node:
        left = self._operand()
        while self.ahead is not None and _BINDING.get(self.ahead, 0) >= max(least, 1):
            sign = str(self._next())
            # A power binds to the right.
            left = _Node(sign, (left, self.expression(_BINDING[sign] + (sign != "^"))))
        return left

    def _operand(self) -> _Node:
        word = self._next()
        if word is None:
            raise ExpressionError("the expression ends too soon")
        if word == "-":
            return _Node("-", (_Node(0.0), self.expression(_NEGATION)))
        if word == "(":
            inner = self.expression(0)
            self._expect(")")
            return inner
        if word == "[":
            return _Node("[]", self._arguments("]"))
        return self._function(word.upper()) if self.ahead == "(" else self._simple(word)

    def _simple(self, word: str) -> _Node:
        if word[0].isdigit() or word[0] == ".":
            return _Node(float(word))
        if not re.fullmatch(r"[A-Za-z_]\w*", word):
            raise ExpressionError(f"unexpected {word!r}")
        if word not in _NAMES:
            self.names.add(word)
        return _Node(word)

    def _function(self, name: str) -> _Node:
        if name not in _FUNCTIONS and name not in _SPECIAL:
            raise LackingError(name)
        self._next()
        arguments = self._arguments(")")
        if name == "METRICS" and arguments:
            raise LackingError("METRICS with a name to look for")
        return _Node(name, arguments)

    def _arguments(self, end: str) -> tuple[_Node, ...]:
        found: list[_Node] = []
        while self.ahead != end:
            found.append(self.expression(0))
            if self.ahead == ",":
                self._next()
            elif self.ahead != end:
                raise ExpressionError(f"{end!r} is missing")
        self._next()
        return tuple(found)

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise ExpressionError(f"{token!r} is missing")


@dataclass(frozen=True, slots=True)
class _Scope:
    """What names stand for while an expression is worked out."""

    known: Mapping[str, Value]
    metrics: Sequence[str]
    period: int

    def value(self, node: _Node) -> Value:
        if node.arguments is None:
            return node.value if isinstance(node.value, float) else self._named(node.value)
        name = str(node.value)
        if name == "METRICS":
            return [one for id_ in self.metrics if isinstance(one := self.known[id_], tuple)]
        if name == "FILL":
            return self._filled(node)
        given = [self.value(argument) for argument in node.arguments]
        if name == "[]":
            return [one for value in given for one in _listed(value)]
        return float(self.period) if name == "PERIOD" else _FUNCTIONS[name](given, self.period)

    def _named(self, name: str) -> Value:
        if name not in self.known:
            raise ExpressionError(f"there is no metric with the id {name}")
        return self.known[name]

    def _filled(self, node: _Node) -> Value:
        what, by = node.arguments or (), ""
        if len(what) != 2:
            raise ExpressionError("FILL takes a time series and a value")
        by = str(what[1].value)
        if by == "LINEAR":
            raise LackingError("FILL with LINEAR")
        series = self.value(what[0])
        filler = None if by == "REPEAT" else self.value(what[1])
        if isinstance(filler, list):
            raise ExpressionError("FILL takes one value")

        def one(points: Series) -> Series:
            if filler is None:
                return _repeated(points)
            by_point = filler if isinstance(filler, tuple) else (filler,) * len(points)
            return tuple(a if a is not None else b for a, b in zip(points, by_point, strict=True))

        filled = [one(points) for points in _listed(series)]
        return filled if isinstance(series, list) else filled[0]


def _repeated(points: Series) -> Series:
    last, found = None, []
    for point in points:
        last = point if point is not None else last
        found.append(last)
    return tuple(found)


def _listed(value: Value) -> list[Series]:
    if isinstance(value, float):
        raise ExpressionError("a time series is needed, not a number")
    return value if isinstance(value, list) else [value]


def _each(values: Sequence[Value], work: Callable[..., float | None]) -> Value:
    """Work point by point, over numbers, series and arrays alike."""
    arrays = [value for value in values if isinstance(value, list)]
    if arrays:
        rows = [value if isinstance(value, list) else [value] * len(arrays[0]) for value in values]
        return [one for row in zip(*rows, strict=True) if isinstance(one := _each(row, work), tuple)]
    lengths = [len(value) for value in values if isinstance(value, tuple)]
    if not lengths:
        result = _point(work, [value for value in values if isinstance(value, float)])
        return math.nan if result is None else result
    columns = [value if isinstance(value, tuple) else (value,) * lengths[0] for value in values]
    return tuple(_point(work, row) for row in zip(*columns, strict=True))


def _point(work: Callable[..., float | None], row: Sequence[float | None]) -> float | None:
    if any(value is None or math.isnan(value) for value in row):
        return None
    try:
        result = work(*row)
    except (ArithmeticError, ValueError):
        return None
    return None if result is None or math.isnan(result) or math.isinf(result) else float(result)


def _binary(work: Callable[[float, float], float]) -> Callable[[Sequence[Value], int], Value]:
    return lambda given, _: _each(given, work)


def _unary(work: Callable[[float], float]) -> Callable[[Sequence[Value], int], Value]:
    return lambda given, _: _each(given[:1], work)


def _reduced(work: Callable[[list[float]], float]) -> Callable[[Sequence[Value], int], Value]:
    """One number of a time series; of an array, a time series."""

    def over(given: Sequence[Value], _: int) -> Value:
        value = given[0]
        rows = zip(*value, strict=True) if isinstance(value, list) else iter(_listed(value))
        found = [work(real) if (real := [v for v in row if v is not None]) else None for row in rows]
        if isinstance(value, list):
            return tuple(found)
        return math.nan if found[0] is None else found[0]

    return over


def _running(given: Sequence[Value], _: int) -> Value:
    total, found = 0.0, []
    for point in _listed(given[0])[0]:
        total += point or 0.0
        found.append(total)
    return tuple(found)


def _difference(given: Sequence[Value], seconds: int) -> Value:
    points = _listed(given[0])[0]
    return (
        None,
        *(None if a is None or b is None else (b - a) / seconds for a, b in itertools.pairwise(points)),
    )


def _chosen(given: Sequence[Value], _: int) -> Value:
    if len(given) == 2:
        return _each(given, lambda test, yes: yes if test else None)
    return _each(given, lambda test, yes, no: yes if test else no)


def _as_series(given: Sequence[Value], _: int) -> Value:
    return given[0]


_SPECIAL = frozenset({"METRICS", "FILL", "PERIOD"})
_NAMES = frozenset({"REPEAT", "LINEAR"})
_FUNCTIONS: Mapping[str, Callable[[Sequence[Value], int], Value]] = {
    "+": _binary(operator.add),
    "-": _binary(operator.sub),
    "*": _binary(operator.mul),
    "/": _binary(operator.truediv),
    "^": _binary(operator.pow),
    "<": _binary(operator.lt),
    ">": _binary(operator.gt),
    "<=": _binary(operator.le),
    ">=": _binary(operator.ge),
    "==": _binary(operator.eq),
    "!=": _binary(operator.ne),
    "AND": _binary(lambda a, b: bool(a) and bool(b)),
    "OR": _binary(lambda a, b: bool(a) or bool(b)),
    "ABS": _unary(abs),
    "CEIL": _unary(math.ceil),
    "FLOOR": _unary(math.floor),
    "LOG": _unary(math.log),
    "LOG10": _unary(math.log10),
    "AVG": _reduced(statistics.fmean),
    "MAX": _reduced(max),
    "MIN": _reduced(min),
    "SUM": _reduced(math.fsum),
    "STDDEV": _reduced(statistics.pstdev),
    "METRIC_COUNT": lambda given, _: float(len(_listed(given[0]))),
    "RUNNING_SUM": _running,
    "DIFF": lambda given, _: _difference(given, 1),
    "RATE": _difference,
    "IF": _chosen,
    "TIME_SERIES": _as_series,
}
