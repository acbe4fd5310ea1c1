"""Policy sets from JSON where many alike follow each other: each different document is parsed and compiled once."""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from typing import Any

from ringwall.iam.codec import policies_from_json
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet

DOCUMENTS_KEPT = 1024
SETS_KEPT = 256
LONGEST_KEPT = 1 << 20
"""Bytes of a document or set that is still remembered."""

_FORM = 2  # the last form of marshal without references, so that equal values have equal bytes


class PolicyReader:
    """Reads policy sets, remembering those before.

    What is remembered is found by its bytes, which tell ``1`` from ``true``; it is given out again as it is, so that
    what the evaluator compiled it into is there too.
    """

    def __init__(self) -> None:
        self._sets: dict[bytes, PolicySet] = {}
        self._documents: dict[tuple[str, bytes], Policy] = {}

    def read(self, value: Mapping[str, Any]) -> PolicySet:
        """As :func:`ringwall.iam.codec.policies_from_json`, with the same errors."""
        key = _key(value)
        if key is None:
            return policies_from_json(value)
        found = self._sets.get(key)
        if found is None:
            found = policies_from_json(value, parse=self._parse)
            if len(self._sets) >= SETS_KEPT:
                self._sets.clear()
            self._sets[key] = found
        return found

    def _parse(self, document: Any, *, name: str) -> Policy:
        key = _key(document)
        if key is None:
            return parse_policy(document, name=name)
        found = self._documents.get((name, key))
        if found is None:
            found = parse_policy(document, name=name)
            if len(self._documents) >= DOCUMENTS_KEPT:
                self._documents.clear()
            self._documents[name, key] = found
        return found


def _key(value: Any) -> bytes | None:
    """The value's bytes; ``None`` if it has none (it is no plain JSON value, or too deep), or very many."""
    try:
        key = marshal.dumps(value, _FORM)
    except ValueError:
        return None
    return key if len(key) <= LONGEST_KEPT else None
