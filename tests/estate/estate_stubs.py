"""A connection whose clients answer from tables: botocore checks both the question and the answer against AWS's own models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ParamValidationError
from botocore.stub import Stubber
from botocore.validate import validate_parameters

from ringwall.estate.collect import _Job
from ringwall.estate.connection import Connection, _Shared
from ringwall.estate.kinds import surveyed
from ringwall.estate.model import Resource
from ringwall.estate.sessions import base_session

ACCOUNT, REGION = "111122223333", "us-east-1"
KEYS = {"AccessKeyId": "AKIA000000000000", "SecretAccessKey": "x", "SessionToken": "x"}
Answers = list[tuple[str, dict[str, Any], dict[str, Any]]]
"""Operation, expected parameters, answer; a parameter ``ANY`` may be anything."""
NOW = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)


class Stubbed:
    """A connection whose clients answer from tables, each answer in its turn."""

    def __init__(self, region: str = REGION) -> None:
        self.aws = Connection(base_session(keys=KEYS), region, _Shared("", None, "run"))
        self.aws.account = ACCOUNT
        self.stubbers: dict[str, Stubber] = {}

    def answers(self, service: str, *answers: tuple[str, dict[str, Any], dict[str, Any]]) -> Stubbed:
        stubber = self._stubber(service)
        for operation, expected, answer in answers:
            stubber.add_response(operation, answer, expected)
        return self

    def refuses(self, service: str, operation: str, code: str = "AccessDeniedException") -> Stubbed:
        self._stubber(service).add_client_error(operation, code, "no", http_status_code=403)
        return self

    def _stubber(self, service: str) -> Stubber:
        if service not in self.stubbers:
            self.stubbers[service] = Stubber(self.aws._client(service))
            self.stubbers[service].activate()
        return self.stubbers[service]

    def read(self, kind: str) -> list[Resource]:
        found = list(surveyed()[kind].read(self.aws))
        for stubber in self.stubbers.values():
            stubber.assert_no_pending_responses()
        return found

    def bodies(self) -> str:
        return "".join(item.body for item in self.aws.recording())


@dataclass(frozen=True)
class Refused:
    """An answer that is an error."""

    code: str = "AccessDeniedException"
    message: str = "no"


Told = Mapping[str, Any]
"""By ``service:Operation``: the answer, a function of the parameters, or :class:`Refused`."""


def answering(session: Any, told: Told, *, services: frozenset[str] | None = None) -> list[str]:
    """Let a session's clients answer from a table, in any order; each answer is held against AWS's model of it.

    Args:
        session: botocore's.
        told: the answers; a call that is not in it fails the test.
        services: only these services' clients; default: all.

    Returns:
        What was asked, as ``service:Operation``; it grows.
    """
    asked: list[str] = []
    sent = threading.local()

    def parameters(params: Mapping[str, Any], **_: Any) -> None:
        sent.parameters = dict(params)

    def answer(model: Any, **_: Any) -> Any:
        service = model.service_model.service_name
        if services is not None and service not in services:
            return None
        name = f"{service}:{model.name}"
        asked.append(name)
        found = told[name]
        found = found(sent.parameters) if callable(found) else found
        if isinstance(found, Refused):
            error = {"Error": {"Code": found.code, "Message": found.message}, "ResponseMetadata": {}}
            return AWSResponse("https://stub", 403, {}, None), error
        if model.output_shape is not None:
            _held_against(found, model.output_shape)
        return AWSResponse("https://stub", 200, {}, None), {**found, "ResponseMetadata": {}}

    session.register("provide-client-params", parameters)
    session.register("before-call", answer)
    return asked


def _held_against(answer: Any, shape: Any) -> None:
    """Fail where an answer is none that AWS gives; as botocore's own error it would pass for a failed call."""
    try:
        validate_parameters(answer, shape)
    except ParamValidationError as error:
        raise AssertionError(str(error)) from error


def told_by(told: Told) -> tuple[Connection, list[str]]:
    """A connection that answers from a table, and what was asked of it."""
    aws = Connection(base_session(keys=KEYS), REGION, _Shared("", None, "run"))
    aws.account = ACCOUNT
    return aws, answering(aws._session, told)


def read_all(told: Told, *kinds: str, gaps: bool = False) -> tuple[list[Resource], list[str]]:
    """Resources of some kinds as a connection tells of them, and what was asked.

    With ``gaps`` as the collector does it: what cannot be listed stands there as unknown.
    """
    aws, asked = told_by(told)
    chosen = [surveyed()[kind] for kind in kinds]
    if gaps:
        return [item for kind in chosen for item in _Job(aws, (kind,)).run()], asked
    return [item for kind in chosen for item in kind.read(aws)], asked


Answer = Callable[[Mapping[str, Any]], Any]


def by(parameter: str, answers: Mapping[str, Any]) -> Answer:
    """An answer for each value of a parameter."""
    return lambda sent: answers[str(sent[parameter])]
