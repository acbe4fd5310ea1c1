"""Customer managed KMS keys of Bedrock's resources: what their creator and every caller must be allowed, on the key.

Guardrails and models of one's own are encrypted under a grant that their creator makes for Bedrock; whoever uses them
needs ``kms:Decrypt`` through Bedrock. Flows have no grant: each call encrypts or decrypts in its caller's name, with the
flow's ARN as encryption context.

User guide: "Set up permissions to use guardrails", "Encryption of model customization jobs and artifacts", "Encryption
of imported custom models", "Encryption of Amazon Bedrock Flows resources".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.call import AwsError, Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.scope import Scope

_DENIED = {"AccessDeniedException", "AccessDenied"}


def _kms(
    scope: Scope, call: Call, operation: str, parameters: dict[str, Any], key_arn: str | None = None
) -> dict[str, Any]:
    """A KMS call with the caller's rights through Bedrock, in the key's account."""
    region, account = key_arn.split(":")[3:5] if key_arn else (call.region, call.account)
    context = {
        "kms:viaservice": (f"bedrock.{region}.amazonaws.com",),
        "aws:calledvia": ("bedrock.amazonaws.com",),
    }
    if operation == "CreateGrant":
        context["kms:grantisforawsresource"] = ("true",)
    return scope.platform.call_as(
        call.principal, "kms", operation, parameters, account=account, region=region, context=context
    )


def wrap_key(scope: Scope, call: Call, key_id: str | None) -> tuple[str | None, bytes | None]:
    """Take a resource's key into use, as its creator: DescribeKey, CreateGrant, GenerateDataKey.

    Returns:
        The key's ARN and the wrapped data key; both ``None`` where no key was named.

    Raises:
        AwsError: ``AccessDeniedException``, or ``ValidationException`` for a key that does not exist or cannot be used.
    """
    if key_id is None:
        return None, None
    try:
        key = _kms(scope, call, "DescribeKey", {"KeyId": key_id})["KeyMetadata"]
        arn = str(key["Arn"])
        if key.get("KeySpec", "SYMMETRIC_DEFAULT") != "SYMMETRIC_DEFAULT":
            raise invalid(f"The KMS key {key_id} must be a symmetric encryption key.")
        if key.get("KeyState", "Enabled") != "Enabled":
            raise invalid(f"The KMS key {key_id} is not enabled: its state is {key['KeyState']}.")
        grant = {
            "KeyId": arn,
            "GranteePrincipal": "bedrock.amazonaws.com",
            "Operations": ["Decrypt", "GenerateDataKey", "DescribeKey"],
        }
        _kms(scope, call, "CreateGrant", grant, arn)
        data_key = _kms(scope, call, "GenerateDataKey", {"KeyId": arn, "KeySpec": "AES_256"}, arn)
    except AwsError as error:
        raise _translated(call, key_id, error) from error
    return arn, bytes(data_key["CiphertextBlob"])


def wrap_in_context(
    scope: Scope, call: Call, key_arn: str | None, context: Mapping[str, str]
) -> bytes | None:
    """Take a resource's key into use without a grant, in the caller's name: GenerateDataKey.

    Raises:
        AwsError: as :func:`wrap_key`.
    """
    if key_arn is None:
        return None
    parameters = {"KeyId": key_arn, "KeySpec": "AES_256", "EncryptionContext": dict(context)}
    try:
        return bytes(_kms(scope, call, "GenerateDataKey", parameters, key_arn)["CiphertextBlob"])
    except AwsError as error:
        raise _translated(call, key_arn, error) from error


def unwrap_key(
    scope: Scope,
    call: Call,
    key_arn: str | None,
    wrapped: bytes | None,
    context: Mapping[str, str] | None = None,
) -> None:
    """Use a resource's key, as the caller: kms:Decrypt. Nothing to do where the resource has no key of its own.

    Raises:
        AwsError: ``AccessDeniedException`` or ``ValidationException``.
    """
    if key_arn is None:
        return
    parameters: dict[str, Any] = {"KeyId": key_arn, "CiphertextBlob": wrapped}
    if context:
        parameters["EncryptionContext"] = dict(context)
    try:
        _kms(scope, call, "Decrypt", parameters, key_arn)
    except AwsError as error:
        raise _translated(call, key_arn, error) from error


def _translated(call: Call, key_id: str, error: AwsError) -> AwsError:
    if error.code == "ValidationException":
        return error
    if error.code in _DENIED:
        return fault(call.service, "AccessDeniedException", error.message)
    return invalid(f"The KMS key {key_id} cannot be used: {error.message}")
