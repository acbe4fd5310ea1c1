"""What AWS adds to IAM over moto: document checks, conflicts, defaults, and service-specific credentials.

https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html
"""

from __future__ import annotations

import base64
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import chance, documents, mfa
from ringwall.sandbox.call import AwsError, Output
from ringwall.sandbox.credentials import ApiKey, random_id
from ringwall.sandbox.hooks import Hooks, each

if TYPE_CHECKING:
    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.turn import Turn

_OWN = (
    "GetUser",
    "CreateAccessKey",
    "ListAccessKeys",
    "UpdateAccessKey",
    "DeleteAccessKey",
    "CreateServiceSpecificCredential",
    "ListServiceSpecificCredentials",
    "UpdateServiceSpecificCredential",
    "DeleteServiceSpecificCredential",
    "ResetServiceSpecificCredential",
)
"""Operations whose ``UserName`` is the caller's when left out."""
_INLINE_LIMITS = {"PutRolePolicy": 10240, "PutUserPolicy": 2048, "PutGroupPolicy": 5120}
_CREDENTIAL_SERVICES = frozenset(
    {"bedrock.amazonaws.com", "codecommit.amazonaws.com", "cassandra.amazonaws.com"}
)
_MAX_CREDENTIALS = 2
_BOUNDARY = "PermissionsBoundary"
_AWS = "arn:aws:iam::aws:"


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocument", message)


def _missing(what: str) -> AwsError:
    return AwsError("NoSuchEntity", what, 404)


def _own_user(turn: Turn) -> None:
    caller = turn.caller
    if "UserName" not in turn.parameters and caller is not None and caller.kind == "User":
        turn.parameters["UserName"] = caller.arn.rsplit("/", 1)[1]


def _identity_document(turn: Turn) -> None:
    kind = documents.MANAGED if turn.call.operation.startswith("CreatePolicy") else documents.IDENTITY
    documents.check(turn.parameters.get("PolicyDocument"), kind, _malformed)
    limit = _INLINE_LIMITS.get(turn.call.operation)
    text = "".join(str(turn.parameters.get("PolicyDocument")).split())
    if limit and len(text) > limit:
        owner = turn.call.operation.removeprefix("Put").removesuffix("Policy").lower()
        name = turn.parameters.get(f"{owner.title()}Name")
        raise AwsError(
            "LimitExceeded", f"Maximum policy size of {limit} bytes exceeded for {owner} {name}", 409
        )


def _policies_in_use(turn: Turn) -> None:
    """AWS lists its own managed policies only where something uses them, not where somebody has asked for them."""
    store = turn.gateway.moto.store("iam", turn.owner or turn.call.account)
    if "get_account_authorization_details" in vars(store):
        return
    whole = store.get_account_authorization_details

    def in_use(policy_filter: list[str]) -> dict[str, Any]:
        details: dict[str, Any] = whole(policy_filter)
        boundaries = {role.permissions_boundary_arn for role in store.roles.values()}
        boundaries |= {getattr(user, "ringwall_permissions_boundary", None) for user in store.users.values()}
        policies = {policy.arn: policy for policy in details["managed_policies"]}
        own = [arn for arn in policies if not arn.startswith(_AWS)]
        used = [
            arn
            for arn, policy in policies.items()
            if arn.startswith(_AWS) and (policy.attachment_count or arn in boundaries)
        ]
        # In an order that does not tell which of AWS's somebody asked for first.
        details["managed_policies"] = [policies[arn] for arn in (*sorted(used), *sorted(own))]
        return details

    store.get_account_authorization_details = in_use


def _trust_document(name: str, turn: Turn) -> None:
    policy = documents.check(turn.parameters.get(name), documents.TRUST, _malformed)
    for statement in policy.statements:
        for action in statement.actions or ():
            if action != "*" and not action.lower().startswith("sts:"):
                raise _malformed(f"AssumeRole policy may only specify STS AssumeRole actions: {action}")
    stranger = documents.missing_principal(turn, policy)
    if stranger:
        raise _malformed(f"Invalid principal in policy: {stranger}")


def _boundary_exists(turn: Turn) -> None:
    arn = turn.parameters.get(_BOUNDARY)
    if arn is None:
        return
    with turn.gateway.moto.locked():
        if arn not in turn.gateway.moto.store("iam", turn.account).managed_policies:
            raise _missing(f"Scope ARN: {arn} does not exist or is not attachable.")


