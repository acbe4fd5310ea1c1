"""InvokeModel and InvokeModelWithResponseStream.

User guide: "Apply tags to user input to filter content", "Include a guardrail with the InvokeModel operation". Without
input tags the whole prompt is evaluated, but not for prompt attacks; with them only what they enclose.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.control.guardrails import check_identifier
from ringwall.sandbox.bedrock.faults import invalid
from ringwall.sandbox.bedrock.runtime.converse import asynchronously
from ringwall.sandbox.bedrock.runtime.families import Family, embed, family_of, substitute
from ringwall.sandbox.bedrock.runtime.guarding import NOTHING, Applied, Inspection, applied_to, inspect, mask
from ringwall.sandbox.bedrock.runtime.models import Reply, Target, pieces, resolve
from ringwall.sandbox.bedrock.telemetry import Invocation
from ringwall.sandbox.call import AwsError, Call, Output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope

_CONFIG = "amazon-bedrock-guardrailConfig"
_TAG = "amazon-bedrock-guardrails-guardContent_"
_ANY_TAG = re.compile(rf"</?{_TAG}[0-9A-Za-z]{{1,20}}>")
_SUFFIX = re.compile(r"[0-9A-Za-z]{1,20}")
_MALFORMED = "Malformed input request: {}, please reformat your input and try again."


@dataclass(slots=True)
class _Invocation:
    """One InvokeModel call on its way."""

    scope: Scope
    call: Call
    target: Target
    family: Family
    body: dict[str, Any]
    config: Mapping[str, Any]
    applied: tuple[Applied, ...]
    asked: Inspection
    metadata: Mapping[str, str]
    started: float

    @property
    def trace(self) -> str:
        return str(self.call.parameters.get("trace") or "DISABLED")

    def latency(self) -> int:
        return max(1, round((time.perf_counter() - self.started) * 1000))

    def guarded_body(self, body: dict[str, Any], answered: Inspection, text: str) -> dict[str, Any]:
        """The response body with what it says of the guardrail."""
        if not self.applied:
            return body
        intervened = self.asked.intervened or answered.intervened
        body["amazon-bedrock-guardrailAction"] = "INTERVENED" if intervened else "NONE"
        if self.trace != "DISABLED":
            deciding = answered if answered.intervened or not self.asked.intervened else self.asked
            trace: dict[str, Any] = {"input": self.asked.assessments(), "actionReason": deciding.reason()}
            if answered.results:
                trace["outputs"] = [{key: value} for key, value in answered.assessments().items()]
            if answered.intervened:
                trace["modelOutput"] = [text]
            body["amazon-bedrock-trace"] = {"guardrail": trace}
        return body

    def done(self, output: Any, reply: Reply, answered: Inspection) -> None:
        """Report the finished call: logs and metrics."""
        self.scope.telemetry.invoked(
            Invocation(
                self.call,
                self.target,
                input_body=self.body,
                output_body=output,
                input_tokens=reply.input_tokens,
                output_tokens=reply.output_tokens,
                latency=self.latency(),
                inspections=(("INPUT", self.asked), ("OUTPUT", answered)),
                metadata=self.metadata,
            )
        )


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _parse(body: bytes | None, required: tuple[str, ...]) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"", parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise invalid(_MALFORMED.format("the body is not valid JSON")) from error
    if not isinstance(parsed, dict):
        raise invalid(_MALFORMED.format("#: expected type: JSONObject"))
    missing = [name for name in required if parsed.get(name) is None]
    if missing:
        raise invalid(_MALFORMED.format("; ".join(f"#: required key [{name}] not found" for name in missing)))
    return parsed


def _check_messages(body: Mapping[str, Any]) -> None:
    messages = body.get("messages")
    if messages is None:
        return
    if (
        not isinstance(messages, list)
        or not messages
        or not all(isinstance(message, dict) for message in messages)
    ):
        raise invalid(_MALFORMED.format("#/messages: expected a list with at least one message"))
    limit = body.get("max_tokens", 1)
    if not isinstance(limit, int) or limit < 1:
        raise invalid(_MALFORMED.format("#/max_tokens: expected an integer of at least 1"))


def _metadata(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise invalid("The requestMetadata header must be a JSON object of strings.") from error
    if (
        not isinstance(parsed, dict)
        or len(parsed) > 16
        or not all(isinstance(value, str) for value in parsed.values())
    ):
        raise invalid("The requestMetadata header must be a JSON object of at most 16 strings.")
    return parsed


def _suffix(config: Mapping[str, Any]) -> str | None:
    suffix = config.get("tagSuffix")
    if suffix is not None and not (isinstance(suffix, str) and _SUFFIX.fullmatch(suffix)):
        raise invalid(
            "The tagSuffix of amazon-bedrock-guardrailConfig must be 1 to 20 alphanumeric characters."
        )
    return suffix


def _tagged(texts: list[str], suffix: str | None) -> list[str]:
    """What the caller's input tags enclose."""
    if suffix is None:
        return []
    pattern = re.compile(rf"<{_TAG}{suffix}>(.*?)</{_TAG}{suffix}>", re.DOTALL)
    return [found for text in texts for found in pattern.findall(text)]


