"""The buckets are private, encrypted with their own keys, versioned and reached over TLS alone.

## What it does

Makes the buckets for invocation logs, for the trail and for each declared knowledge base: public access blocked in all
four ways, ACLs off (`BucketOwnerEnforced`), encrypted with a key of their own that is named by its ARN, with bucket
keys, versioned, with a lifecycle, and with a policy that refuses requests without TLS. The check asks for each of
these, and whether the policy lets a stranger in.

## Why

What is in the logs is what people wrote, and a knowledge base answers with whatever its bucket holds: whoever can write
there speaks through every answer. Each of the settings has been the one that was missing in some incident.

## How it fails

- The key is named by its id or an alias: a service that writes from another account then means a key of its own account.
- Bucket keys are off: each object is a call to KMS, and log delivery is throttled with it.
- Versioning is suspended: an overwritten log is gone.
- ACLs are on: an object's writer decides who reads it.
- The policy demands TLS by `aws:SecureTransport` in an Allow, which denies nothing.

## AWS sources

- https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls import knowledge, names
from ringwall.controls.ask import ask
from ringwall.controls.control import Control
from ringwall.controls.outsiders import deputies, let_in, named_in, outsiders
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

SLUG = "buckets-private"
TYPE = "AWS::S3::Bucket"
POLICY = "AWS::S3::BucketPolicy"
BLOCKS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
STRANGER = "arn:aws:iam::000000000000:role/Stranger"
"""A principal of an account that AWS gives to nobody."""
REMEDY = "apply the declaration: ringwall apply"
PARTS = (
    "PublicAccessBlockConfiguration",
    "OwnershipControls",
    "BucketEncryption",
    "VersioningConfiguration",
    "LifecycleConfiguration",
    "ReplicationConfiguration",
)


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the declared buckets; without a declaration, those that invocation logs and trails are delivered to."""
    if context.perimeter is None:
        yield from _undeclared(context)
        return
    bases = (knowledge.purpose(name) for name in context.perimeter.knowledge_bases)
    logs = names.log_buckets(context.perimeter)
    kept = context.perimeter.logging.object_days or context.perimeter.logging.retention_days
    for purpose in (*logs, *bases):
        bucket = context.actual(f"bucket/{purpose}")
        days = kept if purpose in logs else 0
        yield _missing(context, purpose) if bucket is None else _judged(context, bucket, days)


def _missing(context: CheckContext, purpose: str) -> Finding:
    """That it is gone is told by the control whose it is; here nothing can be said of it."""
    reason = context.unread(TYPE)
    summary = f"buckets could not be read: {reason}" if reason else f"there is no bucket for {purpose}"
    return unknown(context, CONTROL, None, summary, name=f"bucket/{purpose}")


def _undeclared(context: CheckContext) -> Iterator[Finding]:
    named = set(_destinations(context))
    found = [
        item
        for item in context.observed.of_type(TYPE, account=context.account)
        if item.get("BucketName", item.id) in named
    ]
    for bucket in found:
        yield _judged(context, bucket)
    if not found:
        yield not_applicable(context, CONTROL, "no bucket of the account receives invocation logs or a trail")


def _destinations(context: CheckContext) -> Iterator[str]:
    for setting in context.observed.of_type("Ringwall::Bedrock::InvocationLogging", account=context.account):
        for path in ("S3Config", "CloudWatchConfig.LargeDataDeliveryS3Config"):
            name = setting.get(f"LoggingConfig.{path}.BucketName")
            if name:
                yield str(name)
    for trail in context.observed.of_type("AWS::CloudTrail::Trail"):
        if trail.get("S3BucketName"):
            yield str(trail.get("S3BucketName"))


def _judged(context: CheckContext, bucket: Resource, days: int = 0) -> Finding:
    """A bucket whose objects are to be kept for at least so many days."""
    name = str(bucket.get("BucketName", bucket.id))
    for part in PARTS:
        reason = bucket.unknown_reason(part)
        if reason is not None:
            return unknown(context, CONTROL, bucket, f"{part} of {name} could not be read: {reason}")
    unread = context.unread(POLICY)
    if unread is not None:
        return unknown(context, CONTROL, bucket, f"bucket policies could not be read: {unread}")
    problems = [
        *_settings(bucket),
        *_kept(bucket, days),
        *_copied(context, bucket),
        *_encryption(context, bucket),
        *_policy(context, name),
    ]
    if problems:
        return fail(
            context,
            CONTROL,
            bucket,
            f"bucket {name}: " + "; ".join(problems),
            REMEDY,
            details={"problems": problems},
        )
    return ok(
        context, CONTROL, bucket, f"bucket {name} is private, encrypted, versioned and reached over TLS alone"
    )


