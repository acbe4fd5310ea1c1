"""Every invocation is logged, and the logs arrive.

## What it does

Turns model invocation logging on for every modality, to CloudWatch Logs and to S3, and makes what it needs: the log
group, the role that Bedrock writes it with, the bucket and its policy. The check evaluates, policy by policy, whether
Bedrock can really write to each destination.

## Why

The setting says where logs should go. Whether they arrive is decided by a trust policy, a role's policy, a bucket
policy and two key policies, none of which the setting looks at again after the day it was made. A log that nobody reads
is not missed until it is needed. So the check also asks whether what should arrive did: the newest call that CloudTrail
tells of against the newest log event and object, and the metrics of failed deliveries.

## How it fails

- The bucket, the log group or the role is gone: the setting still shows them.
- The role trusts Bedrock for another account or Region, or may write another stream than the one fixed name
  `aws/bedrock/modelinvocations`.
- The bucket policy names another prefix than the setting (`PREFIX/AWSLogs/ACCOUNT/BedrockModelInvocationLogs/`).
- The bucket's key does not admit `bedrock.amazonaws.com`; the log group's key does not admit CloudWatch Logs.
- A modality is off: its bodies are not recorded. Large bodies go to S3 only.
- The log group is kept for a day.
- All of it is right, and nothing has arrived since Tuesday.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
- https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.catalog.bedrock import INVOCATION_LOG_STREAM
from ringwall.controls.arrival import arrival
from ringwall.controls.ask import ask, unusable, words
from ringwall.controls.context import USAGE
from ringwall.controls.control import Control
from ringwall.controls.findings import Status
from ringwall.controls.logs import MODALITIES, invocation_logging
from ringwall.controls.outsiders import NOBODYS
from ringwall.controls.verdicts import fail, ok, unknown, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

SLUG = "invocation-logging-delivers"
TYPE = "Ringwall::Bedrock::InvocationLogging"
BEDROCK = "bedrock.amazonaws.com"
FOREIGN_SOURCE = f"arn:aws:bedrock:us-east-1:{NOBODYS}:model-invocation-logging"
DECLARED = {
    "DataProtectionPolicy": "does not mask what was declared",
    "DeletionProtectionEnabled": "can be deleted, with what is in it",
}


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the setting of each Region that is in scope; what is not used is said once."""
    for region in context.regions:
        yield from _region(context, region)
    if context.unused_regions:
        words = f"nothing uses Bedrock in {', '.join(context.unused_regions)}: all was asked, and nothing is there"
        surveys = tuple(context.observed.of_type(USAGE, account=context.account))
        yield verdict(
            context,
            CONTROL,
            Status.NOT_APPLICABLE,
            words,
            name="unused Regions",
            evidence=tuple(item for item in surveys if item.region in context.unused_regions),
        )


def _region(context: CheckContext, region: str) -> Iterator[Finding]:
    settings = context.observed.of_type(TYPE, account=context.account, region=region)
    present = [item for item in settings if item.id != "?" and item.get("LoggingConfig")]
    if not present:
        reason = context.unread(TYPE)
        if reason is not None:
            yield unknown(context, CONTROL, None, f"the setting of {region} could not be read: {reason}")
        elif context.perimeter is not None or not context.unused(region):
            yield fail(
                context,
                CONTROL,
                None,
                f"model invocation logging is off in {region}",
                "apply the declaration: ringwall apply",
                name=f"{TYPE} {region}",
            )
    for setting in present:
        yield _setting(context, setting)


def _setting(context: CheckContext, setting: Resource) -> Finding:
    delivery = _Delivery(context, setting)
    arrived = arrival(context, setting)
    problems = [*delivery.problems(), *arrived.problems]
    if problems:
        return fail(
            context,
            CONTROL,
            setting,
            "invocation logs do not arrive as they should: " + "; ".join(problems),
            "apply the declaration: ringwall apply",
            details={"problems": problems},
        )
    unread = [*delivery.unread, *arrived.unread]
    if unread:
        return unknown(context, CONTROL, setting, "; ".join(unread))
    summary = f"Bedrock can write every modality to {' and '.join(delivery.destinations)}{arrived.words}"
    return ok(context, CONTROL, setting, summary, *delivery.evidence, *arrived.evidence)


