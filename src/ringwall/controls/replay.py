"""A counterexample as a call that can be sent.

The solver's witness is one authorization with invented values: a guardrail that nobody made proves the hole but cannot
be sent. Here the same hole is looked for among what exists: the declared models, the guardrail versions of the account,
its endpoints, and the principals with which the claim is violated. Every authorization of the call is decided by the
evaluator, so what is returned gets through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.access import Access
from ringwall.access.actors import Actor, Route, routes
from ringwall.access.proving import FOREIGN_ORGANIZATION
from ringwall.catalog.operations import Authorization, authorizations
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.controls.claims import Attributes
    from ringwall.controls.proving import Proved
    from ringwall.estate.model import Estate
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.perimeter.model import Perimeter

SERVICE = "bedrock-runtime"
OPERATION = "Converse"


@dataclass(frozen=True, slots=True)
class Replay:
    """A call that gets through.

    Attributes:
        principal: ARN of who sends it.
        service: botocore service.
        operation: API operation.
        parameters: in boto3's spelling, without the conversation.
        endpoint: VPC endpoint that it goes through, or ``None``.
        where: the way in words.
        guardrail: what it carries, in words.
    """

    principal: str
    service: str
    operation: str
    parameters: Mapping[str, Any]
    endpoint: str | None
    where: str
    guardrail: str

    def in_words(self) -> str:
        """One sentence."""
        who = self.principal.split(":", 5)[5]
        return f"{who} sends {self.operation} to {self.parameters['modelId']} with {self.guardrail}, {self.where}"


def replay(
    perimeter: Perimeter, observed: Estate, attributes: Attributes, proved: Proved, vocabulary: Vocabulary
) -> Replay | None:
    """The first call that violates the claim, declared uses first; ``None`` if none of the candidates does.

    Args:
        perimeter: the declaration.
        observed: the Estate with which the claim is violated.
        attributes: what references resolve to there.
        proved: the violated claim.
        vocabulary: the catalog.
    """
    access = Access(observed, partition=perimeter.partition)
    trial = _Trial(perimeter, access, vocabulary)
    ways = [
        route
        for route in routes(access, services=(SERVICE,))
        if route.endpoint is None or observed.find(route.endpoint) is not None
    ]
    for actor in _suspects(perimeter, proved):
        for parameters, words in _candidates(perimeter, observed, attributes):
            for route in ways:
                attempt = Replay(
                    principal=str(actor.principal),
                    service=SERVICE,
                    operation=OPERATION,
                    parameters=parameters,
                    endpoint=route.endpoint,
                    where=route.label,
                    guardrail=words,
                )
                if trial.passes(attempt, actor, route):
                    return attempt
    return None


def _suspects(perimeter: Perimeter, proved: Proved) -> list[Actor]:
    """Actors with which the claim is violated and whose ARN is known, declared uses first."""
    uses = {perimeter.role_arn(name) for name in perimeter.uses}
    known = [item.actor for item in proved.answer.exposures if item.actor.principal]
    return sorted(known, key=lambda actor: actor.principal not in uses)


def _candidates(
    perimeter: Perimeter, observed: Estate, attributes: Attributes
) -> Iterator[tuple[dict[str, Any], str]]:
    """Converse to each declared model: without a guardrail, then with each version that is not the pinned one."""
    pinned = attributes.get(f"guardrail/{perimeter.guardrail.name}", {})
    guardrails: list[tuple[dict[str, Any], str]] = [({}, "no guardrail")]
    for version in observed.of_type("AWS::Bedrock::GuardrailVersion", account=perimeter.account):
        identifier, number = str(version.get("GuardrailIdentifier")), str(version.get("Version"))
        if identifier not in pinned.values():
            config = {"guardrailIdentifier": identifier, "guardrailVersion": number}
            guardrails.append(
                ({"guardrailConfig": config}, f"version {number} of guardrail {_name(observed, identifier)}")
            )
    for model in perimeter.models.values():
        for config, words in guardrails:
            yield {"modelId": model, **config}, words


def _name(observed: Estate, identifier: str) -> str:
    for guardrail in observed.of_type("AWS::Bedrock::Guardrail"):
        if identifier.rsplit("/", 1)[-1] == guardrail.id.rsplit("/", 1)[-1]:
            return str(guardrail.get("Name", identifier))
    return identifier


@dataclass(frozen=True, slots=True)
class _Trial:
    """Decides attempts by the policies of one Estate."""

    perimeter: Perimeter
    access: Access
    vocabulary: Vocabulary

    def passes(self, attempt: Replay, actor: Actor, route: Route) -> bool:
        """Whether every authorization of the call is allowed."""
        parts = authorizations(
            attempt.service,
            attempt.operation,
            attempt.parameters,
            account=self.perimeter.account,
            region=self.perimeter.regions.source,
            partition=self.perimeter.partition,
        )
        return all(
            self._allowed(part, attempt, {**self._situation(actor, route), **part.context}) for part in parts
        )

    def _situation(self, actor: Actor, route: Route) -> dict[str, Any]:
        account = self.access.estate.account(actor.account)
        organization = account.organization if account else None
        return {
            "aws:PrincipalOrgID": organization or FOREIGN_ORGANIZATION,
            "aws:SecureTransport": "true",
            **{key: value for key, value in route.facts.items() if value is not None},
            **{f"aws:PrincipalTag/{key}": value for key, value in actor.tags.items()},
        }

    def _allowed(self, part: Authorization, attempt: Replay, context: Mapping[str, Any]) -> bool:
        request = request_from_json(
            {
                "principal": attempt.principal,
                "action": part.action,
                "resource": part.resource,
                "resource_account": part.resource_account,
                "context": {
                    key: list(value) if isinstance(value, tuple) else value for key, value in context.items()
                },
            }
        )
        policies = self.access.policies(
            attempt.principal, resource=part.resource, action=part.action, endpoint=attempt.endpoint
        )
        return decide(request, policies, self.vocabulary).allowed
