"""The services beside Bedrock that reach models by names of their own. Each is closed unless it is declared."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from ringwall.perimeter.section import Section

SiblingName = Literal[
    "bedrock-mantle", "bedrock-agentcore", "bedrock-websearch", "agent-registry", "aws-external-anthropic"
]
UNGUARDED: tuple[SiblingName, ...] = ("bedrock-mantle", "bedrock-websearch", "aws-external-anthropic")
"""Siblings that run models, or fetch what goes into them, outside of guardrails and of invocation logging."""


class Sibling(Section):
    """A sibling that is open, to whom and how far."""

    uses: Annotated[tuple[str, ...], Field(min_length=1)] = Field(description="Uses that may call it.")
    models: tuple[Annotated[str, Field(pattern=r"^[a-zA-Z0-9.:-]{1,256}$")], ...] = Field(
        default=(), description="Models of bedrock-mantle, by their ids there; exact, no wildcards."
    )
    without_guardrail: StrictBool = Field(
        default=False,
        description="Say true to open a sibling that knows neither guardrails nor invocation logging.",
    )
