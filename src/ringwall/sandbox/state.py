"""The Estate that the sandbox's own state is: every policy that bears on a request, read from moto's objects.

It is made again after each call that changes policies, so it reads objects directly rather than through API calls.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ringwall.estate.model import Account, Estate, Resource
from ringwall.sandbox import grants, places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ringwall.sandbox.backend import Moto

_DOCUMENTS_KEPT = 8192
_AWS = "arn:aws:iam::aws:"

Pairs: TypeAlias = "tuple[tuple[str, Any], ...]"


def read_estate(moto: Moto, further: Iterable[Resource] = (), *, ec2: bool = True) -> Estate:
    """Everything that bears on authorization.

    Args:
        moto: the state.
        further: resources of other planes, such as guardrail resource policies.
        ec2: whether EC2's state has been made; without it there are no VPC endpoints.
    """
    with moto.locked():
        resources = (
            *_iam(moto),
            *_organization_policies(moto),
            *(_endpoints(moto) if ec2 else ()),
            *_keys(moto),
            *_bucket_policies(moto),
            *_topic_policies(moto),
            *further,
        )
        return Estate("observed", _accounts(moto), resources)


def _inline(policies: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"PolicyName": name, "PolicyDocument": _document(text)} for name, text in policies.items()]


def _document(text: Any) -> Any:
    return _read(text) if isinstance(text, str | bytes) else text


@lru_cache(maxsize=_DOCUMENTS_KEPT)
def _read(text: str | bytes) -> Any:
    """A document; the same object each time, which nobody changes, so that reading the state again costs little."""
    return json.loads(text)


def _iam(moto: Moto) -> Iterator[Resource]:
    for account in moto.accounts("iam"):
        attached: set[str] = set()
        store = moto.store("iam", account)
        for role in store.roles.values():
            yield _role(account, role, store, attached)
        for user in store.users.values():
            yield _user(account, user, store, attached)
        for group in store.groups.values():
            attached.update(group.managed_policies)
            yield Resource(
                "AWS::IAM::Group",
                account,
                "global",
                group.name,
                {
                    "GroupName": group.name,
                    "Policies": _inline(group.policies),
                    "ManagedPolicyArns": list(group.managed_policies),
                },
            )
        yield from _managed(account, store, attached)


def _role(account: str, role: Any, store: Any, attached: set[str]) -> Resource:
    boundary, tags = role.permissions_boundary_arn, _tags_of(store, role.arn)
    attached.update(role.managed_policies)
    if boundary:
        attached.add(boundary)
    parts = (
        (role.name, role.path, role.assume_role_policy_document, role.max_session_duration, boundary, tags),
        tuple(role.policies.items()),
        tuple(role.managed_policies),
    )

    def make() -> Resource:
        properties: dict[str, Any] = {
            "RoleName": role.name,
            "Path": role.path,
            "AssumeRolePolicyDocument": _document(role.assume_role_policy_document),
            "Policies": _inline(role.policies),
            "ManagedPolicyArns": list(role.managed_policies),
            "MaxSessionDuration": int(role.max_session_duration or 3600),
            "Tags": [{"Key": key, "Value": value} for key, value in tags],
        }
        if boundary:
            properties["PermissionsBoundary"] = boundary
        return Resource("AWS::IAM::Role", account, "global", role.name, properties)

    return _as_before(role, parts, make)


def _user(account: str, user: Any, store: Any, attached: set[str]) -> Resource:
    groups = tuple(group.name for group in store.groups.values() if user in group.users)
    boundary, tags = places.user_boundary(user), _tags_of(store, user.arn)
    attached.update(user.managed_policies)
    if boundary:
        attached.add(boundary)
    parts = (
        (user.name, user.path, groups, boundary, tags),
        tuple(user.policies.items()),
        tuple(user.managed_policies),
    )

    def make() -> Resource:
        properties: dict[str, Any] = {
            "UserName": user.name,
            "Path": user.path,
            "Policies": _inline(user.policies),
            "ManagedPolicyArns": list(user.managed_policies),
            "Groups": list(groups),
            "Tags": [{"Key": key, "Value": value} for key, value in tags],
        }
        if boundary:
            properties["PermissionsBoundary"] = boundary
        return Resource("AWS::IAM::User", account, "global", user.name, properties)

    return _as_before(user, parts, make)


def _as_before(owner: Any, parts: tuple[Any, ...], make: Callable[[], Resource]) -> Resource:
    """The resource of a role or user: the one made last time, if nothing of it has changed.

    A change of one of a thousand roles must not cost the reading of all.
    """
    known = getattr(owner, "ringwall_resource", None)
    if known is None or known[0] != parts:
        known = owner.ringwall_resource = (parts, make())
    return cast("Resource", known[1])


def _tags_of(store: Any, arn: str) -> Pairs:
    return tuple((str(key), str(value)) for key, value in (store.tagger.tags.get(arn) or {}).items())


def _managed(account: str, store: Any, attached: set[str]) -> Iterator[Resource]:
    """Policies of the account, and those of AWS's that something is attached to."""
    policies = store.managed_policies
    used = sorted(arn for arn in attached if arn.startswith(_AWS) and arn in policies)
    own = [arn for arn in policies if not arn.startswith(_AWS)]
    for arn in (*used, *own):
        policy = policies[arn]
        version = next(item for item in policy.versions if item.version_id == policy.default_version_id)
        document = _document(version.document)
        properties = {"ManagedPolicyName": policy.name, "Arn": arn, "PolicyDocument": document}
        yield Resource("AWS::IAM::ManagedPolicy", account, "global", arn, properties)


