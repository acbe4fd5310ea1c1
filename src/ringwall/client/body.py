"""JSON bodies, read so that nobody can read them otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ASYNCHRONOUS = frozenset({"async", "ASYNCHRONOUS"})
"""Stream modes, of Converse and of InvokeModel, in which an answer goes out before the guardrail has read it."""


def body_mode(body: Mapping[str, Any]) -> Any:
    """The stream mode in an InvokeModel body."""
    settings = body.get("amazon-bedrock-guardrailConfig")
    return settings.get("streamProcessingMode") if isinstance(settings, Mapping) else None


def json_object(body: Any) -> Mapping[str, Any]:
    """The body as a JSON object; what cannot be read, or can be read in two ways, is an empty one.

    Parsers differ on which of two equal names counts: one could see the pinned guardrail where AWS sees another.
    """
    data = body.encode() if isinstance(body, str) else body
    if not isinstance(data, bytes | bytearray):
        return {}
    try:
        value = json.loads(data.decode("utf-8") or "{}", object_pairs_hook=_unique)
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found
