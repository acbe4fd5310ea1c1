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


SIZES = ("ObjectSizeGreaterThan", "ObjectSizeLessThan")


def rules_to_api(rules: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """CloudFormation's ``LifecycleConfiguration.Rules`` as S3 takes them."""
    return [_to_api(rule) for rule in rules]


def rules_from_api(rules: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """S3's rules in CloudFormation's spelling."""
    return [_from_api(rule) for rule in rules]


def _to_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {
        "Status": rule.get("Status", "Enabled"),
        "Filter": _filter(rule),
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


def _filter(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Which objects a rule is for; S3 takes one condition by itself, several as ``And``."""
    tags = [dict(tag) for tag in rule.get("TagFilters") or ()]
    sizes = {name: int(rule[name]) for name in SIZES if rule.get(name) is not None}
    prefix = {"Prefix": rule["Prefix"]} if rule.get("Prefix") else {}
    if len(tags) + len(sizes) + len(prefix) > 1:
        return {"And": {**prefix, **sizes, **({"Tags": tags} if tags else {})}}
    return {"Tag": tags[0]} if tags else sizes or prefix or {"Prefix": ""}


def _conditions(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The same in CloudFormation's spelling, which has sizes as texts."""
    said = rule.get("Filter") or {}
    every = said.get("And") or said
    tags = [*every.get("Tags", ()), *([said["Tag"]] if said.get("Tag") else ())]
    return {
        "Prefix": every.get("Prefix") or rule.get("Prefix"),
        "TagFilters": [{"Key": tag["Key"], "Value": tag["Value"]} for tag in tags],
        **{name: str(every[name]) for name in SIZES if every.get(name) is not None},
    }


def _from_api(rule: Mapping[str, Any]) -> dict[str, Any]:
    expiration = rule.get("Expiration") or {}
    found = {
        "Id": rule.get("ID"),
        "Status": rule.get("Status"),
        **_conditions(rule),
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
