"""Moments as AWS writes them, without ``strftime``, which costs a call of every request more than its decision does."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_BASIC = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)


def stamp(moment: datetime) -> str:
    """``2026-01-31T09:15:00Z``: whole seconds, of a moment in UTC."""
    return f"{moment.isoformat()[:19]}Z"


def basic(moment: datetime) -> str:
    """``20260131T091500Z``, ISO 8601's basic format, of a moment in UTC."""
    return stamp(moment).replace("-", "").replace(":", "")


def read_basic(text: str) -> datetime:
    """The moment that :func:`basic` writes so.

    Raises:
        ValueError: the text is none.
    """
    match = _BASIC.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not in ISO 8601's basic format")
    fields: Sequence[int] = [int(field) for field in match.groups()]
    return datetime(*fields, tzinfo=UTC)  # type: ignore[arg-type, misc]
