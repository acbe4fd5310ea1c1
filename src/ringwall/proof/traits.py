"""Properties of actions on which AWS's own rules turn, whatever policies say: tested of one, spelled out for any."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from ringwall.iam.evaluate import rcp_applies
from ringwall.iam.rules import (
    ALWAYS_ALLOWED,
    REFUSED_TO_ROOT,
    RESOURCE_POLICY_DECIDES,
    deciding_resource,
    is_always_allowed,
    refuses_root,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ringwall.iam.vocabulary import Vocabulary

REGIONAL_SERVICE: Final = "bedrock"


class Trait(NamedTuple):
    """A property of actions; one property is one object.

    Attributes:
        has: whether a lower-cased action has it.
        patterns: makes the patterns of the actions that have it.
    """

    has: Callable[[str], bool]
    patterns: Callable[[], Iterable[str]]


ANSWERED_ALWAYS: Final = Trait(is_always_allowed, lambda: sorted(ALWAYS_ALLOWED))
"""AWS answers it to identified callers without asking any policy."""
CLOSED_TO_ROOT: Final = Trait(refuses_root, lambda: sorted(REFUSED_TO_ROOT))
"""AWS refuses it to root users."""
REGIONAL: Final = Trait(
    lambda action: action.startswith(f"{REGIONAL_SERVICE}:"), lambda: (f"{REGIONAL_SERVICE}:*",)
)
"""The Region that it is asked of is that of its resource's ARN."""


def _decided_by(part: str) -> Trait:
    starts = [start for start, named in RESOURCE_POLICY_DECIDES if named == part]
    return Trait(lambda action: deciding_resource(action) == part, lambda: [f"{start}*" for start in starts])


DECIDED_BY_RESOURCE: Final = {
    part: _decided_by(part) for part in sorted({part for _, part in RESOURCE_POLICY_DECIDES})
}
"""The resource's own policy must allow it, where the resource's ARN has this part."""

TRAITS: Final = (ANSWERED_ALWAYS, CLOSED_TO_ROOT, REGIONAL, *DECIDED_BY_RESOURCE.values())
"""All but what a vocabulary knows."""


@lru_cache(maxsize=8)
def reached_by_rcp(vocabulary: Vocabulary) -> Trait:
    """Resource control policies reach it."""
    return Trait(lambda action: rcp_applies(action, vocabulary), lambda: rcp_patterns(vocabulary))


def rcp_patterns(vocabulary: Vocabulary) -> list[str]:
    """Patterns of the actions of every service that resource control policies cover."""
    services = {action.partition(":")[0] for action in vocabulary.actions()}
    return [f"{service}:*" for service in sorted(services) if vocabulary.rcp_covers(service)]
