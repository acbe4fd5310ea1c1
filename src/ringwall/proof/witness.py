"""From a model to a request that can be replayed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ringwall.iam.codec import make_request
from ringwall.iam.compile import CompiledStatement
from ringwall.iam.evaluate import decide
from ringwall.iam.policy import Effect, Policy, Statement
from ringwall.proof.actions import ACTION, AnyAction, KnownActions, OneAction
from ringwall.proof.callers import PRINCIPAL_ARN, AnyCaller
from ringwall.proof.language import Clock
from ringwall.proof.listed import Listed
from ringwall.proof.resources import VARIABLES, AnyResource, ThisResource
from ringwall.proof.search import KEY, Model
from ringwall.proof.setting import Setting, known_keys
from ringwall.proof.theory import Holds, value_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringwall.iam.request import Request
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.claims import Claim
    from ringwall.proof.decision import Scene
    from ringwall.proof.question import Question

_USUAL_ACTIONS = (
    "bedrock:InvokeModel",
    "s3:GetObject",
    "ec2:DescribeInstances",
    "iam:GetRole",
    "kms:Decrypt",
)


def requests_of(setting: Setting, model: Model, vocabulary: Vocabulary, clock: Clock) -> tuple[Request, ...]:
    """The requests that a model describes: one for each scene.

    Raises:
        GaveUpError: the clock or the room ran out.
    """
    maker = _Maker(setting, model, vocabulary, clock)
    return tuple(maker.request(scene, index) for index, scene in enumerate(setting.scenes))


class _Maker:
    def __init__(self, setting: Setting, model: Model, vocabulary: Vocabulary, clock: Clock) -> None:
        self._setting = setting
        self._question = setting.question
        self._model = model
        self._vocabulary = vocabulary
        self._clock = clock

    def request(self, scene: Scene, index: int) -> Request:
        action = self._action(scene)
        fields: dict[str, str] = {}
        if isinstance(scene.resource, ThisResource):
            resource = scene.resource.text
        else:
            assert isinstance(scene.resource, AnyResource)
            resource, fields = self._resource(action)
        context = self._context(scene, action, fields)
        caller = self._setting.caller
        principal = self._question.principal or self._value(
            caller.name if isinstance(caller, AnyCaller) else PRINCIPAL_ARN
        )
        account = scene.resource_account
        if self._question.authorizations:
            known = self._question.authorizations[index].context
            context.update({key.lower(): tuple(values) for key, values in known.items()})
        return make_request(principal, action, resource, account, context)

    def _value(self, name: str) -> str:
        found = self._model.values.get(name)
        if found:
            return found[0]
        value = value_for(self._setting.variables[name], name, (), (), self._clock)
        assert value is not None
        return value

    def _action(self, scene: Scene) -> str:
        if isinstance(scene.actions, OneAction):
            return scene.actions.action
        if isinstance(scene.actions, KnownActions):
            for lowered in scene.actions.classes:
                if self._model.free.get(f"action {lowered}", len(scene.actions.classes) == 1):
                    return scene.actions.name(lowered)
            return scene.actions.name(scene.actions.classes[0])
        assert isinstance(scene.actions, AnyAction)
        return self._usual_action() or self._value(ACTION)

    def _usual_action(self) -> str | None:
        """A real action that passes the same tests as the text that was found."""
        passed: list[Listed] = []
        failed: list[Listed] = []
        for signed in self._model.atoms:
            atom = self._setting.formula.atoms[abs(signed)]
            if isinstance(atom, Holds) and isinstance(atom.test, Listed):
                (passed if signed > 0 else failed).append(atom.test)
        for action in self._real_actions(passed):
            lowered = action.lower()
            if all(one.accepts(lowered) for one in passed) and not any(
                one.accepts(lowered) for one in failed
            ):
                return action
        return None

    def _real_actions(self, passed: list[Listed]) -> Iterable[str]:
        yield from _USUAL_ACTIONS
        if passed:
            for pattern in min(passed, key=lambda one: len(one.patterns)).ordered:
                yield from self._vocabulary.actions_matching(pattern)

    def _resource(self, action: str) -> tuple[str, dict[str, str]]:
        if self._model.free.get("resource *", False):
            return "*", {}
        fields = {name: self._value(name) for name in VARIABLES[1:]}
        if VARIABLES[2] not in self._model.values:
            fields[VARIABLES[2]] = action.partition(":")[0]
        return ":".join(("arn", *fields.values())), fields

    def _context(self, scene: Scene, action: str, fields: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        context = {key: values for key, values in known_keys(self._question).items() if values}
        for name, there in self._model.present.items():
            key = name.removeprefix(KEY)
            if not there or not scene.view.can_carry(key):
                continue
            values = self._model.values.get(name) or (self._value(name),)
            context[key] = self._linked(scene, key, action, fields) or values
        return context

    def _linked(
        self, scene: Scene, key: str, action: str, fields: Mapping[str, str]
    ) -> tuple[str, ...] | None:
        """The value of a key that the resource determines."""
        link = scene.view.linked.get(key)
        if link is None or not fields:
            return None
        variable = link[1]
        value = fields[variable]
        if variable == VARIABLES[3]:
            applies = bool(value) and action.lower().startswith("bedrock:")
        else:
            applies = len(value) == 12 and value.isdigit()
        return (value,) if applies else None


def confirms(question: Question, requests: tuple[Request, ...], vocabulary: Vocabulary) -> str | None:
    """``None`` if the evaluator allows every request and the claim speaks of them; else what it objects to."""
    for index, request in enumerate(requests):
        policies = question.policies
        if question.authorizations:
            policies = question.authorizations[index].policies or policies
        decision = decide(request, policies, vocabulary)
        if not decision.allowed:
            return f"{request.action} on {request.resource} is not allowed ({decision.outcome})"
    if not question.authorizations and not speaks_of(question.claim, requests[0]):
        return "the claim does not speak of it"
    return None


def speaks_of(claim: Claim, request: Request) -> bool:
    """Whether a claim speaks of a request: its action, resource and context; not whose it is."""
    item = _compiled(claim)
    return (
        (item.action is None or bool(item.action(request.action.lower())))
        and item.matches_resource(request.resource, request.context)
        and (item.context is None or item.context(request.context))
    )


@lru_cache(maxsize=64)
def _compiled(claim: Claim) -> CompiledStatement:
    """The claim as a statement that allows what it speaks of. Who asks of one request often asks of many."""
    anything = ("*",)
    statement = Statement(
        index=0,
        sid=None,
        effect=Effect.ALLOW,
        actions=anything if claim.actions is claim.not_actions is None else claim.actions,
        not_actions=claim.not_actions,
        resources=anything if claim.resources is claim.not_resources is None else claim.resources,
        not_resources=claim.not_resources,
        conditions=claim.conditions,
    )
    return CompiledStatement(statement, Policy("claim", "2012-10-17", (statement,)), "identity").ready()
