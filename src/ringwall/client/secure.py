"""``SecureBedrockClient``: one guarded ``bedrock-runtime`` client, with everything that boto3's has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ringwall.client import asking
from ringwall.client.call import Call
from ringwall.client.guard import OnOutcome
from ringwall.client.observe import observe
from ringwall.client.outcome import Outcome
from ringwall.client.rules import DRAFT, PinnedGuardrail
from ringwall.client.session import (
    READ_TIMEOUT,
    GuardedSession,
    OnIntervention,
    of_guardrail,
    session,
    surroundings,
)
from ringwall.client.violation import PerimeterViolation

_GUARDRAIL = re.compile(
    r"(?P<arn>arn:aws[a-z-]*:bedrock:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):guardrail/(?P<id>[a-z0-9]+))"
    r":(?P<version>[1-9]\d{0,7}|DRAFT)"
)


class SecureBedrockClient:
    """A ``bedrock-runtime`` client that cannot step outside the perimeter by accident.

    Every method of boto3's client is here, with the same parameters and responses. From a declaration::

        client = SecureBedrockClient.declared("ringwall.yaml", use="app")

    or by hand::

        client = SecureBedrockClient(
            region="us-east-1",
            role_arn="arn:aws:iam::111122223333:role/App",
            guardrail="arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh:3",
            models=["us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
        )

    Args:
        region: Region to call.
        role_arn: role to assume; default: the ambient credentials as they are.
        guardrail: ARN with a numbered version, ``arn:...:guardrail/ID:N``.
        models: identifiers that may be invoked.
        external_id: external id that the role's trust policy asks for.
        endpoint_url: URL of a VPC endpoint to call instead of the regional host.
        endpoint_urls: the same by service, for ``sts`` and others.
        ca_bundle: file of certificate authorities to trust instead of the built-in ones.
        trust_environment: take proxy and CA bundle from the environment.
        on_outcome: told what came of every call, without content.
        on_intervention: ``raise`` to get ``GuardrailIntervened`` instead of a blocked answer.
        read_timeout: seconds to wait for a generation's next byte.
        deadline: seconds for a whole call, retries and the end of a stream included.
        unsafe_allow_draft: accept the guardrail's DRAFT.

    Raises:
        PerimeterViolation: the guardrail is not pinned by number, or lies in another Region.
    """

    def __init__(
        self,
        region: str,
        role_arn: str | None = None,
        *,
        guardrail: str,
        models: Iterable[str],
        external_id: str | None = None,
        endpoint_url: str | None = None,
        endpoint_urls: Mapping[str, str] | None = None,
        ca_bundle: str | None = None,
        trust_environment: bool = False,
        on_outcome: OnOutcome | None = None,
        on_intervention: OnIntervention = "return",
        read_timeout: float = READ_TIMEOUT,
        deadline: float | None = None,
        unsafe_allow_draft: bool = False,
    ) -> None:
        pinned, account = _pinned(guardrail, region, allow_draft=unsafe_allow_draft)
        urls = {**(endpoint_urls or {}), **({"bedrock-runtime": endpoint_url} if endpoint_url else {})}
        around = surroundings(
            trust_environment=trust_environment,
            read_timeout=read_timeout,
            deadline=deadline,
            endpoint_urls=urls,
            ca_bundle=ca_bundle,
        )
        self._become(
            of_guardrail(
                region,
                pinned,
                {name: name for name in models},
                around,
                account=account,
                role_arn=role_arn,
                external_id=external_id,
                on_outcome=on_outcome,
                on_intervention=on_intervention,
                allow_draft=unsafe_allow_draft,
            )
        )

    @classmethod
    def declared(
        cls, declaration: str | Path = "ringwall.yaml", *, use: str, **options: Any
    ) -> SecureBedrockClient:
        """The client of a declared use; ``options`` as for :func:`ringwall.session`, ``environment`` among them."""
        client = cls.__new__(cls)
        client._become(session(declaration, use=use, **options))  # noqa: SLF001 - a constructor
        return client

    def _become(self, guarded: GuardedSession) -> None:
        self.session = guarded
        self.models = guarded.models
        self.client = guarded.client("bedrock-runtime")

    def __getattr__(self, name: str) -> Any:
        if name in ("client", "session"):
            raise AttributeError(name)
        return getattr(self.client, name)

    def invoke_model_safely(
        self, model_id: str, messages: list[dict[str, Any]], **parameters: Any
    ) -> tuple[Mapping[str, Any], Outcome]:
        """Converse with the pinned guardrail.

        Returns:
            The response as boto3 gives it, and its outcome: whether the guardrail intervened, and by which policies.
        """
        response = self.client.converse(modelId=model_id, messages=messages, **parameters)
        found = list[Outcome]()
        call = Call("Converse", {"modelId": model_id, "messages": messages, **parameters})
        observe(call.operation, response, self.session.rules.guardrail, call, found.append)
        return response, found[0]

    def retrieve_safely(self, text: str, **parameters: Any) -> tuple[Mapping[str, Any], Outcome]:
        """Ask the use's knowledge base; the pinned guardrail reads the question and every text that is found.

        Args:
            text: the question.
            parameters: further ones of ``retrieve``.

        Returns:
            The response as boto3 gives it, without what the guardrail blocked or cannot read (pictures, rows), and
            its outcome. Nothing is retrieved for a question that it blocks.

        Raises:
            PerimeterViolation: the use has no knowledge base.
        """
        return asking.retrieve(self._agents(), self.client, self.session.rules, text, **parameters)

    def invoke_agent_safely(self, text: str, *, session_id: str, **parameters: Any) -> tuple[str, Outcome]:
        """Ask the use's agent, and read its answer to the end.

        Args:
            text: the question.
            session_id: conversation that it belongs to.
            parameters: further ones of ``invoke_agent``.

        Returns:
            The answer, and its outcome. The guardrail is the agent's own; what it did is in the agent's trace.

        Raises:
            PerimeterViolation: the use has no agent.
        """
        return asking.invoke_agent(
            self._agents(), self.session.rules, text, session_id=session_id, **parameters
        )

    def _agents(self) -> Any:
        return self.session.client("bedrock-agent-runtime")


def _pinned(guardrail: str, region: str, *, allow_draft: bool) -> tuple[PinnedGuardrail, str]:
    match = _GUARDRAIL.fullmatch(guardrail)
    if match is None or (match["version"] == DRAFT and not allow_draft):
        reason = "the guardrail must be an ARN with a numbered version, arn:...:guardrail/ID:N"
        raise PerimeterViolation("guardrail-not-pinned", reason, "CreateClient")
    if match["region"] != region:
        reason = f"the guardrail is in {match['region']}, and calls go to {region}"
        raise PerimeterViolation("guardrail-not-pinned", reason, "CreateClient")
    return PinnedGuardrail(match["id"], match["arn"], match["version"]), match["account"]
