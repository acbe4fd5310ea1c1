"""A trail records inference, and what it records arrives.

## What it does

Creates a multi-Region trail with management events, every data event type of Bedrock and the calls that endpoint
policies refuse, into a bucket of its own that only CloudTrail writes. The check asks whether a trail that is *logging*
records each kind, and whether CloudTrail can write where it points.

## Why

`InvokeModel` and `Converse` are management events, and they are *read* events; agents, knowledge bases, flows,
guardrail evaluations and `bedrock-mantle` are data events, which no trail records unless it is told. Who called what
can be answered later only by a trail that recorded it then.

## How it fails

- `ReadWriteType: WriteOnly` drops every inference call: they are read-only management events.
- Basic event selectors do not know Bedrock's data types; advanced ones take one type each.
- `PutEventSelectors` replaces the whole set: somebody added a selector and removed the rest.
- The trail exists and `StopLogging` was called.
- The bucket policy or the key policy does not admit CloudTrail, so delivery fails silently.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/logging-using-cloudtrail.html
- https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls.ask import ask, unusable, words
from ringwall.controls.context import USAGE
from ringwall.controls.control import Control
from ringwall.controls.logs import DATA_TYPES, trail
from ringwall.controls.verdicts import fail, ok, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

SLUG = "trail-records-inference"
TYPE = "AWS::CloudTrail::Trail"
CLOUDTRAIL = "cloudtrail.amazonaws.com"
READ, WRITE = "read-only management events", "write management events"
INFERENCE_SOURCES = ("bedrock.amazonaws.com", "bedrock-mantle.amazonaws.com")
DECLARED = {
    "IsMultiRegionTrail": "it covers one Region, and calls of others are not recorded",
    "IncludeGlobalServiceEvents": "it leaves out what IAM and STS do",
    "EnableLogFileValidation": "it writes no digests, by which a changed or removed log file is found",
}
INLINE = "InvokeInlineAgent"
SPEECH = "sonic"
"""Models that are reached by ``InvokeModelWithBidirectionalStream`` alone, which is a data event."""


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge the trails together: it is enough that one records each kind of event."""
    trails = [item for item in context.observed.of_type(TYPE) if item.id != "?"]
    reason = context.unread(TYPE)
    if not trails:
        if reason is not None:
            yield unknown(context, CONTROL, None, f"trails could not be read: {reason}")
        else:
            yield fail(context, CONTROL, None, "there is no trail", "apply the declaration: ringwall apply")
        return
    judged = [_Trail(context, item) for item in trails]
    best = min(judged, key=lambda item: (len(item.problems), item.resource.id))
    recording = set().union(*(item.recorded for item in judged if item.delivers))
    lacking = [kind for kind in _wanted(context) if kind not in recording]
    if not lacking:
        names = ", ".join(sorted(item.name for item in judged if item.delivers and item.recorded))
        summary = f"{names}: management events, read and write, and {_data_words(context)} are recorded"
        surveys = context.observed.of_type(USAGE) if context.perimeter is None else ()
        yield ok(context, CONTROL, best.resource, summary, *(item.resource for item in judged), *surveys)
        return
    blind = [item for item in judged if item.unread]
    if blind:
        yield unknown(context, CONTROL, blind[0].resource, "; ".join(blind[0].unread))
        return
    problems = best.problems or [f"not recorded: {', '.join(lacking)}"]
    yield fail(
        context,
        CONTROL,
        best.resource,
        f"trail {best.name}: " + "; ".join(problems),
        "apply the declaration: ringwall apply",
        commands=(f"aws cloudtrail start-logging --name {best.name}",)
        if best.resource.get("IsLogging") is False
        else (),
        details={"not recorded": lacking, "problems": problems},
    )


def _data_words(context: CheckContext) -> str:
    return "Bedrock's data events" if context.perimeter is not None else "the data events of what is in use"


def _wanted(context: CheckContext) -> tuple[str, ...]:
    data = DATA_TYPES if context.perimeter is not None else _in_use(context)
    return (READ, WRITE, *data)


def _in_use(context: CheckContext) -> Iterator[str]:
    """Data event types by which models run in this account; one whose use cannot be told is asked for."""
    for data_type, name in (
        ("AWS::Bedrock::AgentAlias", "Agents"),
        ("AWS::Bedrock::AsyncInvoke", "AsyncInvocations"),
        ("AWS::Bedrock::FlowAlias", "Flows"),
        ("AWS::Bedrock::KnowledgeBase", "KnowledgeBases"),
        ("AWS::BedrockMantle::Project", "MantleMetrics"),
    ):
        if context.in_use(name) is not False:
            yield data_type
    for data_type, name, what in (
        ("AWS::Bedrock::InlineAgent", "AgentOperations", INLINE),
        ("AWS::Bedrock::Model", "Models", SPEECH),
    ):
        used = context.in_use(name)
        surveys = context.observed.of_type(USAGE, account=context.account)
        named = any(what in str(value) for item in surveys for value in item.get(name, ()))
        if used is None or named:
            yield data_type


