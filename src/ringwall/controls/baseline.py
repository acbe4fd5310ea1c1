"""What is claimed of an account without a declaration: the least that each control has to mean anywhere.

No model, Region or endpoint is declared, so these claims speak of what nobody can have meant: inference without any
numbered guardrail, a model that nobody made, global routing, the public network.
"""

from __future__ import annotations

from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.policies import BEDROCK_KEYS, GLOBAL, MAKE_KEYS, ROUTES, RUN, UNGUARDED_PATHS, USE_KEYS
from ringwall.controls.protection import KEY_MUTATIONS, SETTINGS, TRAIL_MUTATIONS
from ringwall.controls.roles import INVOKE

UNDECLARED = "arn:*:bedrock:*::foundation-model/undeclared.model-v1:0"
"""A model that nobody can have meant: whoever may invoke it may invoke any."""
NUMBERED = "arn:*:bedrock:*:*:guardrail/*:*"
"""Any numbered version of any guardrail."""

BESIDE = (
    "bedrock-mantle:CreateFineTuningJob",
    "bedrock-mantle:CreateInference",
    "bedrock-websearch:*",
    "aws-external-anthropic:*",
)
"""Paths outside of Bedrock that run a model without a guardrail."""


def baseline_claims() -> tuple[DeclaredClaim, ...]:
    """The claims of every control, in the registry's order. None holds references."""
    return (
        never(
            "some-guardrail-always",
            "guardrail-cannot-be-bypassed",
            "Nobody invokes a model without a numbered version of some guardrail",
            Action=list(INVOKE),
            Resource="*",
            Condition={"StringNotLike": {"bedrock:GuardrailIdentifier": [NUMBERED]}},
        ),
        never(
            "unguarded-paths-closed",
            "guardrail-cannot-be-bypassed",
            "Nobody runs a model by a path that cannot carry a guardrail",
            Action=[*UNGUARDED_PATHS, *BESIDE],
            Resource="*",
        ),
        never(
            "not-any-model",
            "models-restricted",
            "Nobody may invoke any model there is",
            Action=list(RUN),
            Resource=UNDECLARED,
        ),
        never(
            "no-global-routing",
            "regions-restricted",
            "Nobody has a request processed in whatever Region there is",
            Action=list(RUN),
            Resource="*",
            Condition={"StringEquals": {"aws:RequestedRegion": [GLOBAL]}},
        ),
        *(
            never(
                f"not-over-the-public-network-{service}",
                "vpc-endpoint-cannot-be-skipped",
                f"Nobody calls {service} over the public network",
                Action=list(actions),
                Resource="*",
                Condition={"Null": {"aws:SourceVpce": "true"}},
            )
            for service, _, actions in ROUTES
        ),
        never(
            "controls-stay-on",
            "controls-protected",
            "Nobody switches off guardrails, logging, the trail or a key",
            Action=[
                *SETTINGS,
                *TRAIL_MUTATIONS,
                *KEY_MUTATIONS,
                "bedrock:DeleteGuardrail",
                "bedrock:UpdateGuardrail",
            ],
            Resource="*",
        ),
        never(
            "no-api-keys-made",
            "api-keys-prevented",
            "Nobody makes a long-term Bedrock API key",
            Action=list(MAKE_KEYS),
            Resource="*",
            Condition={"StringEquals": BEDROCK_KEYS},
        ),
        never(
            "no-api-keys-used",
            "api-keys-prevented",
            "Nobody calls with a Bedrock API key",
            Action=list(USE_KEYS),
            Resource="*",
        ),
        never(
            "retention-stays-none",
            "data-retention-none",
            "Nobody sets data retention to anything but none",
            Action="bedrock:PutAccountDataRetention",
            Resource="*",
            Condition={"StringNotEquals": {"bedrock:DataRetentionMode": ["none"]}},
        ),
    )


def baseline_names(slug: str) -> tuple[str, ...]:
    """Names of a control's baseline claims."""
    return tuple(claim.name for claim in baseline_claims() if claim.control == slug)
