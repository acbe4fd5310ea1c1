"""The generic rule: action = prefix and operation, resource = ARN template filled from the parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.catalog.operations.authorization import Authorization, Call, account_of, is_arn
from ringwall.catalog.operations.context import context_of
from ringwall.catalog.operations.names import fold
from ringwall.catalog.operations.parameters import EC2_ID_LISTS, EC2_IDS, RESOURCES
from ringwall.catalog.operations.storage import s3_resources
from ringwall.catalog.reference import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.catalog.operations.parameters import Fill
    from ringwall.catalog.reference import Action, ResourceType

_FREE = re.compile(r"\$\{([^}]*)\}")
_OWN = {"Partition", "Region", "Account"}
# How a value stands in the template of its type, where not as it is; "" = every type of the service.
_SHAPES: Mapping[tuple[str, str], Callable[[str], str]] = {
    ("kms", "alias"): lambda value: value.removeprefix("alias/"),
    ("logs", "log-group"): lambda value: f"{value}:log-stream:",  # as AWS's own denials spell it
    ("organizations", ""): lambda value: value.partition("-")[2] or value,
    ("ssm", ""): lambda value: value.lstrip("/"),
}
# Calls whose actions are about different resources of one type.
_PER_ACTION: Mapping[tuple[str, str, str], tuple[Fill, ...]] = {
    ("kms", "ReEncrypt", "kms:ReEncryptFrom"): (("SourceKeyId",),),
    ("kms", "ReEncrypt", "kms:ReEncryptTo"): (("DestinationKeyId",),),
}
_SUFFIXES = ("Identifier", "Id", "Name", "Arn", "")


def generic(call: Call, actions: tuple[str, ...]) -> Iterator[Authorization]:
    """Authorizations of an operation without a resolver of its own: each action on each resource that is named."""
    for action in actions:
        for resource in resources_of(call, action):
            yield Authorization(action, resource, context_of(call, action, resource), account_of(resource))


def resources_of(call: Call, action: str) -> tuple[str, ...]:
    """ARNs of the resources that a call names for an action, in the order of the reference; ``*`` if it has none.

    What the call creates and names itself (a role) is filled in like any other; where AWS assigns the name (a VPC),
    the ARN ends in ``*``, as in AWS's own authorization of the creation.
    """
    if call.service == "s3":
        return s3_resources(call, action)
    known = load().action(action)
    if known is None or not known.resource_types:
        return ("*",)
    named = _named_by_arn(call)
    if named:
        return (named,)
    if known.service == "ec2" and any(call.value(name) for name in EC2_ID_LISTS):
        listed = tuple(_ec2_arns(call))
        return (*listed, *_unfilled(call, known, ())) or ("*",)
    filled = {kind.name: tuple(_fill(call, kind, action)) for kind in _relevant(call, known)}
    found = tuple(dict.fromkeys(arn for arns in filled.values() for arn in arns))
    if (
        known.service == "bedrock"
    ):  # the alias of a flow, the version of a prompt: not the flow, the prompt as well
        found = tuple(
            arn for arn in found if not any(one.startswith((f"{arn}/", f"{arn}:")) for one in found)
        )
    if known.service == "ec2" and known.name.startswith("Create"):
        return (*found, *_unfilled(call, known, filled)) or ("*",)
    return found or tuple(_unfilled(call, known, ()))[:1] or ("*",)


def template_arn(call: Call, template: str, values: Iterable[str]) -> str:
    """An ARN template with the call's partition, Region and account, and the rest filled in order (then ``*``)."""
    own = {"Partition": call.partition, "Region": call.region, "Account": call.account}
    rest = iter(values)
    return _FREE.sub(lambda part: own.get(part[1]) or next(rest, "*"), template)


def _named_by_arn(call: Call) -> str | None:
    """The resource of tagging and resource-policy operations, which name it by its ARN."""
    for name, value in call.parameters.items():
        if fold(name) == "resourcearn" and isinstance(value, str) and is_arn(value):
            return value
    return None


def _ec2_arns(call: Call) -> Iterator[str]:
    for name in EC2_ID_LISTS:
        for identifier in _as_list(call.value(name)):
            prefix = max((one for one in EC2_IDS if identifier.startswith(one)), key=len, default="")
            yield call.arn(f"{EC2_IDS.get(prefix, '*')}/{identifier}")


def _relevant(call: Call, action: Action) -> Iterator[ResourceType]:
    """Types of an action that its parameters can name; of alternatives, the one that fits."""
    for kind in action.resource_types:
        if kind.name == "rule-on-custom-event-bus" and call.text("EventBusName") in {"", "default"}:
            continue
        if kind.name == "rule-on-default-event-bus" and call.text("EventBusName") not in {"", "default"}:
            continue
        yield kind


