"""What the policy language must know of AWS's actions and keys; the catalog implements it.

``iam`` itself names no service: everything about particular actions comes in through this protocol, so the evaluator
can be read (and tested) without any data.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Literal, Protocol

KeyType = Literal["String", "ARN", "Bool", "Numeric", "Date", "IPAddress", "Binary"]


class Vocabulary(Protocol):
    """Read-only knowledge of actions, resource types and condition keys. All lookups ignore case."""

    def actions(self) -> Iterable[str]:
        """Every known action as ``service:Name``."""

    def actions_matching(self, pattern: str) -> tuple[str, ...]:
        """Known actions that an action pattern (``s3:Get*``, ``*``) matches."""

    def is_action(self, action: str) -> bool:
        """Whether the action exists."""

    def condition_keys(self, action: str) -> AbstractSet[str]:
        """Lower-cased keys that a request for the action can carry, global keys included.

        Keys with a free part are given as prefixes ending in ``/`` (``aws:principaltag/``).
        """

    def key_type(self, key: str) -> KeyType | None:
        """Type of a condition key; ``None`` if the key is unknown."""

    def is_multivalued(self, key: str) -> bool:
        """Whether a request can carry several values of the key."""

    def resource_patterns(self, action: str) -> tuple[str, ...]:
        """ARN globs of the resource types that the action authorizes; empty = only ``*``."""

    def takes_star(self, action: str) -> bool:
        """Whether a request for the action can be about ``*`` instead of a resource."""

    def rcp_covers(self, service: str) -> bool:
        """Whether resource control policies apply to the service prefix."""
