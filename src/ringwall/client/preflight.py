"""Before the first call: would the calls that the declaration is made for go through from here, and as whom?

Every check is a call that changes nothing and costs nothing. What a role may do is asked of AWS itself, by a call that
is authorized like the real one and then refused for what it says: a Converse without messages. AWS does not document
in which order it looks at permission and validity, so only a refusal for invalid parameters counts as permission;
any other answer is unknown.

An agent is not asked, it could run: there is no call of one that AWS documents to be refused after it was authorized. What
can be told is whether its alias is there and ready, and what IAM's policy simulator says of the role, where the
credentials that begin may read the one and ask the other; else it stays unknown.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from ringwall.client.deadline import current
from ringwall.client.session import GuardedSession, session
from ringwall.client.simulation import simulate
from ringwall.errors import RingwallError
from ringwall.perimeter import Perimeter, load

Status = Literal["ok", "failed", "unknown"]
DENIED = frozenset(
    {"AccessDeniedException", "AccessDenied", "UnauthorizedException", "UnauthorizedOperation"}
)
INVALID = frozenset({"ValidationException"})
IGNORED = ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ENDPOINT_URL", "SSLKEYLOGFILE")
"""Beginnings of environment variables that other clients obey and the guarded one does not."""
INHERITED = ("HTTPS_PROXY", "https_proxy", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""Variables that it obeys where the declaration's ``client.trust_environment`` says so."""
PROVE = "`ringwall prove --live` answers by the policies whether the role may invoke it"
DEADLINE = 30
"""Seconds for one check."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: slug (``identity``, ``endpoint``, ``guardrail``, ``model``, ``knowledge-base``, ``agent``, ``environment``).
        use: the declared use, or ``None``.
        status: ``ok``, ``failed``, or ``unknown`` where it could not be told.
        summary: what was found, in one sentence.
        advice: what to do, where something is to be done.
        facts: the same by names.
    """

    name: str
    use: str | None
    status: Status
    summary: str
    advice: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


def preflight(
    declaration: str | Path,
    *,
    uses: tuple[str, ...] = (),
    environment: str | None = None,
    profile: str | None = None,
    **options: Any,
) -> Iterator[Check]:
    """Check some uses of a declaration, or all that the application's clients are for.

    Args:
        declaration: ``ringwall.yaml``.
        uses: their names. Default: every use of kind invoke, retrieve and agents.
        environment: one of the declaration's environments.
        profile: profile of the AWS configuration whose credentials begin.
        options: as for :func:`ringwall.session`.

    Raises:
        DeclarationError: the declaration is wrong.
        RingwallError: it has no such use, or no such environment.
    """
    perimeter = load(Path(declaration), environment=environment)
    chosen = uses or tuple(
        name for name, use in perimeter.uses.items() if use.kind in ("invoke", "retrieve", "agents")
    )
    yield _environment(perimeter)
    for use in chosen:
        guarded = session(
            declaration,
            use=use,
            environment=environment,
            profile=profile,
            **{"deadline": DEADLINE, "read_timeout": DEADLINE, **options},
        )
        yield from _checks(guarded, perimeter, use, profile)


def _environment(perimeter: Perimeter) -> Check:
    ignored = sorted(name for name in os.environ if name.startswith(IGNORED))
    obeyed = [name for name in INHERITED if name in os.environ]
    trusted = perimeter.client.trust_environment
    told = "obeyed, as client.trust_environment says" if trusted else "ignored, as is everything of its kind"
    parts = [f"{', '.join(ignored)}: ignored"] if ignored else []
    parts += [f"{', '.join(obeyed)}: {told}"] if obeyed else []
    summary = "; ".join(parts) or "nothing in the environment would lead calls elsewhere"
    facts = {"ignored": ignored, "obeyed": obeyed if trusted else []}
    return Check("environment", None, "ok", summary, facts=facts)


