"""What AWS answered, kept as evidence: canonical JSON and its digest, with secrets and prompts taken out first."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from ringwall.estate.model import canonical_json, utf8

SECRET_FIELDS = frozenset(
    {
        "secretaccesskey",
        "sessiontoken",
        "servicepassword",
        "servicecredentialsecret",
        "password",
        "plaintext",
        "privatekey",
        "privatekeyplaintext",
        "secretstring",
        "secretbinary",
        "token",
    }
)
"""Members that carry secrets (STS, IAM, KMS, Secrets Manager), compared in lower case."""

CONTENT_FIELDS: Mapping[tuple[str, str], frozenset[str]] = MappingProxyType(
    {
        ("s3", "GetObject"): frozenset({"body"}),
        ("logs", "GetLogEvents"): frozenset({"message"}),
        ("logs", "FilterLogEvents"): frozenset({"message"}),
        ("logs", "GetQueryResults"): frozenset({"value"}),
        ("bedrock-agent", "GetPrompt"): frozenset({"text"}),
        ("bedrock-agent", "GetAgent"): frozenset({"instruction", "baseprompttemplate"}),
        ("bedrock-agent", "GetAgentVersion"): frozenset({"instruction", "baseprompttemplate"}),
        ("bedrock-agent", "GetFlow"): frozenset({"text"}),
        ("bedrock-agent", "GetFlowVersion"): frozenset({"text"}),
        ("lambda", "GetFunctionConfiguration"): frozenset({"variables"}),
    }
)
"""Members of responses that hold prompts, completions, log lines or what code is told in secret, by service and operation, in lower case."""

VALUES = frozenset({"environmentvariables"})
"""Members that map names to what may be secrets (AgentCore's runtimes): the names stay, since they are judged."""

REDACTED = "(redacted)"
_WRITTEN_AS_THEY_ARE = frozenset({str, int, float, bool, type(None)})
"""Types of most of what answers hold: asked for first, which halves the time that recording takes."""


Key = tuple[str, str, str, str, str]
"""Account, Region, service, operation, and the parameters as canonical JSON."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One response.

    Attributes:
        digest: ``sha256:...`` over ``body``.
        service: botocore service name.
        operation: API operation in AWS's spelling.
        parameters: what was sent, secrets redacted, JSON-ready.
        account: account that was asked.
        region: Region that was asked.
        caller: ARN of who asked.
        request_id: AWS's request id, for looking the call up in CloudTrail.
        time: when the answer came, ISO 8601, UTC.
        body: the response without metadata, as canonical JSON, redacted; of a failed call the error.
        failed: whether the call failed.
        redacted: what was taken out of parameters and body before the digest was made, as paths
            (``body.Credentials.SecretAccessKey``).
    """

    digest: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    account: str
    region: str
    caller: str
    request_id: str
    time: str
    body: str
    failed: bool = False
    redacted: tuple[str, ...] = ()


def key_of(account: str, region: str, service: str, operation: str, parameters: Mapping[str, Any]) -> Key:
    """What was asked, so that the same question is known again."""
    return account, region, service, operation, canonical_json(plain(parameters))


def plain(
    value: Any, hidden: AbstractSet[str] = SECRET_FIELDS, where: str = "", taken: list[str] | None = None
) -> Any:
    """A boto3 value as JSON-ready data without secrets: times in ISO 8601, bytes in base64.

    Args:
        value: parameters or a response.
        hidden: names of members, in lower case, whose values are replaced.
        where: path of the value.
        taken: receives the paths of what was replaced.
    """
    if type(value) in _WRITTEN_AS_THEY_ARE:
        return value
    if isinstance(value, Mapping):
        return {str(key): _member(str(key), item, hidden, where, taken) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item, hidden, f"{where}[]", taken) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(bytes(value)).decode("ascii")
    return value


def _member(name: str, value: Any, hidden: AbstractSet[str], where: str, taken: list[str] | None) -> Any:
    lowered = name.lower()
    named = lowered in VALUES and isinstance(value, Mapping)
    if lowered not in hidden and not named:
        return (
            value if type(value) in _WRITTEN_AS_THEY_ARE else plain(value, hidden, f"{where}.{name}", taken)
        )
    path = f"{where}.{name}"
    if taken is not None and path not in taken:
        taken.append(path)
    return dict.fromkeys(map(str, value), REDACTED) if named else REDACTED


def hidden_in(service: str, operation: str) -> AbstractSet[str]:
    """Names of the members of an operation's response that evidence must not hold, in lower case."""
    return SECRET_FIELDS | CONTENT_FIELDS.get((service, operation), frozenset())


def digest_of(text: str) -> str:
    """``sha256:...`` of a text."""
    return "sha256:" + hashlib.sha256(utf8(text)).hexdigest()


def record(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    response: Mapping[str, Any],
    *,
    account: str,
    region: str,
    caller: str,
    request_id: str,
    time: str,
    failed: bool = False,
) -> Recorded:
    """One answer as evidence: redacted, then digested.

    Args:
        service: botocore service name.
        operation: API operation.
        parameters: what was sent.
        response: the response without metadata, or ``{"Error": {"Code": ..., "Message": ...}}``.
        account: account that was asked.
        region: Region that was asked.
        caller: ARN of who asked.
        request_id: AWS's request id.
        time: when the answer came, ISO 8601, UTC.
        failed: whether it is an error.
    """
    taken: list[str] = []
    sent = plain(parameters, where="parameters", taken=taken)
    body = canonical_json(plain(response, hidden_in(service, operation), "body", taken))
    return Recorded(
        digest=digest_of(body),
        service=service,
        operation=operation,
        parameters=sent,
        account=account,
        region=region,
        caller=caller,
        request_id=request_id,
        time=time,
        body=body,
        failed=failed,
        redacted=tuple(taken),
    )
