"""From an HTTP request to its caller: signature or API key, and the service and Region that it is meant for."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.sandbox import apikeys, faults, models, places, resolve, sigv4
from ringwall.sandbox.sigv4 import SignatureError

if TYPE_CHECKING:
    from datetime import datetime

    from ringwall.sandbox.call import AwsError
    from ringwall.sandbox.credentials import Caller, Credentials
    from ringwall.sandbox.resolve import HostName, Resolution
    from ringwall.sandbox.wire import HttpRequest

MAX_BODY = 25 * 1024 * 1024
"""Largest body in bytes, as of Bedrock's InvokeModel."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is for, before anybody knows whose it is.

    Attributes:
        request: in path style.
        service: service for error shapes; ``None`` if nothing tells.
        resolution: the operation, or ``None`` with ``problem``.
    """

    request: HttpRequest
    signed: sigv4.Signed | None
    service: str | None
    region: str
    host: HostName | None
    resolution: Resolution | None
    problem: str = ""

    @property
    def protocol(self) -> str:
        """Protocol for answers."""
        if self.resolution:
            return self.resolution.protocol
        return models.protocol(self.service) if self.service else "json"


def aim(request: HttpRequest, endpoint: tuple[str, str] | None = None) -> Target:
    """Find out what a request is for.

    Args:
        request: as received.
        endpoint: service and Region of the VPC endpoint that it came through; no other is behind it.

    Raises:
        SignatureError: its signature is malformed.
    """
    signed = sigv4.read(request)
    host = resolve.parse_host(request.host)
    path_style = resolve.path_style(request, host)
    if endpoint is not None:
        host = resolve.HostName(*endpoint, None)
    name = signed.scope.service if signed else _guess(path_style, host)
    region = _region(request, signed, host)
    service = host.service if host else next(iter(models.SERVICES.get(name, ())), None)
    try:
        resolution = resolve.resolve(path_style, name, host)
    except resolve.UnknownOperationError as error:
        return Target(path_style, signed, service, region, host, None, str(error))
    return Target(path_style, signed, resolution.service, region, host, resolution)


def _guess(request: HttpRequest, host: HostName | None) -> str:
    """The signing name of an unsigned request."""
    if host is not None:
        return models.SIGNING_NAMES[host.service]
    target = request.headers.get("x-amz-target", "").rsplit(".", 1)[0]
    for service, name in models.SIGNING_NAMES.items():
        if target and models.service_model(service).metadata.get("targetPrefix") == target:
            return name
    if "Action" in request.form:
        version = request.form.get("Version")
        for service in ("iam", "sts", "sns", "ec2"):
            if models.service_model(service).metadata["apiVersion"] == version:
                return service
        return "sts"
    try:
        resolve.resolve(request, "bedrock")
    except resolve.UnknownOperationError:
        return "s3"
    return "bedrock"


def identify(target: Target, credentials: Credentials, now: datetime) -> tuple[Caller | None, HttpRequest]:
    """Verify who sent a request.

    Returns:
        The caller (``None`` for anonymous requests, which S3 alone takes) and the request with its body decoded.

    Raises:
        SignatureError: it does not authenticate.
    """
    request, signed = target.request, target.signed
    token = _bearer(request)
    if token is not None:
        if target.service not in models.SERVICES["bedrock"]:
            raise SignatureError("incomplete", "The service takes no API keys.")
        return credentials.bearer(token, now, target.region), request
    if signed is None:
        if target.service == "s3":
            return None, _decoded(target, request, None)
        raise SignatureError("missing")
    _check_scope(target, signed)
    caller, secret = credentials.look_up(signed.scope.access_key, signed.token, now)
    chain = sigv4.verify(_as_signed(target), signed, secret, now)
    return caller, _decoded(target, request, chain)


def _bearer(request: HttpRequest) -> str | None:
    authorization = request.headers.get("authorization", "")
    return authorization.removeprefix("Bearer ").strip() if authorization.startswith("Bearer ") else None


def _region(request: HttpRequest, signed: sigv4.Signed | None, host: HostName | None) -> str:
    """The Region that is meant: the signature's, the host name's, a short-term API key's, or the sandbox's own."""
    if signed:
        return signed.scope.region
    if host is not None:
        return host.region or places.REGION
    key = apikeys.read(_bearer(request) or "")
    return key.region if key else places.REGION


def _as_signed(target: Target) -> HttpRequest:
    # A virtual-hosted bucket is signed in the Host header, not in the path.
    if target.host and target.host.bucket:
        path = target.request.path.removeprefix(f"/{target.host.bucket}") or "/"
        return target.request.with_path(path)
    return target.request


def _check_scope(target: Target, signed: sigv4.Signed) -> None:
    if target.host is not None:
        expected = models.SIGNING_NAMES[target.host.service]
        if signed.scope.service != expected:
            raise SignatureError(
                "signature", f"Credential should be scoped to correct service: '{expected}'."
            )
        if target.host.region and target.host.region != signed.scope.region:
            raise SignatureError("signature", "Credential should be scoped to a valid region.")
    if target.service in models.GLOBAL_SERVICES and signed.scope.region != places.REGION:
        raise SignatureError(
            "signature", f"Credential should be scoped to a valid region. Use '{places.REGION}'."
        )


def _decoded(target: Target, request: HttpRequest, chain: sigv4.Chain | None) -> HttpRequest:
    if request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        body, _ = sigv4.decode_chunks(request, chain)
        return request.with_body(body)
    # SDKs compress the bodies of some operations; an object of S3 is kept as it came.
    if target.service != "s3" and request.headers.get("content-encoding") == "gzip":
        return request.with_body(_inflated(request.body))
    return request


def _inflated(body: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        data = inflater.decompress(body, MAX_BODY)
    except zlib.error:
        return body
    return body if inflater.unconsumed_tail else data


def refusal(error: SignatureError, service: str | None) -> AwsError:
    """The error that a service answers to a request that does not authenticate."""
    return faults.fault(error.kind, service, error.message)
