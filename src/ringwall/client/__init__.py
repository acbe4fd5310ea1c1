"""The secure runtime client and session. A seat belt for honest code: IAM is the boundary."""

from ringwall.client.coverage import Coverage, Gap, coverage
from ringwall.client.deadline import DeadlineExceeded
from ringwall.client.guard import Guard
from ringwall.client.outcome import Outcome, logging_to
from ringwall.client.rules import PinnedGuardrail, Rules
from ringwall.client.secure import SecureBedrockClient
from ringwall.client.session import GuardedSession, session
from ringwall.client.violation import GuardrailIntervened, PerimeterViolation

__all__ = [
    "Coverage",
    "DeadlineExceeded",
    "Gap",
    "Guard",
    "GuardedSession",
    "GuardrailIntervened",
    "Outcome",
    "PerimeterViolation",
    "PinnedGuardrail",
    "Rules",
    "SecureBedrockClient",
    "coverage",
    "logging_to",
    "session",
]
