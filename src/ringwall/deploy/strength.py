"""Whether a difference weakens or strengthens a control, told from the property alone.

A drift report leads with what became weaker, so that a reader does not have to know what every field means. Policy
statements are judged here by their effect only; what they really allow is compared in :mod:`ringwall.deploy.effects`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ringwall.deploy.changes import Effect

PROTECTS_WHEN_TRUE = frozenset(
    {
        "EnableKeyRotation",
        "Enabled",
        "EnableLogFileValidation",
        "IsMultiRegionTrail",
        "IsLogging",
        "IncludeGlobalServiceEvents",
        "PrivateDnsEnabled",
        "ActionsEnabled",
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "IgnorePublicAcls",
        "RestrictPublicBuckets",
        "DeletionProtectionEnabled",
        "TextDataDeliveryEnabled",
        "ImageDataDeliveryEnabled",
        "EmbeddingDataDeliveryEnabled",
        "VideoDataDeliveryEnabled",
        "AudioDataDeliveryEnabled",
        "BucketKeyEnabled",
        "InputEnabled",
        "OutputEnabled",
    }
)
"""Boolean properties that protect when they are true."""

LADDERS: Mapping[str, tuple[Any, ...]] = {
    # property: values from weakest to strongest
    "InputStrength": ("NONE", "LOW", "MEDIUM", "HIGH"),
    "OutputStrength": ("NONE", "LOW", "MEDIUM", "HIGH"),
    "Action": ("NONE", "ANONYMIZE", "BLOCK"),
    "InputAction": ("NONE", "ANONYMIZE", "BLOCK"),
    "OutputAction": ("NONE", "ANONYMIZE", "BLOCK"),
    "Mode": ("provider_data_share", "aws_review", "default", "none"),
    "ObjectOwnership": ("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"),
    "Status": ("Suspended", "Enabled"),
    "State": ("DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"),
    "SSEAlgorithm": ("AES256", "aws:kms", "aws:kms:dsse"),
    "PrivateDnsOnlyForInboundResolverEndpoint": ("OnlyInboundResolver", "AllResolvers"),
    "KeyState": ("PendingDeletion", "Disabled", "Enabled"),
}
HIGHER_IS_STRONGER = frozenset(
    {"RetentionInDays", "PendingWindowInDays", "ExpirationInDays", "NoncurrentDays"}
)
LOWER_IS_STRONGER = frozenset({"RotationPeriodInDays", "MaxSessionDuration"})

REMOVING_WEAKENS = re.compile(
    r"(Filters|Topics|Words|ManagedWordLists|PiiEntities|Regexes)(Config)?\[[^\]]*\]$"
    r"|(^|\.)(AlarmActions|TargetIds|AdvancedEventSelectors|EventSelectors|SnsTopicName|KmsKeyId|KMSKeyId|KMSMasterKeyID"
    r"|KmsMasterKeyId|KmsKeyArn|Targets|CloudWatchConfig|S3Config|LoggingConfig|PermissionsBoundary)(\[[^\]]*\])?$"
)
"""Where what is gone protected something."""
ADDING_WEAKENS = re.compile(
    r"(^|\.)(SecurityGroupIngress|SecurityGroupEgress|SecurityGroupIds|ManagedPolicyArns|Grants|FieldSelectors)"
    r"(\[[^\]]*\])?$"
)
"""Where what is new opens something, or narrows what is recorded."""
ABSENT: tuple[Any, ...] = (None, [], (), {}, "")
"""What counts as not there."""
_STATEMENT = re.compile(r"Statement\[.*\]$", re.DOTALL)
_PROTECTION = re.compile(r"(^|\.)DataProtectionPolicy\.")
_GROUNDING = re.compile(r"ContextualGroundingPolicyConfig\..*\.Threshold$")
_INLINE = re.compile(r"(^|\.)Policies\[[^\]]*\]$")
NEUTRAL = re.compile(r"(^|\.)(Tags|Description|DashboardBody|Sid|Id|DisplayName)(\[[^\]]*\])?(\.|$)")


def effect(path: str, before: Any, after: Any) -> Effect:
    """Whether going from ``before`` to ``after`` at a path weakens or strengthens, or ``unclear``."""
    if NEUTRAL.search(path):
        return "neutral"
    leaf = path.rsplit(".", 1)[-1].split("[", 1)[0]
    return (
        _statement(path, before, after)
        or _boolean(leaf, before, after)
        or _ladder(leaf, before, after)
        or _number(path, leaf, before, after)
        or _presence(path, before, after)
        or "unclear"
    )


def reverse(value: Effect) -> Effect:
    """The effect of the opposite change."""
    return {"weakens": "strengthens", "strengthens": "weakens"}.get(value, value)  # type: ignore[return-value]


def _statement(path: str, before: Any, after: Any) -> Effect | None:
    """A deny that comes strengthens, an allow that comes weakens; masking, which has neither, strengthens."""
    if _INLINE.search(path):
        return _inline(before, after)
    if not _STATEMENT.search(path):
        return None
    one = after if before is None else before
    if not isinstance(one, Mapping):
        return None
    protects = bool(_PROTECTION.search(path)) or one.get("Effect") == "Deny"
    if before is not None and after is not None:
        return _reach(before, after, denies=protects)
    return "strengthens" if protects == (before is None) else "weakens"


def _inline(before: Any, after: Any) -> Effect | None:
    """An inline policy that comes or goes: what its statements do, where all do the same."""
    if (before is None) == (after is None):
        return None
    document = (after or before).get("PolicyDocument") or {}
    raw = document.get("Statement") or ()
    effects = {item.get("Effect") for item in ([raw] if isinstance(raw, Mapping) else raw)}
    if len(effects) != 1:
        return None
    return "strengthens" if (effects == {"Deny"}) == (before is None) else "weakens"


def _reach(before: Mapping[str, Any], after: Mapping[str, Any], *, denies: bool) -> Effect | None:
    """A statement that changed in one direction: more or fewer actions, resources and principals, a condition more or less.

    Values are compared as they are spelled; what takes evaluation (patterns, other values in a condition) is left unclear.
    """
    if before.get("Effect") != after.get("Effect"):
        return None
    changed = [name for name in {*before, *after} if name != "Sid" and before.get(name) != after.get(name)]
    steps = {_step(name, before.get(name), after.get(name)) for name in changed}
    if steps == {"wider"}:
        return "strengthens" if denies else "weakens"
    if steps == {"narrower"}:
        return "weakens" if denies else "strengthens"
    return None


def _step(name: str, before: Any, after: Any) -> str | None:
    """Whether a statement matches more requests, or fewer, by one member; ``None`` where that cannot be told."""
    if name == "Condition" and (not before or not after):
        return "narrower" if after else "wider"
    if name == "Principal":
        return _more(_named(before), _named(after))
    if name in ("Action", "Resource"):
        return _more(set(before or ()), set(after or ()))
    return None


def _named(principal: Any) -> set[tuple[str, str]]:
    if not isinstance(principal, Mapping):
        return set()
    return {(kind, name) for kind, names in principal.items() for name in names}


def _more(before: set[Any], after: set[Any]) -> str | None:
    if not before or not after:
        return None
    return "wider" if before < after else "narrower" if after < before else None


def _boolean(leaf: str, before: Any, after: Any) -> Effect | None:
    if leaf not in PROTECTS_WHEN_TRUE or not isinstance(after, bool):
        return None
    if before is not None and not isinstance(before, bool):
        return None
    return "strengthens" if after else "weakens"


def _ladder(leaf: str, before: Any, after: Any) -> Effect | None:
    steps = LADDERS.get(leaf, ())
    if after not in steps or (before is not None and before not in steps):
        return None
    lower = -1 if before is None else steps.index(before)
    return "strengthens" if steps.index(after) > lower else "weakens"


def _number(path: str, leaf: str, before: Any, after: Any) -> Effect | None:
    if leaf == "RetentionInDays" and before is None:
        return "neutral"  # without a retention logs never expire; setting one is housekeeping
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    if not numbers:
        return None
    if leaf in HIGHER_IS_STRONGER or _GROUNDING.search(path):
        return "strengthens" if after > before else "weakens"
    if leaf in LOWER_IS_STRONGER:
        return "strengthens" if after < before else "weakens"
    return None


def _presence(path: str, before: Any, after: Any) -> Effect | None:
    gained, lost = _members(before, after)
    if REMOVING_WEAKENS.search(path) and gained != lost:
        return "strengthens" if gained else "weakens"
    if ADDING_WEAKENS.search(path) and gained != lost:
        return "weakens" if gained else "strengthens"
    return None


def _members(before: Any, after: Any) -> tuple[bool, bool]:
    """Whether something came, and whether something went."""
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return any(item not in before for item in after), any(item not in after for item in before)
    return before in ABSENT and after not in ABSENT, before not in ABSENT and after in ABSENT
