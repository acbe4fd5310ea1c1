"""What rules of the declaration yield, and how they look into data that may have any shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str | int, ...]
Finding = tuple[Path, str]
Data = Mapping[str, Any]


def mapping(data: Any, *names: str) -> Mapping[str, Any]:
    """The mapping at a path, or an empty one."""
    for name in names:
        data = data.get(name) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def items(value: Any) -> list[Any]:
    """The value if it is a list, or an empty one."""
    return value if isinstance(value, list) else []


def texts(value: Any) -> Iterator[tuple[int, str]]:
    """Texts of a list with their positions."""
    return ((index, item) for index, item in enumerate(items(value)) if isinstance(item, str))


def guardrails(data: Data) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every declared guardrail with its path."""
    if isinstance(data.get("guardrail"), Mapping):
        yield ("guardrail",), data["guardrail"]
    for index, item in enumerate(items(data.get("other_guardrails"))):
        if isinstance(item, Mapping):
            yield ("other_guardrails", index), item


def uses(data: Data) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every declared use that is a mapping."""
    for name, use in mapping(data, "uses").items():
        if isinstance(use, Mapping):
            yield name, use
