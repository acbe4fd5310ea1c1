"""Whether a role may do something that cannot be tried: asked of IAM's own policy simulator.

The simulator reads the role's policies, its boundary and the organization's SCPs. It knows neither endpoint policies nor
resource control policies, and AWS says that it may differ from what a call gets
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html): its denial counts, its permission
only where no statement asked for something that the simulation did not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

PERMISSION = "iam:SimulatePrincipalPolicy"
"""What the caller needs, on the role."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """What the simulator says.

    Attributes:
        allowed: its answer; ``None`` where it has none.
        reason: the same in words.
    """

    allowed: bool | None
    reason: str


def simulate(iam: Any, role: str, action: str, resource: str, region: str) -> Simulated:
    """Ask the simulator about one action of a role.

    Args:
        iam: a client whose credentials may simulate.
        role: ARN of the role.
        action: as policies name it.
        resource: ARN that the action is on.
        region: Region that would be called.
    """
    asked = {
        "ContextKeyName": "aws:RequestedRegion",
        "ContextKeyValues": [region],
        "ContextKeyType": "string",
    }
    try:
        answer = iam.simulate_principal_policy(
            PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource], ContextEntries=[asked]
        )
    except (ClientError, BotoCoreError) as error:
        return Simulated(None, f"IAM's simulator was not to be asked ({PERMISSION} on {role}): {error}")
    results = answer.get("EvaluationResults", [])
    return _judged(results[0]) if len(results) == 1 else Simulated(None, "IAM's simulator gave no answer")


def _judged(found: Mapping[str, Any]) -> Simulated:
    parts = [found, *found.get("ResourceSpecificResults", [])]
    missing = sorted({name for part in parts for name in part.get("MissingContextValues", [])})
    if missing:
        return Simulated(None, f"by IAM's simulator it depends on {', '.join(missing)}")
    if not found.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return Simulated(False, "by IAM's simulator an SCP denies it")
    decision = str(found.get("EvalDecision"))
    allowed, reason = DECISIONS.get(decision, (None, f"the answer is {decision}"))
    return Simulated(allowed, f"by IAM's simulator {reason}")


DECISIONS: Mapping[str, tuple[bool, str]] = {
    "allowed": (True, "the role's policies, its boundary and the SCPs allow it"),
    "explicitDeny": (False, "a statement denies it"),
    "implicitDeny": (False, "no statement allows it"),
}
"""Of ``EvalDecision``: what it says."""
