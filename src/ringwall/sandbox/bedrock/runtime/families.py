"""InvokeModel bodies: what each family of models takes and gives, in its own shape.

User guide: "Inference request parameters and response fields for foundation models". The stand-in's answers are put in
these shapes, so that code written for a family parses them.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.runtime.models import Prompt, Reply, Target, count_tokens
from ringwall.sandbox.bedrock.state import LOWER, new_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Body = Mapping[str, Any]
    Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """How one family's bodies are read and written.

    Attributes:
        required: members that a request must have.
        texts: the texts of a request that are prompts, with their paths.
        prompt: the request as a prompt for the model.
        answer: a reply as the response body.
        chunks: a reply as the bodies of a stream's chunks, given the pieces of its text.
    """

    required: tuple[str, ...]
    texts: Callable[[Body], Iterator[tuple[Path, str]]]
    prompt: Callable[[Body], Prompt]
    answer: Callable[[Target, Body, Reply], dict[str, Any]]
    chunks: Callable[[Target, Reply, Sequence[str]], Iterator[dict[str, Any]]]


# Reading

_PROMPT_MEMBERS = ("prompt", "inputText", "message")


def _content_texts(content: Any, path: Path) -> Iterator[tuple[Path, str]]:
    """Texts of a message's content, which is a string or a list of blocks. Tool traffic is not among them."""
    if isinstance(content, str):
        yield path, content
    elif isinstance(content, list):
        for index, block in enumerate(content):
            if (
                isinstance(block, dict)
                and isinstance(block.get("text"), str)
                and block.get("type", "text") == "text"
            ):
                yield (*path, index, "text"), block["text"]


def _message_texts(body: Body) -> Iterator[tuple[Path, str]]:
    yield from _content_texts(body.get("system"), ("system",))
    for index, message in enumerate(body.get("messages") or ()):
        if isinstance(message, dict):
            yield from _content_texts(message.get("content"), ("messages", index, "content"))


def _plain_texts(body: Body) -> Iterator[tuple[Path, str]]:
    for name in _PROMPT_MEMBERS:
        if isinstance(body.get(name), str):
            yield (name,), body[name]
    if isinstance(body.get("texts"), list):
        yield from (((("texts", i)), text) for i, text in enumerate(body["texts"]) if isinstance(text, str))


def _any_texts(body: Body) -> Iterator[tuple[Path, str]]:
    yield from _message_texts(body)
    yield from _plain_texts(body)


def substitute(body: Any, texts: Mapping[Path, str], path: Path = ()) -> Any:
    """A copy of a body with the texts at some paths replaced."""
    if isinstance(body, dict):
        return {key: substitute(value, texts, (*path, key)) for key, value in body.items()}
    if isinstance(body, list):
        return [substitute(value, texts, (*path, index)) for index, value in enumerate(body)]
    return texts.get(path, body)


def _options(body: Body) -> dict[str, Any]:
    """Inference settings, wherever the family keeps them."""
    nested = (body.get(name) for name in ("inferenceConfig", "textGenerationConfig"))
    return {**body, **{key: value for one in nested if isinstance(one, dict) for key, value in one.items()}}


def _number(options: Body, *names: str) -> Any:
    """The first of some settings that is there; what is no number counts as absent."""
    found = (options.get(name) for name in names)
    return next(
        (value for value in found if isinstance(value, int | float) and not isinstance(value, bool)), None
    )


def _stops(options: Body) -> tuple[str, ...]:
    for name in ("stop_sequences", "stopSequences", "stop"):
        value = options.get(name)
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list):
            return tuple(one for one in value if isinstance(one, str) and one)
    return ()


def _prompt(body: Body) -> Prompt:
    options = _options(body)
    system = tuple(text for path, text in _message_texts(body) if path[0] == "system")
    turns: list[tuple[str, str]] = []
    for message in body.get("messages") or ():
        text = "\n".join(text for _, text in _content_texts(message.get("content"), ()))
        role = str(message.get("role", "user"))
        if role == "system":
            system = (*system, text)
        else:
            turns.append((role, text))
    turns += [("user", text) for _, text in _plain_texts(body)]
    limit = _number(
        options,
        "max_tokens",
        "maxTokens",
        "max_new_tokens",
        "maxTokenCount",
        "max_gen_len",
        "max_completion_tokens",
    )
    return Prompt(
        system,
        tuple(turns),
        max(1, int(limit)) if limit is not None else None,
        _number(options, "temperature"),
        _number(options, "top_p", "topP"),
        _stops(options),
    )


