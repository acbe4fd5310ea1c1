"""How far a role reaches that acts for a model: an agent's, a runtime's, a knowledge base's.

Such a role does what a text talked it into. So it is asked, by all policies that bear on it, for things that nobody can have
meant: the names stand for any resource of their kind.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringwall.controls.ask import ask
from ringwall.controls.baseline import UNDECLARED
from ringwall.controls.outsiders import NOBODYS
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.access import PrincipalEntry
    from ringwall.controls.context import CheckContext
    from ringwall.iam.policy import Policy

POWERS: tuple[tuple[str, str, str], ...] = (
    # action, resource (A = account, R = Region), what it means
    ("iam:PassRole", "arn:aws:iam::A:role/Undeclared", "pass any role"),
    ("iam:PutRolePolicy", "arn:aws:iam::A:role/Undeclared", "write any role's policies"),
    ("iam:CreateAccessKey", "arn:aws:iam::A:user/Undeclared", "make keys for any user"),
    ("sts:AssumeRole", "arn:aws:iam::A:role/Undeclared", "assume any role that trusts the account"),
    ("s3:GetObject", "arn:aws:s3:::undeclared-bucket/x", "read any bucket"),
    ("s3:PutObject", "arn:aws:s3:::undeclared-bucket/x", "write any bucket"),
    (
        "secretsmanager:GetSecretValue",
        "arn:aws:secretsmanager:R:A:secret:undeclared-AbCdEf",
        "read any secret",
    ),
    ("lambda:InvokeFunction", "arn:aws:lambda:R:A:function:undeclared", "invoke any function"),
    ("dynamodb:DeleteItem", "arn:aws:dynamodb:R:A:table/undeclared", "delete from any table"),
    ("bedrock:InvokeModel", UNDECLARED, "invoke any model"),
    ("bedrock:UpdateGuardrail", "arn:aws:bedrock:R:A:guardrail/undeclared00", "change any guardrail"),
)


@dataclass(frozen=True, slots=True)
class Trust:
    """On whose behalf a service assumes a role.

    Attributes:
        service: the service principal.
        source: ARN of the resource that it acts for; its account and id are replaced to try others.
    """

    service: str
    source: str


def reach(context: CheckContext, role: str, region: str) -> Iterator[str]:
    """What a role can do that nobody can have meant, in words."""
    for action, pattern, words in POWERS:
        parts = [{"A": context.account, "R": region, "*": "x"}.get(part, part) for part in pattern.split(":")]
        arn = ":".join([parts[0], context.partition, *parts[2:]])
        where = {
            "aws:RequestedRegion": region,
            "aws:ResourceAccount": context.account,
            "aws:SecureTransport": "true",
        }
        if action.startswith("iam:PassRole"):
            where["iam:PassedToService"] = "lambda.amazonaws.com"
        if _own_side(context, role, action, arn, where):
            yield words


def _own_side(context: CheckContext, role: str, action: str, arn: str, where: dict[str, str]) -> bool:
    """Whether the policies of the role's side allow it, where the other side leaves it to them."""
    request = request_from_json(
        {
            "principal": role,
            "action": action,
            "resource": arn,
            "resource_account": context.account,
            "context": where,
        }
    )
    policies = context.access.policies(role, resource=arn, action=action)
    if context.unread("AWS::Organizations::Policy") is not None:
        policies = replace(policies, scp=None)  # what could not be read holds nobody
    if action == "sts:AssumeRole":
        policies = replace(policies, resource=_trusting(context.account))
    return decide(request, policies).allowed


def _trusting(account: str) -> Policy:
    """The trust policy of a role that leaves it to the account who assumes it."""
    statement = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
    return parse_policy({"Version": "2012-10-17", "Statement": [statement]}, name="trust in the account")


def deputy(context: CheckContext, entry: PrincipalEntry, trust: Trust) -> Iterator[str]:
    """Whether a role can be assumed by others, or by its service on behalf of others."""
    principals = [
        statement.principal
        for statement in (entry.trust.statements if entry.trust is not None else ())
        if statement.effect == "Allow" and statement.principal is not None
    ]
    if any(item.anyone or item.aws or item.federated for item in principals):
        yield "others than a service can assume it"
    strange = sorted({name for item in principals for name in item.service} - {trust.service})
    if strange:
        yield f"{', '.join(strange)} can assume it"
    foreign = {
        "aws:SourceAccount": NOBODYS,
        "aws:SourceArn": trust.source.replace(context.account, NOBODYS),
    }
    if ask(context, trust.service, "sts:AssumeRole", entry.arn, foreign).allowed:
        yield f"{trust.service} can assume it on behalf of any account"


def unread(context: CheckContext, entry: PrincipalEntry) -> str | None:
    """Why what bears on a role is not known, or ``None``."""
    name = entry.arn.rsplit("/", 1)[-1]
    for gap in context.access.gaps:
        if name in gap.replace(":", " ").split() or entry.arn in gap:
            return gap
    return None
