"""The exceptions that a user can meet, in one tree.

    RingwallError                 exit 1: it could not be done; the message's first line says what to do
    +-- DeclarationError          ringwall.yaml is wrong; carries every problem with its position
    +-- PolicySyntaxError         a policy document is malformed (lives in ringwall.iam, stands alone there)
    +-- AwsCallError              an AWS call failed; carries the call and the permission that it needs
    +-- GateRefusedError          exit 3: the user has to open a gate (--allow-widening, --yes)

Nothing here imports anything: every room may raise these.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar


class RingwallError(Exception):
    """Ringwall could not do what was asked. ``str(error)`` is one line that says what to do next.

    Attributes:
        details: further lines, printed under the first one.
        exit_code: the process exit code by CONTRACTS ("Exit codes").
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, details: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.details = details


class GateRefusedError(RingwallError):
    """A gate is closed that only the user may open; the message names the option that opens it."""

    exit_code: ClassVar[int] = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in an input file. Lines and columns count from 1."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {where}{self.message}"


class DeclarationError(RingwallError):
    """The declaration is wrong. All problems are collected before this is raised."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        super().__init__(str(problems[0]), details=tuple(map(str, problems[1:])))


_SIGN_IN = "Sign in (`aws sso login`, `aws configure`), or choose other credentials with --profile."
_REACH = "Check the network, the proxy (HTTPS_PROXY) and AWS_ENDPOINT_URL."
_LATER = "Run it again in a minute."
ADVICE: dict[str, str] = {
    "NoCredentials": _SIGN_IN,
    "InvalidClientTokenId": _SIGN_IN,
    "UnrecognizedClientException": _SIGN_IN,
    "SignatureDoesNotMatch": _SIGN_IN,
    "ExpiredToken": _SIGN_IN,
    "ExpiredTokenException": _SIGN_IN,
    "EndpointUnreachable": _REACH,
    "EndpointTimedOut": _REACH,
    "TlsFailed": "Check which certificates are trusted (AWS_CA_BUNDLE).",
    "Throttling": _LATER,
    "ThrottlingException": _LATER,
    "ThrottledException": _LATER,
    "TooManyRequestsException": _LATER,
    "RequestLimitExceeded": _LATER,
    "SlowDown": _LATER,
    "BucketAlreadyExists": "Another account has a bucket of this name: give the declaration another `name`.",
}
"""What to do about an AWS error, by its code, where AWS's own text does not say it."""


DENIED = ("AccessDenied", "Unauthorized", "AuthorizationError")
"""How the services' error codes call a denial, in part: EC2 says ``UnauthorizedOperation``, SNS ``AuthorizationError``."""


class AwsCallError(RingwallError):
    """An AWS call failed.

    Attributes:
        service: botocore service name, such as ``bedrock``.
        operation: API operation in AWS's spelling, such as ``CreateGuardrail``.
        code: AWS error code, or a code of ours for transport failures (``EndpointUnreachable``, ``NoCredentials``).
        aws_message: the text that AWS sent, unchanged.
    """

    def __init__(
        self,
        service: str,
        operation: str,
        code: str,
        aws_message: str,
        *,
        permission: str | Callable[[], str] | None = None,
    ) -> None:
        self.service = service
        self.operation = operation
        self.code = code
        self._permission = permission
        self.aws_message = aws_message
        denied = any(words in code for words in DENIED)
        needs = f" (needs {self.permission})" if denied and self.permission else ""
        advice = f". {ADVICE[code]}" if code in ADVICE else ""
        text = aws_message.rstrip(". ") if advice else aws_message
        super().__init__(f"{service}:{operation} failed with {code}{needs}: {text}{advice}")

    @property
    def permission(self) -> str | None:
        """IAM action that the call needs, such as ``bedrock:CreateGuardrail``, where known.

        Looked up when it is first asked for: most failures are of things that are not there, and nobody asks.
        """
        if callable(self._permission):
            self._permission = self._permission()
        return self._permission

    def __reduce__(self) -> tuple[Any, ...]:
        """Survive a trip between processes."""
        told = (self.service, self.operation, self.code, self.aws_message)
        return partial(AwsCallError, permission=self.permission), told
