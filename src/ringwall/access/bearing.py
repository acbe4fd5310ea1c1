"""Which policies bear on a request.

An Estate given to :class:`Access` holds no references: bind a desired one first
(:func:`ringwall.estate.references.bind`). Policies are parsed once per Access, so the evaluator's compiled forms live
as long as the Access does.

What could not be read is never taken for absent: :attr:`Access.gaps` names it, and answers that would rest on it are
the caller's to mark unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ringwall.estate.kinds import registry
from ringwall.estate.model import Account, Estate, Resource
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Effect, Policy, PolicyLevel, PolicySet, Statement
from ringwall.iam.principal import parse_principal

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
FULL_ACCESS: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
BEARING_TYPES = (
    "AWS::IAM::Role",
    "AWS::IAM::User",
    "AWS::IAM::Group",
    "AWS::IAM::ManagedPolicy",
    "AWS::Organizations::Policy",
    "AWS::EC2::VPCEndpoint",
    "AWS::KMS::Key",
    "AWS::S3::BucketPolicy",
    "AWS::Bedrock::ResourcePolicy",
    "AWS::SNS::TopicPolicy",
)
"""Types whose policies decide requests; the sandbox and the collector need no others for access."""

BEDROCK = "bedrock.amazonaws.com"
PrincipalKind = Literal["user", "role"]


@dataclass(frozen=True, slots=True)
class PrincipalEntry:
    """A user or role of the Estate.

    Attributes:
        arn: its ARN.
        kind: user or role.
        account: its account.
        policies: identity policies, groups' included.
        boundary: permissions boundary, if set.
        trust: trust policy of a role.
        tags: its tags, for ``aws:PrincipalTag/...``.
        service_only: whether the trust policy admits Bedrock and nobody else. Only such a role may count as a service
            role: its name or path proves nothing, and services that run a customer's code (EC2, Lambda) are no better
            than the customer.
        resource: the resource it was made from.
    """

    arn: str
    kind: PrincipalKind
    account: str
    policies: tuple[Policy, ...]
    boundary: tuple[Policy, ...] | None = None
    trust: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    service_only: bool = False
    resource: Resource | None = field(default=None, compare=False)


class Access:
    """The policies of one Estate, looked up by principal and by resource."""

    def __init__(self, estate: Estate, *, partition: str = "aws") -> None:
        self.estate = estate
        self.partition = partition

    # -- what is asked ---------------------------------------------------------------------------------------------

    def policies(
        self,
        principal: str,
        *,
        resource: str = "*",
        action: str | None = None,
        endpoint: str | None = None,
        session: tuple[Policy, ...] | None = None,
    ) -> PolicySet:
        """Every policy that bears on one request.

        Args:
            principal: ARN of a user, role, role session or root, a service principal, or ``*``.
            resource: ARN that is asked for; selects the resource policy.
            action: selects the trust policy for ``sts:AssumeRole*``.
            endpoint: ``vpce-`` id (or desired id) that the request comes through.
            session: session policies of the caller's session.
        """
        who = parse_principal(principal)
        entry = self._entry(principal)
        account = self.estate.account(who.account) if who.account else None
        return PolicySet(
            identity=entry.policies if entry else (),
            permissions_boundary=entry.boundary if entry else None,
            session=session,
            resource=self.resource_policy(resource, action),
            scp=self.levels(account, SCP) if account else None,
            rcp=self._rcp_of(resource),
            vpc_endpoint=self.endpoint_policies(endpoint),
        )

    def principals(self, *, account: str | None = None) -> tuple[PrincipalEntry, ...]:
        """Users and roles, in the Estate's order."""
        return tuple(
            entry for entry in self._principals.values() if account is None or entry.account == account
        )

    def principal(self, arn: str) -> PrincipalEntry | None:
        """The user or role with that ARN, or behind that role session."""
        return self._entry(arn)

    def resource_policy(self, resource: str, action: str | None = None) -> Policy | None:
        """The policy of a resource, by its ARN; for ``sts:AssumeRole*`` the role's trust policy."""
        if action is not None and action.lower().startswith("sts:assumerole"):
            entry = self._entry(resource)
            return entry.trust if entry else None
        if ":s3:::" in resource:
            bucket = resource.split(":::", 1)[1].split("/", 1)[0]
            return self._resource_policies.get(f"bucket:{bucket}")
        return self._resource_policies.get(resource)

    def policies_of_resources(self) -> Iterator[tuple[str, Policy]]:
        """Every resource policy of the Estate with the ARN it belongs to; a bucket's also with its objects' ARN."""
        for target, policy in self._resource_policies.items():
            if target.startswith("bucket:"):
                arn = f"arn:{self.partition}:s3:::{target.removeprefix('bucket:')}"
                yield arn, policy
                yield f"{arn}/*", policy
            else:
                yield target, policy

    def levels(self, account: Account, policy_type: str = SCP) -> tuple[PolicyLevel, ...] | None:
        """SCPs (or RCPs) by level, root first; ``None`` where they do not bind the account.

        Organizations attaches ``FullAWSAccess`` everywhere. A desired Estate does not list it, so it stands in for
        what the declaration leaves alone at each level.
        """
        key = (account, policy_type)
        if key not in self._levels:
            self._levels[key] = self._find_levels(account, policy_type)
        return self._levels[key]

    def _find_levels(self, account: Account, policy_type: str) -> tuple[PolicyLevel, ...] | None:
        if account.organization is None or account.management:
            return None
        attached = [
            (resource, self._parsed(resource, "Content"))
            for resource in self.estate.of_type("AWS::Organizations::Policy")
            if resource.get("Type") == policy_type
        ]
        if policy_type == RCP and not attached:
            return None
        implied = (self._full_access,) if self.estate.source == "desired" else ()
        return tuple(
            PolicyLevel(
                target,
                implied
                + tuple(
                    policy
                    for resource, policy in attached
                    if policy is not None and target in _strings(resource.get("TargetIds"))
                ),
            )
            for target in account.levels or (account.id,)
        )

    def endpoint_policies(self, endpoint: str | None) -> tuple[Policy, ...] | None:
        """The policy of a VPC endpoint. ``None`` without endpoint, or where it has AWS's full-access default."""
        if endpoint is None:
            return None
        resource = self._endpoints.get(endpoint)
        policy = self._parsed(resource, "PolicyDocument") if resource else None
        return (policy,) if policy is not None else None

    @cached_property
    def gaps(self) -> tuple[str, ...]:
        """What could not be read and may decide requests, in words; empty when everything is known."""
        return tuple(self._gaps())

    # -- how it is found -------------------------------------------------------------------------------------------

    def _entry(self, arn: str) -> PrincipalEntry | None:
        if arn in self._identities:
            return self._principal(arn)
        who = parse_principal(arn)
        if who.kind == "assumed_role" and who.account and who.name:
            role = self._roles_by_name.get((who.account, who.name))
            return self._principal(role) if role else None
        return None

    @cached_property
    def _principals(self) -> dict[str, PrincipalEntry]:
        return {arn: self._principal(arn) for arn in self._identities}

    def _principal(self, arn: str) -> PrincipalEntry:
        """A user or role of the Estate; its policies are read once it is asked for."""
        if arn not in self._entries:
            self._entries[arn] = self._make_entry(arn, self._identities[arn])
        return self._entries[arn]

    @cached_property
    def _entries(self) -> dict[str, PrincipalEntry]:
        return {}

    @cached_property
    def _identities(self) -> dict[str, Resource]:
        """Users and roles by ARN."""
        found: dict[str, Resource] = {}
        for resource in self.estate.of_type("AWS::IAM::User", "AWS::IAM::Role"):
            if resource.id != "?":
                kind, property_ = (
                    ("role", "RoleName") if resource.type == "AWS::IAM::Role" else ("user", "UserName")
                )
                path, name = resource.get("Path", "/"), resource.get(property_, resource.id)
                found[f"arn:{self.partition}:iam::{resource.account}:{kind}{path}{name}"] = resource
        return found

    @cached_property
    def _roles_by_name(self) -> dict[tuple[str, str], str]:
        return {
            (role.account, arn.rsplit("/", 1)[1]): arn
            for arn, role in self._identities.items()
            if role.type == "AWS::IAM::Role"
        }

    def _make_entry(self, arn: str, resource: Resource) -> PrincipalEntry:
        kind: PrincipalKind = "role" if resource.type == "AWS::IAM::Role" else "user"
        trust = self._parsed(resource, "AssumeRolePolicyDocument") if kind == "role" else None
        boundary = resource.get("PermissionsBoundary")
        return PrincipalEntry(
            arn=arn,
            kind=kind,
            account=resource.account,
            policies=tuple(self._identity_policies(resource)),
            boundary=tuple(self._managed([boundary])) if boundary else None,
            trust=trust,
            tags={str(tag["Key"]): str(tag["Value"]) for tag in resource.get("Tags", ())},
            service_only=trust is not None and _admits_only_bedrock(trust),
            resource=resource,
        )

    def _identity_policies(self, resource: Resource) -> Iterator[Policy]:
        yield from self._inline(resource)
        yield from self._managed(resource.get("ManagedPolicyArns", ()))
        for name in resource.get("Groups", ()):
            group = self._groups.get((resource.account, str(name)))
            if group is not None:
                yield from self._inline(group)
                yield from self._managed(group.get("ManagedPolicyArns", ()))

    def _inline(self, resource: Resource) -> Iterator[Policy]:
        for item in resource.get("Policies", ()):
            yield parse_policy(item["PolicyDocument"], name=str(item["PolicyName"]))

    def _managed(self, arns: Iterable[Any]) -> Iterator[Policy]:
        for arn in arns:
            policy = self._managed_policies.get(str(arn))
            if policy is not None:
                yield policy

    @cached_property
    def _managed_policies(self) -> dict[str, Policy]:
        found: dict[str, Policy] = {}
        for resource in self.estate.of_type("AWS::IAM::ManagedPolicy"):
            policy = self._parsed(resource, "PolicyDocument")
            if policy is not None:
                found[self._arn(resource) or resource.id] = policy
        return found

    @cached_property
    def _groups(self) -> dict[tuple[str, str], Resource]:
        return {
            (group.account, str(group.get("GroupName", group.id))): group
            for group in self.estate.of_type("AWS::IAM::Group")
        }

    @cached_property
    def _endpoints(self) -> dict[str, Resource]:
        found: dict[str, Resource] = {}
        for resource in self.estate.of_type("AWS::EC2::VPCEndpoint"):
            found[resource.id] = resource
            found[self.attribute(resource, "Id") or resource.id] = resource
        return found

    @cached_property
    def _resource_policies(self) -> dict[str, Policy]:
        """Policies by the ARN of their resource; buckets by ``bucket:NAME``."""
        found: dict[str, Policy] = {}
        for resource in self.estate:
            where = _POLICY_PROPERTY.get(resource.type)
            policy = self._parsed(resource, where[0]) if where else None
            if where is None or policy is None:
                continue
            for target in self._targets(resource, where[1]):
                found[target] = policy
        return found

    def _targets(self, resource: Resource, owner: str) -> Iterator[str]:
        if resource.type == "AWS::S3::BucketPolicy":
            yield f"bucket:{resource.get(owner)}"
        elif owner == "Arn":
            arn = self._arn(resource)
            if arn:
                yield arn
        else:
            yield from _strings(resource.get(owner))

    def attribute(self, resource: Resource, name: str) -> str | None:
        """What a reference to the resource resolves to, desired or observed."""
        kind = registry().get(resource.type)
        if kind is None or resource.id == "?":
            return None
        values = kind.placeholder(resource) if self.estate.source == "desired" else kind.attributes(resource)
        return values.get(name)

    def _arn(self, resource: Resource) -> str | None:
        return resource.id if resource.id.startswith("arn:") else self.attribute(resource, "Arn")

    def _parsed(self, resource: Resource, name: str) -> Policy | None:
        document = resource.get(name)
        if document is None:
            return None
        key = (resource.type, resource.account, resource.region, resource.id, name)
        if key not in self._cache:
            label = resource.get("Name") or resource.get("RoleName") or resource.get("ManagedPolicyName")
            self._cache[key] = parse_policy(document, name=str(label or resource.id))
        return self._cache[key]

    @cached_property
    def _cache(self) -> dict[tuple[str, ...], Policy]:
        return {}

    @cached_property
    def _levels(self) -> dict[tuple[Account, str], tuple[PolicyLevel, ...] | None]:
        return {}

    @cached_property
    def _full_access(self) -> Policy:
        return parse_policy(FULL_ACCESS, name="FullAWSAccess")

    def _rcp_of(self, resource: str) -> tuple[PolicyLevel, ...] | None:
        parts = resource.split(":", 5)
        owner = self.estate.account(parts[4]) if len(parts) == 6 and parts[4] else None
        return self.levels(owner, RCP) if owner else None

    def _gaps(self) -> Iterator[str]:
        for resource in self.estate:
            if resource.type in BEARING_TYPES:
                for item in resource.unknown:
                    if item.property in DECIDE_NOTHING.get(resource.type, ()):
                        continue
                    yield f"{resource.type} {resource.id} {item.property}: {item.reason}"
        known = self._managed_policies
        for resource in self.estate.of_type("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
            named = [*resource.get("ManagedPolicyArns", ()), resource.get("PermissionsBoundary")]
            for arn in named:
                if arn and str(arn) not in known:
                    yield f"managed policy {arn} of {resource.id} was not read"


DECIDE_NOTHING: Mapping[str, tuple[str, ...]] = {
    "AWS::KMS::Key": ("EnableKeyRotation", "RotationPeriodInDays"),
    "AWS::IAM::User": ("ServiceSpecificCredentials",),
}
"""Properties of these types that no policy and no request depends on: unread, they leave no decision open."""

_POLICY_PROPERTY: Mapping[str, tuple[str, str]] = {
    # type: (property that holds the policy, property that names what it belongs to, or Arn for the resource itself)
    "AWS::KMS::Key": ("KeyPolicy", "Arn"),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
    "AWS::Bedrock::ResourcePolicy": ("PolicyDocument", "ResourceArn"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
}


def _admits_only_bedrock(trust: Policy) -> bool:
    allows = [statement for statement in trust.statements if statement.effect is Effect.ALLOW]
    return bool(allows) and all(_names_only_bedrock(statement) for statement in allows)


def _names_only_bedrock(statement: Statement) -> bool:
    principal = statement.principal
    return (
        principal is not None
        and set(principal.service) == {BEDROCK}
        and not (principal.anyone or principal.aws or principal.federated or principal.canonical_user)
    )


def _strings(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(map(str, value))
