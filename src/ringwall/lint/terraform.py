"""Terraform's data source ``aws_iam_policy_document`` as the policy document that it makes, with the way back.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/data-sources/iam_policy_document
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.iam.locate import Path

_LISTS: Mapping[str, str] = {
    "actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource",
}  # fmt: skip
_PRINCIPALS: Mapping[str, str] = {"principals": "Principal", "not_principals": "NotPrincipal"}


def policy(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[Path, Path]]:
    """The document of one data source, and for each path in it the path in the data source.

    Documents that it takes from others (``source_policy_documents``) are not known here and not in it.
    """
    ways: dict[Path, Path] = {}
    statements: list[dict[str, Any]] = []
    for way, block in _blocks(data.get("statement"), ("statement",)):
        path: Path = ("Statement", len(statements))
        ways[path] = way
        statements.append(_statement(block, path, way, ways))
    document: dict[str, Any] = {
        "Version": _variables(data.get("version", "2012-10-17")),
        "Statement": statements,
    }
    if "policy_id" in data:
        document["Id"] = data["policy_id"]
    return document, ways


def _statement(block: Mapping[str, Any], path: Path, way: Path, ways: dict[Path, Path]) -> dict[str, Any]:
    result: dict[str, Any] = {"Effect": block.get("effect", "Allow")}
    ways[*path, "Effect"] = (*way, "effect")
    if block.get("sid"):
        result["Sid"] = block["sid"]
        ways[*path, "Sid"] = (*way, "sid")
    for name, element in _LISTS.items():
        if block.get(name):
            result[element] = _variables(block[name])
            ways[*path, element] = (*way, name)
    for name, element in _PRINCIPALS.items():
        principals = _principals(block.get(name), (*path, element), (*way, name), ways)
        if principals:
            result[element] = principals
            ways[*path, element] = (*way, name)
    conditions = _conditions(block.get("condition"), (*path, "Condition"), (*way, "condition"), ways)
    if conditions:
        result["Condition"] = conditions
        ways[*path, "Condition"] = (*way, "condition")
    return result


def _principals(value: Any, path: Path, way: Path, ways: dict[Path, Path]) -> Any:
    result: dict[str, Any] = {}
    for at, block in _blocks(value, way):
        kind = str(block.get("type"))
        ways[*path, kind] = (*at, "identifiers")
        result[kind] = _variables(block.get("identifiers", []))
    if result == {"*": ["*"]}:
        return "*"
    return result


def _conditions(value: Any, path: Path, way: Path, ways: dict[Path, Path]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for at, block in _blocks(value, way):
        operator, key = str(block.get("test")), str(block.get("variable"))
        ways[*path, operator] = (*at, "test")
        ways[*path, operator, key] = (*at, "variable")
        listed = _variables(block.get("values", []))
        for index in range(len(listed) if isinstance(listed, list) else 0):
            ways[*path, operator, key, index] = (*at, "values", index)
        result.setdefault(operator, {})[key] = listed
    return result


def _blocks(value: Any, way: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """A block, or several: Terraform takes an object for a list of one."""
    if isinstance(value, Mapping):
        yield way, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping):
                yield (*way, index), item


def _variables(value: Any) -> Any:
    """IAM's policy variables: the data source writes ``&{aws:username}``, because ``${`` is Terraform's."""
    if isinstance(value, str):
        return value.replace("&{", "$${")
    if isinstance(value, list):
        return [_variables(item) for item in value]
    return value
