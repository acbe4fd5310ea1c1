"""Write, or (``--check``) compare, the service models that commands read: botocore's, cut to the operations Ringwall calls.

Of EC2's 830 operations Ringwall calls 13, and parsing the model of all of them takes longer than calling those. An operation
is taken if its name and its service's stand in the code; whatever else is ever called is found in botocore's own model
(:mod:`ringwall.estate.sessions`). Documentation is left out, the rest stays as it is.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore

ROOT = Path(__file__).resolve().parents[1]
CODE = ROOT / "src" / "ringwall"
TARGET = CODE / "estate" / "service_models"
SOURCE = Path(botocore.__file__).parent / "data"
ROOMS = ("audit", "cli", "controls", "deploy", "estate")
"""The rooms that call AWS through :class:`ringwall.estate.connection.Connection`."""
BY_BOTOCORE = {"HeadBucket", "AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"}
"""What botocore calls by itself: to find a bucket's Region, and to get credentials."""
OTHERS = frozenset({"bedrock-runtime", "bedrock-agent-runtime"})
"""Services that nothing is read from as a matter of course."""


def main() -> int:
    """Write the models, or say which of those that are there are not as they should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail if a model is stale")
    wanted = models()
    there = {str(path.relative_to(TARGET)): path.read_bytes() for path in TARGET.rglob("*.json.gz")}
    stale = sorted(name for name in wanted.keys() | there if wanted.get(name) != _text(there.get(name)))
    if parser.parse_args().check:
        for name in stale:
            print(f"{name} is stale: run {Path(__file__).relative_to(ROOT)}", file=sys.stderr)
        return bool(stale)
    for name in stale:
        path = TARGET / name
        path.unlink(missing_ok=True)
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(wanted[name].encode(), mtime=0))
    return 0


def models() -> dict[str, str]:
    """The models by file name."""
    words = _words() | BY_BOTOCORE
    services = sorted(path.name for path in SOURCE.iterdir() if path.name in words - OTHERS)
    found = {}
    for service in services:
        newest = max((SOURCE / service).glob("*/service-2.json.gz"))
        cut = _cut(json.loads(gzip.decompress(newest.read_bytes())), words)
        if cut["operations"]:
            found[str(newest.relative_to(SOURCE))] = json.dumps(cut, separators=(",", ":"))
    return found


def _words() -> set[str]:
    """Every string that stands in the code of the rooms, and the operations in those that are permissions."""
    files = [file for room in ROOMS for file in (CODE / room).rglob("*.py")]
    nodes = (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return strings | {string.partition(":")[2] for string in strings}


def _cut(model: dict[str, Any], words: set[str]) -> dict[str, Any]:
    """A model with the operations of these names, and the shapes that they reach."""
    operations = {name: value for name, value in model["operations"].items() if name in words}
    reached: set[str] = set()
    ahead = list(_shapes(operations))
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += _shapes(model["shapes"][name])
    shapes = {name: value for name, value in model["shapes"].items() if name in reached}
    kept = {name: value for name, value in model.items() if name != "documentation"}
    # botocore reads the prose of what stands beside them (``clientContextParams``).
    return {**kept, "operations": _without_prose(operations), "shapes": _without_prose(shapes)}


def _shapes(value: Any) -> Iterator[str]:
    """The names of the shapes that a part of a model refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for item in value.values():
            yield from _shapes(item)
    elif isinstance(value, list):
        for item in value:
            yield from _shapes(item)


def _without_prose(value: Any) -> Any:
    """A part of a model without what is for people; a member that is called so is a mapping, and stays."""
    if isinstance(value, dict):
        return {
            key: _without_prose(item)
            for key, item in value.items()
            if not (key == "documentation" and isinstance(item, str))
        }
    return [_without_prose(item) for item in value] if isinstance(value, list) else value


def _text(packed: bytes | None) -> str | None:
    return None if packed is None else gzip.decompress(packed).decode()


if __name__ == "__main__":
    sys.exit(main())
