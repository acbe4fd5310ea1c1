"""KMS grants as an allow path: what a grant permits, said as a statement of the key's policy.

A grant lets its grantee use a key without any policy that says so, within the constraints on the encryption context;
an explicit Deny anywhere still wins. That is what a statement of the key policy does which names the grantee, so a
grant is decided, traced and explained as one, under the Sid ``Grant<id>``.

https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.call import AwsError

if TYPE_CHECKING:
    from collections.abc import Mapping

OPERATIONS = frozenset(
    {
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
        "Sign",
        "Verify",
        "GetPublicKey",
        "CreateGrant",
        "RetireGrant",
        "DescribeKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateMac",
        "VerifyMac",
        "DeriveSharedSecret",
    }
)
# Operations without an encryption context; a constraint does not reach them.
_UNCONSTRAINED = frozenset({"DescribeKey", "RetireGrant", "CreateGrant", "GetPublicKey"})
_PREFIX = "kms:EncryptionContext:"


def statements(grant: Any) -> list[dict[str, Any]]:
    """Statements of a key policy that permit what one of moto's grants permits."""
    operations = set(grant.operations) - {"CreateGrant"}
    condition = _condition(grant.constraints or {})
    free = sorted(operations & _UNCONSTRAINED) if condition else sorted(operations)
    bound = sorted(operations - set(free))
    allowed = [_statement(grant, free)] if free else []
    if bound:
        allowed.append({**_statement(grant, bound), "Condition": condition})
    if "CreateGrant" in grant.operations:
        # Who may pass a grant on passes on no more than it holds.
        no_more = {"ForAllValues:StringEquals": {"kms:GrantOperations": sorted(grant.operations)}}
        allowed.append({**_statement(grant, ["CreateGrant"]), "Condition": no_more})
    if grant.retiring_principal:
        retire = {"Principal": _principal(grant.retiring_principal), "Action": "kms:RetireGrant"}
        allowed.append({"Sid": f"Grant{grant.id}Retire", "Effect": "Allow", "Resource": "*", **retire})
    return allowed


def _statement(grant: Any, operations: list[str]) -> dict[str, Any]:
    return {
        "Sid": f"Grant{grant.id}",
        "Effect": "Allow",
        "Principal": _principal(grant.grantee_principal),
        "Action": [f"kms:{operation}" for operation in operations],
        "Resource": "*",
    }


def _principal(name: str) -> dict[str, str]:
    return {"AWS" if name.startswith("arn:") else "Service": name}


def _condition(constraints: Mapping[str, Any]) -> dict[str, Any]:
    """The encryption context that a request must have: at least these pairs, or exactly these."""
    subset, equals = constraints.get("EncryptionContextSubset"), constraints.get("EncryptionContextEquals")
    pairs = {**(subset or {}), **(equals or {})}
    if not pairs:
        return {}
    condition: dict[str, Any] = {"StringEquals": {f"{_PREFIX}{name}": value for name, value in pairs.items()}}
    if equals:
        condition["ForAllValues:StringEquals"] = {"kms:EncryptionContextKeys": sorted(equals)}
    return condition


def check(parameters: Mapping[str, Any]) -> None:
    """Refuse what KMS refuses in CreateGrant.

    Raises:
        AwsError: ``ValidationException`` or ``InvalidArnException``.
    """
    unknown = sorted(set(parameters.get("Operations") or ()) - OPERATIONS)
    if unknown or not parameters.get("Operations"):
        raise AwsError(
            "ValidationException",
            f"1 validation error detected: Value '{unknown}' at 'operations' failed to satisfy constraint: "
            f"Member must satisfy constraint: [Member must satisfy enum value set: {sorted(OPERATIONS)}]",
        )
    for name in ("GranteePrincipal", "RetiringPrincipal"):
        principal = parameters.get(name)
        if principal is not None and not principal.startswith("arn:") and "." not in principal:
            raise AwsError("InvalidArnException", f"{principal} is not a valid principal")
    constraints = parameters.get("Constraints") or {}
    if {"EncryptionContextSubset", "EncryptionContextEquals"} <= constraints.keys():
        raise AwsError(
            "ValidationException",
            "Only one of EncryptionContextSubset and EncryptionContextEquals may be given.",
        )
