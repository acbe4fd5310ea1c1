"""YAML that a person wrote, as a tree that knows its positions."""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from ringwall.errors import DeclarationError, Problem
from ringwall.perimeter.yaml_nodes import MAX_DEPTH, DeclarationConstructor, PlainConstructor

MAX_BYTES = 1_000_000
ADVICE = {"found character '\\t' that cannot start any token": "a tab: indent with spaces"}
"""What the parser says, and what helps."""


def parse_yaml(text: str, file: str, *, texts_only: bool = False) -> Any:
    """The tree of a text, of ruamel's round-trip types.

    Args:
        text: YAML 1.2.
        file: its name, for problems.
        texts_only: refuse keys that are no texts, and dates.

    Raises:
        DeclarationError: it is no YAML, longer than ``MAX_BYTES`` characters, nested deeper than ``MAX_DEPTH``, has tags, or
            aliases that repeat more than a file of ours could hold.
    """
    if len(text) > MAX_BYTES:
        message = f"is longer than {MAX_BYTES:,} characters"
        raise DeclarationError((Problem(file, 1, 1, "", message),))
    yaml = YAML(typ="rt")
    yaml.max_depth = MAX_DEPTH
    yaml.version = (1, 2)
    yaml.Constructor = DeclarationConstructor if texts_only else PlainConstructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        message = str(error.problem or error.context or "is not valid YAML")
    except ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        message = str(error)
    except (YAMLError, RecursionError, ValueError) as error:
        line, column, message = 1, 1, str(error) or "is nested too deeply"
    said = message.split("\n", 1)[0]
    raise DeclarationError((Problem(file, line, column, "", ADVICE.get(said, said)),))
