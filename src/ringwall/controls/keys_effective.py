"""The keys work, rotate, are used, and let nobody else in.

## What it does

Creates one customer-managed key for each data class (guardrail, invocation log group, invocation log bucket, trail,
alarms), with yearly rotation by default and a policy that names exactly the services that need it, under the condition
that they act for this account. The check asks whether each key can be used, rotates, is used by what it is for, and
lets nobody else in.

## Why

A key of its own is a second lock with its own log: whoever may read a bucket still may not read what is in it. One key
for everything is one policy for everything, and it grows until it fits anybody.

## How it fails

- A bucket names a key that is disabled, or waits for deletion: writing stops, and with it the record.
- A service principal without `aws:SourceAccount` or `aws:SourceArn` acts for any account (confused deputy).
- The policy allows `kms:*` to `*`, or to another account.
- A grant gives somebody the key that no policy shows.
- A log group was given a key id in place of the ARN, or none: CloudWatch Logs then uses its own.

## AWS sources

- https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-kms.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.ask import ask
from ringwall.controls.control import Control
from ringwall.controls.keys import keys
from ringwall.controls.outsiders import let_in, outsiders
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

SLUG = "keys-effective"
TYPE = "AWS::KMS::Key"
FOREIGN_ACCOUNT = "000000000000"

USES: dict[str, tuple[tuple[str, str], ...]] = {
    # data class: desired ids of what is encrypted, each with the property that names its key
    "guardrail": (("guardrail/", "KmsKeyArn"),),
    "invocation-log-group": (("log-group/invocations", "KmsKeyId"),),
    "invocation-log-bucket": (("bucket/invocation-logs", "BucketEncryption"),),
    "trail": (("trail/main", "KMSKeyId"), ("bucket/trail", "BucketEncryption")),
    "alarms": (("topic/alarms", "KmsMasterKeyId"),),
}
SERVICES = {
    # Services that a key's policy may name, each with a context that shows on whose behalf it comes.
    "invocation-log-bucket": ("bedrock.amazonaws.com", "kms:GenerateDataKey"),
    "trail": ("cloudtrail.amazonaws.com", "kms:GenerateDataKey"),
    "alarms": ("cloudwatch.amazonaws.com", "kms:GenerateDataKey"),
}


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the declared keys; without a declaration, every key that logs, trails or guardrails use."""
    if context.perimeter is None:
        yield from _undeclared(context)
        return
    for data_class in names.data_classes(context.perimeter):
        yield _declared(context, data_class)


def _declared(context: CheckContext, data_class: str) -> Finding:
    key = context.actual(f"key/{data_class}")
    if key is None:
        reason = context.unread(TYPE)
        name = f"key/{data_class}"
        if reason is not None:
            return unknown(context, CONTROL, None, f"keys could not be read: {reason}", name=name)
        return fail(
            context,
            CONTROL,
            None,
            f"there is no key for {data_class}",
            "apply the declaration: ringwall apply",
            name=name,
        )
    users = [(context.actual(_user(context, name)), path) for name, path in _uses(data_class)]
    there = [(user, path) for user, path in users if user is not None]
    problems = [*_usable(key), *_open(context, key, data_class)]
    for user, path in there:
        problems += _used(context, key, user, path)
    unread = [words for name, path in _uses(data_class) for words in _unread(context, name, path)]
    if unread and not problems:
        return unknown(context, CONTROL, key, f"key for {data_class}: " + "; ".join(unread))
    return _finding(context, key, problems, data_class, tuple(user for user, _ in there))


def _unread(context: CheckContext, name: str, path: str) -> Iterator[str]:
    """Why it cannot be told by which key something is encrypted."""
    resource_id = _user(context, name)
    desired, user = context.wanted(resource_id), context.actual(resource_id)
    if user is not None:
        reason = user.unknown_reason(path)
    else:
        reason = context.unread(desired.type) if desired is not None else None
    if reason is not None:
        yield f"{path} of {resource_id} could not be read: {reason}"


def _uses(data_class: str) -> tuple[tuple[str, str], ...]:
    """Desired ids of what a key is for, each with the property that names it. Custom models are nobody's here."""
    if data_class.startswith(names.KNOWLEDGE):
        return ((f"bucket/kb-{data_class.removeprefix(names.KNOWLEDGE)}", "BucketEncryption"),)
    return USES.get(data_class, ())


def _finding(
    context: CheckContext, key: Resource, problems: list[str], what: str, users: tuple[Resource, ...]
) -> Finding:
    if problems:
        return fail(
            context,
            CONTROL,
            key,
            f"key for {what}: " + "; ".join(problems),
            "apply the declaration: ringwall apply; cancel a pending deletion first",
            commands=(f"aws kms cancel-key-deletion --key-id {context.identity(key, 'KeyId')}",)
            if key.get("KeyState") == "PendingDeletion"
            else (),
            details={"problems": problems},
        )
    if key.unknown:
        first = key.unknown[0]
        return unknown(context, CONTROL, key, f"{first.property} could not be read: {first.reason}")
    summary = f"the key for {what} works, rotates, is used, and lets nobody else in"
    return ok(context, CONTROL, key, summary, *users)


