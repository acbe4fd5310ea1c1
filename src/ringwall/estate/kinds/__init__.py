"""The resource kinds: one module each, one registry."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.estate.kind import Kind

MODULES: tuple[tuple[str, str], ...] = (
    # module, class
    ("iam_role", "Role"),
    ("iam_user", "User"),
    ("iam_group", "Group"),
    ("iam_managed_policy", "ManagedPolicy"),
    ("kms_key", "Key"),
)


@cache
def registry() -> Mapping[str, Kind]:
    """Every resource kind by its type."""
    kinds: list[Kind] = [getattr(import_module(f"{__name__}.{module}"), name)() for module, name in MODULES]
    return MappingProxyType({kind.type: kind for kind in kinds})
