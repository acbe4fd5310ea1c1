"""Whom a resource's policy lets in that is not of the account: strangers, and whatever account or organization it names.

A principal of another account needs its own policies' permission as well; those are its owner's to write, so an outsider is
taken to be allowed everything at home. Accounts that the Estate knows (the judged one, its organization's management account)
are inside; whether another account is of the organization is not known without ``aws:PrincipalOrgID``, which is how a policy
should say it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ringwall.estate.model import canonical_json
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Effect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.iam.policy import Policy
    from ringwall.iam.request import Request

NOBODYS = "000000000000"
"""An account that AWS gives to nobody."""
FOREIGN_ORGANIZATION = "o-outsider00"
ANYBODY = "anybody"
EVERYTHING = parse_policy(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]},
    name="everything at home",
)
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
_ORGANIZATION = re.compile(r"(?<![\w-])o-[a-z0-9]{10,32}")


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody to try.

    Attributes:
        principal: ARN, or a service principal.
        words: who that is.
        keys: context keys that its requests carry.
    """

    principal: str
    words: str
    keys: Mapping[str, str]


def outsiders(context: CheckContext, policy: Policy) -> Iterator[Outsider]:
    """A stranger, and everybody outside that the policy names."""
    text = canonical_json(policy.document)
    own = context.observed.account(context.account)
    organization = own.organization if own is not None else None
    yield _of(context, NOBODYS, FOREIGN_ORGANIZATION, ANYBODY)
    for named in sorted(set(_ORGANIZATION.findall(text)) - {organization}):
        yield _of(context, NOBODYS, named, f"organization {named}")
    inside = {account.id for account in context.observed.accounts} | {context.account, NOBODYS}
    for account in sorted(set(_ACCOUNT.findall(text)) - inside):
        yield _of(context, account, FOREIGN_ORGANIZATION, f"account {account}")
    for statement in policy.statements:
        for arn in statement.principal.aws if statement.principal is not None else ():
            owner = arn.split(":")[4] if arn.count(":") >= 5 else ""
            if owner and owner not in inside and ":root" not in arn:
                yield replace(_of(context, owner, FOREIGN_ORGANIZATION, arn), principal=arn)


def deputies(policy: Policy) -> Iterator[Outsider]:
    """Each service that the policy names, on behalf of somebody else's resource."""
    services = (
        service
        for statement in policy.statements
        if statement.principal is not None
        for service in statement.principal.service
    )
    for service in dict.fromkeys(services):
        keys = {
            "aws:SourceAccount": NOBODYS,
            "aws:SourceArn": f"arn:aws:{service.split('.', 1)[0]}:us-east-1:{NOBODYS}:x/x",
            "aws:SourceOrgID": FOREIGN_ORGANIZATION,
            "aws:PrincipalIsAWSService": "true",
            "aws:SecureTransport": "true",
            "s3:x-amz-acl": "bucket-owner-full-control",
        }
        yield Outsider(service, f"{service} on behalf of any account", keys)


def let_in(
    context: CheckContext, policy: Policy, targets: Mapping[str, str], who: Iterator[Outsider]
) -> Iterator[str]:
    """What outsiders can do, in words.

    Args:
        context: the Estate.
        policy: the resource's own.
        targets: action to the ARN that it is tried on.
        who: whom to try.
    """
    for outsider in who:
        done = [action for action, arn in targets.items() if _allowed(context, policy, outsider, action, arn)]
        if done:
            yield f"{outsider.words} can {', '.join(done)}"


def tried(context: CheckContext, principal: str, keys: Mapping[str, str], action: str, arn: str) -> Request:
    """A principal's request for something on a resource of the account."""
    return request_from_json(
        {
            "principal": principal,
            "action": action,
            "resource": arn,
            "resource_account": context.account,
            "context": dict(keys),
        }
    )


def named_in(policy: Policy, within: str) -> tuple[str, ...]:
    """Resources that a policy's Allows name and that begin so, with wildcards filled in: where to try."""
    found = (
        pattern.replace("*", "x").replace("?", "x")
        for statement in policy.statements
        if statement.effect is Effect.ALLOW
        for pattern in statement.resources or ()
        if pattern.startswith(within)
    )
    return tuple(dict.fromkeys(found))


def _of(context: CheckContext, account: str, organization: str, words: str) -> Outsider:
    keys = {
        "aws:PrincipalAccount": account,
        "aws:PrincipalOrgID": organization,
        "aws:SecureTransport": "true",
    }
    return Outsider(f"arn:{context.partition}:iam::{account}:role/Stranger", words, keys)


def _allowed(context: CheckContext, policy: Policy, outsider: Outsider, action: str, arn: str) -> bool:
    request = tried(context, outsider.principal, outsider.keys, action, arn)
    bearing = context.access.policies(outsider.principal, resource=arn, action=action)
    return decide(request, replace(bearing, identity=(EVERYTHING,), resource=policy)).allowed
