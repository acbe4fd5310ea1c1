"""Converse and ConverseStream."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.control.guardrails import check_identifier
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.runtime import conversation
from ringwall.sandbox.bedrock.runtime.guarding import NOTHING, Applied, Inspection, applied_to, inspect, mask
from ringwall.sandbox.bedrock.runtime.models import Reply, Target, pieces, resolve
from ringwall.sandbox.bedrock.state import new_id
from ringwall.sandbox.bedrock.telemetry import Invocation
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope

_NO_USAGE = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0}


@dataclass(slots=True)
class _Turn:
    """One Converse call on its way: what it names, and what the guardrails said of its input."""

    scope: Scope
    call: Call
    target: Target
    applied: tuple[Applied, ...]
    trace: str
    asked: Inspection
    started: float

    @property
    def full(self) -> bool:
        return self.trace == "enabled_full"

    def inspect_output(self, text: str) -> Inspection:
        """What the guardrails say of the model's answer."""
        grounding = conversation.grounding_of(self.call.parameters)
        return inspect(self.applied, "OUTPUT", lambda _: (text,), grounding=grounding, full=self.full)

    def traced(self, answered: Inspection, text: str | None) -> dict[str, Any]:
        """The ``trace`` member, where the request asks for it."""
        if not self.applied or self.trace == "disabled":
            return {}
        deciding = answered if answered.intervened or not self.asked.intervened else self.asked
        trace: dict[str, Any] = {
            "inputAssessment": self.asked.assessments(),
            "actionReason": deciding.reason(),
        }
        if answered.results:
            trace["outputAssessments"] = {key: [value] for key, value in answered.assessments().items()}
        if text is not None and answered.intervened:
            trace["modelOutput"] = [text]
        return {"trace": {"guardrail": trace}}

    def latency(self) -> int:
        """Milliseconds since the call began, at least one."""
        return max(1, round((time.perf_counter() - self.started) * 1000))

    def done(self, output: Mapping[str, Any], usage: Mapping[str, int], answered: Inspection) -> None:
        """Report the finished call: logs and metrics."""
        self.scope.telemetry.invoked(
            Invocation(
                self.call,
                self.target,
                input_body={k: v for k, v in self.call.parameters.items() if k != "modelId"},
                output_body=output,
                input_tokens=usage["inputTokens"],
                output_tokens=usage["outputTokens"],
                latency=self.latency(),
                inspections=(("INPUT", self.asked), ("OUTPUT", answered)),
                metadata=self.call.parameters.get("requestMetadata") or {},
            )
        )


def _begin(scope: Scope, call: Call) -> _Turn:
    given, started = call.parameters, time.perf_counter()
    target = resolve(scope, call, given["modelId"])
    if not target.model.converse:
        raise invalid(
            f"The model {target.model.id} does not support the Converse operations. Use InvokeModel instead."
        )
    if call.operation == "ConverseStream" and not target.model.streaming:
        raise invalid(f"The model {target.model.id} is unsupported for streaming.")
    conversation.check_conversation(given)
    conversation.check_media(given, target.model.input)
    guard = given.get("guardrailConfig") or {}
    named = check_identifier(guard.get("guardrailIdentifier"), guard.get("guardrailVersion"))
    applied = applied_to(scope, call, named, target.model.id)
    trace = guard.get("trace", "disabled")

    def texts_for(one: Applied) -> tuple[str, ...]:
        return conversation.input_texts(given, all_messages=one.all_messages, all_system=one.all_system)

    asked = inspect(
        applied, "INPUT", texts_for, full=trace == "enabled_full", total=conversation.all_text_length(given)
    )
    return _Turn(scope, call, target, applied, trace, asked, started)


