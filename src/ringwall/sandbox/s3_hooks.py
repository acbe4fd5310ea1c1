"""What AWS adds to S3 over moto: bucket policy checks, secure defaults, and keys that are really asked for.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ringwall.catalog.operations import Authorization
from ringwall.sandbox import documents, faults
from ringwall.sandbox.call import AwsError
from ringwall.sandbox.hooks import Hooks, each
from ringwall.sandbox.kms_hooks import find_key, require_usable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.iam.policy import Policy
    from ringwall.sandbox.backend import Reply
    from ringwall.sandbox.turn import Turn

_WRITES = ("PutObject", "CopyObject", "CreateMultipartUpload")
_READS = ("GetObject", "HeadObject", "GetObjectAttributes")
_ALGORITHMS = frozenset({"AES256", "aws:kms", "aws:kms:dsse"})
_OWNER_ACLS = frozenset({"bucket-owner-full-control", "private"})
_BLOCK_ALL = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
_DEFAULT_ENCRYPTION = {
    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]
}
_KMS_FAULTS = {
    "DisabledException": "KMS.DisabledException",
    "KMSInvalidStateException": "KMS.KMSInvalidStateException",
    "NotFoundException": "KMS.NotFoundException",
}


def _malformed(message: str) -> AwsError:
    return AwsError("MalformedPolicy", message)


def _bucket(turn: Turn) -> Any:
    name = turn.parameters["Bucket"]
    owner = turn.gateway.moto.bucket_owner(name)
    return turn.gateway.moto.store("s3", owner).buckets.get(name) if owner else None


def _put_policy(turn: Turn) -> None:
    policy = documents.check(turn.parameters.get("Policy"), documents.BUCKET, _malformed)
    arn = f"arn:aws:s3:::{turn.parameters['Bucket']}"
    for statement in policy.statements:
        for resource in (*(statement.resources or ()), *(statement.not_resources or ())):
            if resource != arn and not resource.startswith((f"{arn}/", f"{arn}*")):
                raise _malformed("Policy has invalid resource")
        for action in (*(statement.actions or ()), *(statement.not_actions or ())):
            if action != "*" and not action.lower().startswith("s3:"):
                raise _malformed("Policy has invalid action")
    stranger = documents.missing_principal(turn, policy)
    if stranger:
        raise AwsError("MalformedPolicy", "Invalid principal in policy", 400, {"Detail": stranger})
    _check_public(turn, policy)


def _check_public(turn: Turn, policy: Policy) -> None:
    with turn.gateway.moto.locked():
        block = getattr(_bucket(turn), "public_access_block", None)
        blocked = block is not None and str(block.block_public_policy).lower() == "true"
    if blocked and documents.is_public(policy):
        message = (
            f"User: {turn.call.principal} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"arn:aws:s3:::{turn.parameters["Bucket"]}" because public policies are prevented by the '
            "BlockPublicPolicy setting in S3 Block Public Access."
        )
        raise AwsError("AccessDenied", message, 403)


def _policy_status(turn: Turn, reply: Reply) -> None:
    with turn.gateway.moto.locked():
        text = getattr(_bucket(turn), "policy", None)
    if text:
        policy = documents.check(text.decode(), documents.BUCKET, _malformed)
        reply.parameters["PolicyStatus"] = {"IsPublic": documents.is_public(policy)}


def _created(turn: Turn, reply: Reply) -> None:
    """Defaults of new buckets: https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html."""
    del reply
    bucket = turn.parameters["Bucket"]

    def run(operation: str, **parameters: Any) -> None:
        turn.gateway.moto.execute(
            "s3", operation, {"Bucket": bucket, **parameters}, turn.account, turn.call.region
        )

    run("PutBucketEncryption", ServerSideEncryptionConfiguration=_DEFAULT_ENCRYPTION)
    run("PutPublicAccessBlock", PublicAccessBlockConfiguration=_BLOCK_ALL)
    ownership = turn.parameters.get("ObjectOwnership", "BucketOwnerEnforced")
    run("PutBucketOwnershipControls", OwnershipControls={"Rules": [{"ObjectOwnership": ownership}]})


def _encryption(turn: Turn) -> None:
    rules = turn.parameters.get("ServerSideEncryptionConfiguration", {}).get("Rules") or []
    if not rules:
        raise faults.fault("malformed", "s3")
    for rule in rules:
        default = rule.get("ApplyServerSideEncryptionByDefault") or {}
        algorithm, key = default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
        if algorithm not in _ALGORITHMS:
            raise faults.fault("malformed", "s3")
        if key and algorithm == "AES256":
            message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
            raise AwsError("InvalidArgument", message)


def _undo_encryption(turn: Turn, reply: Reply) -> None:
    """Deleting a bucket's encryption brings the default back."""
    del reply
    turn.gateway.moto.execute(
        "s3",
        "PutBucketEncryption",
        {"Bucket": turn.parameters["Bucket"], "ServerSideEncryptionConfiguration": _DEFAULT_ENCRYPTION},
        turn.account,
        turn.call.region,
    )


