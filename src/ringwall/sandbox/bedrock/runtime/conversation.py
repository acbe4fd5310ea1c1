"""The Converse request: its rules beyond shapes, the texts that guardrails look at, and the prompt for the model.

User guide: "Use your guardrail with the Converse API". Evaluated are message texts and guardContent; never tool
results, tool input, tool specifications, documents or reasoning, and a system prompt only inside guardContent.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ringwall.sandbox.bedrock.evaluation.engine import Grounding
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.runtime.models import Prompt

# The largest maxTokens that any model on Bedrock takes; each has its own limit below it.
_MAX_TOKENS = 131_072
_MOST_IMAGES, _MOST_DOCUMENTS = 20, 5
_DOCUMENT_NAME, _BLANKS = re.compile(r"[A-Za-z0-9\s()\[\]-]+"), re.compile(r"\s\s")
_NOT_GUARDED = frozenset({"grounding_source", "query"})

Block = Mapping[str, Any]


def check_conversation(parameters: Mapping[str, Any]) -> None:
    """Check a Converse request beyond its shapes.

    Raises:
        AwsError: ``ValidationException``.
    """
    messages = parameters.get("messages") or ()
    if not messages:
        raise invalid("The messages field is required: a conversation must have at least one message.")
    if messages[0]["role"] != "user":
        raise invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message."
        )
    for before, after in itertools.pairwise(messages):
        if before["role"] == after["role"]:
            raise invalid(
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between "
                "user and assistant roles and try again."
            )
    for position, message in enumerate(messages):
        if not message["content"]:
            raise invalid(
                f"The content field in the Message object at messages.{position} is empty. Add a ContentBlock object to the content field and try again."
            )
        _check_blocks(message["content"], f"messages.{position}.content")
    _check_blocks(parameters.get("system") or (), "system")
    _check_tools(parameters, messages)
    inference = parameters.get("inferenceConfig") or {}
    if inference.get("maxTokens", 1) > _MAX_TOKENS:
        raise invalid(
            f"The maximum tokens you requested exceeds the model limit of {_MAX_TOKENS}. Try again with a maximum tokens value "
            f"that is lower than {_MAX_TOKENS}."
        )


def check_media(parameters: Mapping[str, Any], input_modalities: Sequence[str]) -> None:
    """Check the images and documents of a Converse request.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html

    Args:
        parameters: the request.
        input_modalities: what its model takes (``TEXT``, ``IMAGE``).

    Raises:
        AwsError: ``ValidationException``.
    """
    for position, message in enumerate(parameters["messages"]):
        blocks = message["content"]
        images = sum("image" in block for block in blocks)
        names = [block["document"]["name"] for block in blocks if "document" in block]
        if images and "IMAGE" not in input_modalities:
            raise invalid("This model doesn't support images.")
        if (images or names) and message["role"] != "user":
            raise invalid(f"Images and documents can only be in a user message; messages.{position} is none.")
        if images > _MOST_IMAGES or len(names) > _MOST_DOCUMENTS:
            raise invalid(
                f"messages.{position} has too many attachments: {_MOST_IMAGES} images and {_MOST_DOCUMENTS} documents at most."
            )
        if names and not any("text" in block for block in blocks):
            raise invalid(f"messages.{position}.content must have a text block beside its documents.")
        for name in names:
            if not _DOCUMENT_NAME.fullmatch(name) or _BLANKS.search(name):
                raise invalid(
                    "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, "
                    "parentheses, and square brackets. The name can't contain more than one consecutive whitespace character."
                )


def _check_blocks(blocks: Sequence[Block], path: str) -> None:
    for index, block in enumerate(blocks):
        text = block.get("text")
        if text is None and "guardContent" in block:
            text = (block["guardContent"].get("text") or {}).get("text", "x")
        if text is not None and not text.strip():
            raise invalid(
                f"The text field in the ContentBlock object at {path}.{index} is blank. Add text to the text field, and try again."
            )


def _check_tools(parameters: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> None:
    used = any(
        "toolUse" in block or "toolResult" in block for message in messages for block in message["content"]
    )
    if used and not parameters.get("toolConfig"):
        raise invalid(
            "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        )
    for before, after in itertools.pairwise(messages):
        asked = {b["toolUse"]["toolUseId"] for b in before["content"] if "toolUse" in b}
        given = {b["toolResult"]["toolUseId"] for b in after["content"] if "toolResult" in b}
        if asked != given and (asked or given):
            raise invalid(
                "Expected toolResult blocks in the message after toolUse blocks for the following Ids: "
                + ", ".join(sorted(asked ^ given))
            )


def _guarded(block: Block) -> str | None:
    """Text of a guardContent block that policies look at; ``None`` for a source or query alone."""
    text = (block.get("guardContent") or {}).get("text")
    if text is None:
        return None
    qualifiers = set(text.get("qualifiers") or ())
    return None if qualifiers and "guard_content" not in qualifiers else str(text["text"])


def _blocks(parameters: Mapping[str, Any]) -> Iterator[Block]:
    for message in parameters.get("messages") or ():
        yield from message["content"]


def input_texts(parameters: Mapping[str, Any], *, all_messages: bool, all_system: bool) -> tuple[str, ...]:
    """The texts of a request that a guardrail looks at.

    Args:
        parameters: the Converse request.
        all_messages: look at every text of the messages, whatever is marked (enforced, COMPREHENSIVE).
        all_system: look at every text of the system prompts.
    """
    blocks = tuple(_blocks(parameters))
    marked = any("guardContent" in block for block in blocks)
    texts: list[str] = []
    for block in parameters.get("system") or ():
        text = _guarded(block)
        if text is None and all_system:
            text = _any_text(block)
        texts += [text] if text else []
    for block in blocks:
        text = _any_text(block) if all_messages or not marked else _guarded(block)
        texts += [text] if text else []
    return tuple(texts)


def _any_text(block: Block) -> str | None:
    if "text" in block:
        return str(block["text"])
    text = (block.get("guardContent") or {}).get("text")
    return str(text["text"]) if text is not None else None


def all_text_length(parameters: Mapping[str, Any]) -> int:
    """Characters of all texts of a request."""
    return sum(
        len(_any_text(block) or "") for block in (*(parameters.get("system") or ()), *_blocks(parameters))
    )


def grounding_of(parameters: Mapping[str, Any]) -> Grounding | None:
    """Sources and query that the request marks for contextual grounding; ``None`` unless it marks both."""
    sources: list[str] = []
    queries: list[str] = []
    for block in (*(parameters.get("system") or ()), *_blocks(parameters)):
        text = (block.get("guardContent") or {}).get("text") or {}
        qualifiers = text.get("qualifiers") or ()
        sources += [text["text"]] if "grounding_source" in qualifiers else []
        queries += [text["text"]] if "query" in qualifiers else []
    return Grounding("\n".join(sources), "\n".join(queries)) if sources and queries else None


def prompt_of(parameters: Mapping[str, Any], mask: Callable[[str], str] = str) -> Prompt:
    """The conversation for the model, each guarded text passed through ``mask``."""
    inference = parameters.get("inferenceConfig") or {}
    turns = tuple(
        (message["role"], "\n".join(_spoken(block, mask) for block in message["content"]).strip())
        for message in parameters["messages"]
    )
    return Prompt(
        tuple(filter(None, (_any_text(block) for block in parameters.get("system") or ()))),
        turns,
        inference.get("maxTokens"),
        inference.get("temperature"),
        inference.get("topP"),
        tuple(inference.get("stopSequences") or ()),
    )


def _spoken(block: Block, mask: Callable[[str], str]) -> str:
    text = _any_text(block)
    if text is not None:
        return mask(text)
    result = block.get("toolResult")
    if result is not None:
        return "\n".join(str(part.get("text", part.get("json", ""))) for part in result["content"])
    return ""


def forced_tool(parameters: Mapping[str, Any]) -> str | None:
    """The tool that the request makes the model use (``toolChoice`` ``tool`` or ``any``), if it does."""
    config = parameters.get("toolConfig") or {}
    choice = config.get("toolChoice") or {}
    names = [tool["toolSpec"]["name"] for tool in config.get("tools") or () if "toolSpec" in tool]
    if "tool" in choice:
        return str(choice["tool"]["name"])
    return names[0] if "any" in choice and names else None