def _settings(bucket: Resource) -> Iterator[str]:
    blocked = bucket.get("PublicAccessBlockConfiguration", {})
    open_ = [name for name in BLOCKS if blocked.get(name) is not True]
    if open_:
        yield f"public access is not blocked ({', '.join(open_)})"
    rules = bucket.get("OwnershipControls.Rules", ())
    if [rule.get("ObjectOwnership") for rule in rules] != ["BucketOwnerEnforced"]:
        yield "ACLs are not off"
    if bucket.get("VersioningConfiguration.Status") != "Enabled":
        yield "versioning is not on"
    lifecycle = bucket.get("LifecycleConfiguration.Rules", ())
    if not any(rule.get("Status", "Enabled") == "Enabled" for rule in lifecycle):
        yield "no lifecycle rule is on: unfinished uploads and overwritten versions stay for ever"


def _kept(bucket: Resource, days: int) -> Iterator[str]:
    """Whether a lifecycle rule removes what has to be kept."""
    for rule in bucket.get("LifecycleConfiguration.Rules", ()):
        after, on = rule.get("ExpirationInDays"), rule.get("ExpirationDate")
        if not days or rule.get("Status", "Enabled") != "Enabled":
            continue
        if after is not None and int(after) < days:
            yield f"a lifecycle rule removes objects after {after} days, not {days}"
        if on is not None:
            yield f"a lifecycle rule removes every object on {str(on)[:10]}"


def _copied(context: CheckContext, bucket: Resource) -> Iterator[str]:
    """Copies that leave: of what is declared nothing is to be copied; else nothing to whom the account does not know.

    A rule need not say whose its destination is, and an ARN of S3 does not tell
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html), so a bucket that was not read is
    taken for somebody else's.
    """
    own = {item.get("BucketName", item.id) for item in context.observed.of_type(TYPE) if item.id != "?"}
    for rule in bucket.get("ReplicationConfiguration.Rules", ()):
        destination = rule.get("Destination", {})
        name = str(destination.get("Bucket", "")).rsplit(":", 1)[-1]
        if rule.get("Status") == "Enabled" and (context.perimeter is not None or name not in own):
            whose = f" of account {destination['Account']}" if destination.get("Account") else ""
            yield f"its objects are copied to bucket {name}{whose}"


def _encryption(context: CheckContext, bucket: Resource) -> Iterator[str]:
    """How the key is named and used. Whether it is the declared one is for ``keys-effective`` to say."""
    for rule in bucket.get("BucketEncryption.ServerSideEncryptionConfiguration", ()):
        default = rule.get("ServerSideEncryptionByDefault", {})
        key = str(default.get("KMSMasterKeyID", ""))
        if not str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
            if context.perimeter is None:
                yield "it is not encrypted with a key of KMS"
        elif ":key/" not in key:
            yield f"its key is named {key or 'by nothing'}, not by the key's ARN"
        elif rule.get("BucketKeyEnabled") is not True:
            yield "bucket keys are off"
        return
    if context.perimeter is None:
        yield "it has no default encryption"


def _policy(context: CheckContext, name: str) -> Iterator[str]:
    """What strangers may do, with everything at home; and what anybody may do without TLS."""
    arn = f"arn:{context.partition}:s3:::{name}"
    policy = context.access.resource_policy(arn)
    if policy is not None:
        places = dict.fromkeys((f"{arn}/x", *named_in(policy, f"{arn}/")))
        reached = [
            words
            for place in places
            for who in (outsiders(context, policy), deputies(policy))
            for words in let_in(
                context, policy, {"s3:GetObject": place, "s3:PutObject": place, "s3:ListBucket": arn}, who
            )
        ]
        if reached:
            yield f"its policy lets others in: {'; '.join(dict.fromkeys(reached))}"
    plain = ask(context, STRANGER, "s3:GetObject", f"{arn}/x", {"aws:SecureTransport": "false"})
    if not any(reason.policy_type == "resource" for reason in plain.because):
        yield "its policy does not refuse requests without TLS"


CONTROL = Control(
    slug=SLUG,
    title="The buckets are private, encrypted, versioned and reached over TLS alone",
    category="Encryption",
    severity="high",
    page=__doc__ or "",
    check=check,
    types=(TYPE, POLICY, "Ringwall::Bedrock::InvocationLogging", "AWS::CloudTrail::Trail"),
)
