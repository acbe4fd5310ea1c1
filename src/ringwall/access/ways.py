"""Which ways carry a call: the public network always, a VPC endpoint only calls of its service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.access.actors import Route, routes
from ringwall.catalog.bedrock import ENDPOINT_SERVICES

if TYPE_CHECKING:
    from ringwall.access.bearing import Access


def carrying(access: Access, *, service: str | None, prefix: str) -> tuple[Route, ...]:
    """The ways for a call.

    Args:
        access: over an Estate without references.
        service: botocore service that is called, where known.
        prefix: IAM prefix of the action, which decides where the service is not known.
    """
    return tuple(
        way for way in routes(access, services=("",)) if _carries(way, access, service, prefix.lower())
    )


def _carries(way: Route, access: Access, service: str | None, prefix: str) -> bool:
    resource = next(
        (
            item
            for item in access.estate.of_type("AWS::EC2::VPCEndpoint")
            if way.endpoint in (item.id, access.attribute(item, "Id"))
        ),
        None,
    )
    if resource is None:
        return True
    served = ENDPOINT_SERVICES.get(str(resource.get("ServiceName", "")).split(".", 3)[-1])
    if served is None:
        return False
    return (
        service in served.services if service is not None else prefix in (*served.prefixes, *served.services)
    )
