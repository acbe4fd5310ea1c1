"""``userIdentity`` of a CloudTrail event: who called, and what the event says of the session.

Follows https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = dict[str, tuple[str, ...]]

_ANONYMOUS = frozenset({"anonymous", "anonymous_principal"})
_FEDERATED = frozenset({"WebIdentityUser", "SAMLUser"})


def caller_of(identity: Mapping[str, Any]) -> str | None:
    """The caller as IAM names it; ``None`` where the event does not tell.

    * ``IAMUser``, ``AssumedRole``, ``FederatedUser``, ``Role``, ``Root``: its ARN;
    * ``AWSService``: the service principal;
    * ``WebIdentityUser``, ``SAMLUser``: the identity provider whose token was presented;
    * ``AWSAccount`` and ``Unknown``: of another account, whose trail alone names it, unless it was anonymous.
    """
    arn = identity.get("arn")
    if isinstance(arn, str) and arn:
        return arn
    kind = identity.get("type")
    if str(identity.get("accountId", "")).lower() in _ANONYMOUS:
        return "*"
    if kind in _FEDERATED:
        return _provider(identity)
    if kind == "AWSService" and identity.get("invokedBy"):
        return str(identity["invokedBy"])
    if kind == "Root" and identity.get("accountId"):
        return f"arn:aws:iam::{identity['accountId']}:root"
    issuer = (identity.get("sessionContext") or {}).get("sessionIssuer") or {}
    return str(issuer["arn"]) if issuer.get("arn") else None


def caller_words(identity: Mapping[str, Any]) -> str:
    """What an event tells of a caller that it does not name."""
    account = identity.get("accountId")
    kind = identity.get("type") or "nothing"
    return f"{kind} {account}" if account else str(kind)


def caller_context(identity: Mapping[str, Any]) -> tuple[Values, set[str]]:
    """Condition keys that the event tells of the session, and those that the request is known not to carry."""
    context: Values = {}
    absent: set[str] = set()
    session = identity.get("sessionContext") or {}
    issuer, attributes = session.get("sessionIssuer") or {}, session.get("attributes") or {}
    if issuer.get("type") == "Role" and issuer.get("arn"):
        context["aws:principalarn"] = (str(issuer["arn"]),)
    if identity.get("principalId"):
        context["aws:userid"] = (str(identity["principalId"]),)
    if attributes.get("mfaAuthenticated") in ("true", "false"):
        context["aws:multifactorauthpresent"] = (str(attributes["mfaAuthenticated"]),)
    elif identity.get("type") == "IAMUser" and not session:
        absent.update(("aws:multifactorauthpresent", "aws:multifactorauthage"))
    if attributes.get("creationDate"):
        context["aws:tokenissuetime"] = (str(attributes["creationDate"]),)
    if session.get("sourceIdentity"):
        context["aws:sourceidentity"] = (str(session["sourceIdentity"]),)
    if identity.get("type") == "WebIdentityUser":
        context |= _token(identity)
    _forwarded(identity, context, absent)
    return context, absent


def _forwarded(identity: Mapping[str, Any], context: Values, absent: set[str]) -> None:
    invoked_by = identity.get("invokedBy")
    forwarded = bool(invoked_by) and identity.get("type") != "AWSService"
    context["aws:viaawsservice"] = ("true" if forwarded else "false",)
    if forwarded:
        context["aws:calledvialast"] = (str(invoked_by),)
    else:
        absent.update(("aws:calledvia", "aws:calledviafirst", "aws:calledvialast"))


def _provider(identity: Mapping[str, Any]) -> str | None:
    provider = identity.get("identityProvider")
    return str(provider) if provider else None


def _token(identity: Mapping[str, Any]) -> Values:
    """Claims of a web identity token: ``principalId`` is ``PROVIDER:AUDIENCE:SUBJECT``."""
    provider = _provider(identity)
    subject = identity.get("userName")
    if provider is None or not isinstance(subject, str):
        return {}
    name = provider.partition(":oidc-provider/")[2] or provider
    found: Values = {f"{name.lower()}:sub": (subject,)}
    identifier = str(identity.get("principalId", ""))
    rest = identifier.removeprefix(f"{provider}:")
    if rest != identifier and rest.endswith(f":{subject}"):
        found[f"{name.lower()}:aud"] = (rest.removesuffix(f":{subject}"),)
    return found
