"""The log of authorization decisions, and denials in AWS's words.

https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.iam.evaluate import explain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ringwall.iam.policy import PolicySet
    from ringwall.iam.request import Decision, Request
    from ringwall.iam.vocabulary import Vocabulary

_LIMIT = 10_000
_TYPE_NAMES: Mapping[str, str] = {
    "identity": "identity-based policy",
    "permissions_boundary": "permissions boundary",
    "session": "session policy",
    "resource": "resource-based policy",
    "scp": "service control policy",
    "rcp": "resource control policy",
    "vpc_endpoint": "VPC endpoint policy",
}
# Of several types that deny, AWS names one: the outermost.
_MISSING_ORDER = ("scp", "rcp", "vpc_endpoint", "permissions_boundary", "session", "identity", "resource")
_DENY_ORDER = ("scp", "rcp", "vpc_endpoint", "permissions_boundary", "session", "resource", "identity")


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One authorization: what was asked, of which policies, and what came of it."""

    time: datetime
    request_id: str
    service: str
    operation: str
    request: Request
    policies: PolicySet
    decision: Decision
    vpc_endpoint: str | None
    vocabulary: Vocabulary | None

    def to_json(self, *, trace: bool = False) -> dict[str, Any]:
        """The entry as JSON; with ``trace`` also which part of which statement matched."""
        result: dict[str, Any] = {
            "time": self.time.isoformat(),
            "request_id": self.request_id,
            "service": self.service,
            "operation": self.operation,
            "principal": self.request.principal,
            "action": self.request.action,
            "resource": self.request.resource,
            "vpc_endpoint": self.vpc_endpoint,
            "outcome": self.decision.outcome,
            "because": [
                {
                    "policy_type": reason.policy_type,
                    "policy": reason.policy,
                    "statement": reason.statement,
                    "effect": reason.effect,
                }
                for reason in self.decision.because
            ],
            "missing": list(self.decision.missing),
            "context": {key: list(values) for key, values in self.request.context.items()},
        }
        if trace:
            result["trace"] = str(explain(self.request, self.policies, self.vocabulary)).splitlines()
        return result


class DecisionLog:
    """The newest decisions, kept together by request: what decided one request is found without looking at the rest."""

    def __init__(self) -> None:
        self._requests: OrderedDict[str, list[Entry]] = OrderedDict()
        self._count = 0
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Append one; requests of long ago make room."""
        with self._lock:
            self._requests.setdefault(entry.request_id, []).append(entry)
            self._count += 1
            while self._count > _LIMIT and len(self._requests) > 1:
                self._count -= len(self._requests.popitem(last=False)[1])

    def of(self, request_id: str) -> tuple[Entry, ...]:
        """What was decided for one request, in order."""
        with self._lock:
            return tuple(self._requests.get(request_id, ()))

    def entries(self, **wanted: str | None) -> tuple[Entry, ...]:
        """Entries, oldest first, whose ``principal``, ``action``, ``outcome``, ``request_id`` are the wanted ones."""
        request_id = wanted.get("request_id")
        if request_id is not None:
            entries = self.of(request_id)
        else:
            with self._lock:
                entries = tuple(entry for found in self._requests.values() for entry in found)
        return tuple(entry for entry in entries if _matches(entry, wanted))


def _matches(entry: Entry, wanted: Mapping[str, str | None]) -> bool:
    values = {
        "principal": entry.request.principal,
        "action": entry.request.action.lower(),
        "outcome": entry.decision.outcome,
        "request_id": entry.request_id,
        "operation": entry.operation,
    }
    return all(
        value is None or values[name] == (value.lower() if name == "action" else value)
        for name, value in wanted.items()
    )


def _where(request: Request) -> str:
    """The resource as the text names it: S3 in quotes, and neither S3 nor EC2 where an action has none.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
    """
    service = request.action.partition(":")[0].lower()
    if service in {"s3", "ec2"} and request.resource == "*":
        return ""
    return f' on resource: "{request.resource}"' if service == "s3" else f" on resource: {request.resource}"


def denial(request: Request, decision: Decision) -> str:
    """The text that AWS gives for a denied request."""
    trust = request.action.lower().startswith(("sts:assumerole", "sts:tagsession", "sts:setsourceidentity"))
    head = f"User: {_user(request.principal)} is not authorized to perform: {request.action}{_where(request)}"
    if decision.outcome == "explicit_deny":
        kind = _first(_DENY_ORDER, [reason.policy_type for reason in decision.because])
        if trust and kind == "resource":
            return f"{head} with an explicit deny in the role trust policy"
        article = "an" if kind == "identity" else "a"
        return f"{head} with an explicit deny in {article} {_TYPE_NAMES[kind]}"
    kind = _first(_MISSING_ORDER, list(decision.missing) or ["identity"])
    if trust and kind == "resource":
        return f"{head} because no role trust policy allows the {request.action} action"
    return f"{head} because no {_TYPE_NAMES[kind]} allows the {request.action} action"


def _user(principal: str) -> str:
    return "anonymous" if principal == "*" else principal


def _first(order: tuple[str, ...], kinds: list[Any]) -> str:
    return next((kind for kind in order if kind in kinds), str(kinds[0]) if kinds else "identity")