def _checks(guarded: GuardedSession, perimeter: Perimeter, use: str, profile: str | None) -> Iterator[Check]:
    """Checks of a use, in the order in which they need each other; what cannot be asked any more is unknown."""
    identity = _identity(guarded, perimeter, use)
    yield identity
    if identity.status == "failed":
        yield Check("calls", use, "unknown", "not asked: there is nobody to ask as")
        return
    guardrail = _guardrail(guarded, perimeter, use)
    yield guardrail
    if guardrail.status == "failed":
        yield Check("calls", use, "unknown", "not asked: every call would carry that guardrail")
        return
    yield from _calls(guarded, perimeter, use, profile)


def _identity(guarded: GuardedSession, perimeter: Perimeter, use: str) -> Check:
    try:
        caller = guarded.caller()
    except (ClientError, BotoCoreError) as error:
        code, text = _said(error)
        role = perimeter.role_arn(use)
        advice = (
            f"the role {role} does not exist or does not trust these credentials: run `ringwall apply`, or see uses.{use}.trust"
            if code in DENIED
            else "sign in, choose --profile, and see that STS can be reached from here (its VPC endpoint, the proxy)"
        )
        return Check("identity", use, "failed", text, advice, {"code": code, "role": role})
    account = caller.split(":")[4]
    if account != perimeter.account:
        reason = f"calls are made as {caller}, and the declaration is for account {perimeter.account}"
        return Check(
            "identity", use, "failed", reason, "choose other credentials with --profile", {"arn": caller}
        )
    return Check("identity", use, "ok", f"calls are made as {caller} (STS by {current.tls})", facts={
        "arn": caller, "tls": current.tls, "endpoint": f"sts.{perimeter.regions.source}.amazonaws.com",
    })  # fmt: skip


def _guardrail(guarded: GuardedSession, perimeter: Perimeter, use: str) -> Check:
    kind = perimeter.uses[use].kind
    try:
        pinned = guarded.rules.guardrail
    except RingwallError as error:
        return Check("guardrail", use, "failed", str(error), "run `ringwall plan`, then `ringwall apply`")
    except (ClientError, BotoCoreError) as error:
        code, text = _said(error)
        return Check("guardrail", use, "failed", text, _advice(code), {"code": code})
    if kind == "agents":
        return Check("guardrail", use, "ok", "the guardrail is set on the agent itself; its calls carry none")
    summary = f"version {pinned.version} of {pinned.arn} has the declared content"
    return Check("guardrail", use, "ok", summary, facts={"arn": pinned.arn, "version": pinned.version})


def _calls(guarded: GuardedSession, perimeter: Perimeter, use: str, profile: str | None) -> Iterator[Check]:
    declared = perimeter.uses[use]
    if declared.models:
        runtime = guarded.client("bedrock-runtime")
        for name, model in guarded.models.items():
            empty = partial(runtime.converse, modelId=model, messages=[])
            facts = {"model": model, "endpoint": runtime.meta.endpoint_url}
            yield _asked("model", use, f"{name} ({model})", empty, facts)
    if declared.knowledge_base:
        agents, base = guarded.client("bedrock-agent-runtime"), declared.knowledge_base
        nowhere = {"knowledgeBaseId": base, "retrievalQuery": {"text": ""}, "nextToken": "-"}
        facts = {"knowledge_base": base, "endpoint": agents.meta.endpoint_url}
        yield _asked("knowledge-base", use, base, partial(agents.retrieve, **nowhere), facts)
    if declared.agent:
        yield _agent(guarded, perimeter, use, profile)


