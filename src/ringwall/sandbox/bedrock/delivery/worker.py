"""The background worker that delivers log records and metric data, in small batches, after the calls have returned."""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ringwall.sandbox.bedrock.delivery.destinations import Destinations
from ringwall.sandbox.bedrock.delivery.records import INLINE_BYTES, large_bodies, to_text, without_bodies
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
Metrics: TypeAlias = "dict[tuple[Place, int], tuple[datetime, dict[Datum, float]]]"
"""How often each datum occurred, by place and minute, with the first moment of it."""


class Worker:
    """Queues and delivers. One thread, started with the first item; :meth:`flush` delivers at once, in the caller's thread."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._records: list[tuple[Place, Mapping[str, Any], Record]] = []
        self._metrics: Metrics = {}
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
        minute = (account, region), int(time.timestamp()) // 60
        with self._lock:
            counts = self._metrics.setdefault(minute, (time, {}))[1]
            for datum in data:
                counts[datum] = counts.get(datum, 0.0) + 1
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
                metrics, self._metrics = self._metrics, {}
            self._deliver_metrics(metrics)

    def stop(self) -> None:
        """Deliver what is queued and end the thread."""
        self._stopping.set()
        self._waiting.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=10)
        self.flush()

    def _deliver_records(self, queued: list[tuple[Place, Mapping[str, Any], Record]]) -> None:
        batches: dict[tuple[Place, int], tuple[Mapping[str, Any], list[Record]]] = {}
        for place, config, record in queued:
            batches.setdefault((place, id(config)), (config, []))[1].append(record)
        for ((account, region), _), (config, records) in batches.items():
            _Batch(self, Destinations(self._platform, account, region), (account, region), config).deliver(
                [without_bodies(record, dict(config)) for record in records], self._platform.now()
            )

    def _deliver_metrics(self, queued: Metrics) -> None:
        for ((account, region), namespace), data in _gathered(queued).items():
            for start in range(0, len(data), _METRICS_PER_CALL):
                # A service's own metrics pass no authorization and leave no trail: hence not call_as.
                batch = {"Namespace": namespace, "MetricData": data[start : start + _METRICS_PER_CALL]}
                self._platform.peek("cloudwatch", "PutMetricData", batch, account, region)


def _gathered(queued: Metrics) -> dict[tuple[Place, str], list[dict[str, Any]]]:
    """Data by place and namespace: values of one metric in one minute are one datum, each with how often it occurred."""
    found: dict[tuple[Place, str], list[dict[str, Any]]] = defaultdict(list)
    for (place, _), (time, counted) in queued.items():
        metrics: dict[tuple[Any, ...], list[tuple[float, float]]] = defaultdict(list)
        for (namespace, name, value, unit, dimensions), count in counted.items():
            metrics[namespace, name, unit, dimensions].append((value, count))
        for (namespace, name, unit, dimensions), occurred in metrics.items():
            values = sorted(occurred)
            for start in range(0, len(values), _VALUES_PER_DATUM):
                part = values[start : start + _VALUES_PER_DATUM]
                found[place, namespace].append(
                    {
                        "MetricName": name,
                        "Values": [value for value, _ in part],
                        "Counts": [count for _, count in part],
                        "Unit": unit,
                        "Timestamp": time,
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
        written = [(record, to_text(record)) for record in records]
        if s3 is not None:
            lines = [self._text(record, text, s3, time) for record, text in written]
            self._attempt("LogsS3", time, len(lines), lambda: self._to.write_records(s3, time, lines))
        if cloudwatch is not None:
            large = cloudwatch.get("largeDataDeliveryS3Config")
            events = [
                (datetime.fromisoformat(record["timestamp"]), self._text(record, text, large, time))
                for record, text in written
            ]
            role, group = cloudwatch["roleArn"], cloudwatch["logGroupName"]
            self._attempt(
                "LogsCloudWatch", time, len(events), lambda: self._to.write_events(role, group, events)
            )

    def _text(self, record: Record, text: str, config: Mapping[str, Any] | None, time: datetime) -> str:
        """A record's text, made anew where a body may be over the limit."""
        if len(text) <= INLINE_BYTES:
            return text
        return to_text(self._with_large_bodies(record, config, time))

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
