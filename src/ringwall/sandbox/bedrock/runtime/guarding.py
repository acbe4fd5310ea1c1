"""Which guardrails bear on a call, and what they say together.

The request's guardrail, the account's enforced one and the organization's all apply; any block blocks, and masks add
up. An organization's guardrail that does not exist stops all inference, as on AWS (user guide:
"Apply cross-account safeguards with Amazon Bedrock Guardrails enforcements").
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import effective
from ringwall.sandbox.bedrock.control import guardrails
from ringwall.sandbox.bedrock.control.keys import unwrap_key
from ringwall.sandbox.bedrock.evaluation.engine import Evaluation, Grounding, Question
from ringwall.sandbox.bedrock.faults import invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ringwall.sandbox.bedrock.scope import Scope
    from ringwall.sandbox.bedrock.state import Guardrail, GuardrailVersion
    from ringwall.sandbox.call import Call

REQUEST, ACCOUNT, ORGANIZATION = "REQUEST", "ACCOUNT_ENFORCED", "ORGANIZATION_ENFORCED"


@dataclass(frozen=True, slots=True)
class Applied:
    """A guardrail version that applies to a call.

    Attributes:
        guardrail: the guardrail.
        version: the version of it.
        origins: why it applies (``REQUEST``, ``ACCOUNT_ENFORCED``, ``ORGANIZATION_ENFORCED``).
        all_messages: evaluate messages as a whole, whatever the caller marked.
        all_system: evaluate system prompts, whatever the caller marked.
        own: whether the caller's account owns it.
    """

    guardrail: Guardrail
    version: GuardrailVersion
    origins: tuple[str, ...]
    all_messages: bool
    all_system: bool
    own: bool

    def details(self) -> dict[str, Any]:
        """``appliedGuardrailDetails`` of an assessment."""
        return {
            "guardrailId": self.guardrail.id,
            "guardrailVersion": self.version.version,
            "guardrailArn": self.guardrail.arn,
            "guardrailOrigin": list(self.origins),
            "guardrailOwnership": "SELF" if self.own else "CROSS_ACCOUNT",
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """What all guardrails said of one side of a call.

    Attributes:
        results: per guardrail, its evaluation; its ``texts`` are those that it was asked about.
        message: the blocked message, where one blocks.
    """

    results: tuple[tuple[Applied, Evaluation], ...]
    message: str | None

    @property
    def blocked(self) -> bool:
        """Whether any guardrail blocks."""
        return self.message is not None

    @property
    def masked(self) -> bool:
        """Whether any guardrail masked something."""
        return any(evaluation.masked for _, evaluation in self.results)

    @property
    def intervened(self) -> bool:
        """Whether any guardrail blocked or masked."""
        return self.blocked or self.masked

    def assessments(self) -> dict[str, dict[str, Any]]:
        """Assessments by guardrail id, in the API's shape."""
        return {
            applied.guardrail.id: {**evaluation.assessment, "appliedGuardrailDetails": applied.details()}
            for applied, evaluation in self.results
        }

    def reason(self) -> str:
        """``actionReason`` in AWS's words."""
        return "Guardrail blocked." if self.blocked else "Guardrail masked." if self.masked else "No action."


NOTHING = Inspection((), None)


def find_version(
    scope: Scope, call: Call, identifier: str, version: str
) -> tuple[Guardrail, GuardrailVersion]:
    """A guardrail version that a runtime call names.

    Raises:
        AwsError: ``ValidationException`` (``ResourceNotFoundException`` from ApplyGuardrail) where it does not exist,
            and what KMS says where the caller may not use its key.
    """
    guardrail = scope.state.find_guardrail(identifier, call.account, call.region)
    found = guardrail.version(version) if guardrail is not None else None
    if guardrail is None or found is None:
        if call.operation == "ApplyGuardrail":
            raise guardrails.not_found(call, identifier, version)
        raise invalid("The guardrail identifier or version provided in the request does not exist.")
    unwrap_key(scope, call, found.kms_key_arn, found.wrapped_key)
    return guardrail, found