def _agent(guarded: GuardedSession, perimeter: Perimeter, use: str, profile: str | None) -> Check:
    """Whether an agent's alias is there and takes calls, and the role may invoke it.

    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_AgentAlias.html
    """
    declared, region = perimeter.uses[use], perimeter.regions.source
    agent, alias = str(declared.agent), str(declared.alias)
    facts: dict[str, Any] = {"agent": agent, "alias": alias}
    control = guarded.beginning_client("bedrock-agent", profile)
    named, asked = f"alias {alias} of agent {agent}", "it was not asked, as it could run"
    try:
        found = control.get_agent_alias(agentId=agent, agentAliasId=alias)["agentAlias"]
    except (ClientError, BotoCoreError) as error:
        code, text = _said(error)
        facts["code"] = code
        if code == "ResourceNotFoundException":
            advice = f"see uses.{use}.agent and uses.{use}.alias, and the account and Region"
            return Check("agent", use, "failed", f"{named}: {text}", advice, facts)
        return Check("agent", use, "unknown", f"{named}: {asked}, nor can it be read: {text}", PROVE, facts)
    facts |= {"status": found.get("agentAliasStatus"), "state": found.get("aliasInvocationState")}
    if facts["status"] != "PREPARED" or facts["state"] == "REJECT_INVOCATIONS":
        reason = f"{named} takes no calls: {facts['status']}, {facts['state'] or 'no state'}"
        return Check("agent", use, "failed", reason, "prepare the agent, or let its alias take calls", facts)
    arn = f"arn:{perimeter.partition}:bedrock:{region}:{perimeter.account}:agent-alias/{agent}/{alias}"
    iam, role = guarded.beginning_client("iam", profile), perimeter.role_arn(use)
    simulated = simulate(iam, role, "bedrock:InvokeAgent", arn, region)
    facts |= {"role": role, "simulated": simulated.allowed}
    summary = f"{named} is there and takes calls; {asked}; {simulated.reason}"
    if simulated.allowed is None:
        return Check("agent", use, "unknown", summary, PROVE, facts)
    if simulated.allowed:
        return Check("agent", use, "ok", summary, facts=facts)
    return Check("agent", use, "failed", summary, f"`ringwall plan` shows what {role} lacks", facts)


def _asked(name: str, use: str, what: str, ask: Callable[[], Any], facts: dict[str, Any]) -> Check:
    """What an authorized but invalid call is answered."""
    try:
        ask()
    except (ClientError, BotoCoreError) as error:
        code, text = _said(error)
        seen = {**facts, "code": code, "tls": current.tls}
        if code in INVALID:
            return Check(
                name, use, "ok", f"{what} may be called, at {facts['endpoint']} by {current.tls}", facts=seen
            )
        if code in DENIED or code == "ResourceNotFoundException":
            return Check(name, use, "failed", f"{what}: {text}", _advice(code), seen)
        return Check(name, use, "unknown", f"{what}: {text}", _advice(code), seen)
    return Check(name, use, "ok", f"{what} may be called, at {facts['endpoint']} by {current.tls}", facts={
        **facts, "code": None, "tls": current.tls,
    })  # fmt: skip


def _said(error: ClientError | BotoCoreError) -> tuple[str, str]:
    """Code and text of an error, on one line."""
    if isinstance(error, ClientError):
        found = error.response.get("Error", {})
        return str(found.get("Code", "Unknown")), " ".join(str(found.get("Message") or error).split())
    return type(error).__name__, " ".join(str(error).split())


ADVICE = {
    "ResourceNotFoundException": "it does not exist in this account and Region, or access to it was not asked for",
    "ThrottlingException": "run it again in a minute",
    "SSLError": "see which certificates are trusted (AWS_CA_BUNDLE with client.trust_environment, or ca_bundle)",
    "EndpointConnectionError": "see that the endpoint can be reached from here: its VPC endpoint, DNS, security group",
    "ConnectTimeoutError": "see that the endpoint can be reached from here: its VPC endpoint, DNS, security group",
    "ProxyConnectionError": "see HTTPS_PROXY, and client.trust_environment in the declaration",
    "DeadlineExceeded": "the endpoint does not answer: its VPC endpoint, DNS, security group",
}


def _advice(code: str) -> str | None:
    if code in DENIED:
        return "`ringwall why --message` with this text names the statement that decided"
    return ADVICE.get(code)