def _location(turn: Turn, reply: Reply) -> None:
    with turn.gateway.moto.locked():
        region = str(_bucket(turn).region_name)
    reply.parameters["LocationConstraint"] = None if region == "us-east-1" else region


def _asked_of_s3(turn: Turn) -> None:
    """An ACL that leaves an object to its bucket's owner needs no right of its own.

    AWS's documented policies for log delivery grant ``s3:PutObject`` alone.
    """
    # Keys are asked for by _write, with what S3 tells KMS.
    turn.changes["SSEKMSKeyId"] = None
    acl = turn.parameters.get("ACL")
    if acl in _OWNER_ACLS:
        turn.changes["ACL"] = None
        turn.asking.context["s3:x-amz-acl"] = (acl,)


def _write(turn: Turn) -> None:
    algorithm, key = _encryption_of_write(turn)
    if algorithm and algorithm.startswith("aws:kms") and key:
        _use_key(turn, key, "kms:GenerateDataKey")
        if turn.call.operation == "CreateMultipartUpload":
            _use_key(turn, key, "kms:Decrypt")


def _encryption_of_write(turn: Turn) -> tuple[str | None, str | None]:
    asked = turn.parameters.get("ServerSideEncryption")
    default = _default_encryption(turn)
    if asked is None:
        return default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")
    return asked, turn.parameters.get("SSEKMSKeyId") or default.get("KMSMasterKeyID")


def _default_encryption(turn: Turn) -> Mapping[str, str]:
    # Read as moto keeps it: over the wire, log files' deliveries would spend most of their time here.
    with turn.gateway.moto.locked():
        kept = getattr(_bucket(turn), "encryption", None) or {}
    return kept.get("Rule", {}).get("ApplyServerSideEncryptionByDefault") or {}


def _read(turn: Turn) -> None:
    """Reading an object takes ``kms:Decrypt`` on the key that it was written with."""
    with turn.gateway.moto.locked():
        bucket = _bucket(turn)
        stored = bucket.keys.get(turn.parameters["Key"]) if bucket else None
        algorithm = getattr(stored, "encryption", None)
        key = getattr(stored, "kms_key_id", None)
    if algorithm and str(algorithm).startswith("aws:kms") and key:
        _use_key(turn, str(key), "kms:Decrypt")


def _use_key(turn: Turn, name: str, action: str) -> None:
    """Ask KMS in the caller's name, as S3 does (a forward access session)."""
    region = turn.call.region
    owner = turn.gateway.moto.bucket_owner(turn.parameters["Bucket"]) or turn.account
    key = find_key(turn.gateway.moto, owner, region, name)
    if key is None:
        if name == "alias/aws/s3" or name.endswith(":alias/aws/s3"):
            return
        raise AwsError("KMS.NotFoundException", f"Key '{name}' does not exist")
    bucket = f"arn:aws:s3:::{turn.parameters['Bucket']}"
    context = {
        "kms:viaservice": (f"s3.{region}.amazonaws.com",),
        "kms:calleraccount": (turn.call.account,),
        "kms:encryptioncontext:aws:s3:arn": (bucket,),
        "kms:encryptioncontextkeys": ("aws:s3:arn",),
    }
    if turn.caller is not None:
        context["aws:viaawsservice"] = ("true",)
        context["aws:calledvia"] = ("s3.amazonaws.com",)
        context["aws:calledviafirst"] = context["aws:calledvialast"] = ("s3.amazonaws.com",)
    asking = replace(turn.asking, endpoint=None)
    turn.gateway.authorizer.one(asking, Authorization(action, key.arn, context))
    try:
        require_usable(key)
    except AwsError as error:
        raise AwsError(_KMS_FAULTS.get(error.code, error.code), error.message, 400) from error


def _logging(turn: Turn) -> None:
    status = turn.parameters.get("BucketLoggingStatus", {}).get("LoggingEnabled")
    if status and turn.gateway.moto.bucket_owner(status.get("TargetBucket", "")) is None:
        raise AwsError("InvalidTargetBucketForLogging", "The target bucket for logging does not exist")


S3 = Hooks(
    prepare=each("s3", _WRITES, _asked_of_s3),
    before={
        ("s3", "PutBucketPolicy"): _put_policy,
        ("s3", "PutBucketEncryption"): _encryption,
        ("s3", "PutBucketLogging"): _logging,
        **each("s3", _WRITES, _write),
        **each("s3", _READS, _read),
    },
    after={
        ("s3", "CreateBucket"): _created,
        ("s3", "DeleteBucketEncryption"): _undo_encryption,
        ("s3", "GetBucketLocation"): _location,
        ("s3", "GetBucketPolicyStatus"): _policy_status,
    },
)
