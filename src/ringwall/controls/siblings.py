"""The services beside Bedrock: what of each is closed, and the least that bounds one that the declaration opens.

Each has an IAM prefix of its own, so nothing that speaks of ``bedrock:`` alone reaches it. ``bedrock-mantle`` knows
neither guardrails nor invocation logging (https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html);
AgentCore runs code that may call anything, so it stays in the VPC and gives nobody a shell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringwall.controls import names
from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.documents import Statement, allow, deny, unless

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.perimeter.model import Perimeter
    from ringwall.perimeter.siblings import SiblingName

SLUG = "guardrail-cannot-be-bypassed"


@dataclass(frozen=True, slots=True)
class Surface:
    """Actions of one sibling. Reading configuration and cleaning up stay open, whatever is declared.

    Attributes:
        run: what runs a model or code, or hands out what such a run holds: for the declared uses.
        manage: what makes or changes something: for the administrators as well.
    """

    run: tuple[str, ...]
    manage: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[str, ...]:
        """Everything that is closed unless declared."""
        return (*self.run, *self.manage)


def _actions(prefix: str, *words: str) -> tuple[str, ...]:
    return tuple(f"{prefix}:{word}" for word in words)


SURFACES: Mapping[SiblingName, Surface] = {
    "bedrock-mantle": Surface(
        _actions("bedrock-mantle", "CountTokens", "CreateFile", "CreateInference", "GetFile", "GetInference"),
        _actions(
            "bedrock-mantle",
            "Associate*",
            "CreateCustomizedModel",
            "CreateFineTuningJob",
            "CreateProject",
            "CreateReservation",
            "Update*",
        ),
    ),
    "bedrock-agentcore": Surface(
        _actions(
            "bedrock-agentcore",
            "Batch*",
            "Complete*",
            "Connect*",
            "CreateEvent",
            "Evaluate",
            "GetResourceApiKey",
            "GetResourceOauth2Token",
            "GetResourcePaymentToken",
            "GetWorkloadAccessToken*",
            "Invoke*",
            "ProcessPayment",
            "Retrieve*",
            "Start*",
        ),
        _actions("bedrock-agentcore", "Add*", "Create*", "Put*", "Save*", "Set*", "Synchronize*", "Update*"),
    ),
    "bedrock-websearch": Surface(_actions("bedrock-websearch", "*")),
    "agent-registry": Surface(
        _actions("agent-registry", "Invoke*"),
        _actions("agent-registry", "Create*", "Put*", "Submit*", "Update*"),
    ),
    "aws-external-anthropic": Surface(_actions("aws-external-anthropic", "*")),
}
MANTLE_MODELS = _actions("bedrock-mantle", "CountTokens", "CreateFineTuningJob", "CreateInference")
"""Actions of ``bedrock-mantle`` that carry ``bedrock-mantle:Model``."""
AGENTCORE_COMPUTE = _actions(
    "bedrock-agentcore", "CreateAgentRuntime", "UpdateAgentRuntime", "CreateBrowser", "CreateCodeInterpreter"
)
"""What runs code and says in which subnets. An update that leaves the subnets out is denied too: send them each time."""
AGENTCORE_SHELLS = _actions(
    "bedrock-agentcore",
    "InvokeAgentRuntimeCommand",
    "InvokeAgentRuntimeCommandShell",
    "InvokeAgentRuntime*ForUser",
)
EVENT_TYPES: Mapping[SiblingName, tuple[str, ...]] = {
    # data event types that CloudTrail's advanced selectors know; bedrock-mantle's is always recorded
    "bedrock-agentcore": tuple(
        f"AWS::BedrockAgentCore::{name}"
        for name in (
            "APIKeyCredentialProvider", "Browser", "BrowserCustom", "CodeInterpreter", "CodeInterpreterCustom",
            "Gateway", "Memory", "OAuth2CredentialProvider", "PolicyEngine", "Runtime", "RuntimeEndpoint",
            "TokenVault", "WorkloadIdentity", "WorkloadIdentityDirectory",
        )
    ),
    "bedrock-websearch": ("AWS::BedrockWebSearch::Tool",),
    "agent-registry": ("AWS::AgentRegistry::Registry",),
    "aws-external-anthropic": ("AWS::AWSExternalAnthropic::Workspace",),
}  # fmt: skip


def closed(perimeter: Perimeter) -> tuple[str, ...]:
    """Actions of the siblings that are not declared."""
    return tuple(
        action
        for name, surface in SURFACES.items()
        if name not in perimeter.siblings
        for action in surface.all
    )


def everything() -> tuple[str, ...]:
    """Actions of all siblings, as they are closed without a declaration of one."""
    return tuple(action for surface in SURFACES.values() for action in surface.all)


def side_doors(perimeter: Perimeter, use: str, doors: tuple[str, ...]) -> list[str]:
    """The doors that stay shut for a use: all but the siblings that it is declared for."""
    opened = tuple(f"{name}:" for name in _of(perimeter, use))
    return [door for door in doors if not (opened and door.startswith(opened))]


def use_statements(perimeter: Perimeter, use: str) -> list[Statement]:
    """What a use's own policy allows of the siblings that it is declared for."""
    return [
        allow(f"Use{_word(name)}", SURFACES[name].run, [names.arn(perimeter, name, "*")])
        for name in _of(perimeter, use)
    ]


