"""What a prepared request really says: read from the method, URL, headers and bytes that leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

SIGV4 = "AWS4-HMAC-SHA256"
MODEL_PATHS: Mapping[str, str] = {
    "invoke": "InvokeModel",
    "invoke-with-response-stream": "InvokeModelWithResponseStream",
    "converse": "Converse",
    "converse-stream": "ConverseStream",
    "count-tokens": "CountTokens",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as the network will see it.

    Attributes:
        scheme: ``https`` or ``http``.
        host: host without port, lower case.
        port: port, if the URL names one.
        operation: runtime operation by the path, or ``None`` for other paths.
        model: model identifier in the path.
        guardrail: guardrail identifier carried.
        version: its version.
        authorization: scheme of the Authorization header, empty without one.
        signed_headers: names covered by the signature.
    """

    scheme: str
    host: str
    port: int | None
    operation: str | None
    model: str | None
    guardrail: str | None
    version: str | None
    authorization: str
    signed_headers: frozenset[str]


def read(request: Any) -> Sent:
    """Read a botocore ``AWSPreparedRequest``."""
    url = urlsplit(request.url)
    headers = {_text(name).lower(): _text(value) for name, value in request.headers.items()}
    operation, model = _path(url.path)
    guardrail, version = _guardrail(operation, url.path, headers, request.body)
    authorization = headers.get("authorization", "")
    return Sent(
        scheme=url.scheme,
        host=(url.hostname or "").lower(),
        port=url.port,
        operation=operation,
        model=model,
        guardrail=guardrail,
        version=version,
        authorization=authorization.split(" ", 1)[0],
        signed_headers=_signed(authorization),
    )


def _path(path: str) -> tuple[str | None, str | None]:
    """``/model/ID/converse`` -> (``Converse``, ID); ``/guardrail/ID/version/N/apply`` -> (``ApplyGuardrail``, None)."""
    parts = path.strip("/").split("/")
    if len(parts) >= 3 and parts[0] == "model":
        return MODEL_PATHS.get(parts[-1], parts[-1]), unquote("/".join(parts[1:-1]))
    if len(parts) >= 5 and parts[0] == "guardrail" and parts[-1] == "apply":
        return "ApplyGuardrail", None
    return None, None


def _guardrail(
    operation: str | None, path: str, headers: Mapping[str, str], body: Any
) -> tuple[str | None, str | None]:
    if operation in ("Converse", "ConverseStream"):
        given = _json(body).get("guardrailConfig")
        if not isinstance(given, Mapping):
            return None, None
        return _optional(given.get("guardrailIdentifier")), _optional(given.get("guardrailVersion"))
    if operation in ("InvokeModel", "InvokeModelWithResponseStream"):
        return headers.get("x-amzn-bedrock-guardrailidentifier"), headers.get("x-amzn-bedrock-guardrailversion")
    if operation == "ApplyGuardrail":
        head, _, tail = path.strip("/").partition("/version/")
        return unquote(head.partition("/")[2]), tail.partition("/")[0]
    return None, None


def _json(body: Any) -> Mapping[str, Any]:
    """The body as a JSON object; an unreadable one is an empty object, which carries no guardrail."""
    data = body if isinstance(body, bytes | bytearray | str) else b""
    try:
        value = json.loads(data or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, Mapping) else {}


def _signed(authorization: str) -> frozenset[str]:
    _, found, rest = authorization.partition("SignedHeaders=")
    return frozenset(rest.partition(",")[0].strip().split(";")) if found else frozenset()


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _optional(value: Any) -> str | None:
    return None if value is None else str(value)
