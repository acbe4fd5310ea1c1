"""The background worker that delivers log records and metric data, in small batches, after the calls have returned."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.delivery.destinations import Destinations
from ringwall.sandbox.bedrock.delivery.records import large_bodies, without_bodies
from ringwall.sandbox.call import AwsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ringwall.sandbox.bedrock.telemetry import Datum
    from ringwall.sandbox.call import Platform

_BATCH_SECONDS = 1.0
_METRICS_PER_CALL = 500
_DELIVERY = "ModelInvocation{}Delivery{}"

Place = tuple[str, str]
Record = dict[str, Any]


class Worker:
    """Queues and delivers. One thread, started with the first item; :meth:`flush` delivers at once, in the caller's thread."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._records: list[tuple[Place, Mapping[str, Any], Record]] = []
        self._metrics: list[tuple[Place, datetime, Datum]] = []
        self._wake = threading.Condition()
        self._delivering = threading.Lock()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def add_record(self, account: str, region: str, config: Mapping[str, Any], record: Record) -> None:
        """Queue a log record, under the logging configuration of the moment."""
        with self._wake:
            self._records.append(((account, region), config, record))
            self._start()

    def add_metrics(self, account: str, region: str, time: datetime, data: Sequence[Datum]) -> None:
        """Queue metric data: (namespace, name, value, unit, dimensions)."""
        with self._wake:
            self._metrics += [((account, region), time, datum) for datum in data]
            self._start()

    def _start(self) -> None:
        if self._thread is None and not self._stopping:
            self._thread = threading.Thread(target=self._run, name="bedrock-delivery", daemon=True)
            self._thread.start()
        self._wake.notify_all()

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._stopping or self._records or self._metrics)
                if self._stopping:
                    return
                self._wake.wait_for(lambda: self._stopping, timeout=_BATCH_SECONDS)
            with suppress(AwsError):  # what a flush cannot deliver is lost, as on AWS; the thread goes on
                self.flush()

    def flush(self) -> None:
        """Deliver everything that is queued, now."""
        with self._delivering:
            with self._wake:
                records, self._records = self._records, []
            self._deliver_records(records)
            with self._wake:
                metrics, self._metrics = self._metrics, []
            self._deliver_metrics(metrics)

    def stop(self) -> None:
        """Deliver what is queued and end the thread."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)
        self.flush()

    def _deliver_records(self, queued: list[tuple[Place, Mapping[str, Any], Record]]) -> None:
        batches: dict[tuple[Place, str], tuple[Mapping[str, Any], list[Record]]] = {}
        for place, config, record in queued:
            key = (place, json.dumps(config, sort_keys=True))
            batches.setdefault(key, (config, []))[1].append(record)
        for ((account, region), _), (config, records) in batches.items():
            _Batch(self, Destinations(self._platform, account, region), (account, region), config).deliver(
                [without_bodies(record, dict(config)) for record in records], self._platform.now()
            )

    def _deliver_metrics(self, queued: list[tuple[Place, datetime, Datum]]) -> None:
        by_place: dict[tuple[Place, str], list[dict[str, Any]]] = defaultdict(list)
        for place, time, (namespace, name, value, unit, dimensions) in queued:
            datum = {"MetricName": name, "Value": value, "Unit": unit, "Timestamp": time}
            datum["Dimensions"] = [{"Name": key, "Value": text} for key, text in dimensions]
            by_place[place, namespace].append(datum)
        for ((account, region), namespace), data in by_place.items():
            for start in range(0, len(data), _METRICS_PER_CALL):
                # A service's own metrics pass no authorization and leave no trail: hence not call_as.
                batch = {"Namespace": namespace, "MetricData": data[start : start + _METRICS_PER_CALL]}
                self._platform.peek("cloudwatch", "PutMetricData", batch, account, region)


class _Batch:
    """Records of one account and Region under one configuration."""

    def __init__(self, worker: Worker, to: Destinations, place: Place, config: Mapping[str, Any]) -> None:
        self._worker = worker
        self._to = to
        self._place = place
        self._config = config

    def deliver(self, records: list[Record], time: datetime) -> None:
        """Deliver to every destination of the configuration; a failure is a metric, as on AWS, and nothing more."""
        s3, cloudwatch = self._config.get("s3Config"), self._config.get("cloudWatchConfig")
        if s3 is not None:
            shown = [self._with_large_bodies(record, s3, time) for record in records]
            self._attempt("LogsS3", time, len(shown), lambda: self._to.write_records(s3, time, shown))
        if cloudwatch is not None:
            large = cloudwatch.get("largeDataDeliveryS3Config")
            events = [
                (
                    datetime.fromisoformat(record["timestamp"]),
                    json.dumps(self._with_large_bodies(record, large, time)),
                )
                for record in records
            ]
            role, group = cloudwatch["roleArn"], cloudwatch["logGroupName"]
            self._attempt(
                "LogsCloudWatch", time, len(events), lambda: self._to.write_events(role, group, events)
            )

    def _with_large_bodies(self, record: Record, config: Mapping[str, Any] | None, time: datetime) -> Record:
        """The record with bodies over the limit moved to S3, or dropped where there is no place for them."""
        large = large_bodies(record)
        if not large:
            return record
        moved = {**record, **{side: dict(record[side]) for side in large}}
        for side, body in large.items():
            del moved[side][f"{side}BodyJson"]
            if config is None:
                continue
            name = f"{record['requestId']}_{side}"
            uris: list[str] = []
            self._attempt(
                "LargeDataS3",
                time,
                1,
                lambda n=name, b=body, u=uris: u.append(self._to.write_body(config, time, n, b)),  # type: ignore[misc]
            )
            if uris:
                moved[side][f"{side}BodyS3Path"] = uris[0]
        return moved

    def _attempt(self, kind: str, time: datetime, count: int, write: Callable[[], Any]) -> None:
        outcome = "Success"
        try:
            write()
        except AwsError:
            outcome = "Failure"
        account, region = self._place
        name = _DELIVERY.format(kind, outcome)
        self._worker.add_metrics(account, region, time, [("AWS/Bedrock", name, float(count), "Count", ())])
