"""Which text of a call no guardrail reads. Pure: looks at parameters, sends nothing, keeps no content.

A guardrail on a call does not read all of it. By the Guardrails user guide ("Use the Converse API", "Tagging user
input", "Streaming"): tool results, tool definitions and tool arguments are never read; the system prompt only inside
``guardContent``; once a message holds ``guardContent``, the other text is not; in an InvokeModel body with a ``tagSuffix``
only what the tags enclose; and asynchronous streams leave before they are read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    if _is_plain(parameters) or parameters.keys() <= EVALUATION:
        return COMPLETE
    found = _body(parameters["body"]) if "body" in parameters else _converse(parameters)
    return Coverage(tuple(found)) if found else COMPLETE


def body_coverage(body: Any) -> Coverage:
    """Coverage of a native body of InvokeModel."""
    found = _body(body)
    return Coverage(tuple(found)) if found else COMPLETE


# -- Converse ----------------------------------------------------------------------------------------------------------


SETTINGS = frozenset(
    {
        "modelId",
        "inferenceConfig",
        "requestMetadata",
        "performanceConfig",
        "serviceTier",
        "additionalModelResponseFieldPaths",
    }
)
"""Parameters of Converse that hold no text for the model."""
EVALUATION = frozenset({"guardrailIdentifier", "guardrailVersion", "source", "content", "outputScope"})
"""Parameters of ApplyGuardrail."""
JUDGED = frozenset(
    {"messages", "system", "toolConfig", "promptVariables", "additionalModelRequestFields", "guardrailConfig"}
)
_PLAIN = SETTINGS | {"messages", "guardrailConfig"}


def _is_plain(parameters: Mapping[str, Any]) -> bool:
    """Whether a Converse holds plain text alone, as most do: without ``guardContent`` all of it is read."""
    if not parameters.keys() <= _PLAIN or type(messages := parameters.get("messages")) is not list:
        return False
    for message in messages:
        if type(message) is not dict:
            return False
        for block in message.get("content") or ():
            if type(block) is not dict or len(block) != 1 or "text" not in block:
                return False
    config = parameters.get("guardrailConfig")
    return config is None or (type(config) is dict and config.get("streamProcessingMode") not in ASYNCHRONOUS)


def _converse(parameters: Mapping[str, Any]) -> list[Gap]:
    gaps = _messages(parameters.get("messages"))
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
    return gaps + _others(parameters)


def _others(parameters: Mapping[str, Any]) -> list[Gap]:
    """Gaps of parameters that no rule is for. Of a schema for the answer it is not documented that it is read."""
    return [
        Gap("output-schema" if name == "outputConfig" else "unknown-parameter", str(name))
        for name in parameters
        if name not in JUDGED | SETTINGS and _has_text(parameters[name])
    ]


def _tools(tools: Any) -> list[Gap]:
    return [
        Gap(_TOOLS.get(kind, "unknown-tool"), f"toolConfig.tools[{index}]")
        for index, tool in enumerate(_list(tools))
        for kind in (tool if isinstance(tool, Mapping) else ())
        if kind not in NO_TEXT
    ]


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
    return _native(body) if body else [Gap("unreadable-body", "body")]


def _native(body: Mapping[str, Any]) -> list[Gap]:
    """Gaps of a body that JSON gave: its objects are dicts, and its arrays lists."""
    gaps: list[Gap] = []
    settings = body.get("amazon-bedrock-guardrailConfig")
    if type(settings) is dict:
        if settings.get("tagSuffix"):
            gaps.append(Gap("only-tagged-text", "body.amazon-bedrock-guardrailConfig.tagSuffix"))
        if body_mode(body) in ASYNCHRONOUS:
            gaps.append(
                Gap("asynchronous-stream", "body.amazon-bedrock-guardrailConfig.streamProcessingMode")
            )
    messages, tools = body.get("messages"), body.get("tools")
    for number, message in enumerate(messages) if type(messages) is list else ():
        if type(message) is not dict:
            continue
        if message.get("role") == "tool":
            gaps.append(Gap("tool-result", f"body.messages[{number}]"))
        content = message.get("content")
        for index, block in enumerate(content) if type(content) is list else ():
            if type(block) is dict and (rule := _BODY_BLOCKS.get(str(block.get("type")))):
                gaps.append(Gap(rule, f"body.messages[{number}].content[{index}]"))
    count = len(tools) if type(tools) is list else 0
    return gaps + [Gap("tool-specification", f"body.tools[{index}]") for index in range(count)]


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
