"""What a guardrail does where it finds something, in prompts and in answers.

Every policy has an action and a switch for each side. ``block`` is what Bedrock does where nothing is said. ``detect``
(action ``NONE``) only writes into the trace what it found: the content passes. ``ignore`` does not even look, and is not
billed (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GuardrailWordConfig.html).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StrictFloat, Tag

from ringwall.perimeter.section import Section

Blocking = Literal["block", "detect", "ignore"]
Masking = Literal["block", "anonymize", "detect", "ignore"]


class BlockingSides(Section):
    """What is done on each side, where they differ."""

    input: Blocking = Field(default="block", description="In prompts.")
    output: Blocking = Field(default="block", description="In answers.")


class MaskingSides(Section):
    """What is done with sensitive information on each side, where they differ."""

    input: Masking = Field(default="block", description="In prompts.")
    output: Masking = Field(default="block", description="In answers.")


def _shape(value: Any) -> str:
    return "[sides]" if isinstance(value, dict | Section) else "[both]"


_WHICH = Discriminator(_shape)
BlockingAction = Annotated[
    Annotated[BlockingSides, Tag("[sides]")] | Annotated[Blocking, Tag("[both]")], _WHICH
]
ProfanityAction = Annotated[
    Annotated[BlockingSides, Tag("[sides]")] | Annotated[Literal["block", "detect", "allow"], Tag("[both]")],
    _WHICH,
]
MaskingAction = Annotated[Annotated[MaskingSides, Tag("[sides]")] | Annotated[Masking, Tag("[both]")], _WHICH]


class Word(Section):
    """A word that is not simply blocked."""

    text: Annotated[str, Field(min_length=1, max_length=100)]
    action: BlockingAction = "block"


class Threshold(Section):
    """A check of answers against their sources that is not simply blocking."""

    threshold: Annotated[StrictFloat, Field(ge=0, le=0.99)]
    action: Blocking = "block"


OneWord = Annotated[
    Annotated[Word, Tag("[sides]")]
    | Annotated[Annotated[str, Field(min_length=1, max_length=100)], Tag("[both]")],
    _WHICH,
]
Checked = Annotated[
    Annotated[Threshold, Tag("[sides]")]
    | Annotated[Annotated[StrictFloat, Field(ge=0, le=0.99)], Tag("[both]")],
    _WHICH,
]


def sides(action: BlockingSides | MaskingSides | Masking) -> tuple[Masking, Masking]:
    """What is done in prompts and in answers."""
    if isinstance(action, BlockingSides | MaskingSides):
        return action.input, action.output
    return action, action
