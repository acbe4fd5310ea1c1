"""What AWS adds to KMS over moto: key policy checks, key states, aliases in authorization, rotation periods.

https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringwall.iam.evaluate import decide
from ringwall.iam.policy import PolicySet
from ringwall.iam.request import Request
from ringwall.sandbox import documents, grants, kms_asymmetric
from ringwall.sandbox.call import AwsError, Output, not_carried_out
from ringwall.sandbox.hooks import Hooks, each

if TYPE_CHECKING:
    from ringwall.iam.policy import Policy
    from ringwall.sandbox.backend import Moto, Reply
    from ringwall.sandbox.turn import Turn

_USES = (
    "Encrypt",
    "Decrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateMac",
    "VerifyMac",
    "Sign",
    "Verify",
)
_BY_KEY = (
    *_USES,
    "CreateGrant",
    "DescribeKey",
    "GetPublicKey",
    "GetKeyPolicy",
    "PutKeyPolicy",
    "ListKeyPolicies",
    "ListGrants",
    "RevokeGrant",
    "EnableKey",
    "DisableKey",
    "EnableKeyRotation",
    "DisableKeyRotation",
    "GetKeyRotationStatus",
    "RotateKeyOnDemand",
    "ListKeyRotations",
    "TagResource",
    "UntagResource",
    "ListResourceTags",
    "ScheduleKeyDeletion",
    "CancelKeyDeletion",
    "UpdateKeyDescription",
)
_WRITABLE = ("DisableKeyRotation", "EnableKey", "DisableKey", "UpdateKeyDescription", "TagResource")
_LOCKOUT = "The new key policy will not allow you to update the key policy in the future."
_LACKING = ("SM2", "ML_DSA", "ECC_NIST_EDWARDS25519")
_PERIODS = range(90, 2561)


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicyDocumentException", message)


def find_key(moto: Moto, account: str, region: str, name: str) -> Any:
    """The key for an id, ARN, alias or alias ARN; ``None`` if there is none."""
    if name.startswith("arn:"):
        fields = name.split(":", 5)
        region, account, name = fields[3], fields[4], fields[5].removeprefix("key/")
    with moto.locked():
        if account not in moto.accounts("kms"):
            return None
        store = moto.store("kms", account, region)
        if name.startswith("alias/"):
            return next((key for key in store.keys.values() if name in key.aliases), None)
        return store.keys.get(name)


def _named_key(turn: Turn) -> Any:
    name = turn.parameters.get("KeyId")
    return find_key(turn.gateway.moto, turn.account, turn.call.region, str(name)) if name else None


def _key_of_ciphertext(turn: Turn) -> str | None:
    blob = turn.parameters.get("CiphertextBlob")
    return blob[:36].decode("ascii", "replace") if isinstance(blob, bytes) and len(blob) > 36 else None


def _authorize_by_key(turn: Turn) -> None:
    """Aliases and ciphertexts stand for a key; its ARN is what policies are about."""
    key = _named_key(turn)
    if key is None and turn.parameters.get("KeyId"):
        raise _no_key(turn, str(turn.parameters["KeyId"]))
    if key is None:
        name = _key_of_ciphertext(turn)
        key = find_key(turn.gateway.moto, turn.account, turn.call.region, name) if name else None
    if key is not None:
        turn.changes["KeyId"] = key.arn
        # moto takes bare ids everywhere, ARNs and aliases only here and there.
        if "KeyId" in turn.parameters:
            turn.parameters["KeyId"] = key.id


def _authorize_by_both_keys(turn: Turn) -> None:
    """ReEncrypt takes from one key, which the ciphertext names, and gives to another."""
    moto, place = turn.gateway.moto, (turn.account, turn.call.region)
    source = turn.parameters.get("SourceKeyId") or _key_of_ciphertext(turn)
    for name, given in (
        ("SourceKeyId", source),
        ("DestinationKeyId", turn.parameters.get("DestinationKeyId")),
    ):
        key = find_key(moto, *place, str(given)) if given else None
        if key is None:
            raise _no_key(turn, str(given))
        require_usable(key)
        turn.changes[name] = key.arn
        if name in turn.parameters:
            turn.parameters[name] = key.id


def _no_key(turn: Turn, name: str) -> AwsError:
    # KMS has no policy to weigh for a key that is not there, and says so.
    kind = "alias" if "alias/" in name else "key"
    resource = name if kind == "alias" else f"key/{name}"
    arn = name if name.startswith("arn:") else f"arn:aws:kms:{turn.call.region}:{turn.account}:{resource}"
    message = f"Alias {arn} is not found." if kind == "alias" else f"Key '{arn}' does not exist"
    return AwsError("NotFoundException", message)


def _key_of_grant(turn: Turn) -> None:
    """A grant token stands for its grant, and for its key."""
    token = turn.parameters.get("GrantToken")
    if token is None:
        _authorize_by_key(turn)
        return
    moto = turn.gateway.moto
    with moto.locked():
        if turn.account in moto.accounts("kms"):
            for key in moto.store("kms", turn.account, turn.call.region).keys.values():
                if any(grant.token == token for grant in key.grants.values()):
                    turn.changes["KeyId"] = key.arn
                    return
    raise AwsError("InvalidGrantTokenException", "The grant token is not valid.")


def _create_grant(turn: Turn) -> None:
    grants.check(turn.parameters)
    _usable(turn)


def _usable(turn: Turn) -> None:
    key = _named_key(turn)
    if key is not None:
        require_usable(key)


def require_usable(key: Any) -> None:
    """Refuse a key that is disabled or waits for its deletion.

    Raises:
        AwsError: ``DisabledException`` or ``KMSInvalidStateException``.
    """
    if key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")
    if not key.enabled or key.key_state == "Disabled":
        raise AwsError("DisabledException", f"{key.arn} is disabled.")


def _signs(turn: Turn) -> None:
    key = _named_key(turn)
    if key is None or kms_asymmetric.is_asymmetric(key):
        return
    if turn.call.operation == "GetPublicKey":
        raise AwsError("UnsupportedOperationException", f"{key.arn} is not an asymmetric key.")
    usage = f"{key.arn} key usage is {key.key_usage} which is not valid for {turn.call.operation}."
    raise AwsError("InvalidKeyUsageException", usage)


def _encrypt(turn: Turn) -> Output:
    key = _named_key(turn)
    if kms_asymmetric.is_asymmetric(key):
        return kms_asymmetric.encrypt(key, turn.parameters)
    reply = turn.gateway.moto.execute("kms", "Encrypt", turn.parameters, turn.account, turn.call.region)
    return Output({**reply.parameters, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})


def _decrypt(turn: Turn) -> Output:
    key = _named_key(turn)
    if kms_asymmetric.is_asymmetric(key):
        return kms_asymmetric.decrypt(key, turn.parameters)
    return Output(turn.gateway.moto.decrypt(turn.parameters, turn.account, turn.call.region))


def _sign(turn: Turn) -> Output:
    return kms_asymmetric.sign(_named_key(turn), turn.parameters)


def _verify(turn: Turn) -> Output:
    return kms_asymmetric.verify(_named_key(turn), turn.parameters)


def _not_pending(turn: Turn) -> None:
    key = _named_key(turn)
    if key is not None and key.key_state == "PendingDeletion":
        raise AwsError("KMSInvalidStateException", f"{key.arn} is pending deletion.")


def _only_policy(turn: Turn) -> None:
    """A key has one policy, which need not be named."""
    if turn.parameters.setdefault("PolicyName", "default") != "default":
        raise AwsError("NotFoundException", "No such policy exists")


def _put_key_policy(turn: Turn) -> None:
    _only_policy(turn)
    key = _named_key(turn)
    if key is not None:
        _check_key_policy(turn, key.arn)


def _create_key(turn: Turn) -> None:
    spec = str(turn.parameters.get("KeySpec") or turn.parameters.get("CustomerMasterKeySpec") or "")
    if spec.startswith(_LACKING):
        raise not_carried_out("kms", "CreateKey", f"with the key spec {spec}")
    if turn.parameters.get("Policy"):
        _check_key_policy(turn, f"arn:aws:kms:{turn.call.region}:{turn.account}:key/new")


def _check_key_policy(turn: Turn, arn: str) -> None:
    policy = documents.check(turn.parameters.get("Policy"), documents.KEY, _malformed)
    if documents.missing_principal(turn, policy):
        raise _malformed("Policy contains a statement with one or more invalid principals.")
    skip = turn.parameters.get("BypassPolicyLockoutSafetyCheck")
    if not skip and not _can_change_again(turn, policy, arn):
        raise _malformed(_LOCKOUT)


def _can_change_again(turn: Turn, policy: Policy, arn: str) -> bool:
    """Whether the caller, or the account by its own policies, may still put a key policy."""
    request = Request(turn.call.principal, "kms:PutKeyPolicy", arn, turn.account, turn.call.context)
    session = turn.caller.session_policies if turn.caller else None
    policies = turn.gateway.views.now().access.policies(turn.call.principal, session=session)
    known = PolicySet(policies.identity, policies.permissions_boundary, session, policy, policies.scp)
    return decide(request, known).allowed


def _rotation(turn: Turn) -> None:
    _not_pending(turn)
    period = turn.parameters.get("RotationPeriodInDays")
    if period is not None and period not in _PERIODS:
        raise AwsError(
            "ValidationException", f"RotationPeriodInDays must be between 90 and 2560, not {period}"
        )


def _rotation_on(turn: Turn, reply: Reply) -> None:
    del reply
    key = _named_key(turn)
    if key is not None:
        key.ringwall_rotation_period = turn.parameters.get("RotationPeriodInDays", 365)


def _rotation_status(turn: Turn, reply: Reply) -> None:
    key = _named_key(turn)
    if key is None:
        return
    reply.parameters["KeyId"] = key.arn
    if reply.parameters.get("KeyRotationEnabled"):
        reply.parameters["RotationPeriodInDays"] = getattr(key, "ringwall_rotation_period", 365)


def _policy_text(turn: Turn, reply: Reply) -> None:
    del turn
    text = reply.parameters.get("Policy")
    if isinstance(text, dict):
        reply.parameters["Policy"] = json.dumps(text)
    reply.parameters.setdefault("PolicyName", "default")


KMS = Hooks(
    prepare={
        **each("kms", _BY_KEY, _authorize_by_key),
        ("kms", "RetireGrant"): _key_of_grant,
        ("kms", "ReEncrypt"): _authorize_by_both_keys,
    },
    before={
        **each("kms", _USES, _usable),
        **each("kms", ("Sign", "Verify", "GetPublicKey"), _signs),
        **each("kms", _WRITABLE, _not_pending),
        ("kms", "GetKeyPolicy"): _only_policy,
        ("kms", "PutKeyPolicy"): _put_key_policy,
        ("kms", "CreateKey"): _create_key,
        ("kms", "CreateGrant"): _create_grant,
        ("kms", "EnableKeyRotation"): _rotation,
    },
    instead={
        ("kms", "Encrypt"): _encrypt,
        ("kms", "Decrypt"): _decrypt,
        ("kms", "Sign"): _sign,
        ("kms", "Verify"): _verify,
    },
    after={
        ("kms", "EnableKeyRotation"): _rotation_on,
        ("kms", "GetKeyRotationStatus"): _rotation_status,
        ("kms", "GetKeyPolicy"): _policy_text,
    },
)
