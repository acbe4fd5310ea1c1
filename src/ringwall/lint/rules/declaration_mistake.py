"""The declaration has a mistake.

## What it finds

Everything that `ringwall.yaml` is refused for: unknown fields, values of the wrong form, guardrails and keys that
nobody declared, with the nearest valid name.

## Why

A declaration with a mistake compiles to nothing; every command refuses it.

## Bad

```yaml
name: quickstart
acount: "111122223333"
```

## Good

The file that `ringwall init` writes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.errors import DeclarationError
from ringwall.lint.rule import Finding, Rule

RULE = Rule(
    slug="declaration-mistake",
    title="The declaration has a mistake",
    severity="error",
    page=__doc__ or "",
)


def findings(text: str, file: str) -> Iterator[Finding]:
    """Every problem of a declaration's text."""
    from ringwall import perimeter  # noqa: PLC0415 - pydantic and ruamel.yaml are loaded for declarations alone

    try:
        perimeter.loads_all(text, file=file)
    except DeclarationError as error:
        for problem in error.problems:
            where = f"{problem.path}: " if problem.path else ""
            message, _, nearest = problem.message.partition(", did you mean ")
            suggestion = f"did you mean {nearest}" if nearest else None
            yield Finding(
                file, problem.line, problem.column, RULE.slug, RULE.severity, f"{where}{message}", suggestion
            )
