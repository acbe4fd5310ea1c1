"""Part 5: what was recorded of those calls."""

from __future__ import annotations

import gzip
import json
from typing import Any

from botocore.exceptions import ClientError

from ringwall.demo.line import Line, Lines, shorten
from ringwall.demo.world import World


def records(world: World) -> Lines:
    """CloudTrail events, and invocation logs under their keys."""
    world.sandbox.flush()
    yield from trail_events(world)
    yield trail_delivered(world)
    yield from logged_to_bucket(world)
    yield from logged_to_group(world)
    yield auditor_reads_no_prompts(world)


def trail_events(world: World) -> Lines:
    """The events of the answered, the blocked and a refused call, as ``lookup_events`` gives them."""
    events = lookup(world, "Converse")
    for slug, words, error in (
        ("answered", "the answered call", None),
        ("blocked", "the blocked call", None),
        ("refused:weak-guardrail", "the refused call with the weak guardrail", "AccessDenied"),
    ):
        event = events.get(world.seen.get(slug, ""), {})
        text = json.dumps(event)
        identity = event.get("userIdentity", {})
        yield Line(
            f"trail:{slug}",
            f"CloudTrail has {words}, by whom and through which endpoint, and no prompt",
            ok=bool(event)
            and event.get("errorCode") == error
            and event.get("vpcEndpointId") == world.attributes["endpoint/bedrock-runtime"]["Id"]
            and "nightjar" not in text,
            details=(
                f"{event.get('eventName')} by {identity.get('arn')} through {event.get('vpcEndpointId')}"
                + (f": {event.get('errorCode')}" if event.get("errorCode") else ""),
            ),
        )


def lookup(world: World, name: str) -> dict[str, dict[str, Any]]:
    """CloudTrail events of one operation by request id."""
    pages = world.administrator("cloudtrail").get_paginator("lookup_events")
    found = {}
    for page in pages.paginate(LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}]):
        for item in page["Events"]:
            event = json.loads(item["CloudTrailEvent"])
            found[event["requestID"]] = event
    return found


def trail_delivered(world: World) -> Line:
    """The same calls in the trail's bucket. The event history is kept without any trail; these objects are not."""
    s3, bucket = world.administrator("s3"), world.perimeter.bucket("trail")
    wanted = {world.seen.get(slug, slug) for slug in ("answered", "blocked", "refused:weak-guardrail")}
    delivered: set[str] = set()
    keys: set[str | None] = set()
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", ()):
            if "/CloudTrail/" not in item["Key"]:
                continue
            stored = s3.get_object(Bucket=bucket, Key=item["Key"])
            records = json.loads(gzip.decompress(stored["Body"].read()))["Records"]
            here: set[str] = wanted & {record.get("requestID") for record in records}
            delivered |= here
            keys |= {stored.get("SSEKMSKeyId")} if here else set()
    return Line(
        "trail:bucket",
        f"the trail has delivered {len(delivered)} of these {len(wanted)} calls to its own bucket, under its own key",
        ok=delivered == wanted and keys == {world.attributes["key/trail"]["Arn"]},
        details=tuple(f"key {key}" for key in sorted(map(str, keys))),
    )


def logged_to_bucket(world: World) -> Lines:
    """The invocation-log object that holds the blocked call: encrypted, and readable with its key."""
    s3 = world.administrator("s3")
    bucket = world.perimeter.bucket("invocation-logs")
    key_arn = world.attributes["key/invocation-log-bucket"]["Arn"]
    entries: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", ()):
        if not item["Key"].endswith(".gz"):
            continue
        stored = s3.get_object(Bucket=bucket, Key=item["Key"])
        for row in gzip.decompress(stored["Body"].read()).decode().splitlines():
            entry = json.loads(row)
            entries[entry["requestId"]] = (entry, stored)
    entry, stored = entries.get(world.seen.get("blocked", ""), ({}, {}))
    prompt = json.dumps(entry.get("input", {}).get("inputBodyJson", {}))
    yield Line(
        "log:bucket",
        "the invocation log in S3 has the blocked prompt as it was written, under the key for that data",
        ok="project-nightjar" in prompt
        and stored.get("ServerSideEncryption") == "aws:kms"
        and stored.get("SSEKMSKeyId") == key_arn,
        details=(
            f"{entry.get('operation')} by {entry.get('identity', {}).get('arn')}",
            f"key {stored.get('SSEKMSKeyId')}",
        ),
    )


def logged_to_group(world: World) -> Lines:
    """The same in CloudWatch Logs, through the logging role."""
    logs = world.administrator("logs")
    wanted = world.attributes["log-group/invocations"]["Name"]
    group: dict[str, Any] = next(iter(logs.describe_log_groups(logGroupNamePrefix=wanted)["logGroups"]), {})
    messages = [event["message"] for event in logs.filter_log_events(logGroupName=wanted)["events"]]
    # the first one is Bedrock's own, written when logging was switched on
    rows = [json.loads(message) for message in messages if message.startswith("{")]
    ids = {row["requestId"] for row in rows}
    yield Line(
        "log:group",
        f"the invocation log in CloudWatch Logs has {len(rows)} entries, in a group with its own key",
        ok={world.seen.get("answered"), world.seen.get("streamed"), world.seen.get("blocked")} <= ids
        and group.get("kmsKeyId") == world.attributes["key/invocation-log-group"]["Arn"],
        details=(f"key {group.get('kmsKeyId')}",),
    )


def auditor_reads_no_prompts(world: World) -> Line:
    """The auditor reads configuration and trail, but not what people wrote."""
    s3 = world.outside(world.credentials("auditor"), "s3")
    bucket = world.perimeter.bucket("invocation-logs")
    listed = world.administrator("s3").list_objects_v2(Bucket=bucket).get("Contents", ())
    keys = [item["Key"] for item in listed if item["Key"].endswith(".gz")]
    code = said = "nothing to read"
    if keys:
        try:
            s3.get_object(Bucket=bucket, Key=keys[0])
        except ClientError as error:
            code, said = error.response["Error"]["Code"], error.response["Error"]["Message"]
        else:
            code = said = "it was read"
    return Line(
        "log:auditor",
        "the auditor cannot read prompts",
        ok=code == "AccessDenied",
        details=(shorten(said, 160),),
    )
