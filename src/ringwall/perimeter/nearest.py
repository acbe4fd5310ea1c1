"""The nearest valid name to one that is not."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """``, did you mean X?`` for the nearest option, or nothing where none is near."""
    by_case = {option.lower(): option for option in options}
    close = difflib.get_close_matches(word.lower(), by_case, n=1, cutoff=0.6)
    return f", did you mean {by_case[close[0]]}?" if close else ""
