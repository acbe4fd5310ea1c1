"""Estate files: the JSON of CONTRACTS ("Estate files"), both ways."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ringwall.errors import RingwallError
from ringwall.estate.model import Account, Estate, Ref, Resource, Unknown

VERSION = 1


class EstateFileError(RingwallError):
    """An Estate file is malformed. The message names the path of the first mistake, ``details`` the others'."""


def to_json(estate: Estate) -> dict[str, Any]:
    """The Estate as plain data, references as ``{"$ref": ..., "attribute": ...}``."""
    return {
        "version": VERSION,
        "source": estate.source,
        "taken_at": estate.taken_at,
        "accounts": [_account_to_json(account) for account in estate.accounts],
        "resources": [_resource_to_json(resource) for resource in estate.resources],
    }


def dumps(estate: Estate) -> str:
    """The text of an Estate file. Equal Estates give equal bytes."""
    return json.dumps(to_json(estate), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def loads(text: str | bytes) -> Estate:
    """Read an Estate file.

    Raises:
        EstateFileError: it is not JSON, or not an Estate; every mistake with its path.
    """
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise EstateFileError(f"This is not an Estate file: {error}.") from error
    return from_json(data)


def from_json(data: Any) -> Estate:
    """Read an Estate from plain data.

    Raises:
        EstateFileError: every mistake with its path.
    """
    reader = _Reader()
    estate = reader.estate(data)
    if reader.problems:
        raise EstateFileError(
            f"This is not an Estate file: {reader.problems[0]}", details=tuple(reader.problems[1:])
        )
    return estate


def _account_to_json(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "organization": account.organization,
        "management": account.management,
        "levels": list(account.levels),
    }


def _resource_to_json(resource: Resource) -> dict[str, Any]:
    data: dict[str, Any] = {
        "type": resource.type,
        "account": resource.account,
        "region": resource.region,
        "id": resource.id,
        "properties": encode(resource.properties),
        "unknown": [{"property": item.property, "reason": item.reason} for item in resource.unknown],
    }
    if resource.depends_on:
        data["depends_on"] = list(resource.depends_on)
    if resource.evidence:
        data["evidence"] = list(resource.evidence)
    return data


def encode(value: Any) -> Any:
    """A property value as plain data."""
    if isinstance(value, Ref):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """A property value from plain data, with references restored."""
    if isinstance(value, Mapping):
        if set(value) == {"$ref", "attribute"}:
            return Ref(str(value["$ref"]), str(value["attribute"]))
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value


class _Reader:
    """Reads and collects mistakes instead of stopping at the first."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def estate(self, data: Any) -> Estate:
        top = self.mapping(data, "$")
        if top and top.get("version") != VERSION:
            self.problems.append(f"$.version: expected {VERSION}, not {top.get('version')!r}")
        source = top.get("source")
        if top and source not in ("desired", "observed"):
            self.problems.append(f"$.source: expected desired or observed, not {source!r}")
        return Estate(
            source="desired" if source == "desired" else "observed",
            accounts=tuple(
                self.account(item, f"$.accounts[{index}]")
                for index, item in enumerate(self.items(top.get("accounts", []), "$.accounts"))
            ),
            resources=tuple(
                self.resource(item, f"$.resources[{index}]")
                for index, item in enumerate(self.items(top.get("resources", []), "$.resources"))
            ),
            taken_at=self.text(top, "taken_at", "$", optional=True) or None,
        )

    def account(self, data: Any, path: str) -> Account:
        item = self.mapping(data, path)
        return Account(
            id=self.text(item, "id", path),
            organization=self.text(item, "organization", path, optional=True) or None,
            management=item.get("management") is True,
            levels=self.texts(item, "levels", path),
        )

    def resource(self, data: Any, path: str) -> Resource:
        item = self.mapping(data, path)
        unknown = [
            self.unknown(entry, f"{path}.unknown[{index}]")
            for index, entry in enumerate(self.items(item.get("unknown", []), f"{path}.unknown"))
        ]
        return Resource(
            type=self.text(item, "type", path),
            account=self.text(item, "account", path),
            region=self.text(item, "region", path),
            id=self.text(item, "id", path),
            properties=decode(self.mapping(item.get("properties", {}), f"{path}.properties")),
            unknown=tuple(unknown),
            depends_on=self.texts(item, "depends_on", path),
            evidence=self.texts(item, "evidence", path),
        )

    def unknown(self, data: Any, path: str) -> Unknown:
        item = self.mapping(data, path)
        return Unknown(self.text(item, "property", path), self.text(item, "reason", path))

    def mapping(self, data: Any, path: str) -> Mapping[str, Any]:
        if isinstance(data, Mapping):
            return data
        self.problems.append(f"{path}: expected an object, not {_kind(data)}")
        return {}

    def items(self, data: Any, path: str) -> Sequence[Any]:
        if isinstance(data, list):
            return data
        self.problems.append(f"{path}: expected a list, not {_kind(data)}")
        return ()

    def text(self, item: Mapping[str, Any], name: str, path: str, *, optional: bool = False) -> str:
        value = item.get(name)
        if isinstance(value, str) and value:
            return value
        if not (optional and value is None) and item:
            self.problems.append(f"{path}.{name}: expected a text, not {_kind(value)}")
        return ""

    def texts(self, item: Mapping[str, Any], name: str, path: str) -> tuple[str, ...]:
        values = self.items(item.get(name, []), f"{path}.{name}")
        for index, value in enumerate(values):
            if not isinstance(value, str):
                self.problems.append(f"{path}.{name}[{index}]: expected a text, not {_kind(value)}")
        return tuple(value for value in values if isinstance(value, str))


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}
    return names.get(type(value), "a number")
