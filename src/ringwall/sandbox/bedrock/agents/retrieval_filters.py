"""Filters on the metadata of documents, with which Retrieve and RetrieveAndGenerate leave documents out.

A document that lacks the attribute matches ``notEquals`` and ``notIn`` alone, which AWS does not document; nothing that a
filter is to keep back comes out by it.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_RetrievalFilter.html
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def matches(filter_: Mapping[str, Any] | None, metadata: Mapping[str, Any]) -> bool:
    """Whether a document with this metadata passes a filter; without filter each does."""
    if not filter_:
        return True
    ((name, given),) = filter_.items()
    if name in {"andAll", "orAll"}:
        return (all if name == "andAll" else any)(matches(one, metadata) for one in given)
    own = metadata.get(given["key"])
    if own is None:
        return name in {"notEquals", "notIn"}
    return _TESTS[name](own, given["value"])


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(own: Any, value: Any) -> bool:
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in (own, value))
        return numbers and compare(own, value)

    return test


def _contains(own: Any, value: Any) -> bool:
    """``stringContains``: of a text a part, of a list of texts one that holds it."""
    return any(str(value) in str(one) for one in (own if isinstance(own, list) else [own]))


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": operator.eq,
    "notEquals": operator.ne,
    "greaterThan": _ordered(operator.gt),
    "greaterThanOrEquals": _ordered(operator.ge),
    "lessThan": _ordered(operator.lt),
    "lessThanOrEquals": _ordered(operator.le),
    "in": lambda own, value: own in value,
    "notIn": lambda own, value: own not in value,
    "startsWith": lambda own, value: isinstance(own, str) and own.startswith(str(value)),
    "listContains": lambda own, value: isinstance(own, list) and value in own,
    "stringContains": _contains,
}
