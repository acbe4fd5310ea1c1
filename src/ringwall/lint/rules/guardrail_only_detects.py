"""A declared guardrail lets pass what it finds.

## What it finds

In a declaration, every filter, topic, word, kind of sensitive information and check whose action is `detect` or `ignore`, for
prompts, for answers or for both.

## Why

With action `NONE` a guardrail writes what it finds into the trace and does nothing about it; switched off it does not
look. Either way the call goes through, carries the pinned guardrail and passes every policy that asks for it. That is
useful for trying a filter out; it protects nothing.

## Bad

```yaml
guardrail:
  strength: high
  actions: {INSULTS: detect}
  pii: {EMAIL: {input: detect, output: anonymize}}
```

## Good

```yaml
guardrail:
  strength: high
  pii: {EMAIL: anonymize}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GuardrailContentFilterConfig.html
- https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GuardrailPiiEntityConfig.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.lint.rule import Finding, Rule

RULE = Rule(
    slug="guardrail-only-detects",
    title="A declared guardrail lets pass what it finds",
    severity="warning",
    page=__doc__ or "",
)


def findings(text: str, file: str) -> Iterator[Finding]:
    """Where a valid declaration says so; of one with mistakes nothing is said."""
    from ringwall import perimeter  # noqa: PLC0415 - pydantic and ruamel.yaml are loaded for declarations alone

    for problem in perimeter.cautioned(text, file=file):
        yield Finding(
            file,
            problem.line,
            problem.column,
            RULE.slug,
            RULE.severity,
            f"{problem.path}: {problem.message}",
            "let it block or anonymize",
        )
