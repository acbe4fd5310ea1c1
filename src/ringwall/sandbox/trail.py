"""CloudTrail: every call becomes an event, is kept for ``LookupEvents``, and delivered to the trails that select it.

Delivery is real: log files are written to the trail's bucket as ``cloudtrail.amazonaws.com``, so bucket policy and key
policy count, and a trail that cannot deliver says so in ``GetTrailStatus``.
"""

from __future__ import annotations

import gzip
import json
import secrets
import threading
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.catalog import bedrock
from ringwall.sandbox import chance, events, moments, notices, places, selectors
from ringwall.sandbox.call import AwsError
from ringwall.sandbox.log_events import put_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringwall.sandbox.archive import Event
    from ringwall.sandbox.call import Output
    from ringwall.sandbox.events import Record
    from ringwall.sandbox.gateway import Gateway
    from ringwall.sandbox.turn import Turn

PRINCIPAL = "cloudtrail.amazonaws.com"
_BATCH = 2000
_INTERVAL = 2.0


@dataclass(frozen=True, slots=True)
class _Known:
    """A trail: its account, Region and name, moto's object, and which events its selectors select."""

    key: tuple[str, str, str]
    trail: Any
    selects: selectors.Selection

    def covers(self, record: Record) -> bool:
        """Whether an event is for this trail."""
        account, region, _ = self.key
        own = record["recipientAccountId"] == account or (
            self.trail.is_org_trail and account == places.MANAGEMENT
        )
        here = self.trail.is_multi_region or record["awsRegion"] == region
        return own and here and self.selects(record)