def _user(context: CheckContext, resource_id: str) -> str:
    if resource_id == "guardrail/" and context.perimeter is not None:
        return f"guardrail/{context.perimeter.guardrail.name}"
    return resource_id


def _usable(key: Resource) -> Iterator[str]:
    state = key.get("KeyState", "Enabled")
    if key.get("Enabled") is False or state != "Enabled":
        yield f"it is {state if state != 'Enabled' else 'Disabled'}"
    if key.get("EnableKeyRotation") is not True and key.unknown_reason("EnableKeyRotation") is None:
        yield "it does not rotate"


def _open(context: CheckContext, key: Resource, data_class: str | None) -> Iterator[str]:
    """Who gets in that should not: other accounts, services on behalf of other accounts, holders of grants."""
    arn = context.identity(key, "Arn")
    policy = context.access.resource_policy(arn)
    if policy is not None:
        who = list(let_in(context, policy, {"kms:Decrypt": arn}, outsiders(context, policy)))
        if who:
            yield f"its policy admits principals of other accounts: {'; '.join(who)}"
    service = SERVICES.get(data_class or "")
    if service is not None:
        name, action = service
        foreign = {
            "aws:SourceAccount": FOREIGN_ACCOUNT,
            "aws:SourceArn": f"arn:aws:{name.split('.', 1)[0]}:us-east-1:{FOREIGN_ACCOUNT}:trail/x",
            "kms:EncryptionContext:aws:cloudtrail:arn": f"arn:aws:cloudtrail:us-east-1:{FOREIGN_ACCOUNT}:trail/x",
        }
        if ask(context, name, action, arn, foreign).allowed:
            yield f"its policy admits {name} on behalf of any account"
    for grant in key.get("Grants", ()):
        if not str(grant.get("GranteePrincipal", "")).endswith(".amazonaws.com"):
            yield f"a grant gives {grant.get('GranteePrincipal')} {', '.join(grant.get('Operations', ()))}"


def _used(context: CheckContext, key: Resource, user: Resource, path: str) -> Iterator[str]:
    """Whether what the key is for names it."""
    if user.unknown_reason(path) is not None:
        return
    named = _named_key(user, path)
    mine = {context.identity(key, name) for name in ("Arn", "KeyId")}
    mine |= {arn.rsplit("/", 1)[-1] for arn in mine}
    if named not in mine:
        yield f"{user.get('Name') or user.id} is encrypted with {named or 'no key of ours'}, not with it"


def _named_key(user: Resource, path: str) -> Any:
    if path != "BucketEncryption":
        return user.get(path)
    rules = user.get("BucketEncryption.ServerSideEncryptionConfiguration", ())
    for rule in rules:
        default = rule.get("ServerSideEncryptionByDefault", {})
        if default.get("SSEAlgorithm") in ("aws:kms", "aws:kms:dsse"):
            return default.get("KMSMasterKeyID")
    return None


def _undeclared(context: CheckContext) -> Iterator[Finding]:
    yield from _unread_users(context)
    named: dict[str, Resource] = {}
    for resource in context.observed:
        for kind, path in BASELINE_USERS:
            key = _named_key(resource, path) if resource.type == kind else None
            if isinstance(key, str):
                named.setdefault(key.rsplit("/", 1)[-1], resource)
    judged = [key for key in context.observed.of_type(TYPE, account=context.account) if key.id in named]
    for key in judged:
        problems = [*_usable(key), *_open(context, key, None)]
        yield _finding(context, key, problems, named[key.id].id, (named[key.id],))
    if not judged:
        reason = context.unread(TYPE)
        if reason is not None:
            yield unknown(context, CONTROL, None, f"keys could not be read: {reason}")
        elif named:
            yield fail(
                context,
                CONTROL,
                None,
                "logs name keys that are not customer-managed keys of this account",
                "use a key of your own for each data class",
            )
        else:
            yield not_applicable(
                context, CONTROL, "no guardrail, log group, trail or topic names a customer-managed key"
            )


def _unread_users(context: CheckContext) -> Iterator[Finding]:
    """What may be encrypted by a key that could not be read."""
    for kind, path in BASELINE_USERS:
        for resource in context.observed.of_type(kind, account=context.account):
            reason = resource.unknown_reason(path) or resource.unknown_reason("*")
            if reason is not None:
                words = f"{path} of {kind} {resource.id} could not be read: {reason}"
                yield unknown(context, CONTROL, resource, words)


BASELINE_USERS = (
    ("AWS::Bedrock::Guardrail", "KmsKeyArn"),
    ("AWS::Logs::LogGroup", "KmsKeyId"),
    ("AWS::CloudTrail::Trail", "KMSKeyId"),
    ("AWS::SNS::Topic", "KmsMasterKeyId"),
    ("AWS::S3::Bucket", "BucketEncryption"),
)

CONTROL = Control(
    slug=SLUG,
    title="The keys work, rotate, are used, and let nobody else in",
    category="Encryption",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=keys,
    types=(
        TYPE,
        "AWS::KMS::Alias",
        "AWS::Bedrock::Guardrail",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::CloudTrail::Trail",
        "AWS::SNS::Topic",
    ),
)
