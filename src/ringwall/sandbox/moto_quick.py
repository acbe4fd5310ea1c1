"""What moto works out anew with every call, worked out once: a quarter of what a call takes.

Each is a function of its arguments alone, or of none of ours: the answers stay the same, whoever else uses moto here.
"""

from __future__ import annotations

import importlib
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import chance

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT = 65_536


def hasten() -> None:
    """Change moto's core, once in a process."""
    responses: Any = importlib.import_module("moto.core.responses")
    if hasattr(responses.method_names_from_class, "cache_info"):
        return
    # Which operations a response class has: a sixth of a call's time.
    responses.method_names_from_class = cache(responses.method_names_from_class)
    responses.gen_amzn_requestid_long = _request_id
    written: Any = importlib.import_module("xmltodict")
    written._validate_name = lru_cache(_KEPT)(written._validate_name)  # noqa: SLF001 - there is no other way
    serialize: Any = importlib.import_module("moto.core.serialize")
    picker = serialize.XFormedAttributePicker
    picker.get_possible_keys = _remembering(picker.get_possible_keys, serialize.DEFAULT_ALIAS_PROVIDERS)
    backends = importlib.import_module("moto.core.base_backend").BackendDict
    backends.__getitem__ = _present_first(backends.__getitem__)


def _request_id(headers: Any = None) -> str:
    """An id that takes no 52 draws; the gateway gives requests ids of its own."""
    made = chance.passing()
    if isinstance(headers, dict):
        headers["x-amzn-requestid"] = made
    return made


def _remembering(possible: Callable[..., Any], providers: Any) -> Callable[..., Any]:
    """Under which names moto may find a member of a shape in an object: the class of the object and the shape decide."""
    known: dict[tuple[Any, ...], tuple[str, ...]] = {}

    def keys(self: Any, context: Any) -> Any:
        if self.alias_providers is not providers:
            return possible(self, context)
        place = (type(context.obj), context.key, context.shape)
        found = known.get(place)
        if found is None:
            if len(known) >= _KEPT:
                known.clear()
            found = known[place] = tuple(dict.fromkeys(possible(self, context)))
        return found

    return keys


def _present_first(make: Callable[..., Any]) -> Callable[..., Any]:
    """What an account has of a service; moto looks through all accounts and services first whether it is there."""

    def present(self: Any, account: str) -> Any:
        found = dict.get(self, account)
        return make(self, account) if found is None else found

    return present
