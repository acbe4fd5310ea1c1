"""Calls that services make inside the sandbox: as themselves, as a role that they assume, or in a caller's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import chance
from ringwall.sandbox import context as keys
from ringwall.sandbox.authorize import Asking
from ringwall.sandbox.call import AwsError, Call
from ringwall.sandbox.credentials import Caller
from ringwall.sandbox.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.gateway import Gateway

_AGENT = "AWS Internal"
_SESSION = "service"
"""Name of the session in which a service works with a role."""


@dataclass(frozen=True, slots=True)
class Insider:
    """Who makes an internal call, and where.

    Attributes:
        principal: service principal, role ARN, or a user's or session's ARN (a forward access session).
        context: further condition keys.
    """

    principal: str
    account: str
    region: str
    context: Mapping[str, tuple[str, ...]]


def internal_turn(
    gateway: Gateway,
    who: Insider,
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    *,
    again: bool = False,
) -> Turn:
    """An internal call, ready to be performed.

    Args:
        gateway: the gateway.
        who: who makes it.
        service: botocore service name.
        operation: API operation.
        parameters: in boto3's spelling.
        again: whether it is a call of the past, whose whole context is known.

    Raises:
        AwsError: the session named has ended or never was.
    """
    now = gateway.now()
    values = dict(parameters)
    caller, forwarded = _identity(gateway, who.principal)
    name = caller.arn if caller else who.principal
    context = (
        dict(who.context) if again else {**_base(gateway, who, caller, values, forwarded), **who.context}
    )
    request_id = chance.passing()
    asking = Asking(caller, name, context, request_id, now, service, operation, who.account, who.region)
    source = _AGENT if caller else who.principal
    call = Call(
        service, operation, values, who.account, who.region, name, context, request_id, source, source, now
    )
    return Turn(gateway, call, caller, asking, dict(values), owner=who.account, insider=who.principal)


def _base(
    gateway: Gateway, who: Insider, caller: Caller | None, values: Mapping[str, Any], forwarded: bool
) -> keys.Values:
    """What the caller, the clock and the parameters make of a call's context."""
    if caller is None:
        return {
            **keys.moment(gateway.now()),
            **keys.service_principal(who.principal),
            **keys.request_tags(values),
            "aws:requestedregion": (who.region,),
        }
    base = gateway.caller_context(caller, who.region, values, gateway.now())
    base["aws:securetransport"] = ("true",)
    if forwarded:
        base["aws:viaawsservice"] = ("true",)
    return base


def _identity(gateway: Gateway, arn: str) -> tuple[Caller | None, bool]:
    """The caller behind an ARN (``None`` for a service), and whether a service acts in that caller's name."""
    if not arn.startswith("arn:"):
        return None, False
    fields = arn.split(":", 5)
    account, kind, name = fields[4], fields[5].split("/", 1)[0], arn.rsplit("/", 1)[-1]
    if kind == "role":
        return _role_session(gateway, account, name), False
    if kind == "user":
        return gateway.credentials.user(account, name), True
    found = gateway.credentials.session_of(arn)
    if found is None and name == _SESSION:  # a call that such a session's call leads to
        return _role_session(gateway, account, arn.rsplit("/", 2)[1]), True
    if found is None:
        raise AwsError("AccessDenied", f"{arn} has no session", 403)
    return found, True


def _role_session(gateway: Gateway, account: str, name: str) -> Caller:
    with gateway.moto.locked():
        store = gateway.moto.store("iam", account)
        role = next((item for item in store.roles.values() if item.name == name), None)
        tags = store.tagger.list_tags_for_resource(role.arn)["Tags"] if role else []
    return Caller(
        f"arn:aws:sts::{account}:assumed-role/{name}/{_SESSION}",
        account,
        f"{role.id if role else 'AROAUNKNOWN'}:{_SESSION}",
        kind="AssumedRole",
        tags={str(tag["Key"]): str(tag["Value"]) for tag in tags},
    )