def statements(perimeter: Perimeter) -> Iterator[Statement]:
    """What bounds the siblings that are open."""
    for name, sibling in perimeter.siblings.items():
        surface, uses = SURFACES[name], [perimeter.role_arn(use) for use in sibling.uses]
        yield deny(f"Only{_word(name)}Uses", surface.run, "*", unless(*uses))
        if surface.manage:
            who = unless(*uses, *perimeter.administrators)
            yield deny(f"Only{_word(name)}Administrators", surface.manage, "*", who)
        if name == "bedrock-mantle":
            models = {"StringNotEquals": {"bedrock-mantle:Model": list(sibling.models)}}
            yield deny("OnlyDeclaredMantleModels", MANTLE_MODELS, "*", models)
        if name == "bedrock-agentcore":
            yield from _agentcore()


def _agentcore() -> Iterator[Statement]:
    yield deny("AgentCoreInVpc", AGENTCORE_COMPUTE, "*", {"Null": {"bedrock-agentcore:subnets": "true"}})
    yield deny("AgentCoreNoShell", AGENTCORE_SHELLS)
    yield deny(
        "AgentCoreMemoryByOwnKey",
        "bedrock-agentcore:CreateMemory",
        "*",
        {"Null": {"bedrock-agentcore:KmsKeyArn": "true"}},
    )


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """What the bounds of open siblings come to."""
    for name, sibling in perimeter.siblings.items():
        yield never(
            f"{name}-only-declared-uses",
            SLUG,
            f"Nobody but its declared uses calls {name}",
            Action=list(SURFACES[name].run),
            Resource="*",
            NotPrincipal=[perimeter.role_arn(use) for use in sibling.uses],
        )
        if name == "bedrock-mantle":
            yield never(
                "bedrock-mantle-only-declared-models",
                SLUG,
                "Nobody invokes another model on bedrock-mantle than a declared one",
                Action=list(MANTLE_MODELS),
                Resource="*",
                Condition={"StringNotEquals": {"bedrock-mantle:Model": list(sibling.models)}},
            )
        if name == "bedrock-agentcore":
            yield never(
                "bedrock-agentcore-in-vpc",
                SLUG,
                "Nobody runs AgentCore code outside of a VPC",
                Action=list(AGENTCORE_COMPUTE),
                Resource="*",
                Condition={"Null": {"bedrock-agentcore:subnets": "true"}},
            )
            yield never(
                "bedrock-agentcore-no-shell",
                SLUG,
                "Nobody opens a shell in an AgentCore runtime, or runs one as somebody else",
                Action=list(AGENTCORE_SHELLS),
                Resource="*",
            )


def _of(perimeter: Perimeter, use: str) -> list[SiblingName]:
    return [name for name, sibling in perimeter.siblings.items() if use in sibling.uses]


def _word(name: str) -> str:
    """``bedrock-mantle`` as part of a Sid."""
    return "".join(part.capitalize() for part in name.split("-"))
