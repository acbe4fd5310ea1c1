"""Who may use Bedrock at all: the declared uses, and nobody of another organization.

What a role's own policies allow is its owner's business; an account holds many roles, and whoever may write one may
write ``bedrock:*`` into it. So a service control policy names the roles that run models, agents and retrievals, by exact
ARN, and denies everybody else, administrators included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.documents import Statement, deny, unless
from ringwall.controls.roles import INVOKE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.perimeter.model import Perimeter

RUNNING = (*INVOKE, "bedrock:CreateModelInvocationJob", "bedrock:InvokeAgent", "bedrock:Retrieve")
"""What declared uses do: other ways to run something are closed to everybody."""


def declared(perimeter: Perimeter) -> list[str]:
    """ARNs of the roles that may run something: those of the uses, and the exempt service roles."""
    return [*map(perimeter.role_arn, perimeter.uses), *perimeter.exempt_roles]


def statement(perimeter: Perimeter) -> Statement:
    """Deny what runs something to everybody else."""
    return deny("OnlyDeclaredPrincipals", RUNNING, "*", unless(*declared(perimeter)))


def only_declared(perimeter: Perimeter, control: str) -> DeclaredClaim:
    """Only declared principals run something."""
    return never(
        "only-declared-principals",
        control,
        "Nobody but the declared uses runs a model, an agent or a retrieval",
        Action=list(RUNNING),
        Resource="*",
        NotPrincipal=declared(perimeter),
    )


def nobody_outside(perimeter: Perimeter, control: str) -> DeclaredClaim:
    """Nobody of another organization, and no anonymous caller, reaches what the perimeter holds."""
    return never(
        "nobody-outside-organization",
        control,
        "Nobody outside the organization reaches Bedrock, its keys, its records or its roles",
        Action=["bedrock:*", "kms:*", "logs:*", "s3:*", "sns:*", "sts:AssumeRole"],
        Resource=list(_held(perimeter)),
        Condition={
            "StringNotEquals": {"aws:PrincipalOrgID": [perimeter.organization.id]},
            "BoolIfExists": {"aws:PrincipalIsAWSService": ["false"]},  # anonymous callers carry no such key
        },
    )


def _held(perimeter: Perimeter) -> Iterator[Any]:
    """What is in the account: Bedrock's resources, keys, records, alarms, roles."""
    yield f"arn:{perimeter.partition}:bedrock:*:{perimeter.account}:*"
    yield from (names.key_arn(item) for item in names.data_classes(perimeter))
    for purpose in names.log_buckets(perimeter):
        bucket = names.bucket_arn(perimeter, purpose)
        yield from (bucket, f"{bucket}/*")
    group = names.log_group_arn(perimeter)
    yield from (group, f"{group}:*", names.topic_arn(perimeter))
    yield from map(perimeter.role_arn, perimeter.uses)
    yield names.logging_role_arn(perimeter)
