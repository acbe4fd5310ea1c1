"""What stands before the class of every client that a guarded session makes.

``creating-client-class`` puts it there, however the client is made, so it can not be forgotten: a call is decided in the
step that serialises its parameters, after everybody who may change them, and checked behind every event handler. These
steps of botocore's are private. They are used here alone, and where a later botocore has other ones a call is refused:
it would leave without the guardrail that the check asks for.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ringwall.client.call import Call
from ringwall.client.keys import Keys
from ringwall.client.transport import Check, HardenedSession, harden, host_of
from ringwall.client.violation import PerimeterViolation, denied_as

REPLACED = "the HTTP session that verifies what leaves was replaced by another"
Decide = Callable[[dict[str, Any], Any, dict[str, Any]], Call]
"""Given a call's parameters, botocore's model of its operation and its context, lets it pass or raises."""


def synchronous(base: type) -> bool:
    """Whether a client class is botocore's own; aiobotocore's is asynchronous and has another transport."""
    return not inspect.iscoroutinefunction(getattr(base, "_make_api_call", None))


def credentials_of(client: Any) -> Any:
    """The credentials that a client was made with; ``None`` where there are none."""
    return client._get_credentials()  # noqa: SLF001 - what replaces them later does not count


def checked(check_of: Callable[[Any], Check]) -> type:
    """A class that hardens each client as it is made.

    Args:
        check_of: makes the check of a client.
    """

    class Checked:
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            harden(self, check_of(self))
            settle_user_agent(self)

    return Checked


def guarded(check_of: Callable[[Any, Keys], Check], decide: Decide) -> type:
    """A class that decides each call and hardens each client.

    Args:
        check_of: makes the check of a client, given the keys that it may sign with.
        decide: see :data:`Decide`.
    """

    def check(client: Any) -> Check:
        credentials = credentials_of(client)

        def key() -> str | None:
            return None if credentials is None else str(credentials.get_frozen_credentials().access_key)

        return check_of(client, Keys(key))

    class Guarded(checked(check)):  # type: ignore[misc]
        exceptions: Any

        def _make_api_call(self, *arguments: Any, **keywords: Any) -> Any:
            try:
                return super()._make_api_call(*arguments, **keywords)
            except PerimeterViolation as violation:
                denied_as(violation, self.exceptions)
                raise

        def _convert_to_request_dict(
            self, api_params: Any, operation_model: Any, *arguments: Any, context: Any = None, **keywords: Any
        ) -> Any:
            """Decide, and remember the body that botocore makes of the parameters, see :class:`Call`."""
            if type(self._endpoint.http_session) is not HardenedSession:
                raise PerimeterViolation("transport-replaced", REPLACED, operation_model.name)
            call = decide(api_params, operation_model, {} if context is None else context)
            request = super()._convert_to_request_dict(
                call.parameters, operation_model, *arguments, context=context, **keywords
            )
            call.serialized = request["body"]
            return request

    return Guarded


def refused(reason: str, services: tuple[str, ...]) -> type:
    """A class of which no client is made where its service is signed or addressed as one of some.

    A service model of somebody's own (``aws configure add-model``) can call the same service by another name.

    Args:
        reason: what is wrong with it.
        services: beginnings of names.
    """

    class Refused:
        meta: Any

        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            super().__init__(*arguments, **keywords)
            model = self.meta.service_model
            if model.signing_name.startswith(services) or model.endpoint_prefix.startswith(services):
                raise PerimeterViolation("service-not-guarded", reason, "CreateClient")

    return Refused


def pin(events: Any, service: str, hosts: frozenset[str], refuse: Callable[[str], Exception]) -> None:
    """Hold the clients of one service that a session makes to HTTPS and to some hosts; nothing else is checked."""

    def check(request: Any, _call: Call | None) -> None:
        host = host_of(request.url)
        if not request.url.startswith("https://") or host not in hosts:
            raise refuse(host or "a URL that is not plain")

    def add(base_classes: list[type], **_: Any) -> None:
        base_classes.insert(0, checked(lambda _client: check))

    events.register(f"creating-client-class.{service}", add, unique_id=f"ringwall-pin-{service}")


def settle_user_agent(client: Any) -> None:
    """Keep the user agent that the client begins with.

    botocore writes it anew twice a call, for codes of the features that the call used, which is a fifth of its own
    time. What names the application (``user_agent_appid``, ``user_agent_extra``) stays in it.
    """
    creator = client._user_agent_creator  # noqa: SLF001 - a copy of the client's own
    text = creator.to_string()
    creator.to_string = lambda: text
