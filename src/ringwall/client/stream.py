"""Event streams that are passed on unchanged, are reported once, and never end as if they were whole when they are not.

botocore lets urllib3's exceptions out of a stream, and takes a connection that is closed between two events for the end
of the answer. Here every way to break is an exception of botocore's, and half an answer is one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from botocore.eventstream import EventStream
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from urllib3.exceptions import HTTPError as URLLib3Error
from urllib3.exceptions import ReadTimeoutError as URLLib3ReadTimeoutError

from ringwall.client.deadline import DeadlineExceeded, now
from ringwall.client.draft import Draft, read_converse_event, read_invoke_event
from ringwall.client.outcome import Report

READERS: Mapping[str, Callable[[Draft, Mapping[str, Any]], None]] = {
    "ConverseStream": read_converse_event,
    "InvokeModelWithResponseStream": read_invoke_event,
}
LAST = {"ConverseStream": "messageStop"}
"""The event without which an answer is not whole. How InvokeModel's streams end depends on the model."""


class Watched(EventStream):
    """An event stream that is reported once: at its end, when it breaks or is closed.

    Args:
        stream: botocore's stream, not read yet.
        draft: what is known of the answer.
        report: who is told; ``None`` for nobody.
        until: monotonic second at which the call must have ended.
    """

    def __init__(
        self, stream: EventStream, draft: Draft, report: Report | None, until: float | None = None
    ) -> None:
        self.__dict__.update(vars(stream))
        self._draft = draft
        self._report = report
        self._until = until
        self._whole = draft.operation not in LAST
        self._event_generator = self._create_raw_event_generator()

    def __iter__(self) -> Iterator[Any]:
        read, last = READERS[self._draft.operation], LAST.get(self._draft.operation)
        try:
            for event in super().__iter__():
                read(self._draft, event)
                self._whole = self._whole or last in event
                yield event
            if not self._whole:
                raise ResponseStreamingError(error=f"the stream ended before its {last} event")
        except ClientError as error:
            self._draft.error = str(error.response.get("Error", {}).get("Code", "EventStreamError"))
            self._end(complete=False)
            raise
        except (BotoCoreError, OSError) as error:
            self._draft.error = type(error).__name__
            self._end(complete=False)
            raise
        self._end(complete=True)

    def _create_raw_event_generator(self) -> Iterator[Any]:
        """Botocore's events, with its exceptions in place of urllib3's."""
        try:
            yield from super()._create_raw_event_generator()
        except URLLib3Error as error:
            raise self._broken(error) from error
        missing = getattr(self._raw_stream, "length_remaining", None)
        if missing:
            expected = int(self._raw_stream.headers["Content-Length"])
            raise IncompleteReadError(actual_bytes=expected - missing, expected_bytes=expected)

    def _broken(self, error: URLLib3Error) -> BotoCoreError:
        if self._until is not None and now() >= self._until:
            return DeadlineExceeded(endpoint_url=None, error=error)
        if isinstance(error, URLLib3ReadTimeoutError):
            return ReadTimeoutError(endpoint_url=error.url, error=error)
        return ResponseStreamingError(error=error)

    def close(self) -> None:
        """Close the connection; what was not read is not waited for."""
        super().close()
        self._end(complete=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._end(complete=False)

    def _end(self, *, complete: bool) -> None:
        report, self._report = getattr(self, "_report", None), None
        if report is not None:
            report(self._draft.finish(complete=complete))


def watched(
    stream: EventStream, draft: Draft, report: Report | None, until: float | None = None
) -> EventStream:
    """A stream that is watched; aiobotocore's is one to iterate over asynchronously."""
    if hasattr(stream, "__aiter__"):
        from ringwall.client.asynchronous import watched_asynchronously  # noqa: PLC0415 - loads asyncio

        return watched_asynchronously(stream, READERS[draft.operation], draft, report, until)
    return Watched(stream, draft, report, until)