# Anthropic

_ANTHROPIC_STOPS = {"tool_use": "tool_use", "max_tokens": "max_tokens", "stop_sequence": "stop_sequence"}


def _anthropic_message(
    target: Target, reply: Reply, content: list[dict[str, Any]], stop: str | None
) -> dict[str, Any]:
    return {
        "model": target.model.id.split(".", 1)[-1].split("-v", 1)[0],
        "id": f"msg_bdrk_{new_id(24, LOWER)}",
        "type": "message",
        "role": "assistant",
        "content": content,
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens},
    }


def _anthropic_answer(target: Target, _: Body, reply: Reply) -> dict[str, Any]:
    stop = _ANTHROPIC_STOPS.get(reply.stop_reason, "end_turn")
    return _anthropic_message(target, reply, [{"type": "text", "text": reply.text}], stop)


def _anthropic_chunks(target: Target, reply: Reply, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    yield {"type": "message_start", "message": _anthropic_message(target, reply, [], None)}
    yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    for text in texts:
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    yield {"type": "content_block_stop", "index": 0}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": _ANTHROPIC_STOPS.get(reply.stop_reason, "end_turn"), "stop_sequence": None},
        "usage": {"output_tokens": reply.output_tokens},
    }
    yield {"type": "message_stop"}


# Amazon Nova


def _nova_answer(_: Target, __: Body, reply: Reply) -> dict[str, Any]:
    total = reply.input_tokens + reply.output_tokens
    return {
        "output": {"message": {"content": [{"text": reply.text}], "role": "assistant"}},
        "stopReason": reply.stop_reason,
        "usage": {
            "inputTokens": reply.input_tokens,
            "outputTokens": reply.output_tokens,
            "totalTokens": total,
        },
    }


def _nova_chunks(_: Target, reply: Reply, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    yield {"messageStart": {"role": "assistant"}}
    for text in texts:
        yield {"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": 0}}
    yield {"contentBlockStop": {"contentBlockIndex": 0}}
    yield {"messageStop": {"stopReason": reply.stop_reason}}
    yield {"metadata": {"usage": {"inputTokens": reply.input_tokens, "outputTokens": reply.output_tokens}}}


# Amazon Titan

_TITAN_STOPS = {"max_tokens": "LENGTH", "stop_sequence": "STOP_CRITERIA_MET"}


def _titan_answer(_: Target, __: Body, reply: Reply) -> dict[str, Any]:
    result = {
        "tokenCount": reply.output_tokens,
        "outputText": reply.text,
        "completionReason": _TITAN_STOPS.get(reply.stop_reason, "FINISH"),
    }
    return {"inputTextTokenCount": reply.input_tokens, "results": [result]}