class _Delivery:
    """One setting's destinations, walked; what could not be read collects in ``unread``."""

    def __init__(self, context: CheckContext, setting: Resource) -> None:
        self.context = context
        self.setting = setting
        self.region = setting.region
        self.unread: list[str] = []
        self.destinations: list[str] = []
        self.evidence: list[Resource] = []
        self.keys = {
            "aws:SourceAccount": context.account,
            "aws:SourceArn": f"arn:{context.partition}:bedrock:{setting.region}:{context.account}:model-invocation-logging",
            "aws:SecureTransport": "true",
        }

    def problems(self) -> Iterator[str]:
        configuration = self.setting.get("LoggingConfig", {})
        off = [name for name in MODALITIES if configuration.get(name) is not True]
        if off:
            yield "off: " + ", ".join(name.removesuffix("DataDeliveryEnabled").lower() for name in off)
        group, bucket = configuration.get("CloudWatchConfig"), configuration.get("S3Config")
        if not group and not bucket:
            yield "it has no destination"
        if group:
            yield from self._log_group(group)
        if bucket:
            yield from self._bucket(bucket)
        large = (group or {}).get("LargeDataDeliveryS3Config")
        if large:
            yield from self._bucket(large)
        elif group and not bucket:
            yield "large bodies have no destination in S3"

    # -- CloudWatch Logs -------------------------------------------------------------------------------------------

    def _log_group(self, configuration: Any) -> Iterator[str]:
        name, role = str(configuration.get("LogGroupName")), str(configuration.get("RoleArn"))
        arn = f"arn:{self.context.partition}:logs:{self.region}:{self.context.account}:log-group:{name}"
        self.destinations.append(name)
        group = self._find("AWS::Logs::LogGroup", "LogGroupName", name)
        if group is None:
            yield from self._missing("AWS::Logs::LogGroup", f"log group {name}")
        else:
            yield from self._retention(group)
            yield from self._declared(group)
            yield from self._log_key(group, arn)
        yield from self._role(role, f"{arn}:log-stream:{INVOCATION_LOG_STREAM}")

    def _retention(self, group: Resource) -> Iterator[str]:
        perimeter = self.context.perimeter
        kept = group.get("RetentionInDays")
        if perimeter is not None and kept is not None and int(kept) < perimeter.logging.retention_days:
            yield f"{group.get('LogGroupName')} keeps logs {kept} days, not {perimeter.logging.retention_days}"

    def _declared(self, group: Resource) -> Iterator[str]:
        """What the declared log group no longer has of what was declared."""
        wanted = self.context.wanted("log-group/invocations")
        if wanted is None or wanted.get("LogGroupName") != group.get("LogGroupName"):
            return
        for name in DECLARED:
            reason = group.unknown_reason(name)
            if reason is not None:
                self.unread.append(f"{name} of {group.get('LogGroupName')} could not be read: {reason}")
        for name in self.context.differing(wanted, group, *DECLARED):
            yield f"{group.get('LogGroupName')} {DECLARED[name]}"

    def _log_key(self, group: Resource, arn: str) -> Iterator[str]:
        key = group.get("KmsKeyId")
        if not key:
            return
        service = f"logs.{self.region}.amazonaws.com"
        keys = {"kms:EncryptionContext:aws:logs:arn": arn}
        for action in ("kms:Encrypt", "kms:GenerateDataKey"):
            yield from self._by_key(str(key), service, action, keys)

    def _role(self, role: str, stream: str) -> Iterator[str]:
        access = self.context.access
        entry = access.principal(role)
        if entry is None:
            yield from self._missing("AWS::IAM::Role", f"role {role.rsplit('/', 1)[-1]}")
            return
        if entry.resource is not None:
            self.evidence.append(entry.resource)
        trusted = ask(self.context, BEDROCK, "sts:AssumeRole", role, self.keys)
        if not trusted.allowed:
            yield f"Bedrock cannot assume {role.rsplit('/', 1)[-1]}: {words(trusted)}"
        if not entry.service_only:
            yield f"others than Bedrock can assume {role.rsplit('/', 1)[-1]}, and write what was never called"
        foreign = {**self.keys, "aws:SourceAccount": NOBODYS, "aws:SourceArn": FOREIGN_SOURCE}
        if ask(self.context, BEDROCK, "sts:AssumeRole", role, foreign).allowed:
            yield f"{role.rsplit('/', 1)[-1]} trusts Bedrock on behalf of any account"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            decision = ask(self.context, role, action, stream, {"aws:RequestedRegion": self.region})
            if not decision.allowed:
                yield f"{role.rsplit('/', 1)[-1]} cannot {action}: {words(decision)}"

    # -- S3 --------------------------------------------------------------------------------------------------------

    def _bucket(self, configuration: Any) -> Iterator[str]:
        name, prefix = str(configuration.get("BucketName")), str(configuration.get("KeyPrefix") or "")
        self.destinations.append(f"s3://{name}/{prefix}")
        bucket = self._find("AWS::S3::Bucket", "BucketName", name)
        if bucket is None:
            yield from self._missing("AWS::S3::Bucket", f"bucket {name}")
            return
        if bucket.region != self.region:
            yield f"bucket {name} is in {bucket.region}; it must be in {self.region}"
        yield from self._write(name, prefix)
        reason = bucket.unknown_reason("BucketEncryption")
        if reason is not None:
            self.unread.append(f"the encryption of bucket {name} could not be read: {reason}")
        rules = bucket.get("BucketEncryption.ServerSideEncryptionConfiguration", ())
        for rule in rules:
            default = rule.get("ServerSideEncryptionByDefault", {})
            if str(default.get("SSEAlgorithm", "")).startswith("aws:kms") and default.get("KMSMasterKeyID"):
                yield from self._by_key(
                    str(default["KMSMasterKeyID"]), BEDROCK, "kms:GenerateDataKey", self.keys
                )

    def _write(self, name: str, prefix: str) -> Iterator[str]:
        reason = self.context.unread("AWS::S3::BucketPolicy")
        if reason is not None:
            self.unread.append(f"bucket policies could not be read: {reason}")
            return
        path = f"{prefix}/AWSLogs" if prefix else "AWSLogs"
        object_arn = (
            f"arn:{self.context.partition}:s3:::{name}/{path}/{self.context.account}/BedrockModelInvocationLogs/"
            f"{self.region}/2026/01/01/00/x.json.gz"
        )
        decision = ask(self.context, BEDROCK, "s3:PutObject", object_arn, self.keys)
        if not decision.allowed:
            yield f"Bedrock cannot write to s3://{name}/{prefix}: {words(decision)}"

    # -- both ------------------------------------------------------------------------------------------------------

    def _by_key(self, key: str, service: str, action: str, keys: dict[str, str]) -> Iterator[str]:
        found = self.context.key(key)
        if found is None:
            reason = self.context.unread("AWS::KMS::Key")
            if reason is not None:
                self.unread.append(f"key {key} could not be read: {reason}")
            else:
                yield f"key {key} is not there"
            return
        self.evidence.append(found)
        unread = found.unknown_reason("KeyPolicy")
        if unread is not None:
            self.unread.append(f"the policy of key {key} could not be read: {unread}")
            return
        why = unusable(self.context, found, service, action, keys)
        if why is not None:
            yield f"{service} cannot {action} with key {found.id}: {why}"

    def _find(self, resource_type: str, name: str, value: str) -> Resource | None:
        for resource in self.context.observed.of_type(resource_type, account=self.context.account):
            if resource.get(name, resource.id) == value:
                self.evidence.append(resource)
                return resource
        return None

    def _missing(self, resource_type: str, what: str) -> Iterator[str]:
        reason = self.context.unread(resource_type)
        if reason is None:
            yield f"{what} does not exist"
        else:
            self.unread.append(f"{what} could not be looked for: {reason}")


CONTROL = Control(
    slug=SLUG,
    title="Every invocation is logged, and the logs arrive",
    category="Logging",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=invocation_logging,
    types=(
        TYPE,
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::Logs::LogGroup",
        "AWS::IAM::Role",
        "AWS::KMS::Key",
        "Ringwall::Bedrock::Activity",
    ),
)
