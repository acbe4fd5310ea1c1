"""Signature Version 4: verification of signed headers, presigned URLs and signed upload chunks.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from botocore.utils import normalize_url_path

from ringwall.sandbox import moments

if TYPE_CHECKING:
    from ringwall.sandbox.wire import HttpRequest

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"
SKEW = {"s3": timedelta(minutes=15)}
DEFAULT_SKEW = timedelta(minutes=5)
_MAX_EXPIRES = 7 * 24 * 3600
_HEADER = re.compile(
    ALGORITHM + r"\s+Credential=(?P<credential>[^,\s]+)\s*,\s*SignedHeaders=(?P<signed>[^,\s]+)\s*,"
    r"\s*Signature=(?P<signature>[0-9a-f]{64})\s*$"
)
# What says how the body is signed is checked against the body.
_MAY_BE_UNSIGNED = frozenset({"x-amz-content-sha256", "x-amz-decoded-content-length"})
_EMPTY_HASH = hashlib.sha256(b"").hexdigest()


class SignatureError(Exception):
    """The request does not authenticate. ``kind`` is one of :mod:`ringwall.sandbox.faults`' kinds."""

    def __init__(self, kind: str, message: str | None = None) -> None:
        self.kind = kind
        self.message = message
        super().__init__(message or kind)


@dataclass(frozen=True, slots=True)
class Scope:
    """The credential scope of a signature."""

    access_key: str
    date: str
    region: str
    service: str

    @property
    def text(self) -> str:
        """The scope as it is signed."""
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


@dataclass(frozen=True, slots=True)
class Signed:
    """The authentication part of a request, read but not yet verified.

    Attributes:
        token: session token, if the request carries one.
        presigned: whether the signature stands in the query string.
        expires: seconds that a presigned URL lives.
    """

    scope: Scope
    signed_headers: tuple[str, ...]
    signature: str
    time: datetime
    token: str | None = None
    presigned: bool = False
    expires: int = 0


@dataclass(frozen=True, slots=True)
class Chain:
    """What signs the chunks of an upload: each signature continues the one before."""

    key: bytes
    scope: Scope
    date: str
    signature: str

    def advance(self, kind: str, *hashes: str) -> Chain:
        """The chain after a chunk (``PAYLOAD``) or trailer (``TRAILER``) with these hashes."""
        text = "\n".join([f"{ALGORITHM}-{kind}", self.date, self.scope.text, self.signature, *hashes])
        return replace(self, signature=_hmac(self.key, text).hex())


def read(request: HttpRequest) -> Signed | None:
    """The signature of a request, or ``None`` for an unsigned one.

    Raises:
        SignatureError: it is there but malformed (``incomplete``).
    """
    header = request.headers.get("authorization", "")
    if header.startswith("AWS4"):
        return _read_header(request, header)
    if "X-Amz-Signature" in request.query_parameters or "X-Amz-Algorithm" in request.query_parameters:
        return _read_query(request)
    if header and not header.startswith("Bearer "):
        raise SignatureError("incomplete", "Authorization header requires the AWS4-HMAC-SHA256 algorithm.")
    return None


def _read_header(request: HttpRequest, header: str) -> Signed:
    match = _HEADER.match(header)
    if match is None:
        raise SignatureError(
            "incomplete", "Authorization header requires 'Credential', 'SignedHeaders', 'Signature'."
        )
    date = request.headers.get("x-amz-date") or request.headers.get("date", "")
    return Signed(
        _scope(match["credential"]),
        tuple(match["signed"].split(";")),
        match["signature"],
        _time(date),
        request.headers.get("x-amz-security-token"),
    )


