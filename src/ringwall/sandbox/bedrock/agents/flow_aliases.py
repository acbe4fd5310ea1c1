"""Versions of flows, which never change, and the aliases that lead to them.

https://docs.aws.amazon.com/bedrock/latest/userguide/flows-deploy.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox.bedrock.agents.flows import (
    DRAFT,
    ID_LENGTH,
    decrypt,
    find,
    not_found,
    shown,
)
from ringwall.sandbox.bedrock.agents.knowledge import picked
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.state import UPPER, Tagged, new_id
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

TEST_ALIAS = "TSTALIASID"
_VERSIONED = ("name", "executionRoleArn", "customerEncryptionKeyArn", "id", "arn", "definition")
_VERSION_SUMMARY = ("id", "arn", "status", "createdAt", "version")
_ALIAS = ("name", "description", "routingConfiguration", "concurrencyConfiguration")


def create_version(scope: Scope, call: Call) -> Output:
    """CreateFlowVersion: a copy of the prepared draft under the next number."""
    flow = find(scope, call)
    known = scope.made_before(call)
    if known is not None and known in flow.versions:
        return Output(flow.versions[known].shape)
    if flow.shape["status"] != "Prepared":
        raise invalid(f"The flow {flow.shape['id']} is not prepared. Prepare it before you create a version.")
    decrypt(scope, call, flow)
    flow.last_version += 1
    number = str(flow.last_version)
    shape = {
        **picked(flow.shape, _VERSIONED),
        **picked(call.parameters, ("description",)),
        "status": "Prepared",
        "version": number,
        "createdAt": scope.platform.now(),
    }
    flow.versions[number] = Tagged(flow.arn, shape, wrapped_key=flow.wrapped_key)
    scope.note_made(call, number)
    return Output(shape)


def version_of(call: Call, flow: Tagged, number: str) -> Tagged:
    """A version of a flow, or its working draft.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    if number == DRAFT:
        return flow
    if number not in flow.versions:
        raise not_found(call, f"version {number} of flow {flow.shape['id']}")
    return flow.versions[number]


def get_version(scope: Scope, call: Call) -> Output:
    """GetFlowVersion."""
    return Output(shown(scope, call, version_of(call, find(scope, call), call.parameters["flowVersion"])))


def list_versions(scope: Scope, call: Call) -> Output:
    """ListFlowVersions."""
    summaries = [picked(one.shape, _VERSION_SUMMARY) for one in find(scope, call).versions.values()]
    listed, token = page(summaries, call.parameters, default=10)
    return Output({"flowVersionSummaries": listed, **token})


def _leads_to(alias: Tagged, number: str) -> bool:
    return any(route.get("flowVersion") == number for route in alias.shape["routingConfiguration"])


def delete_version(scope: Scope, call: Call) -> Output:
    """DeleteFlowVersion: not while an alias leads to it, unless told so."""
    flow, number = find(scope, call), call.parameters["flowVersion"]
    version_of(call, flow, number)
    used = any(_leads_to(alias, number) for alias in flow.children.values())
    if used and not call.parameters.get("skipResourceInUseCheck"):
        raise fault("bedrock-agent", "ConflictException", f"An alias leads to version {number} of the flow.")
    del flow.versions[number]
    return Output({"id": flow.shape["id"], "version": number})


def find_alias(scope: Scope, call: Call, identifier: str) -> tuple[Tagged, Tagged | None]:
    """Flow and alias of a call; no alias for the built-in test alias, which stands for the working draft.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    flow, alias_id = find(scope, call), identifier.rpartition("/")[2]
    if alias_id == TEST_ALIAS:
        return flow, None
    alias = flow.children.get(alias_id)
    if alias is None or (identifier.startswith("arn:") and alias.arn != identifier):
        raise not_found(call, f"alias {identifier} of flow {flow.shape['id']}")
    return flow, alias


def _alias(scope: Scope, call: Call) -> tuple[Tagged, Tagged]:
    flow, alias = find_alias(scope, call, call.parameters["aliasIdentifier"])
    if alias is None:
        raise invalid(f"The alias {TEST_ALIAS} is built in; it can be neither read nor changed.")
    return flow, alias


def _check_alias(call: Call, flow: Tagged, alias: Tagged | None = None) -> None:
    name = call.parameters["name"]
    if any(one.shape["name"] == name and one is not alias for one in flow.children.values()):
        raise fault(
            "bedrock-agent", "ConflictException", f"The flow has an alias with the name {name} already."
        )
    for route in call.parameters["routingConfiguration"]:
        version_of(call, flow, route.get("flowVersion", DRAFT))


def create_alias(scope: Scope, call: Call) -> Output:
    """CreateFlowAlias."""
    flow, now = find(scope, call), scope.platform.now()
    known = scope.made_before(call)
    if known is not None and known in flow.children:
        return Output(flow.children[known].shape)
    _check_alias(call, flow)
    alias_id = new_id(ID_LENGTH, UPPER)
    arn = f"{flow.arn}/alias/{alias_id}"
    shape = {
        **picked(call.parameters, _ALIAS),
        "flowId": flow.shape["id"],
        "id": alias_id,
        "arn": arn,
        "createdAt": now,
        "updatedAt": now,
    }
    flow.children[alias_id] = Tagged(arn, shape, dict(call.parameters.get("tags") or {}))
    scope.note_made(call, alias_id)
    scope.platform.changed()
    return Output(shape)


def update_alias(scope: Scope, call: Call) -> Output:
    """UpdateFlowAlias."""
    flow, alias = _alias(scope, call)
    _check_alias(call, flow, alias)
    alias.shape = {
        **{name: value for name, value in alias.shape.items() if name not in _ALIAS},
        **picked(call.parameters, _ALIAS),
        "updatedAt": scope.platform.now(),
    }
    return Output(alias.shape)


def get_alias(scope: Scope, call: Call) -> Output:
    """GetFlowAlias."""
    return Output(_alias(scope, call)[1].shape)


def list_aliases(scope: Scope, call: Call) -> Output:
    """ListFlowAliases."""
    shapes = [alias.shape for alias in find(scope, call).children.values()]
    listed, token = page(shapes, call.parameters, default=10)
    return Output({"flowAliasSummaries": listed, **token})


def delete_alias(scope: Scope, call: Call) -> Output:
    """DeleteFlowAlias."""
    flow, alias = _alias(scope, call)
    del flow.children[alias.shape["id"]]
    scope.platform.changed()
    return Output(picked(alias.shape, ("flowId", "id")))


OPERATIONS: dict[str, Operation] = {
    "CreateFlowVersion": create_version,
    "GetFlowVersion": get_version,
    "ListFlowVersions": list_versions,
    "DeleteFlowVersion": delete_version,
    "CreateFlowAlias": create_alias,
    "UpdateFlowAlias": update_alias,
    "GetFlowAlias": get_alias,
    "ListFlowAliases": list_aliases,
    "DeleteFlowAlias": delete_alias,
}
