"""JSON bodies, read so that nobody can read them otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

ASYNCHRONOUS = ("async", "ASYNCHRONOUS")
"""Stream modes, of Converse and of InvokeModel, in which an answer goes out before the guardrail has read it."""
LONG = 200
"""Bytes. No name, type or role that is looked for is longer: such a text is passed over, whatever it says."""
SHORT = 1000
"""Bytes of a body that is read as it is: decoding it takes no longer than looking for what to pass over."""
QUOTES = 1000
"""Quotation marks that are looked at one by one; to read a body with more of them whole is as quick."""
_QUOTE, _BACKSLASH = b'"', 0x5C


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
        value = _READER.decode(data.decode("utf-8") or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}


def outline(body: Any) -> Mapping[str, Any]:
    """The body as :func:`json_object`, with something short in the place of each long text.

    A prompt is one text of up to megabytes. Its end is found by its quotation mark alone, which takes a hundredth of
    the time that decoding it takes. What ``json_object`` refuses is refused here too, unless it stands in a long text:
    control characters, unknown escapes, and what is no UTF-8 (see :func:`is_text`).
    """
    data = body.encode() if isinstance(body, str) else body
    return json_object(_without_texts(data) if isinstance(data, bytes) and len(data) > SHORT else data)


def is_text(body: Any) -> bool:
    """Whether a body is UTF-8: in other codings a quotation mark may be another byte."""
    if not isinstance(body, bytes | bytearray):
        return isinstance(body, str)
    try:
        return body.isascii() or body.decode() != ""
    except UnicodeDecodeError:
        return False


def _without_texts(data: bytes) -> bytes:
    """The data with a number for each long text, or as they are where there is too much to look at."""
    parts, start, left, find = list[bytes](), 0, QUOTES, data.find
    opening = find(_QUOTE)
    while opening >= 0:
        closing = find(_QUOTE, opening + 1)
        while closing > 0 and left and data[closing - 1] == _BACKSLASH and _is_escaped(data, closing):
            closing, left = find(_QUOTE, closing + 1), left - 1
        if closing < 0 or not left:
            return data
        if closing - opening > LONG:
            parts += (data[start : opening + 1], b"long text %d" % opening)
            start = closing
        opening, left = find(_QUOTE, closing + 1), left - 1
    return b"".join((*parts, data[start:])) if parts else data


def _is_escaped(data: bytes, place: int) -> bool:
    """Whether an odd number of backslashes stands before a place."""
    first = place
    while data[first - 1] == _BACKSLASH:
        first -= 1
    return (place - first) % 2 == 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


_READER = json.JSONDecoder(object_pairs_hook=_unique)