def _read_query(request: HttpRequest) -> Signed:
    query = request.query_parameters
    try:
        if query["X-Amz-Algorithm"] != ALGORITHM:
            raise SignatureError("incomplete", "X-Amz-Algorithm only supports AWS4-HMAC-SHA256")
        expires = int(query["X-Amz-Expires"])
        signed = Signed(
            _scope(query["X-Amz-Credential"]),
            tuple(query["X-Amz-SignedHeaders"].split(";")),
            query["X-Amz-Signature"],
            _time(query["X-Amz-Date"]),
            query.get("X-Amz-Security-Token"),
            presigned=True,
            expires=expires,
        )
    except (KeyError, ValueError) as error:
        raise SignatureError("incomplete", "Query-string authentication lacks a parameter.") from error
    if not 0 < expires <= _MAX_EXPIRES:
        raise SignatureError("incomplete", "X-Amz-Expires must be between 1 and 604800 seconds")
    return signed


def _scope(credential: str) -> Scope:
    parts = credential.split("/")
    if len(parts) < 5 or parts[-1] != "aws4_request":
        raise SignatureError("incomplete", "Credential must have at least 5 slash-delimited elements.")
    return Scope("/".join(parts[:-4]), parts[-4], parts[-3], parts[-2])


def _time(text: str) -> datetime:
    try:
        return moments.read_basic(text)
    except ValueError:
        raise SignatureError("incomplete", "Date must be in ISO-8601 'basic format'.") from None


def verify(request: HttpRequest, signed: Signed, secret: str, now: datetime) -> Chain:
    """Check the signature and its age.

    Returns:
        What signs the chunks of a ``STREAMING-AWS4-...`` body.

    Raises:
        SignatureError: ``skew``, ``url-expired``, ``hash`` or ``signature``.
    """
    _check_age(signed, now)
    # Whoever holds a presigned URL would otherwise add what its signer never meant (x-amz-copy-source, x-amz-acl). S3
    # says that it refuses unsigned x-amz headers; of other services AWS's pages say only that they must be signed.
    required = {"host"} | {name for name in request.headers if name.startswith("x-amz-")}
    missing = required - set(signed.signed_headers) - _MAY_BE_UNSIGNED
    if "host" in missing:
        raise SignatureError(
            "signature", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
        )
    if missing:
        raise SignatureError(
            "denied" if signed.scope.service == "s3" else "signature",
            f"There were headers present in the request which were not signed: {', '.join(sorted(missing))}",
        )
    date = moments.basic(signed.time)
    canonical = _canonical_request(request, signed)
    text = "\n".join([ALGORITHM, date, signed.scope.text, hashlib.sha256(canonical.encode()).hexdigest()])
    key = signing_key(secret, signed.scope)
    if not hmac.compare_digest(_hmac(key, text).hex(), signed.signature):
        raise SignatureError("signature")
    return Chain(key, signed.scope, date, signed.signature)


def _check_age(signed: Signed, now: datetime) -> None:
    moment = moments.basic(signed.time)
    if signed.scope.date != moment[:8]:
        raise SignatureError(
            "incomplete", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date"
        )
    skew = SKEW.get(signed.scope.service, DEFAULT_SKEW)
    minutes = int(skew.total_seconds() // 60)
    if signed.time > now + skew:
        later = f"{moments.basic(now + skew)} ({moments.basic(now)} + {minutes} min.)"
        raise SignatureError("skew", f"Signature not yet current: {moment} is still later than {later}")
    if signed.presigned:
        if now > signed.time + timedelta(seconds=signed.expires):
            raise SignatureError("url-expired")
    elif signed.time < now - skew:
        earlier = f"{moments.basic(now - skew)} ({moments.basic(now)} - {minutes} min.)"
        raise SignatureError("skew", f"Signature expired: {moment} is now earlier than {earlier}")


def _canonical_request(request: HttpRequest, signed: Signed) -> str:
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed.signed_headers
    )
    return "\n".join(
        [
            request.method,
            _canonical_path(request.path, signed.scope.service),
            _canonical_query(request.query, signed),
            headers,
            ";".join(signed.signed_headers),
            _payload_hash(request, signed),
        ]
    )


def _canonical_path(path: str, service: str) -> str:
    # S3 signs the path as sent; every other service signs it encoded once more.
    return path if service == "s3" else quote(normalize_url_path(path), safe="/~")


