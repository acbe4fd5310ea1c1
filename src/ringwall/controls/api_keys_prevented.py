"""No Bedrock API keys are made or used.

## What it does

Attaches a service control policy that denies making long-term Bedrock API keys (IAM service-specific credentials) and
using any key, long-term or short-term, on each of the three prefixes. Administrators may still deactivate and delete
keys. The check asks the evaluator about each act, and looks for keys that exist.

## Why

A Bedrock API key is a bearer token: whoever holds the string is the caller, without signature, often without expiry, and
outside of every habit that protects access keys. The console makes one together with an IAM user that has rights to
guardrails and models and that stays when the key is deleted.

## How it fails

- `bedrock:CallWithBearerToken` is denied and `bedrock-mantle:CallWithBearerToken` forgotten.
- Making keys is denied, but short-term keys cannot be prevented from being made: their use has to be denied.
- An age limit (`iam:ServiceSpecificCredentialAgeDays`) lets a key without expiry through: the key is absent then.
- Keys that were made before the policy keep existing, and so do their users.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-revoke.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.policies import BEDROCK_KEYS, MAKE_KEYS, USE_KEYS, api_keys
from ringwall.controls.proved import judge_claims
from ringwall.controls.verdicts import fail, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.model import Perimeter

SLUG = "api-keys-prevented"


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """No keys are made, none is used."""
    del perimeter
    yield never(
        "no-api-keys-made",
        SLUG,
        "Nobody makes a long-term Bedrock API key",
        Action=list(MAKE_KEYS),
        Resource="*",
        Condition={"StringEquals": BEDROCK_KEYS},
    )
    yield never(
        "no-api-keys-used", SLUG, "Nobody calls with a Bedrock API key", Action=list(USE_KEYS), Resource="*"
    )


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge by the proofs, and by the keys that exist."""
    yield from judge_claims(
        context,
        CONTROL,
        ("no-api-keys-made", "no-api-keys-used"),
        "apply the declaration: ringwall apply (service control policy scp/api-keys)",
    )
    yield from _existing(context)


def _existing(context: CheckContext) -> Iterable[Finding]:
    for user in context.observed.of_type("AWS::IAM::User", account=context.account):
        reason = user.unknown_reason("ServiceSpecificCredentials")
        if reason is not None:
            yield unknown(context, CONTROL, user, f"keys of {user.id} could not be read: {reason}")
        for key in user.get("ServiceSpecificCredentials", ()):
            if key.get("ServiceName") == "bedrock.amazonaws.com" and key.get("Status") != "Inactive":
                number = str(key.get("ServiceSpecificCredentialId"))
                yield fail(
                    context,
                    CONTROL,
                    user,
                    f"user {user.id} has the active Bedrock API key {number}",
                    "deactivate and delete the key, then the user if it was made for it",
                    commands=(_deactivate(user.id, number),),
                )


def _deactivate(user: str, number: str) -> str:
    command = "aws iam update-service-specific-credential --status Inactive"
    return f"{command} --user-name {user} --service-specific-credential-id {number}"


CONTROL = Control(
    slug=SLUG,
    title="No Bedrock API keys are made or used",
    category="IAM",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=api_keys,
    claims=claims,
    types=("AWS::Organizations::Policy", "AWS::IAM::Role", "AWS::IAM::User"),
)
