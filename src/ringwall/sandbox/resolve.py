"""From an HTTP request to the API operation that it means, by botocore's service models.

Paths are matched raw: ``/model/arn%3Aaws%3A...%2Fx/converse`` is one label, whatever is inside of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ringwall.sandbox import models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.sandbox.wire import HttpRequest

_LABEL = re.compile(r"\{(\w+)(\+?)\}")
_HOST = re.compile(
    r"^(?:(?P<bucket>.+?)\.)??(?P<service>s3|[a-z][a-z0-9-]*)"
    r"(?:[.-](?P<region>[a-z]{2}(?:-[a-z]+)+-\d))?\.(?:vpce\.)?(?:amazonaws\.com|api\.aws)$"
)
# Operations that an older one with the same method and path would shadow.
_SUPERSEDED = {
    "GetBucketLifecycle",
    "PutBucketLifecycle",
    "GetBucketNotification",
    "PutBucketNotification",
    "ListDirectoryBuckets",
}
# With these parameters the operation is another one.
_ONLY_WITH = {
    "ListBucketAnalyticsConfigurations": ("id", "GetBucketAnalyticsConfiguration"),
    "ListBucketIntelligentTieringConfigurations": ("id", "GetBucketIntelligentTieringConfiguration"),
    "ListBucketInventoryConfigurations": ("id", "GetBucketInventoryConfiguration"),
    "ListBucketMetricsConfigurations": ("id", "GetBucketMetricsConfiguration"),
}


class UnknownOperationError(Exception):
    """The request matches no operation of the service."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a request means.

    Attributes:
        service: botocore service name.
        operation: API operation.
        protocol: protocol that the client speaks.
        labels: decoded path labels, by location name.
    """

    service: str
    operation: str
    protocol: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def model(self) -> Any:
        """Botocore's operation model."""
        return models.operation_model(self.service, self.operation)


@dataclass(frozen=True, slots=True)
class HostName:
    """What a real AWS host name says: service, Region, and a virtual-hosted bucket."""

    service: str
    region: str | None = None
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class _Route:
    operation: str
    pattern: re.Pattern[str]
    query: tuple[tuple[str, str | None], ...]
    headers: tuple[str, ...]
    names: Mapping[str, str]
    weight: int


def parse_host(host: str) -> HostName | None:
    """Service, Region and bucket of an AWS host name; ``None`` for other hosts (127.0.0.1, ``vpce-...`` ones)."""
    if ".vpce.amazonaws.com" in host:
        return _parse_endpoint_host(host)
    match = _HOST.match(host.replace(".dualstack.", "."))
    if match is None:
        return None
    name = match["service"].removesuffix("-fips")
    service = models.ENDPOINT_SERVICES.get(name)
    if service is None or (match["bucket"] and service != "s3"):
        return None
    return HostName(service, match["region"], match["bucket"])


def _parse_endpoint_host(host: str) -> HostName | None:
    # vpce-0abc-xyz[-us-east-1a].bedrock-runtime.us-east-1.vpce.amazonaws.com; for S3 bucket.vpce-...
    labels = host.removesuffix(".vpce.amazonaws.com").split(".")
    position = next((index for index, label in enumerate(labels) if label.startswith("vpce-")), None)
    if position is None or len(labels) < position + 3:
        return None
    service = models.ENDPOINT_SERVICES.get(labels[position + 1])
    if service is None:
        return None
    bucket = ".".join(part for part in labels[:position] if part != "bucket") or None
    return HostName(service, labels[position + 2], bucket)


def resolve(request: HttpRequest, signing_name: str, host: HostName | None = None) -> Resolution:
    """The operation that a request means.

    Args:
        request: with an S3 path in path style (:func:`path_style`).
        signing_name: service of the signature's scope.
        host: what the host name says, if it is AWS's.

    Raises:
        UnknownOperationError: no such service or operation.
    """
    candidates = (host.service,) if host else models.SERVICES.get(signing_name, ())
    if not candidates:
        raise UnknownOperationError(f"the sandbox has no service {signing_name!r}")
    if len(candidates) == 1:
        return _resolve_in(candidates[0], request)
    for service in _by_preference(candidates, request.path):
        found = _match_route(service, request)
        if found:
            return found
    raise UnknownOperationError(f"no operation of {signing_name} is {request.method} {request.path}")


