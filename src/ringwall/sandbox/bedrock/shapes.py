"""Input validation by the service models: required members, types, lengths, ranges, patterns, enums, unions.

The botocore client checks neither maxima nor patterns nor enums; AWS checks all of them. Wording is AWS's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ringwall.sandbox.bedrock.evaluation.regexes import InvalidPatternError, compile_pattern
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.models import service_model

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


def validate(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Check an operation's input against its model.

    Raises:
        AwsError: ``ValidationException`` that lists every violated constraint.
    """
    shape = service_model(service).operation_model(operation).input_shape
    problems = list(_check(shape, parameters, "")) if shape is not None else []
    if problems:
        plural = "" if len(problems) == 1 else "s"
        raise invalid(f"{len(problems)} validation error{plural} detected: {'; '.join(problems)}")


def _failed(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:_SHOWN]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _check(shape: Any, value: Any, path: str) -> Iterator[str]:
    if getattr(shape, "is_document_type", False) or getattr(shape, "is_eventstream_shape", False):
        return
    kind = shape.type_name
    expected = _PYTHON_TYPES.get(kind)
    if expected is not None and (
        not isinstance(value, expected) or (kind != "boolean" and isinstance(value, bool))
    ):
        yield _failed(value, path, f"Member must be of type {kind}")
        return
    check = _CHECKS.get(kind)
    if check is not None:
        yield from check(shape, value, path)


def _check_list(shape: Any, value: Sequence[Any], path: str) -> Iterator[str]:
    yield from _check_size(shape, len(value), value, path, "length")
    for index, member in enumerate(value, start=1):
        yield from _check(shape.member, member, f"{path}.{index}.member")


def _check_map(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _check_size(shape, len(value), value, path, "length")
    for key, member in value.items():
        yield from _check(shape.key, key, f"{path}.key")
        yield from _check(shape.value, member, f"{path}.{key}")


def _check_blob(shape: Any, value: bytes, path: str) -> Iterator[str]:
    yield from _check_size(shape, len(value), "<bytes>", path, "length")


def _check_number(shape: Any, value: float, path: str) -> Iterator[str]:
    yield from _check_size(shape, value, value, path, "value")


def _check_structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for name in shape.required_members:
        if value.get(name) is None:
            yield _failed(None, prefix + name, "Member must not be null")
    if getattr(shape, "is_tagged_union", False) and sum(member is not None for member in value.values()) != 1:
        yield _failed("structure", path, f"Member must have exactly one of [{', '.join(shape.members)}] set")
    for name, member in value.items():
        if name in shape.members and member is not None:
            yield from _check(shape.members[name], member, prefix + name)


def _check_string(shape: Any, value: str, path: str) -> Iterator[str]:
    yield from _check_size(shape, len(value), value, path, "length")
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield _failed(value, path, f"Member must satisfy enum value set: [{', '.join(allowed)}]")
    pattern = shape.metadata.get("pattern")
    if pattern and shape.name not in _WRONG_PATTERNS and not _matches(pattern, value):
        yield _failed(value, path, f"Member must satisfy regular expression pattern: {pattern}")


def _check_size(shape: Any, size: float, value: Any, path: str, what: str) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), _MAXIMA.get(shape.name, shape.metadata.get("max"))
    if minimum is not None and size < minimum:
        yield _failed(value, path, f"Member must have {what} greater than or equal to {minimum}")
    if maximum is not None and size > maximum:
        yield _failed(value, path, f"Member must have {what} less than or equal to {maximum}")


_CHECKS: dict[str, Callable[[Any, Any, str], Iterator[str]]] = {
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