def _unfilled(call: Call, action: Action, filled: Mapping[str, tuple[str, ...]] | tuple[()]) -> Iterator[str]:
    for kind in action.resource_types:
        present = isinstance(filled, Mapping) and filled.get(kind.name)
        if kind.name in action.required and not present:
            yield template_arn(call, kind.arn, ())


def _fill(call: Call, kind: ResourceType, action: str) -> Iterator[str]:
    """ARNs of one type that the parameters name."""
    table = RESOURCES.get(kind.service)
    special = _PER_ACTION.get((call.service, call.operation, action))
    alternatives = special or (table.get(kind.name, ()) if table is not None else (_guess(call, kind),))
    for names in alternatives:
        lists = [_as_list(call.value(name)) for name in names]
        if not names:
            yield template_arn(call, kind.arn, ())
        elif all(lists):
            for last in lists[-1]:
                yield from _one(call, kind, names, [one[0] for one in lists[:-1]], last)


def _one(call: Call, kind: ResourceType, names: Fill, heads: list[str], last: str) -> Iterator[str]:
    if not _plausible(kind, last):
        return
    if is_arn(last):
        if _fits(kind, last):
            yield _whole(kind, last)
        return
    parts = [_bare(part) for part in heads]
    yield template_arn(call, kind.arn, [*_prefixed(kind, parts), _local(call, kind, names[-1], last)])


def _fits(kind: ResourceType, arn: str) -> bool:
    """Whether an ARN has the type's service and the fixed text before its first free part."""
    head = _FREE.split(kind.arn.split(":", 5)[5])[0]
    fields = arn.split(":", 5)
    same_service = fields[2] == kind.arn.split(":")[2]
    return same_service and fields[5].startswith(head)


def _whole(kind: ResourceType, arn: str) -> str:
    """An ARN parameter as AWS authorizes it."""
    if kind.service == "logs" and kind.name == "log-group":
        return f"{arn.removesuffix(':*')}:log-stream:"
    if kind.service == "sns" and arn.count(":") == 6:  # a subscription belongs to its topic
        return arn.rpartition(":")[0]
    return arn


def _bare(part: str) -> str:
    """Id behind an ARN that fills a leading part (``flowIdentifier`` may be one)."""
    return part.rpartition("/")[2] if is_arn(part) else part


def _plausible(kind: ResourceType, value: str) -> bool:
    """Whether an organizations id or a model identifier is of the type."""
    if kind.service == "organizations":
        shapes = {"account": r"\d{12}", "organizationalunit": r"ou-.+", "root": r"r-.+", "policy": r"p-.+"}
        return bool(re.fullmatch(shapes.get(kind.name, ".+"), value))
    if kind.service == "bedrock" and kind.name.endswith("inference-profile") and not is_arn(value):
        return ("." in value) == (kind.name == "inference-profile")
    if kind.service == "kms" and kind.name == "key" and not is_arn(value):
        return not value.startswith("alias/")
    return True


def _prefixed(kind: ResourceType, parts: list[str]) -> list[str]:
    """Leading free parts that no parameter gives: the organization's id and a policy's type."""
    if kind.service != "organizations":
        return parts
    free = [name for name in _FREE.findall(kind.arn) if name not in _OWN]
    return ["*"] * (len(free) - 1)


def _local(call: Call, kind: ResourceType, name: str, value: str) -> str:
    """The last free part: names with paths, ids whose template already has the prefix, queue URLs."""
    if kind.service == "iam":
        path = call.text("Path") if call.operation.startswith("Create") else call.path_of(kind.name, value)
        return f"{(path or '/').lstrip('/')}{value}"
    if name == "QueueUrl":
        return value.rpartition("/")[2]
    shape = _SHAPES.get((kind.service, kind.name)) or _SHAPES.get((kind.service, ""))
    return shape(value) if shape else value


def _guess(call: Call, kind: ResourceType) -> Fill:
    """Parameters whose names follow the template's (``${GatewayId}``: ``gatewayIdentifier``), for other services."""
    given = {fold(name): name for name in call.parameters}
    names: list[str] = []
    for free in _FREE.findall(kind.arn):
        if free in _OWN:
            continue
        stem = re.sub(r"(Identifier|Id|Name|Arn)$", "", free)
        match = next((given[fold(stem + end)] for end in _SUFFIXES if fold(stem + end) in given), None)
        if match is None:
            return ("",)
        names.append(match)
    return tuple(names)


def _as_list(value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in values if isinstance(one, str) and one]
