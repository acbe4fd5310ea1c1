"""AWS's words for a denied request, read back into what they say.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html and the wordings of Amazon S3
(quoted resources), Amazon EC2 (an introduction and an encoded message) and the SDKs (``An error occurred ... when
calling the Converse operation: ...``). Older services end after the resource, or after "with an explicit deny". What is no such message, but often taken
for one, is told by its own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ringwall.errors import RingwallError
from ringwall.iam.request import PolicyType

_NOT_AUTHORIZED = re.compile(
    r"User:\s*(?P<principal>\S+)\s+is not authorized to perform:?\s*(?P<action>[A-Za-z0-9-]+:[A-Za-z0-9*]+)"
    r"(?:\s+on resource:?\s*(?:([\"'`])(?P<quoted>.+?)\3|"
    r"(?P<resource>\S.*?)(?=[,;]?\s+(?:because no|with an explicit|\()|[.,;]?\s*$|[.;,]\s)))?",
)
_EXPLICIT = re.compile(
    r"explicit deny(?:\s+in\s+(?:(?:an?|the)\s+)?(?P<kind>[A-Za-z][A-Za-z -]*?polic(?:y|ies)|permissions boundary))?",
    re.IGNORECASE,
)
_IMPLICIT = re.compile(
    r"because no (?P<kind>[A-Za-z][A-Za-z -]*?policy|permissions boundary) allows", re.IGNORECASE
)
_OPERATION = re.compile(r"when calling the (?P<operation>[A-Za-z0-9]+) operation")
_POLICY_ARN = re.compile(
    r"arn:[a-z-]+:(?:organizations|iam)::[^\s\"',;]*polic(?:y|ies)/[^\s\"',;]*[^\s\"',;.]"
)
_KINDS: tuple[tuple[str, PolicyType], ...] = (
    ("identity", "identity"),
    ("permissions boundary", "permissions_boundary"),
    ("session", "session"),
    ("trust", "resource"),
    ("resource control", "rcp"),
    ("resource", "resource"),
    ("service control", "scp"),
    ("endpoint", "vpc_endpoint"),
)
_INTRODUCTION = re.compile(
    r"^.*\boperation(?: \(reached max retries: \d+\))?:\s*|^[\w.]*(?:Error|Exception):\s*"
)
_BARE = frozenset({"access denied", "accessdenied", "forbidden", "403 forbidden"})
_UNNAMED = re.compile(r"(?:is )?not authorized to perform:?\s*(?P<action>[A-Za-z0-9-]+:[A-Za-z0-9*]+)")
_DECODE = (
    "the message is encoded: `aws sts decode-authorization-message --encoded-message TEXT > decoded.json` (it needs "
    "sts:DecodeAuthorizationMessage) decodes it; give what it writes with --event decoded.json"
)

# Part of a message, in lower case -> what it means. None of these is said by a policy that the message names.
_ELSEWHERE = (
    (
        "marketplace actions",
        (
            "the model is sold through AWS Marketplace and nobody has subscribed this account to it yet: one call by a "
            "principal with aws-marketplace:Subscribe and ViewSubscriptions does it for the whole account"
        ),
    ),
    (
        "access to the model",
        (
            "Bedrock says this before any policy is asked: nobody has accepted the model's agreement in this account "
            "(CreateFoundationModelAgreement, PutUseCaseForModelAccess). No policy statement will change it"
        ),
    ),
    (
        "on-demand throughput isn",
        "no policy decided it: the model is called through an inference profile only; name its id as modelId",
    ),
    (
        "model identifier is invalid",
        "no policy decided it: the Region that was called has no model or inference profile of this id",
    ),
    (
        "api key is valid",
        "no policy decided it: the Bedrock API key is wrong, expired or inactive, or of another Region",
    ),
    (
        "authorized to invoke this api operation",
        "Bedrock has not enabled this account for the operation: no policy decided it, AWS Support can tell",
    ),
    (
        "maintenance mode",
        "no policy decided it: Agents Classic takes no new accounts since 30 July 2026; AgentCore is its successor",
    ),
    (
        "security token included in the request",
        "the credentials themselves are refused (expired, or of nobody): no policy decided it",
    ),
    ("signature we calculated", "the request's signature is wrong: no policy decided it"),
    (
        "operation not allowed",
        (
            "Bedrock says this of accounts that it has not enabled for on-demand inference: no policy decided it, "
            "AWS Support can tell"
        ),
    ),
    (
        "ciphertext refers to a customer master key",
        (
            "AWS KMS does not say whether the key is in another Region or account, or the caller lacks kms:Decrypt on "
            "it. The key policy must allow it to the caller, or to the account and then the caller's own policies as "
            "well: ask about kms:Decrypt on the key's ARN with --request, or give the CloudTrail event, whose resources "
            "name the key, with --event"
        ),
    ),
    (
        "not authorized to perform sts:assumerolewith",
        (
            "the role's trust policy does not admit the token: its Principal must be the identity provider, and its "
            "conditions on the token's aud and sub must hold. The message names neither role nor token: give the "
            "CloudTrail event of the call with --event"
        ),
    ),
    ("encoded authorization failure message", _DECODE),
)


class UnreadableDenialError(RingwallError):
    """A message does not say who was denied what."""


@dataclass(frozen=True, slots=True)
class Denial:
    """What a message says.

    Attributes:
        principal: ARN of the caller; ``*`` for anonymous.
        action: ``service:Name``.
        resource: ARN; ``None`` where the message names none.
        effect: ``explicit`` or ``implicit``; ``None`` where the message does not say.
        policy_type: type that denied or lacked an Allow; ``None`` where the message does not say.
        policy: ARN of the denying policy, where the message names it.
        operation: API operation that an SDK's introduction names.
        encoded: whether it carries an encoded authorization failure message, which
            ``sts:DecodeAuthorizationMessage`` reads.
    """

    principal: str
    action: str
    resource: str | None = None
    effect: Literal["explicit", "implicit"] | None = None
    policy_type: PolicyType | None = None
    policy: str | None = None
    operation: str | None = None
    encoded: bool = False


def parse_denial(text: str) -> Denial:
    """Read an AccessDenied message.

    Raises:
        UnreadableDenialError: it does not name a principal and an action; where it is a message that no policy causes,
            the error says what does.
    """
    words = " ".join(text.split())
    found = _NOT_AUTHORIZED.search(words)
    if found is None:
        raise UnreadableDenialError(_not_a_denial(words))
    rest = words[found.end() :]
    effect, kind = _effect(rest)
    if not _names_a_principal(found["principal"]):
        raise UnreadableDenialError(
            f"the message names the caller as {found['principal']}, which is no ARN: give the CloudTrail event of the "
            f"call with --event, or write the ARN in its place"
        )
    operation = _OPERATION.search(words[: found.start()])
    policy = _POLICY_ARN.search(rest)
    resource = found["quoted"] or found["resource"]
    return Denial(
        principal="*"
        if found["principal"].lower().startswith("anonymous")
        else found["principal"].rstrip(","),
        action=found["action"],
        resource=resource.rstrip(".") if resource else None,
        effect=effect,
        policy_type=_policy_type(kind),
        policy=policy.group() if policy else None,
        operation=operation["operation"] if operation else None,
        encoded="encoded authorization failure message" in words.lower(),
    )


def _names_a_principal(text: str) -> bool:
    return text.lower().startswith(("arn:", "anonymous")) or text.rstrip(",").endswith(".amazonaws.com")


def _effect(rest: str) -> tuple[Literal["explicit", "implicit"] | None, str | None]:
    explicit = _EXPLICIT.search(rest)
    if explicit:
        return "explicit", explicit["kind"]
    implicit = _IMPLICIT.search(rest)
    return ("implicit", implicit["kind"]) if implicit else (None, None)


def _policy_type(kind: str | None) -> PolicyType | None:
    if kind is None:
        return None
    return next((name for word, name in _KINDS if word in kind.lower()), None)


def _not_a_denial(words: str) -> str:
    lowered = words.lower()
    for sign, meaning in _ELSEWHERE:
        if sign in lowered:
            return meaning
    bare = _INTRODUCTION.sub("", words).rstrip(". ").lower()
    if bare in _BARE:
        return (
            "the message says nothing but that access was denied, as Amazon S3 does: give the CloudTrail event of the "
            "call (of objects, a data event) with --event, or ask about it with --request"
        )
    unnamed = _UNNAMED.search(words)
    if unnamed:
        return (
            f"the message does not name the caller of {unnamed['action']}: give the CloudTrail event of the call with "
            f"--event, or put 'User: ARN' before it"
        )
    return (
        "the message does not say who was denied what (User: ARN is not authorized to perform: ACTION on resource: "
        "ARN): give the CloudTrail event of the call with --event"
    )