class _Trail:
    """One trail: what its selectors record, and whether what they record is delivered."""

    def __init__(self, context: CheckContext, resource: Resource) -> None:
        self.context = context
        self.resource = resource
        self.name = str(resource.get("TrailName", resource.id))
        self.unread: list[str] = []
        self.recorded = frozenset(self._recorded())
        delivery = list(self._delivery())
        self.delivers = not delivery and not self.unread
        lacking = [kind for kind in _wanted(context) if kind not in self.recorded]
        self.problems = [*delivery, *([f"not recorded: {', '.join(lacking)}"] if lacking else [])]

    def _recorded(self) -> Iterator[str]:
        for name in ("AdvancedEventSelectors", "EventSelectors"):
            reason = self.resource.unknown_reason(name)
            if reason is not None:
                self.unread.append(f"event selectors of {self.name} could not be read: {reason}")
        for selector in self.resource.get("AdvancedEventSelectors", ()):
            yield from advanced(selector)
        for selector in self.resource.get("EventSelectors", ()):
            yield from basic(selector)

    def _delivery(self) -> Iterator[str]:
        context, resource = self.context, self.resource
        reason = resource.unknown_reason("IsLogging")
        if reason is not None:
            self.unread.append(f"whether {self.name} is logging could not be read: {reason}")
        elif resource.get("IsLogging") is not True:
            yield "it is not logging"
        if resource.get("LatestDeliveryError"):
            yield f"its last delivery failed: {resource.get('LatestDeliveryError')}"
        sources = {resource.region} if not resource.get("IsMultiRegionTrail") else set(context.regions)
        if not sources >= set(context.regions):
            yield f"it covers {resource.region} alone"
        yield from self._declared()
        yield from self._bucket()
        yield from self._key()

    def _declared(self) -> Iterator[str]:
        """What the declared trail no longer has of what was declared."""
        wanted = self.context.wanted("trail/main")
        there = self.context.actual("trail/main") if wanted is not None else None
        if wanted is not None and there is not None and there.id == self.resource.id:
            for name in self.context.differing(wanted, self.resource, *DECLARED):
                yield DECLARED[name]

    def _arn(self) -> str:
        return self.context.identity(self.resource, "Arn")

    def _bucket(self) -> Iterator[str]:
        name = str(self.resource.get("S3BucketName"))
        buckets = self.context.observed.of_type("AWS::S3::Bucket")
        bucket = next((item for item in buckets if item.get("BucketName", item.id) == name), None)
        if bucket is None:
            reason = self.context.unread("AWS::S3::Bucket")
            if reason is not None:
                self.unread.append(f"bucket {name} could not be looked for: {reason}")
            elif self.resource.account == self.context.account:
                yield f"its bucket {name} does not exist"
            else:
                self.unread.append(f"bucket {name} is in another account")
            return
        reason = self.context.unread("AWS::S3::BucketPolicy")
        if reason is not None:
            self.unread.append(f"bucket policies could not be read: {reason}")
            return
        prefix = self.resource.get("S3KeyPrefix")
        path = f"{prefix}/AWSLogs" if prefix else "AWSLogs"
        arn = f"arn:{self.context.partition}:s3:::{name}"
        keys = {
            "aws:SourceArn": self._arn(),
            "aws:SourceAccount": self.context.account,
            "aws:SecureTransport": "true",
        }
        written = f"{arn}/{path}/{self.context.account}/CloudTrail/x.json.gz"
        for action, target, more in (
            ("s3:GetBucketAcl", arn, {}),
            ("s3:PutObject", written, {"s3:x-amz-acl": "bucket-owner-full-control"}),
        ):
            decision = ask(self.context, CLOUDTRAIL, action, target, {**keys, **more})
            if not decision.allowed:
                yield f"CloudTrail cannot {action} on {name}: {words(decision)}"

    def _key(self) -> Iterator[str]:
        key = self.resource.get("KMSKeyId")
        if not key:
            return
        found = self.context.key(str(key))
        if found is None or found.unknown_reason("KeyPolicy") is not None:
            self.unread.append(f"key {key} of {self.name} could not be read")
            return
        keys = {"aws:SourceArn": self._arn(), "kms:EncryptionContext:aws:cloudtrail:arn": self._arn()}
        why = unusable(self.context, found, CLOUDTRAIL, "kms:GenerateDataKey", keys)
        if why is not None:
            yield f"CloudTrail cannot encrypt with key {found.id}: {why}"


def advanced(selector: Mapping[str, Any]) -> Iterator[str]:
    """What an advanced event selector records, as far as it records all of it.

    A selector on data events that also asks for particular resources or event names records part of a type, and
    counts for nothing.
    """
    fields = {str(item["Field"]): item for item in selector.get("FieldSelectors", ())}
    category = fields.get("eventCategory", {}).get("Equals", ())
    if "Management" in category:
        yield from _management(fields)
    elif "Data" in category and set(fields) <= {"eventCategory", "resources.type"}:
        yield from fields.get("resources.type", {}).get("Equals", ())


def _management(fields: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    source = fields.get("eventSource", {})
    excluded = set(source.get("NotEquals", ())) & set(INFERENCE_SOURCES)
    narrowed = source.get("Equals")
    if excluded or (narrowed is not None and "bedrock.amazonaws.com" not in narrowed):
        return
    if set(fields) - {"eventCategory", "eventSource", "readOnly"}:
        return
    wanted = fields.get("readOnly", {}).get("Equals", ("true", "false"))
    if "true" in wanted:
        yield READ
    if "false" in wanted:
        yield WRITE


def basic(selector: Mapping[str, Any]) -> Iterator[str]:
    """What a basic event selector records: management events only; Bedrock's data types are unknown to it."""
    if not selector.get("IncludeManagementEvents", True):
        return
    if set(selector.get("ExcludeManagementEventSources", ())) & set(INFERENCE_SOURCES):
        return
    wanted = selector.get("ReadWriteType", "All")
    if wanted in ("All", "ReadOnly"):
        yield READ
    if wanted in ("All", "WriteOnly"):
        yield WRITE


CONTROL = Control(
    slug=SLUG,
    title="A trail records inference, and what it records arrives",
    category="Logging",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=trail,
    types=(TYPE, "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::KMS::Key"),
)
