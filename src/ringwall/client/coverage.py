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

from ringwall.client.body import ASYNCHRONOUS, body_mode, outline

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


COMPLETE = Coverage()


def coverage(parameters: Mapping[str, Any]) -> Coverage:
    """Coverage of a call with these boto3 parameters: of Converse and InvokeModel, and of their streams.

    ``ApplyGuardrail`` is a guardrail's evaluation itself: complete.
    """
    found = _body(parameters["body"]) if "body" in parameters else _converse(parameters)
    return Coverage(tuple(found)) if found else COMPLETE


def body_coverage(body: Any) -> Coverage:
    """Coverage of a native body of InvokeModel."""
    found = _body(body)
    return Coverage(tuple(found)) if found else COMPLETE


# -- Converse ----------------------------------------------------------------------------------------------------------


def _converse(parameters: Mapping[str, Any]) -> list[Gap]:
    messages = parameters.get("messages")
    gaps = [] if _plain(messages) else _messages(messages)
    if "system" in parameters:
        for index, block in enumerate(_list(parameters["system"])):
            if isinstance(block, Mapping) and "text" in block:
                gaps.append(Gap("system-outside-guard-content", f"system[{index}]"))
    if "toolConfig" in parameters:
        gaps += _tools(_mapping(parameters["toolConfig"]).get("tools"))
    if parameters.get("promptVariables"):
        gaps.append(Gap("prompt-variables", "promptVariables"))
    if "additionalModelRequestFields" in parameters and _has_text(parameters["additionalModelRequestFields"]):
        gaps.append(Gap("additional-fields", "additionalModelRequestFields"))
    config = parameters.get("guardrailConfig")
    if isinstance(config, _MAPPINGS) and config.get("streamProcessingMode") in ASYNCHRONOUS:
        gaps.append(Gap("asynchronous-stream", "guardrailConfig.streamProcessingMode"))
    return gaps


def _tools(tools: Any) -> list[Gap]:
    return [
        Gap(_TOOLS.get(kind, "unknown-tool"), f"toolConfig.tools[{index}]")
        for index, tool in enumerate(_list(tools))
        for kind in (tool if isinstance(tool, Mapping) else ())
        if kind not in NO_TEXT
    ]


def _plain(messages: Any) -> bool:
    """Whether messages hold plain text alone, as most do: without ``guardContent`` all of it is read."""
    if type(messages) is not list:
        return False
    for message in messages:
        if type(message) is not dict:
            return False
        for block in message.get("content") or ():
            if type(block) is not dict or len(block) != 1 or "text" not in block:
                return False
    return True


def _messages(messages: Any) -> list[Gap]:
    """Gaps of the messages, in one pass: text is one only if there is ``guardContent`` somewhere."""
    found: list[tuple[str, int, int]] = []
    narrowed = False
    for number, message in enumerate(_list(messages)):
        content = message.get("content") if isinstance(message, _MAPPINGS) else None
        for index, block in enumerate(content if isinstance(content, _LISTS) else ()):
            for kind in block if isinstance(block, _MAPPINGS) else ():
                if kind == "guardContent":
                    narrowed = True
                elif kind not in NO_TEXT:
                    found.append((_BLOCKS.get(kind, "unknown-block"), number, index))
    return [
        Gap(rule, f"messages[{number}].content[{index}]")
        for rule, number, index in found
        if narrowed or rule != TEXT_OUTSIDE
    ]


_LISTS = (list, tuple)
_MAPPINGS = (dict, Mapping)
_TOOLS: Mapping[str, str] = {"toolSpec": "tool-specification", "systemTool": "system-tool"}
"""A system tool runs at AWS (``nova_grounding`` searches the web): whether what it brings is read is not documented."""
TEXT_OUTSIDE = "text-outside-guard-content"
_BLOCKS: Mapping[str, str] = {
    "text": TEXT_OUTSIDE,
    "toolResult": "tool-result",
    "toolUse": "tool-arguments",
    **dict.fromkeys(MEDIA, "media-by-filter"),
}


# -- InvokeModel -------------------------------------------------------------------------------------------------------


def _body(data: Any) -> list[Gap]:
    body = outline(data)
    return list(_native(body)) if body else [Gap("unreadable-body", "body")]


def _native(body: Mapping[str, Any]) -> Iterator[Gap]:
    """Gaps of a body that JSON gave: its objects are dicts, and its arrays lists."""
    settings = body.get("amazon-bedrock-guardrailConfig")
    if type(settings) is dict:
        if settings.get("tagSuffix"):
            yield Gap("only-tagged-text", "body.amazon-bedrock-guardrailConfig.tagSuffix")
        if body_mode(body) in ASYNCHRONOUS:
            yield Gap("asynchronous-stream", "body.amazon-bedrock-guardrailConfig.streamProcessingMode")
    for number, message in _objects(body.get("messages")):
        if message.get("role") == "tool":
            yield Gap("tool-result", f"body.messages[{number}]")
        content = message.get("content")
        for index, block in _objects(content) if type(content) is list else ():
            rule = _BODY_BLOCKS.get(str(block.get("type")))
            if rule:
                yield Gap(rule, f"body.messages[{number}].content[{index}]")
    tools = body.get("tools")
    for index in range(len(tools)) if type(tools) is list else ():
        yield Gap("tool-specification", f"body.tools[{index}]")


def _objects(values: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of an array, with their places."""
    for index, value in enumerate(values) if type(values) is list else ():
        if type(value) is dict:
            yield index, value


_BODY_BLOCKS: Mapping[str, str] = {
    "tool_result": "tool-result",
    "tool_use": "tool-arguments",
    "image": "media-by-filter",
    "document": "media-by-filter",
}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, _MAPPINGS) else {}


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _has_text(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_text(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_has_text(item) for item in value)
    return isinstance(value, str)
