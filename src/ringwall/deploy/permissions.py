"""The IAM policies that deploying and auditing need, made from the kinds' tables of permissions and the declaration.

Reading covers the whole account: what is not ours is what drift and audit look for. Writing is limited to the declared
resources where the declaration determines their ARNs, and to the account and Region where AWS chooses them (keys,
guardrails, security groups, endpoints).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ringwall.catalog.reference import Catalog
from ringwall.controls.enforcement import ORGANIZATION_POLICY
from ringwall.deploy.manifest import home, object_key
from ringwall.deploy.order import ordered
from ringwall.deploy.plan import bound
from ringwall.estate.kind import Kind
from ringwall.estate.members import own_id
from ringwall.estate.model import Estate, Resource

GENERATED = frozenset(
    {
        "AWS::KMS::Key",
        "AWS::Bedrock::Guardrail",
        "AWS::Bedrock::GuardrailVersion",
        "AWS::Bedrock::ResourcePolicy",  # a guardrail's
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::VPCEndpoint",
        "AWS::Organizations::Policy",
    }
)
"""Types whose ARNs AWS chooses."""
SEVERAL_RESOURCES = frozenset({"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"})
"""Actions that are authorized on each of their resource types, as all of EC2's are."""
BEFORE_IT_EXISTS = frozenset({"kms:TagResource"})
"""Actions that are authorized on ``*`` while the resource is being made
(https://docs.aws.amazon.com/kms/latest/developerguide/tag-permissions.html)."""
ONLY_WHERE: Mapping[str, Callable[[Resource], bool]] = {
    "cloudtrail:StopLogging": lambda item: item.get("IsLogging") is False,
    "iam:AttachRolePolicy": lambda item: bool(item.get("ManagedPolicyArns")),
    "iam:PutRolePermissionsBoundary": lambda item: bool(item.get("PermissionsBoundary")),
    "kms:DisableKey": lambda item: item.get("Enabled") is False,
    "kms:DisableKeyRotation": lambda item: not item.get("EnableKeyRotation"),
    "logs:DeleteDataProtectionPolicy": lambda item: not item.get("DataProtectionPolicy"),
    "logs:PutDataProtectionPolicy": lambda item: bool(item.get("DataProtectionPolicy")),
    "s3:PutBucketObjectLockConfiguration": lambda item: bool(item.get("ObjectLockConfiguration")),
}
"""Actions that making a resource as it is declared takes only where the declaration says so. A deployer who never turns a
trail off need not be able to."""
PASS_ROLE = "iam:PassRole"  # noqa: S105 - an action
IN_ORGANIZATION = ("organizations:DescribeOrganization", "organizations:ListParents")
"""What tells where the account stands; asked in the account first, then through the management role."""

