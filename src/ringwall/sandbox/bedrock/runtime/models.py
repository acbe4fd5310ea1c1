"""Which model a call names, and what answers for it: a labelled stand-in, or an OpenAI-compatible upstream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ringwall.catalog import models as catalog_models
from ringwall.catalog import profiles as catalog_profiles
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.runtime.own_models import own_model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ringwall.sandbox.bedrock.scope import Scope
    from ringwall.sandbox.call import Call

_INVALID = "The provided model identifier is invalid."
_OTHER_KINDS = ("prompt/", "prompt-router/", "endpoint/")


@dataclass(frozen=True, slots=True)
class Target:
    """What a call's ``modelId`` stands for.

    Attributes:
        requested: as the call named it.
        model: foundation model.
        legacy: whether the model is past its legacy date.
    """

    requested: str
    model: catalog_models.Model
    legacy: bool

    @property
    def family(self) -> str:
        """The part of the model id before its name: ``anthropic``, ``amazon``, ``meta``."""
        return self.model.id.split(".", 1)[0]


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation as a model takes it.

    Attributes:
        system: system prompts.
        turns: (role, text), oldest first.
        max_tokens: most tokens to generate, if limited.
        temperature: sampling temperature, if set.
        top_p: nucleus, if set.
        stop: stop sequences.
    """

    system: tuple[str, ...]
    turns: tuple[tuple[str, str], ...]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: tuple[str, ...] = ()

    @property
    def tokens(self) -> int:
        """Estimated input tokens."""
        return count_tokens("".join((*self.system, *(text for _, text in self.turns))))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered. ``stop_reason`` in Converse's names."""

    text: str
    input_tokens: int
    output_tokens: int
    stop_reason: str = "end_turn"


class ModelBackend(Protocol):
    """Answers prompts."""

    def answer(self, model_id: str, prompt: Prompt) -> Reply:
        """The whole answer. Raises :class:`ringwall.sandbox.call.AwsError` as Bedrock does for its models."""

    def stream(self, model_id: str, prompt: Prompt) -> tuple[Iterator[str], Callable[[], Reply]]:
        """The answer piece by piece, and a function that gives the whole once the pieces are consumed."""


def count_tokens(text: str) -> int:
    """Tokens of a text, estimated at four characters each."""
    return -(-len(text) // 4)


class StandIn:
    """A deterministic stand-in for a model, which says that it is one and repeats the last user turn."""

    def answer(self, model_id: str, prompt: Prompt) -> Reply:
        """Repeat what the user said last, under a label, within ``max_tokens`` and up to a stop sequence."""
        said = next((text for role, text in reversed(prompt.turns) if role == "user"), "")
        text, reason = f"[ringwall stand-in for {model_id}] {said}".rstrip(), "end_turn"
        for stop in prompt.stop:
            if stop in text:
                text, reason = text.split(stop, 1)[0], "stop_sequence"
        if prompt.max_tokens is not None and count_tokens(text) > prompt.max_tokens:
            text, reason = text[: prompt.max_tokens * 4], "max_tokens"
        return Reply(text, prompt.tokens, count_tokens(text), reason)

    def stream(self, model_id: str, prompt: Prompt) -> tuple[Iterator[str], Callable[[], Reply]]:
        """The same answer in pieces of a few words."""
        reply = self.answer(model_id, prompt)
        return iter(pieces(reply.text)), lambda: reply


def pieces(text: str, size: int = 24) -> list[str]:
    """A text cut as models stream it."""
    return [text[i : i + size] for i in range(0, len(text), size)]


def resolve(scope: Scope, call: Call, identifier: str, *, invokes: bool = True) -> Target:
    """The foundation model behind a call's ``modelId``: an id or ARN of a model or inference profile, or one's own model.

    Args:
        scope: the plane.
        call: the call.
        identifier: its ``modelId``.
        invokes: whether the model is to run; counting tokens needs no profile, whatever the model.

    Raises:
        AwsError: ``ValidationException`` for an identifier that names nothing, or a model that needs a profile;
            ``ResourceNotFoundException`` for a model past its end of life or a resource that does not exist.
    """
    direct, own = True, own_model(scope, call, identifier)
    if own is not None:
        model_id, direct = own.id, False
    elif ":application-inference-profile/" in identifier:
        model_id, direct = _behind_application_profile(scope, call, identifier), False
    elif catalog_profiles.is_profile(identifier):
        model_id, direct = _behind_profile(call, identifier), False
    else:
        model_id = _direct(call, identifier)
    model = own or catalog_models.find(model_id)
    if model is None:
        raise invalid(_INVALID)
    status = model.status(scope.platform.now().date())
    if status == "EOL":
        raise fault(
            call.service,
            "ResourceNotFoundException",
            "This model version has reached the end of its life. Please refer to the AWS documentation for more details.",
        )
    if invokes and direct and not model.on_demand:
        raise invalid(
            f"Invocation of model ID {model.id} with on-demand throughput isn\u2019t supported. Retry your request with the "
            "ID or ARN of an inference profile that contains this model."
        )
    return Target(identifier, model, status == "LEGACY")


def _direct(call: Call, identifier: str) -> str:
    if not identifier.startswith("arn:"):
        return identifier
    parts = identifier.split(":", 5)
    if any(kind in parts[-1] for kind in _OTHER_KINDS):
        raise fault(
            call.service, "ResourceNotFoundException", f"Could not resolve the resource {identifier}."
        )
    if len(parts) < 6 or not parts[5].startswith("foundation-model/") or parts[3] != call.region:
        raise invalid(_INVALID)
    return parts[5].removeprefix("foundation-model/")


def _behind_profile(call: Call, identifier: str) -> str:
    if identifier.startswith("arn:"):
        parts = identifier.split(":", 5)
        if parts[3] != call.region or parts[4] != call.account:
            raise invalid(_INVALID)
    try:
        catalog_profiles.destinations(identifier, call.region)
    except ValueError:
        raise invalid(_INVALID) from None
    return catalog_profiles.foundation_model(identifier)


def _behind_application_profile(scope: Scope, call: Call, arn: str) -> str:
    parts = arn.split(":", 5)
    profile = scope.state.at(parts[4], call.region).profiles.get(parts[5].rpartition("/")[2])
    if profile is None or profile.arn != arn:
        raise fault(call.service, "ResourceNotFoundException", f"Inference profile {arn} could not be found.")
    return str(profile.shape["models"][0]["modelArn"]).rpartition("/")[2]