def _begin(scope: Scope, call: Call) -> _Invocation:
    given, started = call.parameters, time.perf_counter()
    target = resolve(scope, call, given["modelId"])
    if call.operation == "InvokeModelWithResponseStream" and not target.model.streaming:
        raise invalid(f"The model {target.model.id} is unsupported for streaming.")
    embeds = "EMBEDDING" in target.model.output
    family = family_of(target.model.id)
    body = _parse(given.get("body"), () if embeds else family.required)
    _check_messages(body)
    config = body.pop(_CONFIG, None) or {}
    if not isinstance(config, dict):
        raise invalid(_MALFORMED.format(f"#/{_CONFIG}: expected type: JSONObject"))
    named = check_identifier(given.get("guardrailIdentifier"), given.get("guardrailVersion"))
    if named is not None and not target.model.takes_guardrail:
        raise invalid(f"The model {target.model.id} does not support guardrails.")
    applied = applied_to(scope, call, named, target.model.id) if target.model.takes_guardrail else ()
    texts = [text for _, text in family.texts(body)]
    plain = [_ANY_TAG.sub("", text) for text in texts]
    tagged = _tagged(texts, _suffix(config))
    asked = inspect(
        applied,
        "INPUT",
        lambda one: tuple(tagged if tagged and not one.all_messages else plain),
        prompt_attacks=lambda _: bool(tagged),
        full=given.get("trace") == "ENABLED_FULL",
        total=sum(map(len, plain)),
    )
    metadata = _metadata(given.get("requestMetadata"))
    return _Invocation(scope, call, target, family, body, config, applied, asked, metadata, started)


def _body_for_model(one: _Invocation) -> Mapping[str, Any]:
    """The body without input tags, masked where a guardrail said so."""
    suffix = one.config.get("tagSuffix")
    marked = re.compile(rf"(?<=<{_TAG}{suffix}>)(.*?)(?=</{_TAG}{suffix}>)", re.DOTALL)
    selective = bool(_tagged([text for _, text in one.family.texts(one.body)], suffix))
    texts = {}
    for path, original in one.family.texts(one.body):
        text = original
        if one.asked.masked and selective and not any(applied.all_messages for applied in one.applied):
            text = marked.sub(lambda found: mask(one.applied, "INPUT", found.group()), text)
        elif one.asked.masked:
            text = mask(one.applied, "INPUT", _ANY_TAG.sub("", text))
        texts[path] = _ANY_TAG.sub("", text)
    cleaned: Mapping[str, Any] = substitute(one.body, texts)
    return cleaned


def _guard_answer(one: _Invocation, reply: Reply) -> tuple[Inspection, Reply]:
    """What the guardrails say of the answer, and the answer that the caller gets."""
    full = one.trace == "ENABLED_FULL"
    answered = inspect(one.applied, "OUTPUT", lambda _: (reply.text,), full=full)
    text = reply.text
    if answered.message is not None:
        text = answered.message
    elif answered.masked:
        text = mask(one.applied, "OUTPUT", text)
    stop = "end_turn" if answered.blocked else reply.stop_reason
    return answered, Reply(text, reply.input_tokens, reply.output_tokens, stop)


