"""Converse and ConverseStream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ringwall.sandbox.bedrock.control.guardrails import check_identifier
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.runtime import conversation
from ringwall.sandbox.bedrock.runtime.guarding import NOTHING, Applied, Inspection, applied_to, inspect, mask
from ringwall.sandbox.bedrock.runtime.models import Reply, Target, pieces, resolve
from ringwall.sandbox.bedrock.scope import Operation, Scope
from ringwall.sandbox.bedrock.state import new_id
from ringwall.sandbox.bedrock.telemetry import Invocation
from ringwall.sandbox.call import AwsError, Call, Output

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


def converse(scope: Scope, call: Call) -> Output:
    """Converse."""
    turn = _begin(scope, call)
    if turn.asked.blocked:
        return Output(
            _finished(turn, [{"text": turn.asked.message}], "guardrail_intervened", _NO_USAGE, NOTHING, None)
        )
    tool = conversation.forced_tool(call.parameters)
    prompt = conversation.prompt_of(call.parameters, _masking(turn))
    reply = scope.models.answer(turn.target.model.id, prompt)
    if tool is not None:
        content = [{"toolUse": {"toolUseId": f"tooluse_{new_id(22)}", "name": tool, "input": {}}}]
        return Output(_finished(turn, content, "tool_use", _usage(reply), NOTHING, None))
    answered = turn.inspect_output(reply.text)
    text, reason = _answer(turn, reply, answered)
    return Output(_finished(turn, [{"text": text}], reason, _usage(reply), answered, reply.text))


def _answer(turn: _Turn, reply: Reply, answered: Inspection) -> tuple[str, str]:
    """The text that the caller gets, and its stop reason."""
    if answered.message is not None:
        return answered.message, "guardrail_intervened"
    if answered.masked:
        return mask(turn.applied, "OUTPUT", reply.text), "guardrail_intervened"
    return reply.text, reply.stop_reason


def _usage(reply: Reply) -> dict[str, int]:
    total = reply.input_tokens + reply.output_tokens
    return {"inputTokens": reply.input_tokens, "outputTokens": reply.output_tokens, "totalTokens": total}


def _finished(
    turn: _Turn,
    content: list[dict[str, Any]],
    reason: str,
    usage: dict[str, int],
    answered: Inspection,
    model_output: str | None,
) -> dict[str, Any]:
    output = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": reason,
        "usage": usage,
        "metrics": {"latencyMs": turn.latency()},
        **turn.traced(answered, model_output),
    }
    turn.done(output, usage, answered)
    return output


def converse_stream(scope: Scope, call: Call) -> Output:
    """ConverseStream: in ``sync`` mode nothing is sent before it was looked at; in ``async`` mode text goes out first."""
    turn = _begin(scope, call)
    if turn.asked.blocked:
        events = _blocked_events(turn)
    elif (call.parameters.get("guardrailConfig") or {}).get(
        "streamProcessingMode"
    ) == "async" or not turn.applied:
        events = _events_as_they_come(turn)
    else:
        events = _events_after_inspection(turn)
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


def _ending(
    turn: _Turn, text: str, reason: str, usage: dict[str, int], answered: Inspection, model_output: str | None
) -> Iterator[dict[str, Any]]:
    whole = _finished(turn, [{"text": text}], reason, usage, answered, model_output)
    yield {"messageStop": {"stopReason": reason}}
    trace = {"trace": whole["trace"]} if "trace" in whole else {}
    yield {"metadata": {"usage": usage, "metrics": whole["metrics"], **trace}}


def _blocked_events(turn: _Turn) -> Iterator[dict[str, Any]]:
    message = str(turn.asked.message)
    yield {"messageStart": {"role": "assistant"}}
    yield from _text_events(iter([message]))
    yield from _ending(turn, message, "guardrail_intervened", _NO_USAGE, NOTHING, None)


def _events_after_inspection(turn: _Turn) -> Iterator[dict[str, Any]]:
    """The model is asked before the stream begins, so that it can still fail with an HTTP status."""
    prompt = conversation.prompt_of(turn.call.parameters, _masking(turn))
    reply = turn.scope.models.answer(turn.target.model.id, prompt)
    answered = turn.inspect_output(reply.text)
    text, reason = _answer(turn, reply, answered)

    def events() -> Iterator[dict[str, Any]]:
        yield {"messageStart": {"role": "assistant"}}
        yield from _text_events(iter([text] if answered.blocked else pieces(text)))
        yield from _ending(turn, text, reason, _usage(reply), answered, reply.text)

    return events()


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
        yield from _ending(turn, reply.text, reason, _usage(reply), answered, reply.text)

    return events()


OPERATIONS: dict[str, Operation] = {"Converse": converse, "ConverseStream": converse_stream}