Policy = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a declaration deploys to.

    Attributes:
        account: workload account.
        region: home Region.
        partition: ``aws``, ``aws-us-gov`` or ``aws-cn``.
        management_role: ARN of the role in the management account.
    """

    account: str
    region: str
    partition: str
    management_role: str


READ_GUARDRAIL = ("bedrock:GetGuardrail", "bedrock:GetResourcePolicy")
READ_ITS_KEY = ("kms:GetKeyPolicy",)
"""What :mod:`ringwall.deploy.organization_guardrail` asks of the management account."""
FINDING_REGIONS = ("ec2:DescribeRegions",)
"""What tells which Regions there are to look into."""


def audit_policy(kinds: Mapping[str, Kind], place: Place) -> Policy:
    """What reading the workload account needs: for ``audit``, ``snapshot`` and the live forms of ``prove`` and ``why``.

    Args:
        kinds: resource kinds by type, those that only audits read included.
        place: where it is deployed.
    """
    return _document([_reading(kinds, FINDING_REGIONS), _management(place)])


def drift_policy(desired: Estate, kinds: Mapping[str, Kind], place: Place) -> Policy:
    """What plan and drift need in the workload account: reading it, and the manifest of what Ringwall made.

    Args:
        desired: what the declaration compiles to.
        kinds: resource kinds by type.
        place: where it is deployed.
    """
    resources = _bound(desired, kinds)
    reading, found = _reading(kinds), [_management(place)]
    buckets = _buckets(resources, place)
    if buckets:
        if "s3:ListBucket" not in reading["Action"]:
            found.append(_statement("FindManifest", ["s3:ListBucket"], buckets))
        found.append(_statement("ReadManifest", ["s3:GetObject"], _manifests(desired, buckets)))
        keys = [f"arn:{place.partition}:kms:{place.region}:{place.account}:key/*"]
        through = {"StringEquals": {"kms:ViaService": f"s3.{place.region}.amazonaws.com"}}
        found.append({**_statement("DecryptManifest", ["kms:Decrypt"], keys), "Condition": through})
    return _document([reading, *found])


def management_audit_policy(kinds: Mapping[str, Kind]) -> Policy:
    """What the management role needs for reading."""
    return _document([_organization_reading(kinds)])


def deploy_policy(
    desired: Estate, kinds: Mapping[str, Kind], vocabulary: Catalog, place: Place, *, purge: bool = False
) -> Policy:
    """What plan, apply, drift and destroy need in the workload account.

    Args:
        desired: what the declaration compiles to.
        kinds: resource kinds by type.
        vocabulary: the catalog.
        place: where it is deployed.
        purge: whether ``destroy --purge`` may remove data.
    """
    resources = _bound(desired, kinds)
    grants: dict[str, dict[str, None]] = {}
    own = _Names(resources, kinds, vocabulary, place)
    for item in resources:
        kind = kinds[item.type]
        if kind.scope == "organization":
            continue
        for action in kind.permissions.write:
            if action not in ONLY_WHERE or ONLY_WHERE[action](item):
                grants.setdefault(action, {}).update(dict.fromkeys(own.targets(action, item)))
    for action, targets in _contents(desired, resources, place, purge=purge):
        grants.setdefault(action, {}).update(dict.fromkeys(targets))
    reading = _reading(kinds)
    return _document([reading, _management(place), *_writing(grants, reading)])


def management_deploy_policy(
    desired: Estate, kinds: Mapping[str, Kind], vocabulary: Catalog, place: Place
) -> Policy:
    """What the management role needs for service control policies."""
    resources = _bound(desired, kinds)
    own = _Names(resources, kinds, vocabulary, place)
    grants: dict[str, dict[str, None]] = {}
    for item in resources:
        if kinds[item.type].scope == "organization":
            for action in kinds[item.type].permissions.write:
                grants.setdefault(action, {}).update(dict.fromkeys(own.targets(action, item)))
    reading = _organization_reading(kinds)
    return _document([reading, *_reading_guardrail(resources, place), *_writing(grants, reading)])


def _bound(desired: Estate, kinds: Mapping[str, Kind]) -> tuple[Resource, ...]:
    """The desired resources with placeholders for what AWS will choose."""
    placeholders = {item.id: kinds[item.type].placeholder(item) for item in desired}
    return tuple(bound(item, placeholders) for item in ordered(desired))


@dataclass(frozen=True, slots=True)
class _Names:
    """Which ARNs an action is needed on."""

    resources: tuple[Resource, ...]
    kinds: Mapping[str, Kind]
    vocabulary: Catalog
    place: Place

    def targets(self, action: str, item: Resource) -> Iterator[str]:
        """ARNs, or patterns of them, or ``*``."""
        if action == PASS_ROLE:
            yield from (text for text in _texts(item.properties) if ":role/" in text)
            return
        others_key = action.startswith("kms:") and not item.type.startswith("AWS::KMS::")
        if others_key and not item.get("KmsKeyArn"):
            return  # nothing of it is encrypted with a key of the customer's
        if action in BEFORE_IT_EXISTS:
            yield "*"
            return
        patterns = self.vocabulary.resource_patterns(action)
        arn = self._arn(item)
        own = tuple(pattern for pattern in patterns if fnmatchcase(arn, pattern))
        if action in SEVERAL_RESOURCES or action.startswith("ec2:Create"):
            own = patterns if not action.endswith("Tags") else own
        if not own and (not patterns or self.vocabulary.takes_star(action)):
            yield "*"
            return
        for pattern in own or patterns:
            yield from self._named(pattern, item)

    def _named(self, pattern: str, item: Resource) -> Iterator[str]:
        """What the declaration knows of a pattern's resources."""
        arn = self._arn(item)
        if fnmatchcase(arn, pattern) and item.type not in GENERATED:
            yield from _forms(arn)
            return
        declared = [
            found
            for other in self.resources
            if other.type not in GENERATED and fnmatchcase(found := self._arn(other), pattern)
        ]
        if declared and item.type not in GENERATED:
            yield from declared
            return
        filled = self._filled(pattern)
        named = list(_network(pattern, item))
        yield from (filled[:-1] + name for name in named) if named else (filled,)

    def _arn(self, item: Resource) -> str:
        """ARN that the declaration determines. A role's Region is ``global``, which tells no partition: the place does."""
        arn = self.kinds[item.type].placeholder(item).get("Arn", "")
        parts = arn.split(":", 2)
        return f"arn:{self.place.partition}:{parts[2]}" if parts[0] == "arn" else arn

    def _filled(self, pattern: str) -> str:
        """A pattern in this account and Region, as far as it has them."""
        parts = pattern.split(":", 5)
        if parts[2] == "organizations":
            parts[1], parts[4] = self.place.partition, self.place.management_role.split(":")[4]
            return ":".join(parts)
        parts[1] = self.place.partition
        parts[3] = self.place.region if parts[3] == "*" else parts[3]
        parts[4] = self.place.account if parts[4] == "*" else parts[4]
        return ":".join(parts)