def _answer(one: _Invocation) -> tuple[Inspection, Reply, str]:
    """Inspection of the answer, the answer that the caller gets, and the model's own text."""
    if one.asked.message is not None:
        return NOTHING, Reply(one.asked.message, 0, 0), ""
    prompt = one.family.prompt(_body_for_model(one))
    reply = one.scope.models.answer(one.target.model.id, prompt)
    answered, shown = _guard_answer(one, reply)
    return answered, shown, reply.text


def _headers(one: _Invocation, reply: Reply) -> dict[str, str]:
    return {
        "x-amzn-bedrock-invocation-latency": str(one.latency()),
        "x-amzn-bedrock-input-token-count": str(reply.input_tokens),
        "x-amzn-bedrock-output-token-count": str(reply.output_tokens),
    }


def invoke_model(scope: Scope, call: Call) -> Output:
    """InvokeModel."""
    one = _begin(scope, call)
    if "EMBEDDING" in one.target.model.output:
        return _embed(one)
    if "TEXT" not in one.target.model.output:
        raise AwsError(
            "NotImplementedException",
            f"The sandbox has no stand-in for {one.target.model.id}: it does not answer in text.",
            501,
        )
    answered, reply, own_text = _answer(one)
    body = one.guarded_body(one.family.answer(one.target, one.body, reply), answered, own_text)
    one.done(body, reply, answered)
    return Output(
        {"body": json.dumps(body).encode(), "contentType": "application/json"}, headers=_headers(one, reply)
    )


def _embed(one: _Invocation) -> Output:
    embedded = embed(one.target, one.body)
    if embedded is None:
        raise invalid(
            _MALFORMED.format("#: required key [inputText] not found, or a member of the wrong type")
        )
    body, tokens = embedded
    reply = Reply("", tokens, 0)
    one.done(body, reply, NOTHING)
    return Output(
        {"body": json.dumps(body).encode(), "contentType": "application/json"}, headers=_headers(one, reply)
    )


def invoke_model_stream(scope: Scope, call: Call) -> Output:
    """InvokeModelWithResponseStream: each chunk holds a JSON document in the family's shape."""
    one = _begin(scope, call)
    asynchronous = one.config.get("streamProcessingMode") == "ASYNCHRONOUS"
    chunks = _late_chunks(one) if asynchronous and not one.asked.blocked else _sync_chunks(one)
    return Output({"contentType": "application/json"}, events=asynchronously(chunks))


def _sync_chunks(one: _Invocation) -> Iterator[dict[str, Any]]:
    """Nothing is sent before it was looked at; the model is asked before the stream begins, so that it can still fail."""
    answered, reply, own_text = _answer(one)
    texts = [reply.text] if answered.blocked or one.asked.blocked else pieces(reply.text)
    return _chunks(one, reply, texts, answered, own_text)


def _late_chunks(one: _Invocation) -> Iterator[dict[str, Any]]:
    """Asynchronous mode: the text as the model gave it, the guardrail's verdict behind it, nothing masked."""
    prompt = one.family.prompt(_body_for_model(one))
    reply = one.scope.models.answer(one.target.model.id, prompt)
    answered, _ = _guard_answer(one, reply)
    return _chunks(one, reply, pieces(reply.text), answered, reply.text)


def _chunks(
    one: _Invocation, reply: Reply, texts: list[str], answered: Inspection, own_text: str
) -> Iterator[dict[str, Any]]:
    documents = list(one.family.chunks(one.target, reply, texts))
    if documents:
        documents[-1] = one.guarded_body(documents[-1], answered, own_text)
        documents[-1]["amazon-bedrock-invocationMetrics"] = {
            "inputTokenCount": reply.input_tokens,
            "outputTokenCount": reply.output_tokens,
            "invocationLatency": one.latency(),
            "firstByteLatency": one.latency(),
        }
    for document in documents:
        yield {"chunk": {"bytes": json.dumps(document).encode()}}
    one.done(documents, reply, answered)


OPERATIONS: dict[str, Operation] = {
    "InvokeModel": invoke_model,
    "InvokeModelWithResponseStream": invoke_model_stream,
}
