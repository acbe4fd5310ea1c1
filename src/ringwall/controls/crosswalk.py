"""Requirement ids of compliance frameworks by control: a view of the catalog's dated table."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ringwall.catalog.frameworks import ids

if TYPE_CHECKING:
    from collections.abc import Mapping


@cache
def frameworks(slug: str) -> Mapping[str, tuple[str, ...]]:
    """Requirement ids by framework."""
    return {name: tuple(found) for name, found in ids(slug).items()}
