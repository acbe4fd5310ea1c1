"""JSON Schema of the declaration, for editors: completion, hover text, and errors while typing."""

from __future__ import annotations

from typing import Any

from ringwall.perimeter.model import Perimeter


def declaration_schema() -> dict[str, Any]:
    """The schema in the draft-07 flavour that YAML language servers read."""
    schema = Perimeter.model_json_schema()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Ringwall declaration",
        **_draft7({key: value for key, value in schema.items() if key != "title"}),
    }


def _draft7(value: Any) -> Any:
    """Rename what draft-07 spells differently: ``$defs`` and ``prefixItems``."""
    if isinstance(value, dict):
        renamed = {"$defs": "definitions", "prefixItems": "items"}
        return {renamed.get(key, key): _draft7(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_draft7(item) for item in value]
    if isinstance(value, str) and value.startswith("#/$defs/"):
        return "#/definitions/" + value.removeprefix("#/$defs/")
    return value
