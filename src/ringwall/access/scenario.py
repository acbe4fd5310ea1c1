"""The documents of ``ringwall decide`` as questions to ``ringwall why``.

A context is complete as it is given: a key that it lacks is absent. Over an Estate ``aws:SourceVpce`` says which
endpoint's policy bears on the request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringwall.access.asked import Asked, Occurrence, with_estate
from ringwall.access.calls import read_call
from ringwall.access.names import EstateNames
from ringwall.access.why import Explanation, explain_occurrence, explain_request
from ringwall.iam.codec import make_request, policies_from_json, request_from_json

if TYPE_CHECKING:
    from ringwall.access.bearing import Access
    from ringwall.catalog.operations import ProfileResolver
    from ringwall.catalog.reference import Catalog
    from ringwall.iam.request import Request


def explain_document(
    document: Mapping[str, Any],
    catalog: Catalog,
    *,
    access: Access | None = None,
    administrators: tuple[str, ...] = (),
) -> tuple[Explanation, ...]:
    """Explain a decide document, or a bare request, against its own policies or over an Estate.

    Args:
        document: ``{"request": ..., "policies": ...}``; without ``policies`` the Estate's bear on it.
        catalog: actions and keys.
        access: over an Estate, for documents without policies.
        administrators: who may change the controls, by the declaration.

    Raises:
        ValueError: request, policies or principal cannot be read, or there are neither policies nor an Estate.
        TypeError: a member is of the wrong type.
    """
    request = document.get("request", document)
    if not isinstance(request, Mapping):
        raise TypeError("request must be an object")
    parts = tuple(_requests(request, EstateNames(access) if access else None))
    if "policies" in document:
        policies = policies_from_json(document["policies"])
        return tuple(explain_request(part, policies, catalog) for part in parts)
    if access is None:
        raise ValueError("the document has no policies, and there is no Estate to ask")
    asked = tuple(_asked(part, access) for part in parts)
    return explain_occurrence(Occurrence(asked), access, catalog, administrators=administrators)


def _asked(request: Request, access: Access) -> Asked:
    endpoint = request.context.get("aws:sourcevpce", ("",))[0]
    known = Asked(
        request.principal,
        request.action,
        request.resource,
        request.context,
        resource_account=request.resource_account,
        endpoint=endpoint,
    )
    full = with_estate(known, access)
    return Asked(
        full.principal,
        full.action,
        full.resource,
        full.context,
        complete=True,
        resource_account=full.resource_account,
        endpoint=endpoint,
        assumed=full.assumed,
    )


def _requests(value: Mapping[str, Any], resolver: ProfileResolver | None) -> list[Request]:
    """The single request, or one for each authorization of the operation."""
    if "operation" not in value:
        return [request_from_json(value)]
    call = read_call(value, resolver)
    return [
        make_request(
            call.principal,
            part.authorization.action,
            part.authorization.resource,
            part.authorization.resource_account,
            part.context,
        )
        for part in call.parts
    ]