def _titan_chunks(_: Target, reply: Reply, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    for index, text in enumerate(texts):
        last = index == len(texts) - 1
        yield {
            "outputText": text,
            "index": index,
            "totalOutputTextTokenCount": reply.output_tokens if last else None,
            "completionReason": _TITAN_STOPS.get(reply.stop_reason, "FINISH") if last else None,
            "inputTextTokenCount": reply.input_tokens,
        }


# Meta, Mistral AI, Cohere, and the chat completions of the others

_CHAT_STOPS = {"max_tokens": "length", "tool_use": "tool_calls"}


def _llama(reply: Reply, text: str, stop: str | None) -> dict[str, Any]:
    return {
        "generation": text,
        "prompt_token_count": reply.input_tokens,
        "generation_token_count": reply.output_tokens,
        "stop_reason": stop,
    }


def _llama_chunks(_: Target, reply: Reply, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    for index, text in enumerate(texts):
        stop = _CHAT_STOPS.get(reply.stop_reason, "stop") if index == len(texts) - 1 else None
        yield _llama(reply, text, stop)


def _mistral_answer(target: Target, body: Body, reply: Reply) -> dict[str, Any]:
    if "messages" in body:
        return _chat_answer(target, body, reply)
    return {"outputs": [{"text": reply.text, "stop_reason": _CHAT_STOPS.get(reply.stop_reason, "stop")}]}


def _mistral_chunks(_: Target, reply: Reply, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    for index, text in enumerate(texts):
        stop = _CHAT_STOPS.get(reply.stop_reason, "stop") if index == len(texts) - 1 else None
        yield {"outputs": [{"text": text, "stop_reason": stop}]}


def _cohere_answer(_: Target, __: Body, reply: Reply) -> dict[str, Any]:
    stop = "MAX_TOKENS" if reply.stop_reason == "max_tokens" else "COMPLETE"
    return {"response_id": new_id(16), "generation_id": new_id(16), "text": reply.text, "finish_reason": stop}


def _cohere_chunks(_: Target, reply: Reply, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    for text in texts:
        yield {"event_type": "text-generation", "text": text, "is_finished": False}
    stop = "MAX_TOKENS" if reply.stop_reason == "max_tokens" else "COMPLETE"
    yield {"event_type": "stream-end", "finish_reason": stop, "is_finished": True}


def _chat_answer(target: Target, _: Body, reply: Reply) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{new_id(24)}",
        "object": "chat.completion",
        "model": target.model.id,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": reply.text},
                "finish_reason": _CHAT_STOPS.get(reply.stop_reason, "stop"),
            }
        ],
        "usage": {
            "prompt_tokens": reply.input_tokens,
            "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
        },
    }


def _chat_chunks(target: Target, reply: Reply, texts: Sequence[str]) -> Iterator[dict[str, Any]]:
    common = {"id": f"chatcmpl-{new_id(24)}", "object": "chat.completion.chunk", "model": target.model.id}
    for text in texts:
        yield {**common, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    stop = _CHAT_STOPS.get(reply.stop_reason, "stop")
    yield {**common, "choices": [{"index": 0, "delta": {}, "finish_reason": stop}]}


_ANTHROPIC = Family(
    ("anthropic_version", "max_tokens", "messages"),
    _message_texts,
    _prompt,
    _anthropic_answer,
    _anthropic_chunks,
)
_CHAT = Family(("messages",), _message_texts, _prompt, _chat_answer, _chat_chunks)
_FAMILIES: tuple[tuple[str, Family], ...] = (
    ("anthropic.", _ANTHROPIC),
    ("amazon.nova", Family(("messages",), _message_texts, _prompt, _nova_answer, _nova_chunks)),
    ("amazon.titan", Family(("inputText",), _plain_texts, _prompt, _titan_answer, _titan_chunks)),
    (
        "meta.",
        Family(
            ("prompt",), _plain_texts, _prompt, lambda _t, _b, r: _llama(r, r.text, "stop"), _llama_chunks
        ),
    ),
    ("mistral.", Family((), _any_texts, _prompt, _mistral_answer, _mistral_chunks)),
    ("cohere.", Family(("message",), _plain_texts, _prompt, _cohere_answer, _cohere_chunks)),
)


def family_of(model_id: str) -> Family:
    """The family of a model that answers in text; chat completions where it has no shape of its own here."""
    return next((family for prefix, family in _FAMILIES if model_id.startswith(prefix)), _CHAT)


# Embeddings


def embed(target: Target, body: Body) -> tuple[dict[str, Any], int] | None:
    """The response of an embedding model with deterministic vectors, and its input tokens; ``None`` for a malformed body."""
    if target.family == "cohere":
        texts = body.get("texts")
        if not isinstance(texts, list) or "input_type" not in body:
            return None
        vectors = [_vector(str(text), 1024) for text in texts]
        response = {
            "id": new_id(16),
            "texts": texts,
            "embeddings": vectors,
            "response_type": "embeddings_floats",
        }
        return response, sum(count_tokens(str(text)) for text in texts)
    text = body.get("inputText")
    if not isinstance(text, str):
        return None
    tokens = count_tokens(text)
    size = body.get("dimensions") or (1024 if "v2" in target.model.id else 1536)
    if not isinstance(size, int) or not 1 <= size <= _MOST_DIMENSIONS:
        return None
    return {"embedding": _vector(text, size), "inputTextTokenCount": tokens}, tokens


_MOST_DIMENSIONS = 3072


def _vector(text: str, size: int) -> list[float]:
    """A unit vector that depends on the text alone."""
    raw = hashlib.shake_256(text.encode()).digest(size)
    values = [byte - 127.5 for byte in raw]
    length = math.sqrt(sum(value * value for value in values))
    return [round(value / length, 8) for value in values]
