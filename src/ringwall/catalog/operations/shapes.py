"""The parameters that an operation takes: names and types, checked before anything is concluded from them.

A parameter that is misspelled or of the wrong type would otherwise count as absent, and a call with a guardrail as
one without. The data file ``data/shapes.zip`` is written by ``scripts/generate_catalog.py`` from botocore's service
models and holds a member per service: ``operations`` (name -> [shape, required members]) and ``structures`` (name ->
member -> shape). A shape is ``s`` (string), ``n`` (number), ``b`` (boolean), ``*`` (anything: bytes, times, documents),
``#Name`` (structure), ``[shape]`` (list) or ``{"": shape}`` (map).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from ringwall.catalog.operations.authorization import UnresolvedModelError
from ringwall.catalog.operations.names import fold
from ringwall.catalog.reference import DATA

_TYPES: Mapping[str, tuple[type[Any] | tuple[type[Any], ...], str]] = {
    "s": (str, "a string"),
    "n": ((int, float), "a number"),
    "b": (bool, "true or false"),
}


class ParameterError(UnresolvedModelError):
    """A call's parameters are not those of its operation; ``details`` holds every further mistake."""


@cache
def _services() -> Mapping[str, Any]:
    with zipfile.ZipFile(DATA / "shapes.zip") as archive:
        return {name.removesuffix(".json"): json.loads(archive.read(name)) for name in archive.namelist()}


def shaped_services() -> tuple[str, ...]:
    """Botocore names of the services whose parameters are known."""
    return tuple(name for name in _services() if name != "index")


def required(service: str, operation: str) -> tuple[str, ...]:
    """Top-level parameters that an operation requires; empty where its service is not known here."""
    found = _operation(service, operation)
    return tuple(found[1].split()) if found else ()


def check_shape(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters that the operation does not have, or of another type than it takes.

    Required parameters may be left out: a question about permissions names what bears on them, not the prompt.

    Raises:
        ParameterError: with the path of the parameter and the nearest valid name.
    """
    found = _operation(service, operation)
    if found is None:
        return
    structures = _services()[service]["structures"]
    mistakes = tuple(_mistakes(found[0], parameters, "", structures))
    if mistakes:
        raise ParameterError(f"{operation}: {mistakes[0]}", details=mistakes[1:])


def _operation(service: str, operation: str) -> list[Any] | None:
    known = _services().get(service)
    return known["operations"].get(operation) if known else None


def _mistakes(shape: Any, value: Any, path: str, structures: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(shape, list):
        if not isinstance(value, list | tuple):
            yield f"{path} must be a list, not {_named(value)}"
            return
        for index, one in enumerate(value):
            yield from _mistakes(shape[0], one, f"{path}[{index}]", structures)
    elif isinstance(shape, dict) or shape.startswith("#"):
        if not isinstance(value, Mapping):
            yield f"{path or 'parameters'} must be an object, not {_named(value)}"
            return
        for name, one in value.items():
            yield from _member(shape, str(name), one, path, structures)
    elif shape in _TYPES:
        kind, words = _TYPES[shape]
        if not isinstance(value, kind) or (shape == "n" and isinstance(value, bool)):
            yield f"{path} must be {words}, not {_named(value)}"


def _member(shape: Any, name: str, value: Any, path: str, structures: Mapping[str, Any]) -> Iterator[str]:
    inner = f"{path}.{name}" if path else name
    if isinstance(shape, dict):
        yield from _mistakes(shape[""], value, inner, structures)
        return
    members = structures[shape.removeprefix("#")]
    if name in members:
        yield from _mistakes(members[name], value, inner, structures)
        return
    near = _nearest(name, members)
    hint = f"; did you mean {near}?" if near else f"; there are {', '.join(members)}" if members else ""
    yield f"there is no parameter {inner}{hint}"


def _nearest(name: str, members: Mapping[str, Any]) -> str | None:
    folded = {fold(one): one for one in members}
    started = [one for one in folded if one.startswith(fold(name)) or fold(name).startswith(one)]
    found = get_close_matches(fold(name), started, n=1, cutoff=0) or get_close_matches(
        fold(name), folded, n=1
    )
    return folded[found[0]] if found else None


def _named(value: Any) -> str:
    """A value's JSON type, with the value where it is short."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, str):
        return f"the string {value[:40]!r}"
    return f"{json.dumps(value)}" if isinstance(value, bool) else f"the number {value}"
