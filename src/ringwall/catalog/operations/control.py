"""Control-plane calls of Bedrock whose resources do not follow from one parameter, and calls to Bedrock Mantle.

Follows the action tables of the Service Authorization Reference and
https://docs.aws.amazon.com/bedrock/latest/userguide/guardrail-profiles-permissions.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-permissions.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ringwall.catalog.operations.authorization import Authorization, Call, account_of, is_arn
from ringwall.catalog.operations.context import context_of
from ringwall.catalog.operations.models import guardrail_arn, invocations, model_arn

Resolver = Callable[[Call], Iterator[Authorization]]


def _on(call: Call, *resources: str) -> Iterator[Authorization]:
    """The operation's own action on several resources."""
    action = f"{call.prefix}:{call.operation}"
    for resource in resources:
        yield Authorization(action, resource, context_of(call, action), account_of(resource))


def _batch(call: Call) -> Iterator[Authorization]:
    """A batch job is authorized on itself and on its model, through a profile in every destination Region."""
    yield from _on(call, call.arn("model-invocation-job/*"))
    if call.text("modelId"):
        yield from invocations(call, "bedrock:CreateModelInvocationJob", call.text("modelId"))


def _copies(call: Call) -> Iterator[Authorization]:
    yield from _on(call, call.arn("application-inference-profile/*"))
    source = call.text("modelSource", "copyFrom")
    if source:
        yield from _on(call, source)


def _guardrail(call: Call) -> Iterator[Authorization]:
    """Creating is authorized on ``*``; a guardrail profile or reasoning policy that it uses, on that as well."""
    identifier = call.text("guardrailIdentifier")
    yield from _on(call, guardrail_arn(call, identifier) if identifier else "*")
    profile = call.text("crossRegionConfig", "guardrailProfileIdentifier")
    if profile:
        yield from _on(call, profile if is_arn(profile) else call.arn(f"guardrail-profile/{profile}"))
    policies = call.value("automatedReasoningPolicyConfig", "policies") or ()
    yield from _on(call, *(one for one in policies if isinstance(one, str) and is_arn(one)))


def _models_at(*paths: tuple[str, ...], kind: str | None = None) -> Resolver:
    """Resolver of an operation that names models at paths; a list on the way stands for each member.

    An id that is no ARN is of the resource type ``kind``, or a foundation model or inference profile.
    """

    def resolve(call: Call) -> Iterator[Authorization]:
        found = [model for path in paths for model in _strings(call.parameters, path)]
        yield from _on(call, *([_model(call, one, kind) for one in found] or ["*"]))

    return resolve


def _model(call: Call, identifier: str, kind: str | None) -> str:
    """ARN of a model, of a resource type if it is given by its name."""
    return (
        call.arn(f"{kind}/{identifier}") if kind and not is_arn(identifier) else model_arn(call, identifier)
    )


def _updates(resource: str, identifier: str, model: str, kind: str | None = None) -> Resolver:
    """Resolver of an operation that gives a resource another model: on the resource, and on the model that it names."""

    def resolve(call: Call) -> Iterator[Authorization]:
        changed, wanted = call.text(identifier), call.text(model)
        arn = changed if is_arn(changed) else call.arn(f"{resource}/{changed or '*'}")
        yield from _on(call, arn, *((_model(call, wanted, kind),) if wanted else ()))

    return resolve


def _customization(call: Call) -> Iterator[Authorization]:
    base = call.text("baseModelIdentifier")
    yield from _on(call, *((model_arn(call, base),) if base else ()), call.arn("custom-model/*"))


def _strings(value: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _strings(one, path)
    elif path and isinstance(value, Mapping):
        yield from _strings(value.get(path[0]), path[1:])
    elif isinstance(value, str) and value and not path:
        yield value


def mantle(call: Call, actions: tuple[str, ...]) -> Iterator[Authorization]:
    """A call to Bedrock Mantle acts in a project; without one, in the default project."""
    given = next(
        (call.text(name) for name in ("project", "projectId", "project_id") if call.text(name)), "default"
    )
    project = given if is_arn(given) else call.arn(f"project/{given}")
    for action in actions:
        yield Authorization(action, project, context_of(call, action), call.account)


RESOLVERS: Mapping[tuple[str, str], Resolver] = {
    ("bedrock", "CreateGuardrail"): _guardrail,
    ("bedrock", "UpdateGuardrail"): _guardrail,
    ("bedrock", "CreateModelInvocationJob"): _batch,
    ("bedrock", "CreateInferenceProfile"): _copies,
    ("bedrock", "CreateModelCustomizationJob"): _customization,
    ("bedrock", "CreateProvisionedModelThroughput"): _models_at(("modelId",)),
    ("bedrock", "CreateModelCopyJob"): _models_at(("sourceModelArn",), kind="custom-model"),
    ("bedrock", "CreateCustomModelDeployment"): _models_at(("modelArn",), kind="custom-model"),
    ("bedrock", "UpdateCustomModelDeployment"): _updates(
        "custom-model-deployment", "customModelDeploymentIdentifier", "modelArn", "custom-model"
    ),
    ("bedrock", "UpdateProvisionedModelThroughput"): _updates(
        "provisioned-model", "provisionedModelId", "desiredModelId"
    ),
    ("bedrock", "CreatePromptRouter"): _models_at(("models", "modelArn"), ("fallbackModel", "modelArn")),
    ("bedrock", "CreateEvaluationJob"): _models_at(
        ("inferenceConfig", "models", "bedrockModel", "modelIdentifier")
    ),
}