def applied_to(
    scope: Scope, call: Call, named: tuple[str, str] | None, model_id: str | None
) -> tuple[Applied, ...]:
    """The guardrails that bear on an inference call, the request's first.

    Args:
        scope: the plane.
        call: the call.
        named: identifier and version in the request, if any.
        model_id: foundation model id, for the enforced configuration's list of models; ``None`` = the call runs no
            model, and nothing is enforced on it.

    Raises:
        AwsError: one does not exist, or the caller may not apply it or use its key.
    """
    found: list[Applied] = []
    if named is not None:
        guardrail, version = find_version(scope, call, *named)
        own = guardrail.id in scope.home(call).guardrails
        found.append(Applied(guardrail, version, (REQUEST,), all_messages=False, all_system=False, own=own))
    if model_id is not None:
        for enforced, origin in _enforced(scope, call):
            if _covers(enforced.get("modelEnforcement"), model_id):
                _add_enforced(scope, call, enforced, origin, found)
    return tuple(found)


def _enforced(scope: Scope, call: Call) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The enforced configurations of the caller's account and organization, in the account's shape."""
    own = scope.home(call).enforced
    if own is not None:
        yield own, ACCOUNT
    policy = scope.platform.effective_policy(effective.BEDROCK, call.account)
    for given in effective.guardrail_configurations(policy, call.region):
        arn, _, number = str(given.get("identifier", "")).rpartition(":")
        guarding = given.get("selective_content_guarding") or {}
        models = given.get("model_enforcement")
        configuration: dict[str, Any] = {
            "guardrailArn": arn,
            "guardrailVersion": number,
            "selectiveContentGuarding": {side: str(value).upper() for side, value in guarding.items()},
        }
        if given.get("input_tags") == "honor":
            configuration["selectiveContentGuarding"] = {"messages": "SELECTIVE", "system": "SELECTIVE"}
        if models is not None:
            configuration["modelEnforcement"] = {
                "includedModels": models.get("included_models") or ["ALL"],
                "excludedModels": models.get("excluded_models") or [],
            }
        yield configuration, ORGANIZATION


def _covers(enforcement: Mapping[str, Any] | None, model_id: str) -> bool:
    if enforcement is None:
        return True
    if model_id in enforcement.get("excludedModels", ()):
        return False
    return bool({"ALL", model_id} & set(enforcement["includedModels"]))


def _add_enforced(
    scope: Scope, call: Call, enforced: Mapping[str, Any], origin: str, found: list[Applied]
) -> None:
    arn, number = enforced["guardrailArn"], enforced["guardrailVersion"]
    for target in (arn, *(guardrails.profiles_behind(scope.state, arn, call.region) or ())):
        where = {"aws:requestedregion": (target.split(":")[3],)}
        scope.platform.authorize(call, "bedrock:ApplyGuardrail", target, where)
    guardrail, version = find_version(scope, call, arn, number)
    guarding = enforced.get("selectiveContentGuarding") or {}
    messages, system = (
        guarding.get(side, "COMPREHENSIVE") == "COMPREHENSIVE" for side in ("messages", "system")
    )
    for index, other in enumerate(found):
        if other.guardrail is guardrail and other.version is version:
            found[index] = replace(
                other,
                origins=(*other.origins, origin),
                all_messages=messages or other.all_messages,
                all_system=system or other.all_system,
            )
            return
    own = guardrail.id in scope.home(call).guardrails
    found.append(Applied(guardrail, version, (origin,), messages, system, own))


def inspect(
    applied: Sequence[Applied],
    source: str,
    texts_for: Callable[[Applied], tuple[str, ...]],
    *,
    prompt_attacks: Callable[[Applied], bool] = lambda _: True,
    grounding: Grounding | None = None,
    full: bool = False,
    total: int | None = None,
) -> Inspection:
    """Evaluate one side of a call by every guardrail.

    Args:
        applied: the guardrails.
        source: ``INPUT`` or ``OUTPUT``.
        texts_for: the texts that a guardrail looks at.
        prompt_attacks: whether a guardrail looks for prompt attacks here.
        grounding: sources and query, for the output.
        full: report also what was not detected.
        total: characters of the side as a whole.
    """
    results: list[tuple[Applied, Evaluation]] = []
    for one in applied:
        question = Question(source, texts_for(one), prompt_attacks(one), grounding, full, total)
        results.append((one, one.version.compiled.evaluate(question)))
    member = "blockedInputMessaging" if source == "INPUT" else "blockedOutputsMessaging"
    blocking = next((one for one, evaluation in results if evaluation.blocked), None)
    return Inspection(tuple(results), blocking.version.configuration[member] if blocking else None)


def mask(applied: Sequence[Applied], source: str, text: str) -> str:
    """A text with every guardrail's masks applied, one after the other."""
    for one in applied:
        text = one.version.compiled.evaluate(Question(source, (text,))).texts[0]
    return text
