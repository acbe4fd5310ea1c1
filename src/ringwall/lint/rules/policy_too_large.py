"""The policy is longer than AWS stores.

## What it finds

Documents beyond the quota of their type, counted without the white space between their parts: service control policies 10,240
characters, resource control policies 5,120, managed policies 6,144, the inline policies of a role 10,240, of a group 5,120,
of a user 2,048, trust policies 2,048 (8,192 after a quota increase), key policies 32,768, bucket policies 20,480, endpoint
policies 20,480. Where a higher limit may apply it is a warning.

## Why

AWS refuses the document; a deployment stops half-way.

## Bad

A service control policy with three hundred model ARNs.

## Good

The same with `NotResource` and patterns such as `foundation-model/anthropic.*`.

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/add-bucket-policy.html
- https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html
- https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringwall.catalog.bedrock import POLICY_LIMITS
from ringwall.lint.document import MAX_SIZE, Document
from ringwall.lint.rule import Mark, PolicyType, Rule


@dataclass(frozen=True, slots=True)
class Quota:
    """How long a policy may be.

    Attributes:
        what: what the quota is for.
        usual: characters that always fit.
        most: characters that may fit: after a quota increase, or in another place.
        otherwise: when they do.
    """

    what: str
    usual: int
    most: int
    otherwise: str = ""


_SCP = POLICY_LIMITS["SERVICE_CONTROL_POLICY"]
_RCP = POLICY_LIMITS["RESOURCE_CONTROL_POLICY"]
_BY_TYPE: Mapping[PolicyType, Quota] = {
    "identity": Quota("a managed policy", 6_144, 10_240, "as an inline policy of a role"),
    "scp": Quota("a service control policy", _SCP, _SCP),
    "rcp": Quota("a resource control policy", _RCP, _RCP),
    "trust": Quota("a trust policy", 2_048, 8_192, "after a quota increase"),
    "vpc-endpoint": Quota("an endpoint policy", 20_480, 20_480),
    "kms-key": Quota("a key policy", 32_768, 32_768),
    "s3-bucket": Quota("a bucket policy", 20_480, 20_480),
}
_BY_PLACE: Mapping[str, Quota] = {
    "AWS::IAM::ManagedPolicy": Quota("a managed policy", 6_144, 6_144),
    "aws_iam_policy": Quota("a managed policy", 6_144, 6_144),
    "AWS::IAM::Role": Quota("the inline policies of a role", 10_240, 10_240),
    "AWS::IAM::RolePolicy": Quota("the inline policies of a role", 10_240, 10_240),
    "aws_iam_role_policy": Quota("the inline policies of a role", 10_240, 10_240),
    "AWS::IAM::Group": Quota("the inline policies of a group", 5_120, 5_120),
    "AWS::IAM::GroupPolicy": Quota("the inline policies of a group", 5_120, 5_120),
    "aws_iam_group_policy": Quota("the inline policies of a group", 5_120, 5_120),
    "AWS::IAM::User": Quota("the inline policies of a user", 2_048, 2_048),
    "AWS::IAM::UserPolicy": Quota("the inline policies of a user", 2_048, 2_048),
    "aws_iam_user_policy": Quota("the inline policies of a user", 2_048, 2_048),
}


def check(document: Document) -> Iterator[Mark]:
    """The document as a whole."""
    size = document.size
    if size > MAX_SIZE:
        message = f"the policy has {size:,} characters; AWS stores none of that length, and its statements were not read"
        yield Mark((), message, "split it, or use patterns")
        return
    quota = _BY_TYPE.get(document.type)
    if document.type == "identity":
        quota = _BY_PLACE.get(document.place, quota)
    if quota is None:
        return
    if size > quota.most:
        yield Mark(
            (),
            f"the policy has {size:,} characters; {quota.what} takes {quota.most:,}",
            "split it, or use patterns",
        )
    elif size > quota.usual:
        message = f"the policy has {size:,} characters; {quota.what} takes {quota.usual:,}"
        yield Mark((), message, f"it fits {quota.otherwise} only ({quota.most:,})", "warning")


RULE = Rule(
    slug="policy-too-large",
    title="The policy is longer than AWS stores",
    severity="error",
    page=__doc__ or "",
    check=check,
)
