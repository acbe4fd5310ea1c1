"""Lifecycle rules of buckets between CloudFormation's spelling and S3's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.recording import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NONCURRENT = (
    # CloudFormation, S3
    ("NoncurrentDays", "NoncurrentDays"),
    ("NewerNoncurrentVersions", "NewerNoncurrentVersions"),
    ("StorageClass", "StorageClass"),
)


def rules_to_api(rules: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """CloudFormation's ``LifecycleConfiguration.Rules`` as S3 takes them."""
    return [_to_api(rule) for rule in rules]


def rules_from_api(rules: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """S3's rules in CloudFormation's spelling."""
    return [_from_api(rule) for rule in rules]


def _to_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "Status": rule.get("Status", "Enabled"),
        "Filter": {"Prefix": rule.get("Prefix", "")},
    }
    if rule.get("Id"):
        result["ID"] = rule["Id"]
    expiration: dict[str, Any] = {}
    if rule.get("ExpirationInDays"):
        expiration["Days"] = rule["ExpirationInDays"]
    if rule.get("ExpirationDate"):
        expiration["Date"] = rule["ExpirationDate"]
    if rule.get("ExpiredObjectDeleteMarker"):
        expiration["ExpiredObjectDeleteMarker"] = True
    if expiration:
        result["Expiration"] = expiration
    if rule.get("Transitions"):
        result["Transitions"] = [
            {"Days": item["TransitionInDays"], "StorageClass": item["StorageClass"]}
            for item in rule["Transitions"]
        ]
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if rule.get(name):
            result[name] = dict(rule[name])
    if rule.get("NoncurrentVersionTransitions"):
        result["NoncurrentVersionTransitions"] = [
            {api: item[name] for name, api in NONCURRENT if name in item}
            for item in rule["NoncurrentVersionTransitions"]
        ]
    return result


def _from_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    expiration = rule.get("Expiration") or {}
    found = {
        "Id": rule.get("ID"),
        "Status": rule.get("Status"),
        "Prefix": (rule.get("Filter") or {}).get("Prefix") or rule.get("Prefix"),
        "ExpirationInDays": expiration.get("Days"),
        "ExpirationDate": plain(expiration.get("Date")),
        "ExpiredObjectDeleteMarker": expiration.get("ExpiredObjectDeleteMarker") or None,
        "NoncurrentVersionExpiration": rule.get("NoncurrentVersionExpiration"),
        "AbortIncompleteMultipartUpload": rule.get("AbortIncompleteMultipartUpload"),
        "Transitions": [
            {"TransitionInDays": item.get("Days"), "StorageClass": item["StorageClass"]}
            for item in rule.get("Transitions") or ()
        ],
        "NoncurrentVersionTransitions": [
            {name: item[api] for name, api in NONCURRENT if api in item}
            for item in rule.get("NoncurrentVersionTransitions") or ()
        ],
    }
    return {key: item for key, item in found.items() if item not in (None, "", [], {})}
