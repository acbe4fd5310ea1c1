"""Timestamps of AWS's answers: what botocore makes of them, at a tenth of its price, and in UTC on every machine.

botocore gives seconds since 1970 in the machine's own zone, and then the same answer is another text of evidence elsewhere.
"""

from __future__ import annotations

import importlib
from datetime import UTC, datetime


def moment(value: str | float) -> datetime:
    """The time that a response names.

    Args:
        value: ISO 8601, RFC 822, or seconds since 1970 as a number or text.

    Raises:
        ValueError: it is no time.
    """
    if isinstance(value, str):
        if value[10:11] == "T" and value.endswith("Z"):
            try:
                return datetime.fromisoformat(value)
            except ValueError:
                pass
    else:
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, OSError):
            pass
    parsed: datetime = importlib.import_module("botocore.utils").parse_timestamp(value)
    return parsed if parsed.tzinfo is None else parsed.astimezone(UTC)
