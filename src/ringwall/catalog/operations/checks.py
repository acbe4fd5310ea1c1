"""What a call must name before its authorizations can be told: checked where a person wrote the parameters.

CloudTrail shows parameters in part and in a spelling of its own, so what it shows is resolved without these checks.
Follows the API references of the operations, and for guardrails
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html: a guardrail without a version is
refused there; the page of Converse is silent, and a version that nobody gave is not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.catalog.bedrock import GUARDRAIL_PLACES
from ringwall.catalog.operations.parameters import RESOURCES
from ringwall.catalog.operations.shapes import ParameterError, check_shape, required

# Required parameters without which it is not known what the call is about.
_NAMING = frozenset(name for fills in RESOURCES["bedrock"].values() for fill in fills for name in fill) | {
    "foundationModel",
    "targetModelId",
}
_RAG = "retrieveAndGenerateConfiguration"
_INSIDE: Mapping[tuple[str, ...], tuple[str, ...]] = {
    (_RAG, "knowledgeBaseConfiguration"): ("knowledgeBaseId", "modelArn"),
    (_RAG, "externalSourcesConfiguration"): ("modelArn",),
}
_VERSION = re.compile(r"[1-9][0-9]{0,7}|DRAFT")
_GUARDRAIL = re.compile(
    r"[a-z0-9]+|arn:[a-z-]+:bedrock:[a-z0-9-]+:[0-9]{12}:guardrail/[a-z0-9]+(?P<pinned>:[1-9][0-9]*)?"
)


def check(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Refuse parameters from which the authorizations cannot be told.

    Args:
        service: botocore service name.
        operation: operation in the API's spelling.
        parameters: boto3's parameters.

    Raises:
        ParameterError: a parameter does not exist, is of the wrong type, or is needed and absent.
    """
    check_shape(service, operation, parameters)
    mistakes = (*_absent(service, operation, parameters), *_guardrails(service, operation, parameters))
    if mistakes:
        raise ParameterError(f"{operation}: {mistakes[0]}", details=mistakes[1:])


def _absent(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    for name in required(service, operation):
        if name in _NAMING and not parameters.get(name):
            yield f"the parameter {name} is needed"
    for path, names in _INSIDE.items():
        found = _at(parameters, path)
        for name in names if isinstance(found, Mapping) else ():
            if not found.get(name):
                yield f"the parameter {'.'.join((*path, name))} is needed"


def _guardrails(service: str, operation: str, parameters: Mapping[str, Any]) -> Iterator[str]:
    place = GUARDRAIL_PLACES.get((service, operation))
    if place is None:
        return
    identifier, version = _at(parameters, place.identifier), _at(parameters, place.version)
    named, pinned = ".".join(place.identifier), ".".join(place.version)
    found = _GUARDRAIL.fullmatch(identifier or "")
    if identifier and not found:
        yield f"{named} {identifier!r} is neither a guardrail's id (lower-case letters and digits) nor its ARN"
    if version and not _VERSION.fullmatch(version):
        yield f"{pinned} {version!r} is neither a number nor DRAFT"
    if operation == "ApplyGuardrail":  # asked about for its guardrail alone; the version makes no difference
        return
    if found and not found["pinned"] and not version:
        yield f"{named} needs {pinned}: a number, or DRAFT"
    if version and not identifier:
        yield f"{pinned} needs {named}"


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
