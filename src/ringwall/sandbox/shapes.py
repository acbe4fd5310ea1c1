"""Input validation by the service models: required members, types, lengths, ranges, patterns, enums, unions.

The botocore client checks neither maxima nor patterns nor enums; AWS checks all of them. Wording is AWS's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from ringwall.sandbox.bedrock.evaluation.regexes import InvalidPatternError, compile_pattern
from ringwall.sandbox.models import operation_model

Kind = Literal["required", "type", "shortest", "longest", "least", "most", "enum", "pattern", "union"]

# Lengths that the service itself relaxes beyond its model: topic definitions of the STANDARD tier.
_MAXIMA = {"GuardrailTopicDefinition": 1000}
# Shapes whose pattern in the model no right value fits (``/d{12}`` for digits); AWS does not go by it either.
_WRONG_PATTERNS = frozenset({"TaggableResourcesArn"})
_SHOWN = 256
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (list, tuple),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "blob": (bytes, bytearray, str),
}


_IDENTIFIER = 256
"""Greatest length of what may be an identifier, in characters."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One constraint that a value violates.

    Attributes:
        kind: which kind of constraint; ``shortest`` and ``longest`` are of lengths, ``least`` and ``most`` of numbers.
        path: the member, as AWS writes paths (``tags.1.member.key``).
        value: the value; ``None`` where it is missing.
        constraint: in AWS's words.
    """

    kind: Kind
    path: str
    value: Any
    constraint: str

    def __str__(self) -> str:
        shown = "null" if self.value is None else f"'{str(self.value)[:_SHOWN]}'"
        return f"Value {shown} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def violations(service: str, operation: str, parameters: Mapping[str, Any]) -> list[Violation]:
    """Everything about an operation's input that its service's model does not allow."""
    shape = operation_model(service, operation).input_shape
    return list(_check(shape, parameters, "")) if shape is not None else []


def _check(shape: Any, value: Any, path: str) -> Iterator[Violation]:
    if getattr(shape, "is_document_type", False) or getattr(shape, "is_eventstream_shape", False):
        return
    kind = shape.type_name
    expected = _PYTHON_TYPES.get(kind)
    if expected is not None and (
        not isinstance(value, expected) or (kind != "boolean" and isinstance(value, bool))
    ):
        yield Violation("type", path, value, f"Member must be of type {kind}")
        return
    check = _CHECKS.get(kind)
    if check is not None:
        yield from check(shape, value, path)


def _check_list(shape: Any, value: Sequence[Any], path: str) -> Iterator[Violation]:
    yield from _check_length(shape, len(value), value, path)
    for index, member in enumerate(value, start=1):
        yield from _check(shape.member, member, f"{path}.{index}.member")


def _check_map(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    yield from _check_length(shape, len(value), value, path)
    for key, member in value.items():
        yield from _check(shape.key, key, f"{path}.key")
        yield from _check(shape.value, member, f"{path}.{key}")


def _check_blob(shape: Any, value: bytes, path: str) -> Iterator[Violation]:
    yield from _check_length(shape, len(value), "<bytes>", path)


def _check_structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield Violation("required", prefix + name, None, "Member must not be null")
    if getattr(shape, "is_tagged_union", False) and sum(member is not None for member in value.values()) != 1:
        constraint = f"Member must have exactly one of [{', '.join(shape.members)}] set"
        yield Violation("union", path, "structure", constraint)
    for name, member in value.items():
        if name in shape.members and member is not None:
            yield from _check(shape.members[name], member, prefix + name)


def _check_string(shape: Any, value: str, path: str) -> Iterator[Violation]:
    yield from _check_length(shape, len(value), value, path)
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        constraint = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
        yield Violation("enum", path, value, constraint)
    pattern = shape.metadata.get("pattern")
    if pattern and shape.name not in _WRONG_PATTERNS and not _matches(pattern, value):
        constraint = f"Member must satisfy regular expression pattern: {pattern}"
        yield Violation("pattern", path, value, constraint)


def _check_length(shape: Any, length: int, value: Any, path: str) -> Iterator[Violation]:
    least, most = _bounds(shape)
    if least is not None and length < least:
        constraint = f"Member must have length greater than or equal to {least}"
        yield Violation("shortest", path, value, constraint)
    if most is not None and length > most:
        yield Violation("longest", path, value, f"Member must have length less than or equal to {most}")


def _check_number(shape: Any, value: float, path: str) -> Iterator[Violation]:
    least, most = _bounds(shape)
    if least is not None and value < least:
        yield Violation("least", path, value, f"Member must have value greater than or equal to {least}")
    if most is not None and value > most:
        yield Violation("most", path, value, f"Member must have value less than or equal to {most}")


def _bounds(shape: Any) -> tuple[float | None, float | None]:
    return shape.metadata.get("min"), _MAXIMA.get(shape.name, shape.metadata.get("max"))


_CHECKS: dict[str, Callable[[Any, Any, str], Iterator[Violation]]] = {
    "structure": _check_structure,
    "list": _check_list,
    "map": _check_map,
    "string": _check_string,
    "blob": _check_blob,
    "integer": _check_number,
    "long": _check_number,
    "float": _check_number,
    "double": _check_number,
}


def _matches(pattern: str, value: str) -> bool:
    # Identifiers come again and again; prompts do not, and are not to be kept.
    return (
        _is_identifier(pattern, value)
        if len(value) <= _IDENTIFIER
        else bool(_pattern(pattern).fullmatch(value))
    )


@lru_cache(maxsize=4096)
def _is_identifier(pattern: str, value: str) -> bool:
    return bool(_pattern(pattern).fullmatch(value))


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> Any:
    """A model's pattern by RE2 (linear on hostile input); the few that RE2 cannot hold by ``re``."""
    try:
        return compile_pattern(pattern)
    except InvalidPatternError:
        return re.compile(pattern)
