"""What AWS answered, kept as evidence: canonical JSON and its digest, with secrets taken out first."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ringwall.estate.model import canonical_json

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

REDACTED = "(redacted)"


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
        body: the response without metadata, as canonical JSON, secrets redacted.
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


def plain(value: Any) -> Any:
    """A boto3 value as JSON-ready data without secrets: times in ISO 8601, bytes in base64."""
    if isinstance(value, Mapping):
        return {
            str(key): REDACTED if str(key).lower() in SECRET_FIELDS else plain(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(bytes(value)).decode("ascii")
    return value


def digest_of(text: str) -> str:
    """``sha256:...`` of a text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def body_of(response: Mapping[str, Any]) -> str:
    """The canonical JSON that a response's digest is taken over."""
    return canonical_json(plain(response))
