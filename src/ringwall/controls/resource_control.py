"""The resource control policy: what the perimeter keeps is for its organization, whoever's policy says otherwise.

Bedrock is not among the services that resource control policies hold
(https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html), so the policy is about what
Bedrock's data rests in: buckets, keys, log group, and the roles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names, scp
from ringwall.controls.documents import Statement, deny, document, size
from ringwall.errors import RingwallError
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.model import Perimeter

RCP_CHARACTERS = 5_120
POLICY = "rcp/perimeter"


def policy(perimeter: Perimeter) -> Iterator[Resource]:
    """``rcp/perimeter``, where the declaration asks for it.

    Raises:
        RingwallError: it is too long, because of very many knowledge bases.
    """
    if not perimeter.organization.resource_control:
        return
    content = document(*_statements(perimeter))
    if size(content) > RCP_CHARACTERS:
        raise RingwallError(
            f"{POLICY} is longer than the {RCP_CHARACTERS} characters that AWS allows; declare fewer knowledge bases"
        )
    yield Resource(
        type=scp.TYPE,
        account=perimeter.organization.management_account,
        region="global",
        id=POLICY,
        properties={
            "Name": scp.policy_name(perimeter, "resources"),
            "Description": "What the perimeter keeps is for its organization alone",
            "Type": "RESOURCE_CONTROL_POLICY",
            "Content": content,
            "TargetIds": [scp.target(perimeter)],
        },
    )


def kept(perimeter: Perimeter) -> tuple[Any, ...]:
    """ARNs of buckets and their objects, and keys."""
    purposes = (*names.log_buckets(perimeter), *(f"kb-{name}" for name in perimeter.knowledge_bases))
    buckets = [names.bucket_arn(perimeter, purpose) for purpose in purposes]
    keys = [names.key_arn(item) for item in names.data_classes(perimeter)]
    return (*(item for bucket in buckets for item in (bucket, f"{bucket}/*")), *keys)


def roles(perimeter: Perimeter) -> list[str]:
    """ARNs of the perimeter's roles."""
    made = [perimeter.role_arn(use) for use in perimeter.uses]
    made += [perimeter.role_arn(f"kb-{name}") for name in perimeter.knowledge_bases]
    return [*made, names.logging_role_arn(perimeter)]


def _statements(perimeter: Perimeter) -> Iterator[Statement]:
    """Principals of other organizations, and services that come on behalf of one.

    A service that acts by itself (CloudTrail, CloudWatch Logs) carries no source organization; what it is for is said
    by the resource's own policy, so only requests that name a source account are held to the organization.
    """
    organization = perimeter.organization.id
    strangers = {
        "StringNotEquals": {"aws:PrincipalOrgID": organization},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    deputies = {
        "StringNotEquals": {"aws:SourceOrgID": organization},
        "Null": {"aws:SourceAccount": "false"},
        "Bool": {"aws:PrincipalIsAWSService": "true"},
    }
    resources = list(kept(perimeter))
    yield deny("OnlyOwnOrganization", ["s3:*", "kms:*"], resources, strangers, principal="*")
    yield deny("NobodysDeputy", ["s3:*", "kms:*"], resources, deputies, principal="*")
    yield deny("RolesOfOwnOrganization", "sts:AssumeRole", roles(perimeter), strangers, principal="*")
