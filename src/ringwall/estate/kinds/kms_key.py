"""``AWS::KMS::Key``: customer-managed keys with policy, rotation and grants.

Follows https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    ID_TAG,
    PERIMETER_TAG,
    BaseKind,
    Reading,
    allowing,
    fresh,
    from_tags,
    missing_tags,
    optional,
    ownership,
    partition_of,
    side_by_side,
    tag_list,
    tags_of,
)
from ringwall.estate.kinds.documents import document, text
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

PENDING = ("PendingDeletion", "PendingReplicaDeletion")
WAITING_DAYS = 30
USUAL_PERIOD = 365
"""Days between rotations where KMS names none."""


class Key(BaseKind):
    """Customer-managed keys. AWS-managed ones are left out.

    ``Grants`` are observed too (grantee and operations): a grant is access that no policy shows. ``KeyState`` says
    whether the key can be used.
    """

    type = "AWS::KMS::Key"
    retention = "key"
    repeatable = False  # CreateKey has neither a name nor an idempotency token
    defaults: Mapping[str, Any] = {
        "Enabled": True,
        "EnableKeyRotation": False,
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
        "Grants": [],
        "KeyState": "Enabled",
    }
    read_only = ("Arn", "KeyId", "Origin", "PendingWindowInDays")
    create_only = ("KeySpec", "KeyUsage", "MultiRegion")
    documents = ("KeyPolicy",)
    unordered = ("Grants",)
    permissions = Permissions(
        (
            "kms:ListKeys",
            "kms:DescribeKey",
            "kms:GetKeyPolicy",
            "kms:GetKeyRotationStatus",
            "kms:ListResourceTags",
            "kms:ListGrants",
        ),
        (
            "kms:CreateKey",
            "kms:TagResource",
            "kms:PutKeyPolicy",
            "kms:EnableKeyRotation",
            "kms:DisableKeyRotation",
            "kms:EnableKey",
            "kms:DisableKey",
            "kms:UpdateKeyDescription",
            "kms:RevokeGrant",
            "kms:CancelKeyDeletion",
            "kms:ScheduleKeyDeletion",
        ),
    )
    limits = (
        Limit("KeyPolicy", required=True, size=32_768),
        Limit("Description", longest=8192),
        Limit("RotationPeriodInDays", least=90, most=2560),
        Limit("KeyUsage", choices=("ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT")),
        Limit("PendingWindowInDays", least=7, most=30),
    )

    def canonical(self, name: str, value: Any) -> Any:
        """Grants without those that AWS services hold for resources encrypted with the key.

        Of the states only that a key waits for its end is compared: ``Enabled`` tells the others.
        """
        if name == "KeyState":
            return value if value in PENDING else "Enabled"
        if name == "Grants" and isinstance(value, list | tuple):
            value = [grant for grant in value if not _held_by_service(grant)]
        return super().canonical(name, value)

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and that Bedrock, Logs and S3 take symmetric keys only where rotation is asked for."""
        found = super().validate(properties)
        symmetric = properties.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
        if properties.get("EnableKeyRotation") and not symmetric:
            found += ("EnableKeyRotation: only symmetric encryption keys rotate",)
        return found

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every customer-managed key."""
        listed = aws.pages("kms", "ListKeys", "Keys")
        shared = aws.evidence()
        yield from side_by_side(aws, partial(self._read_one, aws, shared), (item["KeyId"] for item in listed))

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those keys."""
        yield from side_by_side(aws, partial(self._read_one, aws, ()), ids)

    def _read_one(self, aws: Aws, shared: tuple[str, ...], key: str) -> Resource | None:
        answer = optional(aws, "kms", "DescribeKey", ("NotFoundException",), KeyId=key)
        if answer is None or answer["KeyMetadata"].get("KeyManager") == "AWS":
            return None
        metadata = answer["KeyMetadata"]
        reading = Reading(aws)
        reading.set(
            KeyId=key,
            Arn=metadata["Arn"],
            Description=metadata.get("Description"),
            Enabled=metadata.get("Enabled"),
            KeyState=metadata.get("KeyState"),
            KeySpec=metadata.get("KeySpec"),
            KeyUsage=metadata.get("KeyUsage"),
            MultiRegion=metadata.get("MultiRegion"),
            Origin=metadata.get("Origin"),
        )
        reading.take(
            "KeyPolicy",
            ("kms", "GetKeyPolicy", {"KeyId": key, "PolicyName": "default"}),
            lambda answer: document(answer["Policy"]),
        )
        reading.take_all("Tags", ("kms", "ListResourceTags", {"KeyId": key}), "Tags", from_tags)
        if metadata.get("KeyState") not in PENDING:
            if metadata.get("KeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT":
                reading.take(
                    ("EnableKeyRotation", "RotationPeriodInDays"),
                    ("kms", "GetKeyRotationStatus", {"KeyId": key}),
                    lambda answer: {
                        "EnableKeyRotation": answer.get("KeyRotationEnabled"),
                        "RotationPeriodInDays": answer.get(
                            "RotationPeriodInDays", USUAL_PERIOD if answer.get("KeyRotationEnabled") else None
                        ),
                    },
                    ("UnsupportedOperationException",),
                )
            reading.take_all("Grants", ("kms", "ListGrants", {"KeyId": key}), "Grants", _grants)
        return self.seen(aws, key, reading.properties, reading.unknown, shared)

    def match(self, desired: Resource, observed: tuple[Resource, ...]) -> Resource | None:
        """By ownership tag; one that still works before one that waits for deletion.

        A key of the perimeter's that lost the tag with its declared id alone is known by its description: a second key in
        its place could not read what the first one encrypted.
        """
        here = [item for item in observed if self._same_place(desired, item)]
        owned = [item for item in here if self._same_owner(desired, item)]
        owned = owned or [item for item in here if _same_purpose(desired, item)]
        return min(owned, key=lambda item: (item.get("KeyState") in PENDING, item.id), default=None)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it with its policy and tags in one call, so that a key of ours is never without either."""
        wanted, tags = desired.properties, ownership(aws, desired)
        options = {
            key: wanted[key] for key in ("Description", "KeySpec", "KeyUsage", "MultiRegion") if key in wanted
        }
        made = aws.call(
            "kms",
            "CreateKey",
            Policy=text(wanted["KeyPolicy"]),
            Tags=tag_list(tags, "TagKey", "TagValue"),
            **options,
        )["KeyMetadata"]
        if wanted.get("EnableKeyRotation"):
            self._rotate(aws, made["KeyId"], desired)
        if wanted.get("Enabled") is False:
            aws.call("kms", "DisableKey", KeyId=made["KeyId"])
        return self.written(
            aws,
            desired,
            made["KeyId"],
            tags,
            KeyId=made["KeyId"],
            Arn=made["Arn"],
            KeyState=made.get("KeyState"),
        )

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Take back deletion, then policy, grants, state, rotation, description, tags."""
        key, wanted = observed.id, desired.properties
        if observed.get("KeyState") in PENDING:
            aws.call("kms", "CancelKeyDeletion", KeyId=key)
            aws.call("kms", "EnableKey", KeyId=key)
        if self.differs(observed, desired, "KeyPolicy"):
            aws.call("kms", "PutKeyPolicy", KeyId=key, PolicyName="default", Policy=text(wanted["KeyPolicy"]))
        self._revoke_undeclared(aws, observed, desired)
        if self.differs(observed, desired, "Enabled"):
            aws.call("kms", "EnableKey" if wanted.get("Enabled", True) else "DisableKey", KeyId=key)
        if self.differs(observed, desired, "EnableKeyRotation", "RotationPeriodInDays"):
            self._rotate(aws, key, desired)
        if self.differs(observed, desired, "Description"):
            aws.call("kms", "UpdateKeyDescription", KeyId=key, Description=wanted["Description"])
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("kms", "TagResource", KeyId=key, Tags=tag_list(tags, "TagKey", "TagValue"))
        return self.written(
            aws, desired, key, ownership(aws, desired), KeyId=key, Arn=observed.get("Arn"), KeyState="Enabled"
        )

    def _rotate(self, aws: Aws, key: str, desired: Resource) -> None:
        if not desired.properties.get("EnableKeyRotation"):
            aws.call("kms", "DisableKeyRotation", KeyId=key)
            return
        days = desired.properties.get("RotationPeriodInDays")
        options = {"RotationPeriodInDays": days} if days else {}
        aws.call("kms", "EnableKeyRotation", KeyId=key, **options)

    def _revoke_undeclared(self, aws: Aws, observed: Resource, desired: Resource) -> None:
        if "Grants" not in desired.properties and not observed.get("Grants"):
            return
        declared = self.normalise(desired.properties)["Grants"]
        for grant in observed.get("Grants") or ():
            if grant not in declared and not str(grant.get("GranteePrincipal", "")).endswith(
                ".amazonaws.com"
            ):
                with allowing("NotFoundException"):
                    aws.call("kms", "RevokeGrant", KeyId=observed.id, GrantId=grant["GrantId"])

    def removable(self, observed: Resource) -> bool:
        """Not while it waits for its deletion."""
        return observed.get("KeyState") not in PENDING

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Schedule deletion with the longest waiting period that KMS has."""
        if self.removable(observed):
            with allowing("NotFoundException", "KMSInvalidStateException"):
                aws.call("kms", "ScheduleKeyDeletion", KeyId=observed.id, PendingWindowInDays=WAITING_DAYS)

    def physical_id(self, desired: Resource) -> str:
        """A made-up key id of the right shape."""
        digits = fresh(desired, 32)
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Key id and ARN."""
        arn = (
            f"arn:{partition_of(resource.region)}:kms:{resource.region}:{resource.account}:key/{physical_id}"
        )
        return {"Id": physical_id, "KeyId": physical_id, "Arn": arn}


def _same_purpose(desired: Resource, observed: Resource) -> bool:
    marks, perimeter = tags_of(observed.properties), tags_of(desired.properties).get(PERIMETER_TAG)
    ours = perimeter is not None and marks.get(PERIMETER_TAG) == perimeter and ID_TAG not in marks
    return (
        ours
        and bool(desired.get("Description"))
        and desired.get("Description") == observed.get("Description")
    )


def _held_by_service(grant: Mapping[str, Any]) -> bool:
    return str(grant.get("GranteePrincipal", "")).endswith(".amazonaws.com")


def _grants(grants: list[Any]) -> list[dict[str, Any]]:
    """Grants in a form of ours. CloudFormation has none."""
    return [
        {
            "GrantId": grant["GrantId"],
            "GranteePrincipal": grant.get("GranteePrincipal", ""),
            "Operations": sorted(grant.get("Operations") or ()),
            **({"Constraints": grant["Constraints"]} if grant.get("Constraints") else {}),
        }
        for grant in grants
    ]