def _masking(turn: _Turn) -> Callable[[str], str]:
    """How texts of the input go to the model: masked where a guardrail said so."""
    if not turn.asked.masked:
        return str
    looked_at = {
        text: mask(turn.applied, "INPUT", text)
        for one in turn.applied
        for text in conversation.input_texts(
            turn.call.parameters, all_messages=one.all_messages, all_system=one.all_system
        )
    }
    return lambda text: looked_at.get(text, text)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the caller gets.

    Attributes:
        content: content blocks of the message.
        stop_reason: in Converse's names.
        usage: tokens.
        answered: what the guardrails said of the model's own text.
        model_text: that text; ``None`` where no model was asked for text.
    """

    content: list[dict[str, Any]]
    stop_reason: str
    usage: dict[str, int]
    answered: Inspection = NOTHING
    model_text: str | None = None

    @property
    def text(self) -> str:
        return str(self.content[0].get("text", ""))


def _refused(turn: _Turn) -> _Answer:
    """The input was blocked: no model was asked."""
    return _Answer([{"text": turn.asked.message}], "guardrail_intervened", _NO_USAGE)


def _asked(turn: _Turn) -> _Answer:
    """Ask the model, and have the guardrails look at its answer."""
    prompt = conversation.prompt_of(turn.call.parameters, _masking(turn))
    reply = turn.scope.models.answer(turn.target.model.id, prompt)
    tool = conversation.forced_tool(turn.call.parameters)
    if tool is not None:
        use = {"toolUseId": f"tooluse_{new_id(22)}", "name": tool, "input": {}}
        return _Answer([{"toolUse": use}], "tool_use", _usage(reply))
    answered = turn.inspect_output(reply.text)
    text, reason = reply.text, reply.stop_reason
    if answered.message is not None:
        text, reason = answered.message, "guardrail_intervened"
    elif answered.masked:
        text, reason = mask(turn.applied, "OUTPUT", reply.text), "guardrail_intervened"
    return _Answer([{"text": text}], reason, _usage(reply), answered, reply.text)


def _usage(reply: Reply) -> dict[str, int]:
    total = reply.input_tokens + reply.output_tokens
    return {"inputTokens": reply.input_tokens, "outputTokens": reply.output_tokens, "totalTokens": total}


def _finished(turn: _Turn, answer: _Answer) -> dict[str, Any]:
    """The response, reported to logs and metrics."""
    output = {
        "output": {"message": {"role": "assistant", "content": answer.content}},
        "stopReason": answer.stop_reason,
        "usage": answer.usage,
        "metrics": {"latencyMs": turn.latency()},
        **turn.traced(answer.answered, answer.model_text),
    }
    turn.done(output, answer.usage, answer.answered)
    return output


def converse(scope: Scope, call: Call) -> Output:
    """Converse."""
    turn = _begin(scope, call)
    return Output(_finished(turn, _refused(turn) if turn.asked.blocked else _asked(turn)))


def converse_stream(scope: Scope, call: Call) -> Output:
    """ConverseStream: in ``sync`` mode nothing is sent before it was looked at; in ``async`` mode text goes out first.

    Unless text goes out as it comes, the model is asked before the stream begins, so that it can still fail with an
    HTTP status.
    """
    turn = _begin(scope, call)
    mode = (call.parameters.get("guardrailConfig") or {}).get("streamProcessingMode")
    if turn.asked.blocked:
        events = _events(turn, _refused(turn))
    elif conversation.forced_tool(call.parameters) is None and (mode == "async" or not turn.applied):
        events = _events_as_they_come(turn)
    else:
        events = _events(turn, _asked(turn))
    return Output({}, events=asynchronously(events))


async def asynchronously(events: Iterator[Mapping[str, Any]]) -> AsyncIterator[Mapping[str, Any]]:
    """Events of a plain iterator, each produced on a worker thread."""
    end: dict[str, Any] = {}
    while (event := await asyncio.to_thread(next, events, end)) is not end:
        yield event


def _text_events(texts: Iterator[str]) -> Iterator[dict[str, Any]]:
    for text in texts:
        yield {"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": 0}}
    yield {"contentBlockStop": {"contentBlockIndex": 0}}


def _tool_events(use: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    start = {"toolUse": {"toolUseId": use["toolUseId"], "name": use["name"]}}
    yield {"contentBlockStart": {"start": start, "contentBlockIndex": 0}}
    delta = {"toolUse": {"input": json.dumps(use["input"])}}
    yield {"contentBlockDelta": {"delta": delta, "contentBlockIndex": 0}}
    yield {"contentBlockStop": {"contentBlockIndex": 0}}


def _events(turn: _Turn, answer: _Answer) -> Iterator[dict[str, Any]]:
    """The events of an answer that is complete."""
    yield {"messageStart": {"role": "assistant"}}
    if "toolUse" in answer.content[0]:
        yield from _tool_events(answer.content[0]["toolUse"])
    else:
        yield from _text_events(iter([answer.text] if answer.answered.blocked else pieces(answer.text)))
    yield from _ending(turn, answer)


def _ending(turn: _Turn, answer: _Answer) -> Iterator[dict[str, Any]]:
    whole = _finished(turn, answer)
    yield {"messageStop": {"stopReason": answer.stop_reason}}
    trace = {"trace": whole["trace"]} if "trace" in whole else {}
    yield {"metadata": {"usage": answer.usage, "metrics": whole["metrics"], **trace}}


def _events_as_they_come(turn: _Turn) -> Iterator[dict[str, Any]]:
    """Text goes out as the model gives it; the guardrail's verdict stands behind it, and nothing is masked."""
    prompt = conversation.prompt_of(turn.call.parameters, _masking(turn))
    texts, finish = turn.scope.models.stream(turn.target.model.id, prompt)

    def events() -> Iterator[dict[str, Any]]:
        yield {"messageStart": {"role": "assistant"}}
        try:
            yield from _text_events(texts)
        except AwsError as error:
            turn.scope.telemetry.failed(turn.call, error)
            raise
        reply = finish()
        answered = turn.inspect_output(reply.text)
        reason = "guardrail_intervened" if answered.blocked else reply.stop_reason
        yield from _ending(turn, _Answer([{"text": reply.text}], reason, _usage(reply), answered, reply.text))

    return events()


OPERATIONS: dict[str, Operation] = {"Converse": converse, "ConverseStream": converse_stream}
