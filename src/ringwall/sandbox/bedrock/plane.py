"""The Bedrock plane: every call of the four Bedrock services goes through :meth:`BedrockPlane.handle`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import inputs
from ringwall.sandbox.bedrock import exposure
from ringwall.sandbox.bedrock.agents import agents, flow_aliases, flow_run, flows, ingestion, knowledge
from ringwall.sandbox.bedrock.agents import runtime as agents_runtime
from ringwall.sandbox.bedrock.agents.seed import seed
from ringwall.sandbox.bedrock.control import empty, guardrails, jobs, logging, models, policies, tags
from ringwall.sandbox.bedrock.custom import (
    copies,
    customization,
    deployments,
    evaluation,
    imports,
    throughput,
)
from ringwall.sandbox.bedrock.custom import models as custom_models
from ringwall.sandbox.bedrock.custom.names import NAMED, arns_of
from ringwall.sandbox.bedrock.custom.settle import settle
from ringwall.sandbox.bedrock.delivery.worker import Worker
from ringwall.sandbox.bedrock.record import trail_of
from ringwall.sandbox.bedrock.runtime import apply, asynchronous, checks, converse, invoke
from ringwall.sandbox.bedrock.runtime.models import StandIn
from ringwall.sandbox.bedrock.runtime.upstream import Upstream
from ringwall.sandbox.bedrock.scope import Operation, Scope
from ringwall.sandbox.bedrock.state import State
from ringwall.sandbox.bedrock.telemetry import Telemetry
from ringwall.sandbox.call import AwsError, Call, Output, not_carried_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.estate.model import Resource
    from ringwall.sandbox.call import Platform

OPERATIONS: dict[str, dict[str, Operation]] = {
    "bedrock": {
        **guardrails.OPERATIONS,
        **policies.OPERATIONS,
        **logging.OPERATIONS,
        **models.OPERATIONS,
        **tags.OPERATIONS,
        **jobs.OPERATIONS,
        **custom_models.OPERATIONS,
        **customization.OPERATIONS,
        **deployments.OPERATIONS,
        **imports.OPERATIONS,
        **throughput.OPERATIONS,
        **copies.OPERATIONS,
        **evaluation.OPERATIONS,
        **empty.OPERATIONS,
    },
    "bedrock-runtime": {
        **converse.OPERATIONS,
        **invoke.OPERATIONS,
        **apply.OPERATIONS,
        **asynchronous.OPERATIONS,
        **checks.OPERATIONS,
    },
    "bedrock-agent": {
        **knowledge.OPERATIONS,
        **ingestion.OPERATIONS,
        **agents.OPERATIONS,
        **flows.OPERATIONS,
        **flow_aliases.OPERATIONS,
        **tags.AGENT_OPERATIONS,
        **empty.AGENT_OPERATIONS,
    },
    "bedrock-agent-runtime": {**agents_runtime.OPERATIONS, **flow_run.OPERATIONS},
    "bedrock-agentcore-control": {**empty.AGENTCORE_OPERATIONS},
}
"""What is implemented, by service and operation. Everything else answers 501, by name."""


class BedrockPlane:
    """Bedrock's control plane, runtime and agents, on the sandbox's state.

    Args:
        platform: the rest of the sandbox.
        model_upstream: base URL of an OpenAI-compatible server that answers for the models; without one a labelled
            stand-in does.
        model_names: the upstream's model name by Bedrock model id.
        model_api_key: bearer token for the upstream.

    Attributes:
        state: what the plane remembers.
        profiles: the models behind inference profiles (:class:`ringwall.catalog.operations.ProfileResolver`).
    """

    def __init__(
        self,
        platform: Platform,
        *,
        model_upstream: str | None = None,
        model_names: Mapping[str, str] | None = None,
        model_api_key: str | None = None,
    ) -> None:
        backend = (
            Upstream(model_upstream, names=model_names, api_key=model_api_key)
            if model_upstream
            else StandIn()
        )
        self.state = State()
        seed(self.state, platform.now())
        self.profiles = exposure.Profiles(self.state)
        self._worker = Worker(platform)
        self._scope = Scope(self.state, platform, backend, Telemetry(self.state, self._worker))

    def handle(self, call: Call) -> Output:
        """Answer a call that has been authenticated and authorized.

        Raises:
            AwsError: in the service's spelling; ``NotImplementedException`` (501) names an operation that the sandbox lacks.
        """
        operation = OPERATIONS[call.service].get(call.operation)
        if operation is None:
            raise not_carried_out(call.service, call.operation)
        self._settle(call)
        try:
            inputs.check(call.service, call.operation, call.parameters)
            output = operation(self._scope, call)
        except AwsError as error:
            if call.service == "bedrock-runtime":
                self._scope.telemetry.failed(call, error)
            raise
        return replace(output, trail={**trail_of(call), **output.trail})

    def named(self, call: Call) -> dict[str, str]:
        """ARNs of what a call names by its name; policies are about ARNs, whichever of the two a caller uses."""
        if (call.service, call.operation) not in NAMED:
            return {}
        self._settle(call)
        return arns_of(self._scope, call)

    def _settle(self, call: Call) -> None:
        """End the jobs of the account whose time is over."""
        home = self.state.at(call.account, call.region)
        if home.pending and settle(self.state, home, self._scope.platform.now()):
            self._scope.platform.changed()

    def trail(self, call: Call) -> dict[str, Any]:
        """What replaces members of a call's CloudTrail event, also where the call failed: prompts are never shown."""
        return trail_of(call)

    def flush(self) -> None:
        """Deliver queued invocation logs and metrics now."""
        self._worker.flush()

    def stop(self) -> None:
        """Deliver what is queued and end the background worker."""
        self._worker.stop()

    def resources(self) -> tuple[Resource, ...]:
        """Resource policies and tags in force, as authorization needs them."""
        return tuple(exposure.resources(self.state))
