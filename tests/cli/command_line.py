"""Commands as a user types them, run in this process."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ringwall.cli import main
from ringwall.cli.schemas import schema_of

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"
DEBUG = "RINGWALL_DEBUG"


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which has to be one JSON document and nothing else."""
        return json.loads(self.out)

    def valid(self, schema: str) -> Any:
        """The JSON document, which has to be valid under ``ringwall schema NAME``."""
        import jsonschema

        found = schema_of(schema)
        jsonschema.Draft202012Validator.check_schema(found)
        jsonschema.validate(self.json, found, cls=jsonschema.Draft202012Validator)
        return self.json


def ringwall(*arguments: str) -> Done:
    """Run a command without a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "stdin", io.StringIO())
        try:
            with pytest.raises(SystemExit) as stopped:
                main(list(arguments))
        finally:
            os.environ.pop(DEBUG, None)
    return Done(int(stopped.value.code or 0), out.getvalue(), err.getvalue())
