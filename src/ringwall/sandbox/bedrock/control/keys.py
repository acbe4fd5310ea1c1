"""Customer managed KMS keys of guardrails: what their creator and every caller must be allowed, checked on the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.call import AwsError, Call

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Scope
    from ringwall.sandbox.bedrock.state import GuardrailVersion

_DENIED = {"AccessDeniedException", "AccessDenied"}


def _kms(
    scope: Scope, call: Call, operation: str, parameters: dict[str, Any], key_arn: str | None = None
) -> dict[str, Any]:
    """A KMS call with the caller's rights through Bedrock, in the key's account."""
    account = key_arn.split(":")[4] if key_arn else call.account
    return scope.platform.call_as(
        call.principal,
        "kms",
        operation,
        parameters,
        account=account,
        region=call.region,
        context={
            "kms:viaservice": (f"bedrock.{call.region}.amazonaws.com",),
            "aws:calledvia": ("bedrock.amazonaws.com",),
        },
    )


def wrap_key(scope: Scope, call: Call, key_id: str | None) -> tuple[str | None, bytes | None]:
    """Take a guardrail's key into use, as its creator: DescribeKey, CreateGrant, GenerateDataKey.

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


def unwrap_key(scope: Scope, call: Call, version: GuardrailVersion) -> None:
    """Use a guardrail's key, as the caller: kms:Decrypt. Nothing to do where the guardrail has no key of its own.

    Raises:
        AwsError: ``AccessDeniedException`` or ``ValidationException``.
    """
    if version.kms_key_arn is None:
        return
    parameters = {"KeyId": version.kms_key_arn, "CiphertextBlob": version.wrapped_key}
    try:
        _kms(scope, call, "Decrypt", parameters, version.kms_key_arn)
    except AwsError as error:
        raise _translated(call, version.kms_key_arn, error) from error


def _translated(call: Call, key_id: str, error: AwsError) -> AwsError:
    if error.code == "ValidationException":
        return error
    if error.code in _DENIED:
        return fault(call.service, "AccessDeniedException", error.message)
    return invalid(f"The KMS key {key_id} cannot be used: {error.message}")
