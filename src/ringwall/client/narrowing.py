"""The session policy of a declared use: what its role session may do of what the role may.

A session's permissions are the intersection of the role's policies and the session policy
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session), so a session policy may be
coarser than the role's without widening anything. It keeps to the declared use even where somebody gave the role more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.controls.roles import KINDS
from ringwall.errors import RingwallError
from ringwall.estate.model import Ref, substitute
from ringwall.perimeter.model import Perimeter

CHARACTERS = 2048
"""Size of a session policy: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html. STS also packs
policy and tags into a form of unpublished size, and may answer PackedPolicyTooLarge before this limit is reached."""
NARROWED = frozenset({"invoke", "retrieve"})
"""Kinds of use that the guarded client serves whole. The others reach further than Bedrock, or need no guardrail."""

Document = dict[str, Any]


def session_policy(perimeter: Perimeter, name: str) -> Document | None:
    """The session policy of the use of that name; ``None`` for kinds that have none.

    Raises:
        RingwallError: the use names so many models that no form of it fits.
    """
    if perimeter.uses[name].kind not in NARROWED:
        return None
    sizes = []
    for document in _forms(perimeter, name):
        size = len(json.dumps(document, separators=(",", ":")))
        if size <= CHARACTERS:
            return document
        sizes.append(size)
    msg = f"the session policy of this use has {min(sizes)} characters of {CHARACTERS}: divide its models among uses"
    raise RingwallError(msg)


def _forms(perimeter: Perimeter, name: str) -> Iterator[Document]:
    """The role's Allows, then coarser. Its Denies hold as they are: they are the role's."""
    use = perimeter.uses[name]
    statements = [
        {element: value for element, value in statement.items() if element != "Sid"}
        for document in KINDS[use.kind](perimeter, name, use).values()
        for statement in _resolved(perimeter, document)["Statement"]
        if statement["Effect"] == "Allow"
    ]
    yield {"Version": "2012-10-17", "Statement": statements}
    yield {"Version": "2012-10-17", "Statement": [_in_any_region(item) for item in statements]}


def _resolved(perimeter: Perimeter, document: Mapping[str, Any]) -> Document:
    """What has its id from AWS is named by kind: the id is not known before the session is."""
    here = f"{perimeter.regions.source}:{perimeter.account}"

    def resolve(reference: Ref) -> str:
        kind = reference.target.partition("/")[0]
        service = {"guardrail": "bedrock", "key": "kms"}[kind]
        return f"arn:{perimeter.partition}:{service}:{here}:{kind}/*"

    found: Document = substitute(document, resolve)
    return found


def _in_any_region(statement: Mapping[str, Any]) -> Document:
    """A statement whose foundation models are named once for all Regions, without the profile they are reached by."""
    resources = statement["Resource"]
    if not isinstance(resources, list):
        return dict(statement)
    wide = [_without_region(item) for item in resources]
    coarse = {**statement, "Resource": list(dict.fromkeys(wide))}
    if wide != resources:
        coarse.pop("Condition", None)
    return coarse


def _without_region(arn: str) -> str:
    parts = arn.split(":", 5)
    model = parts[2] == "bedrock" and parts[5].startswith("foundation-model/")
    return ":".join([*parts[:3], "*", *parts[4:]]) if model else arn
