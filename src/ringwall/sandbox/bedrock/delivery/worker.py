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
_VALUES_PER_DATUM = 150
_DELIVERY = "ModelInvocation{}Delivery{}"

Place = tuple[str, str]
Record = dict[str, Any]


class Worker:
    """Queues and delivers. One thread, started with the first item; :meth:`flush` delivers at once, in the caller's thread."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._records: list[tuple[Place, Mapping[str, Any], Record]] = []
        self._metrics: list[tuple[Place, datetime, Datum]] = []
        self._lock = threading.Lock()
        self._waiting = threading.Event()
        self._delivering = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add_record(self, account: str, region: str, config: Mapping[str, Any], record: Record) -> None:
        """Queue a log record, under the logging configuration of the moment."""
        with self._lock:
            self._records.append(((account, region), config, record))
        self._wake()

    def add_metrics(self, account: str, region: str, time: datetime, data: Sequence[Datum]) -> None:
        """Queue metric data: (namespace, name, value, unit, dimensions)."""
        with self._lock:
            self._metrics += [((account, region), time, datum) for datum in data]
        self._wake()

    def _wake(self) -> None:
        # Waking a thread that is awake costs as much as waking one that sleeps.
        if self._waiting.is_set():
            return
        self._waiting.set()
        with self._lock:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="bedrock-delivery", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._waiting.wait()
            if self._stopping.wait(_BATCH_SECONDS):
                return
            self._waiting.clear()
            with suppress(AwsError):  # what a flush cannot deliver is lost, as on AWS; the thread goes on
                self.flush()

    def flush(self) -> None:
        """Deliver everything that is queued, now."""
        with self._delivering:
            with self._lock:
                records, self._records = self._records, []
            self._deliver_records(records)
            with self._lock:
                metrics, self._metrics = self._metrics, []
            self._deliver_metrics(metrics)

    def stop(self) -> None:
        """Deliver what is queued and end the thread."""
        self._stopping.set()
        self._waiting.set()
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
        for ((account, region), namespace), data in _gathered(queued).items():
            for start in range(0, len(data), _METRICS_PER_CALL):
                # A service's own metrics pass no authorization and leave no trail: hence not call_as.
                batch = {"Namespace": namespace, "MetricData": data[start : start + _METRICS_PER_CALL]}
                self._platform.peek("cloudwatch", "PutMetricData", batch, account, region)


def _gathered(
    queued: list[tuple[Place, datetime, Datum]],
) -> dict[tuple[Place, str], list[dict[str, Any]]]:
    """Data by place and namespace: values of one metric in one minute are one datum, each with how often it occurred."""
    counted: dict[tuple[Any, ...], dict[float, float]] = {}
    latest: dict[tuple[Any, ...], datetime] = {}
    for place, time, (namespace, name, value, unit, dimensions) in queued:
        key = (place, namespace, name, unit, dimensions, int(time.timestamp()) // 60)
        counts = counted.setdefault(key, {})
        counts[value] = counts.get(value, 0.0) + 1
        latest[key] = time
    found: dict[tuple[Place, str], list[dict[str, Any]]] = defaultdict(list)
    for key, counts in counted.items():
        place, namespace, name, unit, dimensions, _ = key
        values = sorted(counts.items())
        for start in range(0, len(values), _VALUES_PER_DATUM):
            part = values[start : start + _VALUES_PER_DATUM]
            found[place, namespace].append(
                {
                    "MetricName": name,
                    "Values": [value for value, _ in part],
                    "Counts": [count for _, count in part],
                    "Unit": unit,
                    "Timestamp": latest[key],
                    "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions],
                }
            )
    return found


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
