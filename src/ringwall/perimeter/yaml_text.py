"""YAML that a person wrote, as a tree that knows its positions."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ringwall.errors import DeclarationError, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 50


def parse_yaml(text: str, file: str) -> Any:
    """The tree of a text, of ruamel's round-trip types.

    Args:
        text: YAML 1.2.
        file: its name, for problems.

    Raises:
        DeclarationError: it is no YAML, longer than ``MAX_BYTES`` characters, or nested deeper than ``MAX_DEPTH``.
    """
    if len(text) > MAX_BYTES:
        message = f"is longer than {MAX_BYTES:,} characters"
        raise DeclarationError((Problem(file, 1, 1, "", message),))
    yaml = YAML(typ="rt")
    yaml.max_depth = MAX_DEPTH
    yaml.version = (1, 2)
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = str(error.problem or error.context or "is not valid YAML").split("\n", 1)[0]
        raise DeclarationError((Problem(file, line, column, "", message),)) from None
    except (YAMLError, RecursionError, ValueError) as error:
        message = str(error).split("\n", 1)[0] or "is nested too deeply"
        raise DeclarationError((Problem(file, 1, 1, "", message),)) from None
