"""aiobotocore's clients, held to the same rules: decided, checked on the bytes that leave, and ended at the deadline.

aiobotocore sends by aiohttp. TLS, proxy and the timeouts of single steps are its own, from ``AioConfig``; the deadline of
a whole call is the guarded session's. aiohttp follows redirects, with the body and to any host: here it does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from botocore.eventstream import EventStream
from botocore.exceptions import ClientError

from ringwall.client.call import call_of
from ringwall.client.classes import Decide, credentials_of, settle_user_agent
from ringwall.client.deadline import DeadlineExceeded, now
from ringwall.client.draft import Draft
from ringwall.client.keys import Keys
from ringwall.client.outcome import Report
from ringwall.client.transport import UNVERIFIED, Check
from ringwall.client.violation import PerimeterViolation, denied_as


def asynchronous(
    check_of: Callable[[Any, Keys], Check], decide: Decide, seconds: float | None = None
) -> type:
    """The class that stands before aiobotocore's, as ``guarded`` makes it for botocore's.

    Args:
        check_of: makes the check of a client, given the keys that it may sign with.
        decide: see :data:`Decide`.
        seconds: how long a call may take; ``None`` for no limit.
    """

    class Guarded:
        _endpoint: Any
        exceptions: Any
        meta: Any

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            self._own_credentials = credentials_of(self)
            self._keys = Keys(lambda: None)
            session = self._endpoint.http_session
            if not getattr(session, "_verify", True):
                raise PerimeterViolation("tls-required", UNVERIFIED, "CreateClient")
            _hold(session, check_of(self, self._keys), self._see_key)
            settle_user_agent(self)

        async def _see_key(self) -> None:
            """Remember the key of now, before a request is signed and after: in between it may be renewed."""
            if self._own_credentials is not None:
                self._keys.see((await self._own_credentials.get_frozen_credentials()).access_key)

        async def _make_api_call(self, *arguments: Any, **keywords: Any) -> Any:
            until = None if seconds is None else now() + seconds
            try:
                async with ended(until, self.meta.endpoint_url):
                    answer = await super()._make_api_call(*arguments, **keywords)  # type: ignore[misc]
            except PerimeterViolation as violation:
                denied_as(violation, self.exceptions)
                raise
            body = answer.get("body")
            if asyncio.iscoroutinefunction(getattr(body, "read", None)):
                body.read = _ended(body.read, until)
            return answer

        async def _convert_to_request_dict(
            self, api_params: Any, operation_model: Any, *arguments: Any, context: Any = None, **keywords: Any
        ) -> Any:
            call = decide(api_params, operation_model, {} if context is None else context)
            await self._see_key()
            request = await super()._convert_to_request_dict(  # type: ignore[misc]
                call.parameters, operation_model, *arguments, context=context, **keywords
            )
            call.serialized = request["body"]
            return request

    return Guarded


def _hold(session: Any, check: Check, see_key: Callable[[], Any]) -> None:
    """Check what an HTTP session of aiobotocore's sends, and let it follow no redirect."""
    send: Any = session.send
    get_session: Any = getattr(session, "_get_session", None)

    async def checked_send(request: Any) -> Any:
        await see_key()
        check(request, call_of(getattr(request, "context", None)))
        return await send(request)

    async def staying(*arguments: Any) -> Any:
        return Staying(await get_session(*arguments))

    session.send = checked_send
    if get_session is not None:  # httpx, the other transport, follows none by itself
        session._get_session = staying  # noqa: SLF001 - aiobotocore has no setting for it


class Staying:
    """A session of aiohttp's that follows no redirect.

    Args:
        session: it.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    async def request(self, *arguments: Any, **keywords: Any) -> Any:
        """Send a request to where it says, and nowhere else."""
        return await self._session.request(*arguments, **{**keywords, "allow_redirects": False})


def _ended(read: Callable[..., Any], until: float | None) -> Callable[..., Any]:
    """A body's ``read`` that ends at a deadline."""

    async def ended_read(*arguments: Any, **keywords: Any) -> Any:
        async with ended(until):
            return await read(*arguments, **keywords)

    return ended_read


@asynccontextmanager
async def ended(until: float | None, url: str | None = None) -> AsyncIterator[None]:
    """End what is awaited inside at a deadline.

    Args:
        until: monotonic second; ``None`` for no limit.
        url: of the endpoint, for the exception.

    Raises:
        DeadlineExceeded: it had not ended by then.
    """
    limit = asyncio.timeout(None if until is None else max(until - now(), 0))
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise DeadlineExceeded(endpoint_url=url, error=error) from error


def watched_asynchronously(
    stream: EventStream,
    read: Callable[[Draft, Mapping[str, Any]], None],
    draft: Draft,
    report: Report | None,
    until: float | None,
) -> EventStream:
    """A stream that is reported when it was read to its end or broke, and ended at the deadline.

    Its other exceptions are aiobotocore's own.

    Args:
        stream: aiobotocore's, not read yet.
        read: takes an event into the draft.
        draft: what is known of the answer.
        report: who is told; ``None`` for nobody.
        until: monotonic second at which the call must have ended.
    """
    if report is None and until is None:
        return stream
    original = stream.__aiter__()

    async def events() -> AsyncIterator[Any]:
        complete = False
        try:
            while True:
                try:
                    async with ended(until):
                        event = await anext(original)
                except StopAsyncIteration:
                    break
                read(draft, event)
                yield event
            complete = True
        except ClientError as error:
            draft.error = str(error.response.get("Error", {}).get("Code", "EventStreamError"))
            raise
        except DeadlineExceeded as error:
            draft.error = type(error).__name__
            raise
        finally:
            if report is not None:
                report(draft.finish(complete=complete))

    class WatchedAsynchronously(type(stream)):  # type: ignore[misc]
        def __aiter__(self) -> AsyncIterator[Any]:
            return events()

    found: EventStream = WatchedAsynchronously.__new__(WatchedAsynchronously)
    found.__dict__.update(vars(stream))
    return found
