"""Unmanaged widening: what nobody declared and what yet reaches models or can weaken a control.

Principals are judged by what they can really do: their policies, boundary and the account's service control policies are
evaluated together. A role that says ``bedrock:*`` but is held by the perimeter's policies is reported as held.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ringwall.access import Access, PrincipalEntry
from ringwall.deploy.changes import Plan
from ringwall.deploy.classes import touches
from ringwall.deploy.watched import CONTROLS, INFERENCE
from ringwall.estate.kind import Kind
from ringwall.estate.model import Resource
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.policy import Effect, Policy
from ringwall.iam.request import Decision
from ringwall.iam.vocabulary import Vocabulary

Severity = Literal["critical", "high", "medium", "low"]
BEDROCK = "bedrock.amazonaws.com"
USE_OF_KEYS = "bedrock:CallWithBearerToken"
EXAMPLE_MODEL = "foundation-model/ringwall.any-model-v1:0"


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """Something that nobody declared and that widens access or weakens a control.

    Attributes:
        what: in a few words, starting with the resource.
        type: CloudFormation type.
        id: physical id.
        account: its account.
        region: its Region.
        severity: ``critical`` = effective and past the guardrail or the controls; ``high`` = effective; ``medium`` =
            granted, but held by other policies; ``low`` = worth knowing.
        grants: ``policy/statement`` that grant it.
        actions: what it lets them do.
        held_by: statements that hold it, for what is granted but not effective.
    """

    what: str
    type: str
    id: str
    account: str
    region: str
    severity: Severity
    grants: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()


def unmanaged(
    plan: Plan,
    kinds: Mapping[str, Kind],
    vocabulary: Vocabulary,
    *,
    administrators: frozenset[str] = frozenset(),
) -> tuple[tuple[Unmanaged, ...], tuple[str, ...]]:
    """Everything unmanaged that widens, gravest first, and what could not be told."""
    sweep = _Sweep(plan, kinds, vocabulary, administrators)
    found = [
        *sweep.principals(),
        *sweep.api_keys(),
        *sweep.endpoints(),
        *sweep.resource_policies(),
        *sweep.grants(),
        *sweep.listeners(),
    ]
    found.sort(key=lambda item: (_ORDER.index(item.severity), item.type, item.id))
    return tuple(found), sweep.access.gaps


_ORDER: tuple[Severity, ...] = ("critical", "high", "medium", "low")


class _Sweep:
    """One pass over an observed Estate."""

    def __init__(
        self, plan: Plan, kinds: Mapping[str, Kind], vocabulary: Vocabulary, administrators: frozenset[str]
    ) -> None:
        self.plan = plan
        self.kinds = kinds
        self.vocabulary = vocabulary
        self.administrators = administrators
        self.access = Access(plan.observed)
        self.managed = {id(change.observed) for change in plan.changes if change.observed is not None}
        self.regions = {
            item.account: item.region for item in reversed(tuple(plan.desired)) if item.region != "global"
        }

    # -- principals ------------------------------------------------------------------------------------------------

    def principals(self) -> Iterator[Unmanaged]:
        """Users and roles of the workload accounts that nobody declared."""
        for entry, resource in self._bound():
            if id(resource) not in self.managed and entry.arn not in self.administrators:
                yield from self._inference(entry, resource)
                yield from self._controls(entry, resource)

    def api_keys(self) -> Iterator[Unmanaged]:
        """Active Bedrock API keys: credentials that no policy shows. No declaration has any."""
        for entry, resource in self._bound():
            for key in resource.get("ServiceSpecificCredentials", ()):
                if key.get("ServiceName") != BEDROCK or key.get("Status") == "Inactive":
                    continue
                number = str(key.get("ServiceSpecificCredentialId"))
                used = self._ask(entry, USE_OF_KEYS)
                words = (
                    "has the Bedrock API key"
                    if used.allowed
                    else "has a Bedrock API key, held by other policies:"
                )
                yield self._finding(
                    f"{entry.arn.split(':', 5)[5]} {words} {number}",
                    resource,
                    "critical" if used.allowed else "medium",
                    grants=(number,),
                    actions=(USE_OF_KEYS,),
                    held_by=() if used.allowed else _holding([used]),
                )

    def _bound(self) -> Iterator[tuple[PrincipalEntry, Resource]]:
        """Users and roles of the declaration's accounts, with what was read of them."""
        accounts = {account.id for account in self.plan.desired.accounts if not account.management}
        for entry in self.access.principals():
            if entry.resource is not None and (not accounts or entry.account in accounts):
                yield entry, entry.resource

    def _inference(self, entry: PrincipalEntry, resource: Resource) -> Iterator[Unmanaged]:
        granted = self._granted(entry, INFERENCE)
        if not granted:
            return
        decisions = {action: self._ask(entry, action) for action in granted}
        open_to = tuple(action for action, decision in decisions.items() if decision.allowed)
        holding = [decision for decision in decisions.values() if not decision.allowed]
        name = entry.arn.split(":", 5)[5]
        if open_to:
            what = f"{name} may call {open_to[0]} without a guardrail"
        else:
            what = f"{name} is granted {granted[0]}, held by other policies"
        yield self._finding(
            what,
            resource,
            "critical" if open_to else "medium",
            grants=_granting(entry.policies, granted),
            actions=open_to or granted,
            held_by=() if open_to else _holding(holding),
        )

    def _controls(self, entry: PrincipalEntry, resource: Resource) -> Iterator[Unmanaged]:
        granted = self._granted(entry, CONTROLS)
        open_to = tuple(action for action in granted if self._ask(entry, action).allowed and _weakens(action))
        if open_to:
            yield self._finding(
                f"{entry.arn.split(':', 5)[5]} may weaken the controls ({open_to[0]})",
                resource,
                "high",
                grants=_granting(entry.policies, open_to),
                actions=open_to,
            )

    def _granted(self, entry: PrincipalEntry, actions: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the actions that some allow statement of the principal's policies covers."""
        allows = [
            statement
            for policy in entry.policies
            for statement in policy.statements
            if statement.effect is Effect.ALLOW
        ]
        return tuple(action for action in actions if any(touches(item, action) for item in allows))

    def _ask(self, entry: PrincipalEntry, action: str) -> Decision:
        """Whether the principal may do it to something of the perimeter, over the public network, without a guardrail."""
        best: Decision | None = None
        for resource in self._targets(action, entry.account):
            request = request_from_json(
                {
                    "principal": entry.arn,
                    "action": action,
                    "resource": resource,
                    "resource_account": entry.account,
                    "context": {
                        "aws:RequestedRegion": self._region(entry.account),
                        "aws:SecureTransport": "true",
                        **{f"aws:PrincipalTag/{key}": value for key, value in entry.tags.items()},
                    },
                }
            )
            policies = self.access.policies(entry.arn, resource=resource, action=action)
            decision = decide(request, policies, self.vocabulary)
            if decision.allowed:
                return decision
            best = best or decision
        return best or Decision("implicit_deny")

    def _region(self, account: str) -> str:
        """The Region that an account's perimeter is in."""
        return self.regions.get(account, "us-east-1")

    def _targets(self, action: str, account: str) -> tuple[str, ...]:
        """Resources to ask about: ours of the action's service; for inference any model; else ``*``."""
        region = self._region(account)
        if action in INFERENCE and action.startswith("bedrock:Invoke"):
            return (
                f"arn:{self.access.partition}:bedrock:{region}::{EXAMPLE_MODEL}",
                *(
                    f"arn:{self.access.partition}:bedrock:{region}:{account}:{kind}"
                    for kind in _OTHER_TARGETS
                ),
            )
        service = action.split(":", 1)[0]
        arns = (values.get("Arn", "") for values in self.plan.attributes.values())
        fields = ((arn, arn.split(":", 5)) for arn in arns)
        own = (
            arn
            for arn, parts in fields
            if len(parts) > 5 and parts[2] == service and parts[4] in ("", account)
        )
        return (*own, "*")

    # -- the rest --------------------------------------------------------------------------------------------------

    def endpoints(self) -> Iterator[Unmanaged]:
        """VPC endpoints for Bedrock, in the perimeter's VPCs, that nobody declared."""
        vpcs = {item.get("VpcId") for item in self.plan.desired.of_type("AWS::EC2::VPCEndpoint")}
        for resource in self.plan.observed.of_type("AWS::EC2::VPCEndpoint"):
            service = str(resource.get("ServiceName", ""))
            if ".bedrock" not in service or id(resource) in self.managed or resource.get("VpcId") not in vpcs:
                continue
            document = resource.get("PolicyDocument")
            default = document is None or _allows_everything(self.access.endpoint_policies(resource.id))
            words = "with the full-access policy" if default else "with a policy of its own"
            yield self._finding(
                f"{resource.id} is another endpoint for {service.rsplit('.', 1)[-1]} in {resource.get('VpcId')}, {words}",
                resource,
                "critical" if default else "high",
            )

    def resource_policies(self) -> Iterator[Unmanaged]:
        """Resource policies on Bedrock resources that nobody declared."""
        for resource in self.plan.observed.of_type("AWS::Bedrock::ResourcePolicy"):
            if id(resource) not in self.managed and resource.get("PolicyDocument"):
                target = str(resource.get("ResourceArn", resource.id))
                yield self._finding(f"{target} has a resource policy that nobody declared", resource, "high")

    def grants(self) -> Iterator[Unmanaged]:
        """Grants on our keys: access that no policy shows. Those held by AWS services do not count."""
        for change in self.plan.changes:
            resource = change.observed
            if resource is None or resource.type != "AWS::KMS::Key":
                continue
            declared = change.resource.get("Grants", ())
            for grant in resource.get("Grants", ()):
                grantee = str(grant.get("GranteePrincipal", ""))
                if grant in declared or grantee.endswith(".amazonaws.com"):
                    continue
                yield self._finding(
                    f"{change.id} has a grant to {grantee}",
                    resource,
                    "high",
                    grants=(str(grant.get("GrantId", "")),),
                    actions=tuple(f"kms:{name}" for name in grant.get("Operations", ())),
                )

    def listeners(self) -> Iterator[Unmanaged]:
        """Who else hears the perimeter's alarms."""
        topics = {
            values.get("Arn")
            for name, values in self.plan.attributes.items()
            if (found := self.plan.desired.find(name)) is not None and found.type == "AWS::SNS::Topic"
        }
        for resource in self.plan.observed.of_type("AWS::SNS::Subscription"):
            if id(resource) not in self.managed and resource.get("TopicArn") in topics:
                topic = str(resource.get("TopicArn")).rsplit(":", 1)[-1]
                who = f"{resource.get('Protocol')} {resource.get('Endpoint')}"
                yield self._finding(f"{who} hears topic {topic}, undeclared", resource, "low")

    @staticmethod
    def _finding(what: str, resource: Resource, severity: Severity, **more: Any) -> Unmanaged:
        return Unmanaged(
            what, resource.type, resource.id, resource.account, resource.region, severity, **more
        )


_OTHER_TARGETS = (
    "inference-profile/us.ringwall.any-model-v1:0",
    "agent-alias/ANYAGENT01/ANYALIAS01",
    "flow/ANYFLOW001/alias/ANYALIAS01",
)
_READS = frozenset(
    {"bedrock:ApplyGuardrail", "kms:Decrypt", "kms:GenerateDataKey", "s3:GetObject", "s3:PutObject"}
)
"""Watched actions that do not change a control by themselves; the keys' and buckets' own policies decide on them."""


def _weakens(action: str) -> bool:
    return action not in _READS and action not in ("sts:AssumeRole", "iam:PassRole")


def _granting(policies: tuple[Policy, ...], actions: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"{policy.name}/{statement.label}"
        for policy in policies
        for statement in policy.statements
        if statement.effect is Effect.ALLOW and any(touches(statement, action) for action in actions)
    )


def _holding(decisions: list[Decision]) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            f"{reason.policy}/{reason.statement}"
            for decision in decisions
            for reason in decision.because
            if reason.effect == "Deny"
        )
    )


def _allows_everything(policies: tuple[Policy, ...] | None) -> bool:
    return policies is None or any(
        statement.effect is Effect.ALLOW
        and statement.actions is not None
        and "*" in statement.actions
        and not statement.conditions
        for policy in policies
        for statement in policy.statements
    )