class Trail:
    """The recorder."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._lock = threading.Lock()
        self._delivering = threading.Lock()
        self._pending: dict[tuple[str, str, str], list[Event]] = defaultdict(list)
        self._known: tuple[_Known, ...] | None = None
        self.problems: dict[str, str] = {}
        for event in gateway.archive.undelivered():
            self._queue(event, json.loads(event.text))
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ringwall-trail", daemon=True)
        self._thread.start()

    # -- recording -------------------------------------------------------------------------------------------------

    def record(self, turn: Turn, output: Output | None, error: AwsError | None) -> None:
        """Record a call. CloudTrail's own deliveries are left out, or they would go on for ever."""
        if turn.call.principal == PRINCIPAL:
            return
        record = events.record(turn, output, error, None)
        self._add(record)
        if turn.call.vpc_endpoint_id and record["eventSource"] in bedrock.NETWORK_ACTIVITY_SOURCES:
            self._add(self._network_activity(turn, record))

    def _network_activity(self, turn: Turn, record: Record) -> Record:
        """The endpoint owner's view of a call: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-network-events-with-cloudtrail.html."""
        names = (
            "eventVersion",
            "userIdentity",
            "eventTime",
            "eventSource",
            "eventName",
            "awsRegion",
            "sourceIPAddress",
        )
        kept = {
            name: record[name]
            for name in (*names, "requestID", "readOnly", "recipientAccountId", "vpcEndpointId")
        }
        decisions = self._gateway.log.of(turn.call.request_id)
        if any(
            "vpc_endpoint" in entry.decision.missing
            or any(
                reason.policy_type == "vpc_endpoint" and reason.effect == "Deny"
                for reason in entry.decision.because
            )
            for entry in decisions
        ):
            kept["errorCode"] = "VpceAccessDenied"
            kept["errorMessage"] = "The request was denied due to a VPC endpoint policy"
        return {
            **kept,
            "eventID": chance.passing(),
            "eventType": "AwsVpceEvent",
            "vpcEndpointAccountId": places.MEMBER,
            "managementEvent": False,
            "eventCategory": "NetworkActivity",
        }

    def record_service_event(
        self,
        *,
        event_source: str,
        event_name: str,
        account: str,
        region: str,
        identity: Mapping[str, Any],
        detail: Mapping[str, Any],
        category: str,
    ) -> None:
        """Record an event that a service makes of its own."""
        self._add(
            {
                "eventVersion": "1.11",
                "userIdentity": dict(identity),
                "eventTime": moments.stamp(self._gateway.now()),
                "eventSource": event_source,
                "eventName": event_name,
                "awsRegion": region,
                "sourceIPAddress": event_source,
                "userAgent": event_source,
                "requestParameters": None,
                "responseElements": None,
                "eventID": chance.passing(),
                "readOnly": True,
                "eventType": "AwsServiceEvent",
                "managementEvent": category == "Management",
                "recipientAccountId": account,
                "eventCategory": category,
                **detail,
            }
        )

    def _add(self, record: Record) -> None:
        trails = self._trails()
        with self._lock:  # so that what is delivered is all that was recorded up to a number
            self._queue(self._gateway.archive.add_event(record), record)
            full = any(len(batch) >= _BATCH for batch in self._pending.values())
        self._tell(record)
        if full and trails and not self._wake.is_set():
            self._wake.set()

    def _queue(self, event: Event, record: Record) -> None:
        """Let an event wait for each trail that selects it."""
        for known in self._trails():
            if known.trail.status.is_logging and known.covers(record):
                self._pending[known.key].append(event)

    def _tell(self, record: Record) -> None:
        """EventBridge hears of calls that change something, but not of its own and the alarms' notices."""
        account, region = record["recipientAccountId"], record["awsRegion"]
        if record["eventCategory"] != "Management" or record["readOnly"]:
            return
        if record["sourceIPAddress"] in {notices.EVENTS, notices.CLOUDWATCH}:
            return
        if self._gateway.notices.wanted(account, region):
            self._gateway.notices.event(notices.api_call(record), (account, region))

    def changed(self) -> None:
        """A trail was made, changed or deleted."""
        self._known = None

    def _trails(self) -> tuple[_Known, ...]:
        """Every trail; kept, as every record asks for them."""
        known = self._known
        if known is not None:
            return known
        moto = self._gateway.moto
        with moto.locked():
            found = tuple(
                _Known(
                    (account, region, name),
                    trail,
                    selectors.selection(trail.event_selectors, trail.advanced_event_selectors),
                )
                for account in moto.accounts("cloudtrail")
                for region in moto.regions("cloudtrail", account)
                for name, trail in moto.store("cloudtrail", account, region).trails.items()
            )
            self._known = found
        return found

    # -- delivering ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait(_INTERVAL)
            self._wake.clear()
            if not self._stopped.is_set():
                self.flush()

    def stop(self) -> None:
        """Deliver what is left and stop."""
        self._stopped.set()
        self._wake.set()
        self._thread.join(timeout=10)

    def flush(self) -> None:
        """Deliver everything that is waiting."""
        self._gateway.notices.flush()
        with self._delivering:
            with self._lock:
                pending, self._pending = self._pending, defaultdict(list)
                last = self._gateway.archive.last_event
            trails = {known.key: known.trail for known in self._trails()}
            for key, records in pending.items():
                trail = trails.get(key)
                if trail is not None and records:
                    self._deliver(trail, records)
            self._gateway.archive.delivered(last)

    def _deliver(self, trail: Any, records: list[Event]) -> None:
        by_place: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for record in records:
            by_place[record.account, record.region].append(record)
        for (account, region), part in by_place.items():
            try:
                self._put_object(trail, account, region, part)
                self.problems.pop(trail.arn, None)
            except AwsError as error:
                self.problems[trail.arn] = error.code
        if trail.cw_log_group_arn and trail.cw_role_arn:
            self._put_log_events(trail, records)

    def _put_object(self, trail: Any, account: str, region: str, records: list[Event]) -> None:
        now = self._gateway.now()
        prefix = f"{trail.s3_key_prefix}/" if trail.s3_key_prefix else ""
        middle = f"{places.ORGANIZATION}/" if trail.is_org_trail else ""
        stamp = now.strftime("%Y%m%dT%H%MZ")
        name = f"{account}_CloudTrail_{region}_{stamp}_{secrets.token_urlsafe(12)}.json.gz"
        key = f"{prefix}AWSLogs/{middle}{account}/CloudTrail/{region}/{now:%Y/%m/%d}/{name}"
        parameters: dict[str, Any] = {
            "Bucket": trail.bucket_name,
            "Key": key,
            "Body": gzip.compress(_log_file(records), 1),
            "ACL": "bucket-owner-full-control",
            "ContentType": "application/json",
            "ContentEncoding": "gzip",
        }
        if trail.kms_key_id:
            parameters |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": trail.kms_key_id}
        self._gateway.call_as(
            PRINCIPAL,
            "s3",
            "PutObject",
            parameters,
            account=trail.account_id,
            region=trail.region_name,
            context=source(trail.arn, trail.account_id),
        )

    def _put_log_events(self, trail: Any, records: list[Event]) -> None:
        group = trail.cw_log_group_arn.split(":log-group:")[-1].removesuffix(":*")
        stream = f"{trail.account_id}_CloudTrail_{trail.region_name}"
        moment = int(self._gateway.now().timestamp() * 1000)
        name = {"logGroupName": group, "logStreamName": stream}

        def call(operation: str, **more: Any) -> None:
            self._gateway.call_as(
                trail.cw_role_arn,
                "logs",
                operation,
                {**name, **more},
                account=trail.account_id,
                region=trail.region_name,
            )

        try:
            put_lines(call, [(moment, record.text) for record in records])
        except AwsError as error:
            self.problems[f"{trail.arn}/logs"] = error.message


def _log_file(records: Iterable[Event]) -> bytes:
    """A log file: the records, each as it is kept."""
    return ('{"Records": [' + ", ".join(record.text for record in records) + "]}").encode()


def source(arn: str, account: str) -> dict[str, tuple[str, ...]]:
    """Condition keys of a service's call on behalf of a resource."""
    return {
        "aws:sourcearn": (arn,),
        "aws:sourceaccount": (account,),
        "aws:sourceorgid": (places.ORGANIZATION,),
        "s3:x-amz-acl": ("bucket-owner-full-control",),
    }
