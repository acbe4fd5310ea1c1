"""Text from outside: whether it is text at all, and how messages quote it."""

from __future__ import annotations

_SHOWN = 200  # characters


def is_text(value: str) -> bool:
    """Whether the value is made of characters; JSON's escapes can also write halves of surrogate pairs."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: object) -> str:
    """A value as messages quote it: printable, and never much of it."""
    text = ascii(value) if isinstance(value, str) and not is_text(value) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
