"""Which text of a call no guardrail reads. Pure: looks at parameters, sends nothing, keeps no content.

A guardrail on a call does not read all of it. By the Guardrails user guide ("Use the Converse API", "Tagging user
input", "Streaming"): tool results, tool definitions and tool arguments are never read; the system prompt only inside
``guardContent``; once a message holds ``guardContent``, the other text is not; in an InvokeModel body with a ``tagSuffix``
only what the tags enclose; and asynchronous streams leave before they are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ringwall.client.wire import ASYNCHRONOUS, body_mode, json_object

MEDIA = frozenset({"image", "document", "video", "audio"})
NO_TEXT = frozenset({"cachePoint"})


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Something that the guardrail does not read.

    Attributes:
        rule: slug of the reason (``tool-result``, ``system-outside-guard-content``, ...).
        where: place in the parameters, such as ``messages[0].content[1]``; names and numbers, never text.
    """

    rule: str
    where: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the guardrail does not read of a call's input, in order.

    Attributes:
        gaps: each place and why.
    """

    gaps: tuple[Gap, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything is read."""
        return not self.gaps

    @property
    def rules(self) -> tuple[str, ...]:
        """The kinds of gap, each once, sorted."""
        return tuple(sorted({gap.rule for gap in self.gaps}))


def coverage(parameters: Mapping[str, Any]) -> Coverage:
    """Coverage of a call with these boto3 parameters: of Converse and InvokeModel, and of their streams.

    ``ApplyGuardrail`` is a guardrail's evaluation itself: complete.
    """
    if "body" in parameters:
        return Coverage(tuple(_body(parameters["body"])))
    return Coverage(tuple(_converse(parameters)))


# -- Converse ----------------------------------------------------------------------------------------------------------


def _converse(parameters: Mapping[str, Any]) -> Iterator[Gap]:
    blocks = list(_message_blocks(parameters.get("messages")))
    narrowed = any("guardContent" in block for _, block in blocks)
    for where, block in blocks:
        yield from _block(where, block, narrowed=narrowed)
    for index, block in enumerate(_list(parameters.get("system"))):
        if isinstance(block, Mapping) and "text" in block:
            yield Gap("system-outside-guard-content", f"system[{index}]")
    for index, tool in enumerate(_list(_mapping(parameters.get("toolConfig")).get("tools"))):
        if isinstance(tool, Mapping) and "toolSpec" in tool:
            yield Gap("tool-specification", f"toolConfig.tools[{index}]")
    if parameters.get("promptVariables"):
        yield Gap("prompt-variables", "promptVariables")
    if _has_text(parameters.get("additionalModelRequestFields")):
        yield Gap("additional-fields", "additionalModelRequestFields")
    if _mapping(parameters.get("guardrailConfig")).get("streamProcessingMode") in ASYNCHRONOUS:
        yield Gap("asynchronous-stream", "guardrailConfig.streamProcessingMode")


def _message_blocks(messages: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, message in enumerate(_list(messages)):
        for index, block in enumerate(_list(_mapping(message).get("content"))):
            if isinstance(block, Mapping):
                yield f"messages[{number}].content[{index}]", block


def _block(where: str, block: Mapping[str, Any], *, narrowed: bool) -> Iterator[Gap]:
    for kind in block:
        if kind == "guardContent" or kind in NO_TEXT:
            continue
        if kind == "text":
            if narrowed:
                yield Gap("text-outside-guard-content", where)
        elif kind == "toolResult":
            yield Gap("tool-result", where)
        elif kind == "toolUse":
            yield Gap("tool-arguments", where)
        elif kind in MEDIA:
            yield Gap("media-by-filter", where)
        else:
            yield Gap("unknown-block", where)


# -- InvokeModel -------------------------------------------------------------------------------------------------------


def _body(data: Any) -> Iterator[Gap]:
    body = json_object(data)
    if not body:
        yield Gap("unreadable-body", "body")
        return
    settings = _mapping(body.get("amazon-bedrock-guardrailConfig"))
    if settings.get("tagSuffix"):
        yield Gap("only-tagged-text", "body.amazon-bedrock-guardrailConfig.tagSuffix")
    if body_mode(body) in ASYNCHRONOUS:
        yield Gap("asynchronous-stream", "body.amazon-bedrock-guardrailConfig.streamProcessingMode")
    for number, message in enumerate(_list(body.get("messages"))):
        if _mapping(message).get("role") == "tool":
            yield Gap("tool-result", f"body.messages[{number}]")
        for index, block in enumerate(_list(_mapping(message).get("content"))):
            rule = _BODY_BLOCKS.get(str(_mapping(block).get("type")))
            if rule:
                yield Gap(rule, f"body.messages[{number}].content[{index}]")
    for index, _ in enumerate(_list(body.get("tools"))):
        yield Gap("tool-specification", f"body.tools[{index}]")


_BODY_BLOCKS: Mapping[str, str] = {
    "tool_result": "tool-result",
    "tool_use": "tool-arguments",
    "image": "media-by-filter",
    "document": "media-by-filter",
}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _has_text(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_text(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_has_text(item) for item in value)
    return isinstance(value, str)
