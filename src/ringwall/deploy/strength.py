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
    "Status": ("Suspended", "Enabled"),
    "SSEAlgorithm": ("AES256", "aws:kms", "aws:kms:dsse"),
    "PrivateDnsOnlyForInboundResolverEndpoint": ("OnlyInboundResolver", "AllResolvers"),
    "KeyState": ("PendingDeletion", "Disabled", "Enabled"),
}
HIGHER_IS_STRONGER = frozenset({"RetentionInDays", "PendingWindowInDays"})
LOWER_IS_STRONGER = frozenset({"RotationPeriodInDays"})

REMOVING_WEAKENS = re.compile(
    r"(Filters|Topics|Words|ManagedWordLists|PiiEntities|Regexes)(Config)?\[[^\]]*\]$"
    r"|(^|\.)(AlarmActions|TargetIds|AdvancedEventSelectors|EventSelectors|SnsTopicName|KmsKeyId|KMSKeyId|KMSMasterKeyID"
    r"|KmsMasterKeyId|KmsKeyArn|CloudWatchConfig|S3Config|LoggingConfig|PermissionsBoundary)(\[[^\]]*\])?$"
)
"""Where what is gone protected something."""
ADDING_WEAKENS = re.compile(
    r"(^|\.)(SecurityGroupIngress|SecurityGroupEgress|ManagedPolicyArns|Grants)(\[[^\]]*\])?$"
)
"""Where what is new opens something."""
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
        or _number(leaf, before, after)
        or _presence(path, before, after)
        or "unclear"
    )


def reverse(value: Effect) -> Effect:
    """The effect of the opposite change."""
    return {"weakens": "strengthens", "strengthens": "weakens"}.get(value, value)  # type: ignore[return-value]


def _statement(path: str, before: Any, after: Any) -> Effect | None:
    """A deny that comes strengthens, an allow that comes weakens; a changed one cannot be told from its text."""
    if not re.search(r"Statement\[[^\]]*\]$", path) or (before is not None and after is not None):
        return None
    one = after if before is None else before
    denies = isinstance(one, Mapping) and one.get("Effect") == "Deny"
    return "strengthens" if denies == (before is None) else "weakens"


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


def _number(leaf: str, before: Any, after: Any) -> Effect | None:
    if leaf == "RetentionInDays" and before is None:
        return "neutral"  # without a retention logs never expire; setting one is housekeeping
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    if not numbers:
        return None
    if leaf in HIGHER_IS_STRONGER:
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
    absent: tuple[Any, ...] = (None, [], (), {}, "")
    return before in absent and after not in absent, before not in absent and after in absent
