"""aiobotocore's clients, held to the same rules: decided, checked on the bytes that leave, and ended at the deadline.

aiobotocore sends by aiohttp. TLS, proxy and the timeouts of single steps are its own, from ``AioConfig``; the deadline of
a whole call is the guarded session's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from ringwall.client.call import call_of
from ringwall.client.classes import Decide, credentials_of, settle_user_agent
from ringwall.client.deadline import DeadlineExceeded, now
from ringwall.client.keys import Keys
from ringwall.client.transport import UNVERIFIED, Check
from ringwall.client.violation import PerimeterViolation


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
        meta: Any

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            keys = self._keys = Keys(lambda: None)
            check, session = check_of(self, keys), self._endpoint.http_session
            if not getattr(session, "_verify", True):
                raise PerimeterViolation("tls-required", UNVERIFIED, "CreateClient")
            send = session.send

            async def checked_send(request: Any) -> Any:
                await self._see_key()
                check(request, call_of(getattr(request, "context", None)))
                return await send(request)

            session.send = checked_send
            self._credentials = credentials_of(self)
            settle_user_agent(self)

        async def _see_key(self) -> None:
            """Remember the key of now, before a request is signed and after: in between it may be renewed."""
            if self._credentials is not None:
                self._keys.see((await self._credentials.get_frozen_credentials()).access_key)

        async def _make_api_call(self, *arguments: Any, **keywords: Any) -> Any:
            async with ended(None if seconds is None else now() + seconds, self.meta.endpoint_url):
                return await super()._make_api_call(*arguments, **keywords)  # type: ignore[misc]

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