def _network(pattern: str, item: Resource) -> Iterator[str]:
    """Declared ids of the network that a resource stands in."""
    if pattern.endswith(":vpc/*") and item.get("VpcId"):
        yield str(item.get("VpcId"))
    if pattern.endswith(":subnet/*"):
        yield from map(str, item.get("SubnetIds") or ())


def _forms(arn: str) -> Iterator[str]:
    """A log group is authorized with and without what stands for its streams, depending on the action."""
    yield arn
    if ":log-group:" in arn:
        yield f"{arn}:*"


def _contents(
    desired: Estate, resources: tuple[Resource, ...], place: Place, *, purge: bool
) -> Iterator[tuple[str, list[str]]]:
    """Looking into what is retained, the manifest, and emptying buckets."""
    buckets = _buckets(resources, place)
    groups = [
        f"arn:{place.partition}:logs:{item.region}:{place.account}:log-group:{item.get('LogGroupName')}:*"
        for item in resources
        if item.type == "AWS::Logs::LogGroup"
    ]
    if groups:
        yield "logs:DescribeLogStreams", groups
    if not buckets:
        return
    manifest = _manifests(desired, buckets)
    within = [item for item in resources if item.id == home(desired)]
    yield "s3:ListBucket", buckets  # without it S3 answers 403 where there is no manifest yet
    yield "s3:ListBucketVersions", buckets
    yield "s3:GetObject", manifest
    yield "s3:PutObject", _manifests(desired, _buckets(within, place))
    yield "s3:DeleteObjectVersion", [f"{arn}/*" for arn in buckets] if purge else manifest
    if any(item.get("BucketEncryption") for item in within):
        keys = [f"arn:{place.partition}:kms:{place.region}:{place.account}:key/*"]
        yield "kms:GenerateDataKey", keys
        yield "kms:Decrypt", keys


def _buckets(resources: Iterable[Resource], place: Place) -> list[str]:
    """ARNs of the buckets among resources."""
    found = (item.get("BucketName") for item in resources if item.type == "AWS::S3::Bucket")
    return [f"arn:{place.partition}:s3:::{name}" for name in found]


def _manifests(desired: Estate, buckets: Iterable[str]) -> list[str]:
    """ARNs of the manifest in each bucket."""
    tags = (tag for item in desired for tag in item.get("Tags") or ())
    perimeter = next((tag["Value"] for tag in tags if tag["Key"] == "ringwall:perimeter"), "*")
    return [f"{bucket}/{object_key(perimeter)}" for bucket in buckets]


def _reading(kinds: Mapping[str, Kind], more: Iterable[str] = ()) -> Policy:
    actions = {
        action for kind in kinds.values() if kind.scope != "organization" for action in kind.permissions.read
    }
    return _statement("Read", {*actions, *IN_ORGANIZATION, *more}, ["*"])


def _organization_reading(kinds: Mapping[str, Kind]) -> Policy:
    actions = {
        action for kind in kinds.values() if kind.scope == "organization" for action in kind.permissions.read
    }
    return _statement("ReadOrganization", {*actions, *IN_ORGANIZATION}, ["*"])


def _reading_guardrail(resources: Iterable[Resource], place: Place) -> Iterator[Policy]:
    """What tells whether the organization's guardrail can be enforced, where one is."""
    if any(own_id(item.id) == ORGANIZATION_POLICY for item in resources):
        owner = f"arn:{place.partition}:bedrock:*:{place.management_role.split(':')[4]}"
        targets = [f"{owner}:guardrail/*", f"{owner}:guardrail-profile/*"]
        yield _statement("ReadEnforcedGuardrail", READ_GUARDRAIL, targets)
        yield _statement("ReadItsKey", READ_ITS_KEY, [f"{owner.replace(':bedrock:', ':kms:')}:key/*"])


def _management(place: Place) -> Policy:
    return _statement("BecomeManagementRole", ["sts:AssumeRole"], [place.management_role])


def _writing(grants: Mapping[str, Mapping[str, None]], reading: Policy) -> Iterator[Policy]:
    """One statement for each set of resources, of what reading does not have already."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for action, targets in grants.items():
        if targets and action not in reading["Action"]:
            groups.setdefault(tuple(sorted(targets)), []).append(action)
    in_order = sorted(groups.items(), key=lambda item: sorted(item[1]))
    for number, (resources, actions) in enumerate(in_order, 1):
        yield _statement(f"Write{number}", actions, resources)


def _statement(sid: str, actions: Iterable[str], resources: Iterable[str]) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": sorted(set(actions)), "Resource": sorted(set(resources))}


def _document(statements: Iterable[Policy]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