def _canonical_query(query: str, signed: Signed) -> str:
    pairs = []
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name and not (signed.presigned and name == "X-Amz-Signature"):
            pairs.append((_recoded(name), _recoded(value)))
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _recoded(text: str) -> str:
    return quote(unquote(text), safe="-_.~")


def _payload_hash(request: HttpRequest, signed: Signed) -> str:
    claimed = request.headers.get("x-amz-content-sha256")
    if signed.scope.service != "s3":
        # The hash is of what arrived, whatever the header says: leaving the body unsigned is S3's alone.
        return hashlib.sha256(request.body).hexdigest()
    if claimed is None:
        if signed.presigned:
            return UNSIGNED
        raise SignatureError("hash", "Missing required header for this request: x-amz-content-sha256")
    if claimed == UNSIGNED or claimed.startswith("STREAMING-"):
        return claimed
    actual = hashlib.sha256(request.body).hexdigest() if request.body else _EMPTY_HASH
    if not hmac.compare_digest(claimed, actual):
        raise SignatureError("hash")
    return claimed


@lru_cache(maxsize=256)
def signing_key(secret: str, scope: Scope) -> bytes:
    """The key that a secret gives for a scope."""
    key = f"AWS4{secret}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def decode_chunks(request: HttpRequest, chain: Chain | None) -> tuple[bytes, dict[str, str]]:
    """Undo ``aws-chunked`` encoding: the body and its trailing headers.

    Args:
        request: with ``x-amz-content-sha256: STREAMING-...``.
        chain: verifies chunk signatures; ``None`` for an unsigned request.

    Raises:
        SignatureError: a chunk's signature is wrong (``signature``), or the framing is (``incomplete``).
    """
    kind = request.headers.get("x-amz-content-sha256", "")
    signed = chain if kind.startswith("STREAMING-AWS4-HMAC-SHA256") else None
    body, position, pieces = request.body, 0, []
    while True:
        size, extension, position = _chunk_head(body, position)
        data = body[position : position + size]
        if len(data) != size:
            raise SignatureError("incomplete", "The request body terminated unexpectedly")
        if signed is not None:
            signed = signed.advance("PAYLOAD", _EMPTY_HASH, hashlib.sha256(data).hexdigest())
            _check_chunk(signed, extension)
        position += size
        if size == 0:
            break
        pieces.append(data)
        position += 2
    content = b"".join(pieces)
    trailers = _trailers(body[position:], signed if kind.endswith("-TRAILER") else None)
    expected = request.headers.get("x-amz-decoded-content-length")
    if expected is not None and expected != str(len(content)):
        raise SignatureError("incomplete", "You did not provide the number of bytes specified by the header")
    return content, trailers


def _chunk_head(body: bytes, position: int) -> tuple[int, str, int]:
    end = body.find(b"\r\n", position)
    if end < 0:
        raise SignatureError("incomplete", "The request body terminated unexpectedly")
    size, _, extension = body[position:end].decode("ascii", "replace").partition(";")
    try:
        return int(size, 16), extension, end + 2
    except ValueError:
        raise SignatureError("incomplete", "The chunk's size is not a hexadecimal number") from None


def _check_chunk(chain: Chain, extension: str) -> None:
    if not hmac.compare_digest(extension.partition("chunk-signature=")[2], chain.signature):
        raise SignatureError("signature")


def _trailers(text: bytes, chain: Chain | None) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.decode("ascii", "replace").split("\r\n"):
        name, separator, value = line.partition(":")
        if separator:
            found[name.strip().lower()] = value.strip()
    claimed = found.pop("x-amz-trailer-signature", None)
    if chain is not None:
        written = "".join(f"{name}:{value}\n" for name, value in found.items())
        expected = chain.advance("TRAILER", hashlib.sha256(written.encode()).hexdigest()).signature
        if claimed is None or not hmac.compare_digest(claimed, expected):
            raise SignatureError("signature")
    return found
