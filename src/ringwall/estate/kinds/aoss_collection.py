"""A collection of OpenSearch Serverless with the network and data-access policies that apply to it.

Policies belong to the Region and name collections by pattern, so all of them are read once and those that name the collection
are kept: how the ``resource`` filter of the listings treats wildcards is not documented. Encryption policies are not read:
they choose the key of collections to come, and the collection tells the key that it has (``auto`` = one that AWS owns).

AWS sources: https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-network.html,
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html and
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-encryption.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kinds.base import Reading, remembered
from ringwall.estate.model import Unknown

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

SERVICE = "opensearchserverless"
OWNED_BY_AWS = "auto"
"""What a collection calls a key that AWS owns."""
POLICIES = ("NetworkPolicies", "DataAccessPolicies")
Rules = list[dict[str, Any]]


def read_collection(reading: Reading, configuration: Mapping[str, Any]) -> None:
    """The collection itself, and what its policies say of it."""
    identifier = str(configuration["collectionArn"]).rsplit("/", 1)[-1]
    reading.take(
        ("Exists", "Name", "KmsKeyArn"), (SERVICE, "BatchGetCollection", {"ids": [identifier]}), _collection
    )
    aws, name = reading.aws, reading.properties.get("Name")
    if name is not None:
        reading.found(("NetworkPolicies",), lambda: {"NetworkPolicies": applying(_network(aws), name)})
        reading.found(("DataAccessPolicies",), lambda: {"DataAccessPolicies": applying(_access(aws), name)})
    else:
        # Without its name nothing tells which policies are the collection's.
        reasons = [item.reason for item in reading.unknown if item.property == "Name"]
        reading.unknown += [Unknown(policies, why) for why in reasons for policies in POLICIES]


def _collection(answer: Mapping[str, Any]) -> dict[str, Any]:
    for found in answer.get("collectionDetails") or ():
        key = found.get("kmsKeyArn")
        return {"Exists": True, "Name": found.get("name"), "KmsKeyArn": None if key == OWNED_BY_AWS else key}
    return {}


def _network(aws: Aws) -> list[dict[str, Any]]:
    """The Region's network policies: rules, and whether these are reached from anywhere."""
    found: list[dict[str, Any]] = remembered(
        aws, "aoss:network", partial(_all, aws, "SecurityPolicy", "SecurityPolicies", "network")
    )
    return found


def _access(aws: Aws) -> list[dict[str, Any]]:
    """The Region's data-access policies: rules, and the principals that they are for."""
    found: list[dict[str, Any]] = remembered(
        aws, "aoss:data", partial(_all, aws, "AccessPolicy", "AccessPolicies", "data")
    )
    return found


def _all(aws: Aws, one: str, several: str, kind: str) -> list[dict[str, Any]]:
    member = one[0].lower() + one[1:]
    listed = aws.pages(SERVICE, f"List{several}", f"{member}Summaries", type=kind)
    answers = [aws.call(SERVICE, f"Get{one}", type=kind, name=item["name"]) for item in listed]
    details = [answer[f"{member}Detail"] for answer in answers]
    return [{"Name": item["name"], "Policy": _entries(item["policy"])} for item in details]


def _entries(policy: Any) -> Rules:
    """A policy's entries; the API has a document, older answers its text."""
    entries = json.loads(policy) if isinstance(policy, str) else policy
    return [dict(item) for item in (entries if isinstance(entries, list) else [entries])]


def applying(policies: list[dict[str, Any]], collection: str) -> list[dict[str, Any]]:
    """The entries of policies that name a collection, with those of their rules that do, each with its policy's name."""
    return [
        {"PolicyName": policy["Name"], **entry, "Rules": rules}
        for policy in policies
        for entry in policy["Policy"]
        if (rules := list(_naming(entry.get("Rules") or (), collection)))
    ]


def _naming(rules: Any, collection: str) -> Iterator[dict[str, Any]]:
    for rule in rules:
        named = [item for item in rule.get("Resource") or () if _names(str(item), collection)]
        if named:
            yield {**rule, "Resource": named}


def _names(resource: str, collection: str) -> bool:
    """Whether ``collection/logs*`` or ``index/logs*/books`` is about a collection."""
    return fnmatchcase(collection, resource.partition("/")[2].split("/", 1)[0])