def _by_preference(candidates: tuple[str, ...], path: str) -> tuple[str, ...]:
    # Both agent services have /tags/{resourceArn}; only sessions are tagged through the runtime one. And of POST
    # /agents/{id} a trailing slash alone tells the build-time service's operation.
    tags = path.startswith("/tags/") and "session" not in path
    if tags or (path.startswith("/agents/") and path.endswith("/")):
        return tuple(service for service in candidates if service != "bedrock-agent-runtime")
    return candidates


def _resolve_in(service: str, request: HttpRequest) -> Resolution:
    protocol = models.protocol(service)
    if "smithy-protocol" in request.headers:
        return _named(service, request.path.rsplit("/operation/", 1)[-1], "smithy-rpc-v2-cbor")
    target = request.headers.get("x-amz-target")
    if target:
        return _named(service, target.rsplit(".", 1)[-1], "json")
    if protocol.startswith("rest"):
        found = _match_route(service, request)
        if found:
            return found
        raise UnknownOperationError(f"no operation of {service} is {request.method} {request.path}")
    action = request.form.get("Action")
    if action is None:
        raise UnknownOperationError(f"the request to {service} names no Action")
    return _named(service, action, "ec2" if protocol == "ec2" else "query")


def _named(service: str, operation: str, protocol: str) -> Resolution:
    try:
        models.operation_model(service, operation)
    except KeyError:
        raise UnknownOperationError(f"{service} has no operation {operation}") from None
    return Resolution(service, operation, protocol)


def _match_route(service: str, request: HttpRequest) -> Resolution | None:
    query = request.query_parameters
    for route in _routes(service).get(request.method, ()):
        match = route.pattern.match(request.path)
        if match is None or not _has_parameters(route, query, request.headers):
            continue
        labels = {route.names[group]: unquote(value) for group, value in match.groupdict().items() if value}
        return Resolution(service, route.operation, models.protocol(service), labels)
    return None


def _has_parameters(route: _Route, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    needed = all(name in query and (value is None or query[name] == value) for name, value in route.query)
    other = _ONLY_WITH.get(route.operation)
    return needed and all(name in headers for name in route.headers) and not (other and other[0] in query)


@cache
def _routes(service: str) -> Mapping[str, tuple[_Route, ...]]:
    by_method: dict[str, list[_Route]] = {}
    model = models.service_model(service)
    for name in model.operation_names:
        if name not in _SUPERSEDED:
            operation = model.operation_model(name)
            by_method.setdefault(operation.http["method"], []).append(_route(operation, name))
    return {
        method: tuple(sorted(routes, key=lambda route: -route.weight)) for method, routes in by_method.items()
    }


def _route(operation: Any, name: str) -> _Route:
    path, _, fixed = operation.http["requestUri"].partition("?")
    query = [
        (key, value or None) for key, _, value in (part.partition("=") for part in fixed.split("&") if part)
    ]
    headers: list[str] = []
    for location, location_name in _required_locations(operation.input_shape):
        if location == "querystring":
            query.append((location_name, None))
        elif location == "header" and operation.service_model.service_name == "s3":
            headers.append(location_name.lower())
    pattern, names, literals, greedy = _path_pattern(path)
    weight = literals * 100 + len(query) * 10 + len(headers) * 5 - greedy
    return _Route(name, pattern, tuple(query), tuple(headers), names, weight)


def _required_locations(shape: Any) -> Iterator[tuple[str, str]]:
    for member_name in shape.required_members if shape else ():
        serialization = shape.members[member_name].serialization
        if serialization.get("location") in {"querystring", "header"}:
            yield serialization["location"], serialization["name"]


def _path_pattern(path: str) -> tuple[re.Pattern[str], dict[str, str], int, int]:
    names: dict[str, str] = {}
    parts: list[str] = []
    literals = greedy = 0
    for segment in path.strip("/").split("/"):
        label = _LABEL.fullmatch(segment)
        if label:
            group = f"g{len(names)}"
            names[group] = label[1]
            greedy += bool(label[2])
            parts.append(f"(?P<{group}>{'.+' if label[2] else '[^/]+'})")
        else:
            literals += bool(segment)
            parts.append(re.escape(segment))
    # A trailing slash is part of a greedy label (S3 keys), and nothing anywhere else.
    return re.compile("/" + "/".join(parts) + ("$" if greedy else "/?$"), re.DOTALL), names, literals, greedy


def path_style(request: HttpRequest, host: HostName | None) -> HttpRequest:
    """The request with a virtual-hosted bucket moved into the path."""
    if host is None or host.bucket is None:
        return request
    return request.with_path(f"/{host.bucket}{request.path if request.path != '/' else ''}")