def _organization(moto: Moto) -> Any:
    store = moto.store("organizations", places.MANAGEMENT)
    return store if store.org is not None else None


def _accounts(moto: Moto) -> tuple[Account, ...]:
    store = _organization(moto)
    if store is None:
        return (Account(places.MEMBER),)
    return tuple(
        Account(
            account.id,
            store.org.id,
            account.id == store.org.master_account_id,
            (*_ancestors(store, account.parent_id), account.id),
        )
        for account in store.accounts
    )


def _ancestors(store: Any, parent: str) -> tuple[str, ...]:
    units = {unit.id: unit for unit in store.ou}
    chain: list[str] = []
    current: str | None = parent
    while current is not None and current in units:
        chain.insert(0, current)
        current = getattr(units[current], "parent_id", None)
    return tuple(chain)


def enabled_policy_types(moto: Moto) -> frozenset[str]:
    """Policy types that are enabled in the organization's root."""
    store = _organization(moto)
    root = next((unit for unit in store.ou if unit.type == "ROOT"), None) if store else None
    return frozenset(item["Type"] for item in root.policy_types) if root else frozenset()


def _organization_policies(moto: Moto) -> Iterator[Resource]:
    store = _organization(moto)
    enabled = enabled_policy_types(moto)
    for policy in store.policies if store else ():
        # While a type is disabled its policies bear on nothing; of SCPs the default remains, which allows.
        if policy.type not in enabled and policy.name != "FullAWSAccess":
            continue
        properties = {
            "Name": policy.name,
            "Type": policy.type,
            "Content": _document(policy.content),
            "TargetIds": [target.id for target in policy.attachments],
        }
        yield Resource("AWS::Organizations::Policy", places.MANAGEMENT, "global", policy.id, properties)


def _regional(moto: Moto, service: str) -> Iterator[tuple[str, str, Any]]:
    for account in moto.accounts(service):
        for region in moto.regions(service, account):
            yield account, region, moto.store(service, account, region)


def _endpoints(moto: Moto) -> Iterator[Resource]:
    for account, region, store in _regional(moto, "ec2"):
        for endpoint in store.vpc_end_points.values():
            if endpoint.state == "deleted":
                continue
            properties = {
                "VpcId": endpoint.vpc_id,
                "ServiceName": endpoint.service_name,
                "VpcEndpointType": endpoint.vpc_endpoint_type or "Gateway",
                "PolicyDocument": _document(endpoint.policy_document),
                "SubnetIds": list(endpoint.subnet_ids or ()),
                "SecurityGroupIds": list(endpoint.security_group_ids or ()),
                "PrivateDnsEnabled": places.private_dns(endpoint),
            }
            yield Resource("AWS::EC2::VPCEndpoint", account, region, endpoint.id, properties)


def _keys(moto: Moto) -> Iterator[Resource]:
    for account, region, store in _regional(moto, "kms"):
        for key in store.keys.values():
            properties = {
                "KeyPolicy": _key_policy(key),
                "Enabled": bool(key.enabled),
                "KeyState": key.key_state,
                "Tags": [
                    {"Key": str(tag["TagKey"]), "Value": str(tag["TagValue"])}
                    for tag in store.tagger.list_tags_for_resource(key.id)["Tags"]
                ],
            }
            yield Resource("AWS::KMS::Key", account, region, key.arn, properties)


def _key_policy(key: Any) -> Any:
    """A key's policy, and its grants as statements of it."""
    policy = _document(key.policy)
    granted = [statement for grant in key.grants.values() for statement in grants.statements(grant)]
    if not granted:
        return policy
    own = policy.get("Statement", [])
    return {**policy, "Statement": [*(own if isinstance(own, list) else [own]), *granted]}


def _bucket_policies(moto: Moto) -> Iterator[Resource]:
    for account in moto.accounts("s3"):
        for bucket in moto.store("s3", account).buckets.values():
            if bucket.policy:
                properties = {"Bucket": bucket.name, "PolicyDocument": _document(bucket.policy)}
                yield Resource("AWS::S3::BucketPolicy", account, bucket.region_name, bucket.name, properties)


def _topic_policies(moto: Moto) -> Iterator[Resource]:
    for account, region, store in _regional(moto, "sns"):
        for topic in store.topics.values():
            properties = {"PolicyDocument": _document(topic.policy), "Topics": [topic.arn]}
            yield Resource("AWS::SNS::TopicPolicy", account, region, topic.arn, properties)