def _create_role(turn: Turn) -> None:
    _trust_document("AssumeRolePolicyDocument", turn)
    _boundary_exists(turn)


def _delete_policy(turn: Turn) -> None:
    arn = turn.parameters["PolicyArn"]
    with turn.gateway.moto.locked():
        store = turn.gateway.moto.store("iam", turn.account)
        holders = (*store.roles.values(), *store.users.values(), *store.groups.values())
        attached = any(arn in holder.managed_policies for holder in holders)
        bounds = any(getattr(role, "permissions_boundary_arn", None) == arn for role in store.roles.values())
        policy = store.managed_policies.get(arn)
    if attached or bounds:
        raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.", 409)
    if policy is not None and len(policy.versions) > 1:
        message = "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy."
        raise AwsError("DeleteConflict", message, 409)


def _user(turn: Turn) -> Any:
    name = turn.parameters.get("UserName")
    user = turn.gateway.moto.store("iam", turn.account).users.get(name)
    if user is None:
        raise _missing(f"The user with name {name} cannot be found.")
    return user


def _delete_user(turn: Turn) -> None:
    with turn.gateway.moto.locked():
        user = _user(turn)
        if user.access_keys or any(key.user == user.name for key in _keys(turn)):
            raise AwsError("DeleteConflict", "Cannot delete entity, must delete access keys first.", 409)
        if user.managed_policies:
            raise AwsError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
        if user.policies:
            raise AwsError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
        groups = turn.gateway.moto.store("iam", turn.account).groups.values()
        if any(user in group.users for group in groups):
            raise AwsError("DeleteConflict", "Cannot delete entity, must remove users from group first.", 409)


def _created_user(turn: Turn, reply: Reply) -> None:
    """Give a user an id as IAM makes them (moto's are random letters), and its boundary."""
    with turn.gateway.moto.locked():
        user = _user(turn)
        user.id = reply.parameters["User"]["UserId"] = random_id("AIDA", 17)
        user.ringwall_permissions_boundary = turn.parameters.get(_BOUNDARY)
    _shown_boundary(turn, reply)


def _shown_boundary(turn: Turn, reply: Reply) -> None:
    with turn.gateway.moto.locked():
        user = turn.gateway.moto.store("iam", turn.account).users.get(reply.parameters["User"]["UserName"])
        boundary = getattr(user, "ringwall_permissions_boundary", None)
    if boundary:
        reply.parameters["User"][_BOUNDARY] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": boundary,
        }


def _without_seeds(_: Turn, reply: Reply) -> None:
    mfa.without_seeds(reply.parameters["VirtualMFADevices"])


def _put_user_boundary(turn: Turn) -> Output:
    _boundary_exists(turn)
    with turn.gateway.moto.locked():
        _user(turn).ringwall_permissions_boundary = turn.parameters[_BOUNDARY]
    return Output({})


def _delete_user_boundary(turn: Turn) -> Output:
    with turn.gateway.moto.locked():
        user = _user(turn)
        if getattr(user, "ringwall_permissions_boundary", None) is None:
            raise _missing(f"Entity {user.name} does not have a permissions boundary attached.")
        user.ringwall_permissions_boundary = None
    return Output({})


# --- service-specific credentials: Bedrock API keys ---------------------------------------------------------------


def _keys(turn: Turn) -> list[ApiKey]:
    return [key for key in turn.gateway.credentials.api_keys.values() if key.account == turn.account]


def _create_credential(turn: Turn) -> Output:
    parameters = turn.parameters
    with turn.gateway.moto.locked():
        user = _user(turn)
    service = parameters["ServiceName"]
    if service not in _CREDENTIAL_SERVICES:
        raise _missing(f"No such service {service} is supported for Service Specific Credentials")
    own = [key for key in _keys(turn) if key.user == user.name and key.service == service]
    if len(own) >= _MAX_CREDENTIALS:
        message = f"Cannot exceed quota for ServiceSpecificCredentialsPerUser: {_MAX_CREDENTIALS}"
        raise AwsError("LimitExceeded", message, 409)
    days = parameters.get("CredentialAgeDays")
    if days is not None and not 1 <= days <= 36600:
        raise AwsError("ValidationError", "CredentialAgeDays must be between 1 and 36600")
    alias = f"{user.name}-at-{turn.account}"
    key = ApiKey(
        turn.account,
        user.name,
        service,
        random_id("ACCA", 17),
        f"BedrockAPIKey-{chance.token_hex(2)}+1-at-{turn.account}"
        if service.startswith("bedrock")
        else alias,
        _secret(service, alias),
        turn.call.time,
        turn.call.time + timedelta(days=days) if days else None,
    )
    turn.gateway.credentials.api_keys[key.id] = key
    return Output({"ServiceSpecificCredential": {**_described(key), **_with_secret(key)}})


