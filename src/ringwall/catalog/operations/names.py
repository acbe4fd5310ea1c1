"""Names of API operations: which service has them, and both spellings (``converse`` and ``Converse``)."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from ringwall.catalog.operations.authorization import UnknownOperationError
from ringwall.catalog.reference import DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

# Where several services have an operation of one name, the first of these is meant when no service is given.
_PREFERRED = (
    "bedrock-runtime",
    "bedrock-agent-runtime",
    "bedrock",
    "bedrock-agent",
    "bedrock-mantle",
    "iam",
    "sts",
    "kms",
    "s3",
    "ec2",
    "organizations",
    "logs",
    "cloudtrail",
    "cloudwatch",
    "events",
    "sns",
)


@dataclass(frozen=True, slots=True)
class ServiceOperations:
    """Operations of a botocore service: API spelling by folded spelling."""

    prefix: str
    operations: Mapping[str, str]


def fold(name: str) -> str:
    """One spelling for API names and boto3 method names: ``list_objects_v2`` and ``ListObjectsV2`` fold alike."""
    return name.replace("_", "").replace("-", "").lower()


def operations_document() -> Any:
    """The data file: ``provenance``, and ``services`` with their prefix and the names of their operations."""
    with zipfile.ZipFile(DATA / "operations.zip") as archive:
        return json.loads(archive.read("operations.json"))


@cache
def services() -> Mapping[str, ServiceOperations]:
    """Operations by botocore service name (for Mantle and its siblings, by IAM prefix)."""
    document = operations_document()
    return {
        name: ServiceOperations(row["prefix"], {fold(one): one for one in row["operations"].split()})
        for name, row in document["services"].items()
    }


def find_operation(name: str, service: str | None = None) -> tuple[str, str]:
    """Botocore service and API spelling of an operation.

    Args:
        name: ``Converse``, ``converse`` or ``bedrock-runtime:Converse``.
        service: botocore service name, where known; an IAM prefix is taken too.

    Raises:
        UnknownOperationError: no service has it; the message suggests the nearest name.
    """
    head, separator, tail = name.replace(".", ":").partition(":")
    if separator:
        service, name = head, tail
    table = services()
    candidates = _candidates(service)
    for candidate in candidates:
        found = table[candidate].operations.get(fold(name))
        if found:
            return candidate, found
    known = {folded: one for candidate in candidates for folded, one in table[candidate].operations.items()}
    near = get_close_matches(fold(name), known, n=1)
    hint = f"; did you mean {known[near[0]]}?" if near else ""
    raise UnknownOperationError(f"unknown operation {name}{f' of {service}' if service else ''}{hint}")


@lru_cache
def _candidates(service: str | None) -> tuple[str, ...]:
    table = services()
    if service is None:
        return (*_PREFERRED, *(name for name in table if name not in _PREFERRED))
    named = (service,) if service in table else ()
    siblings = tuple(
        one for one in (*_PREFERRED, *table) if table[one].prefix == service and one not in named
    )
    if not named and not siblings:
        near = get_close_matches(service, table, n=1)
        raise UnknownOperationError(
            f"unknown service {service}" + (f"; did you mean {near[0]}?" if near else "")
        )
    return (*named, *siblings)
