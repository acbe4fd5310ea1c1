"""Condition keys of a request: what the caller, the network, the clock and the parameters determine.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import moments, places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from ringwall.estate.model import Account, Estate
    from ringwall.sandbox.credentials import Caller

Values = dict[str, tuple[str, ...]]
_TAG_PARAMETERS = (
    "Tags", "tags", "TagList", "TagsList", "resourceTags", "agentAliasTags", "jobTags", "modelTags", "customModelTags",
    "importedModelTags", "targetModelTags",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a request came in.

    Attributes:
        source_ip: public address of the caller, or its address in the VPC for requests through an endpoint.
        secure: whether over TLS.
        endpoint: ``vpce-`` id.
        vpc: VPC of the endpoint.
        account, region: the endpoint's.
        public: whether on the public listener itself, rather than through a subnet.
    """

    source_ip: str = places.INTERNET_ADDRESS
    secure: bool = True
    endpoint: str | None = None
    vpc: str | None = None
    account: str = places.MEMBER
    region: str = places.REGION
    public: bool = True


def network(arrival: Arrival) -> Values:
    """Keys of the way in. Through an endpoint ``aws:SourceIp`` is absent, as in AWS."""
    values: Values = {"aws:securetransport": (_text(arrival.secure),)}
    if arrival.endpoint is None:
        values["aws:sourceip"] = (arrival.source_ip,)
        return values
    values["aws:sourcevpce"] = (arrival.endpoint,)
    values["aws:vpcsourceip"] = (arrival.source_ip,)
    if arrival.vpc:
        values["aws:sourcevpc"] = (arrival.vpc,)
        values["aws:sourcevpcarn"] = (f"arn:aws:ec2:{arrival.region}:{arrival.account}:vpc/{arrival.vpc}",)
    return values


def moment(now: datetime) -> Values:
    """Keys of the clock."""
    return {
        "aws:currenttime": (moments.stamp(now),),
        "aws:epochtime": (str(int(now.timestamp())),),
    }


def principal(caller: Caller | None, estate: Estate, role_arn: str | None = None) -> Values:
    """Keys of the caller; of an anonymous one only that it is anonymous."""
    if caller is None:
        return {
            "aws:principaltype": ("Anonymous",),
            "aws:principalaccount": ("anonymous",),
            "aws:userid": ("anonymous",),
        }
    values: Values = {
        "aws:principalarn": (role_arn or caller.arn,),
        "aws:principalaccount": (caller.account,),
        "aws:principaltype": (caller.kind,),
        "aws:userid": (caller.user_id,),
        "aws:principalisawsservice": ("false",),
        "aws:viaawsservice": ("false",),
    }
    if caller.kind == "User":
        values["aws:username"] = (caller.arn.rsplit("/", 1)[1],)
    values.update(_organization(estate.account(caller.account), "aws:principalorg"))
    for key, value in caller.tags.items():
        values[f"aws:principaltag/{key.lower()}"] = (value,)
    values.update(_session(caller))
    return values


def _organization(account: Account | None, prefix: str) -> Values:
    if account is None or account.organization is None:
        return {}
    path = places.organization_path(account.levels, account.id)
    return {f"{prefix}id": (account.organization,), f"{prefix}paths": (path,)}


def _session(caller: Caller) -> Iterator[tuple[str, tuple[str, ...]]]:
    if caller.issued is not None:
        yield "aws:tokenissuetime", (moments.stamp(caller.issued),)
    if caller.source_identity:
        yield "aws:sourceidentity", (caller.source_identity,)


def authentication(caller: Caller | None, now: datetime) -> Values:
    """Whether a temporary credential's user authenticated with MFA, and how many seconds ago.

    A role's session never says so, even if the role was assumed with a code: what does is the call that assumes it
    (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html).
    """
    if caller is None or caller.mfa is None:
        return {}
    present = caller.mfa and caller.kind == "User"
    values: Values = {"aws:multifactorauthpresent": (_text(present),)}
    if present and caller.issued is not None:
        values["aws:multifactorauthage"] = (str(int((now - caller.issued).total_seconds())),)
    return values


def service_principal(name: str) -> Values:
    """Keys of a call that an AWS service makes of its own."""
    values: Values = {
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (name,),
        "aws:principalservicenameslist": (name,),
        "aws:principaltype": ("Service",),
        "aws:viaawsservice": ("false",),
        "aws:securetransport": ("true",),
    }
    return values


def resource(account: str | None, estate: Estate, tags: Mapping[str, str], service: str) -> Values:
    """Keys of the resource: its account, organization and tags."""
    values: Values = {}
    if account:
        values["aws:resourceaccount"] = (account,)
        values.update(_organization(estate.account(account), "aws:resourceorg"))
    for key, value in tags.items():
        values[f"aws:resourcetag/{key.lower()}"] = (value,)
        if service in {"iam", "ec2"}:
            values[f"{service}:resourcetag/{key.lower()}"] = (value,)
    return values


def request_tags(parameters: Mapping[str, Any]) -> Values:
    """``aws:RequestTag/...`` and ``aws:TagKeys``, from wherever an operation takes tags."""
    pairs = dict(_tags(parameters))
    keys = (*pairs, *(str(key) for name in ("TagKeys", "tagKeys") for key in parameters.get(name) or ()))
    values: Values = {f"aws:requesttag/{key.lower()}": (value,) for key, value in pairs.items()}
    if keys:
        values["aws:tagkeys"] = tuple(keys)
    return values


def _tags(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in _TAG_PARAMETERS:
        yield from _pairs(parameters.get(name))
    for specification in parameters.get("TagSpecifications") or ():
        yield from _pairs(specification.get("Tags"))


def _pairs(value: Mapping[str, str] | Iterable[Mapping[str, str]] | None) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if hasattr(value, "items"):
        yield from ((str(key), str(item)) for key, item in value.items())
        return
    for item in value:
        lowered = {str(key).lower().removeprefix("tag"): text for key, text in item.items()}
        if "key" in lowered:
            yield str(lowered["key"]), str(lowered.get("value", ""))


def _text(value: bool) -> str:
    return "true" if value else "false"