def _secret(service: str, alias: str) -> str:
    if not service.startswith("bedrock"):
        return base64.b64encode(chance.token_bytes(32)).decode()
    return "ABSK" + base64.b64encode(f"{alias}:".encode() + chance.token_bytes(32)).decode()


def _described(key: ApiKey) -> dict[str, Any]:
    described: dict[str, Any] = {
        "UserName": key.user,
        "Status": key.status,
        "CreateDate": key.created,
        "ServiceSpecificCredentialId": key.id,
        "ServiceName": key.service,
    }
    if key.service.startswith("bedrock"):
        described["ServiceCredentialAlias"] = key.alias
    else:
        described["ServiceUserName"] = key.alias
    if key.expires is not None:
        described["ExpirationDate"] = key.expires
    return described


def _with_secret(key: ApiKey) -> dict[str, Any]:
    name = "ServiceCredentialSecret" if key.service.startswith("bedrock") else "ServicePassword"
    return {name: key.secret}


def _list_credentials(turn: Turn) -> Output:
    wanted, service = turn.parameters.get("UserName"), turn.parameters.get("ServiceName")
    everybody = turn.parameters.get("AllUsers")
    found = [
        _described(key)
        for key in _keys(turn)
        if (everybody or key.user == wanted) and (service is None or key.service == service)
    ]
    return Output({"ServiceSpecificCredentials": found, "IsTruncated": False})


def _credential(turn: Turn) -> ApiKey:
    name, identity = turn.parameters.get("UserName"), turn.parameters["ServiceSpecificCredentialId"]
    key = next((item for item in _keys(turn) if item.id == identity and name in {None, item.user}), None)
    if key is None:
        raise _missing(f"No such credential {identity} exists")
    return key


def _update_credential(turn: Turn) -> Output:
    _credential(turn).status = turn.parameters["Status"]
    return Output({})


def _delete_credential(turn: Turn) -> Output:
    del turn.gateway.credentials.api_keys[_credential(turn).id]
    return Output({})


def _reset_credential(turn: Turn) -> Output:
    key = _credential(turn)
    key.secret = _secret(key.service, key.alias)
    return Output({"ServiceSpecificCredential": {**_described(key), **_with_secret(key)}})


IAM = Hooks(
    prepare=each("iam", _OWN, _own_user),
    before={
        **each(
            "iam",
            ("PutRolePolicy", "PutUserPolicy", "PutGroupPolicy", "CreatePolicy", "CreatePolicyVersion"),
            _identity_document,
        ),
        ("iam", "CreateRole"): _create_role,
        ("iam", "GetAccountAuthorizationDetails"): _policies_in_use,
        ("iam", "CreateUser"): _boundary_exists,
        ("iam", "PutRolePermissionsBoundary"): _boundary_exists,
        ("iam", "UpdateAssumeRolePolicy"): partial(_trust_document, "PolicyDocument"),
        ("iam", "DeletePolicy"): _delete_policy,
        ("iam", "DeleteUser"): _delete_user,
        ("iam", "EnableMFADevice"): mfa.enable,
    },
    after={
        ("iam", "CreateUser"): _created_user,
        ("iam", "GetUser"): _shown_boundary,
        ("iam", "ListVirtualMFADevices"): _without_seeds,
    },
    instead={
        ("iam", "PutUserPermissionsBoundary"): _put_user_boundary,
        ("iam", "DeleteUserPermissionsBoundary"): _delete_user_boundary,
        ("iam", "CreateServiceSpecificCredential"): _create_credential,
        ("iam", "ListServiceSpecificCredentials"): _list_credentials,
        ("iam", "UpdateServiceSpecificCredential"): _update_credential,
        ("iam", "DeleteServiceSpecificCredential"): _delete_credential,
        ("iam", "ResetServiceSpecificCredential"): _reset_credential,
    },
)
