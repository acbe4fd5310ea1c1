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
TEXTS = 500
"""Names and texts that are looked at one by one; to read a body with more of them whole is as quick."""


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
    """The data with a number for each long text, or as they are where there is too much to look at.

    Quotation marks that end no text are passed over all at once: of backslashes in a row each second one is escaped, and
    a quotation mark behind one that is not. Outside of texts JSON has no backslash; one that stands there is left in
    the data, for the reader to refuse.
    """
    marks = data.replace(b"\\\\", b"__").replace(b'\\"', b"__") if b"\\" in data else data
    parts, start, find = list[bytes](), 0, marks.find
    opening = find(b'"')
    for _ in range(TEXTS):
        if opening < 0:
            return b"".join((*parts, data[start:])) if parts else data
        closing = find(b'"', opening + 1)
        if closing < 0:
            return data
        if closing - opening > LONG:
            parts += (data[start : opening + 1], b"long text %d" % opening)
            start = closing
        opening = find(b'"', closing + 1)
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


_READER = json.JSONDecoder(object_pairs_hook=_unique)
