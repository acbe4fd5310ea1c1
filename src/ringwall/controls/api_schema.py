"""What an action group's OpenAPI schema asks a person about: ``x-requireConfirmation`` of each operation.

An operation that says nothing is carried out without asking, as a function's ``requireConfirmation`` is off by default
(https://docs.aws.amazon.com/bedrock/latest/userguide/agents-userconfirmation.html and
https://docs.aws.amazon.com/bedrock/latest/userguide/agents-api-schema.html).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ringwall.perimeter.yaml_text import parse_yaml

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
CONFIRMS = "x-requireConfirmation"


def unasked_operations(text: str) -> tuple[str, ...]:
    """Operations that are carried out without asking, by their id, else by method and path.

    Args:
        text: the schema, JSON or YAML.

    Raises:
        RingwallError: it is neither.
        ValueError: it has no operations where OpenAPI puts them.
    """
    document = parse_yaml(text, "API schema")
    paths = document.get("paths") if isinstance(document, Mapping) else None
    if not isinstance(paths, Mapping) or not paths:
        raise ValueError("it has no paths")
    return tuple(_unasked(paths))


def _unasked(paths: Mapping[str, object]) -> Iterator[str]:
    for path, item in paths.items():
        if not isinstance(item, Mapping) or "$ref" in item:
            raise ValueError(f"path {path} is not described in it")
        for method in METHODS:
            operation = item.get(method)
            if isinstance(operation, Mapping) and str(operation.get(CONFIRMS)).upper() != "ENABLED":
                yield str(operation.get("operationId") or f"{method.upper()} {path}")
