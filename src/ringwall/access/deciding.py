"""Answers to ``ringwall decide``: single actions, and operations that stand for several authorizations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ringwall.access.calls import read_call
from ringwall.errors import RingwallError
from ringwall.iam.codec import decision_to_json, request_from_json
from ringwall.iam.evaluate import decide, explain
from ringwall.iam.parser import PolicySyntaxError
from ringwall.iam.policy import PolicySet
from ringwall.iam.reader import PolicyReader
from ringwall.iam.request import Decision
from ringwall.iam.vocabulary import Vocabulary

RANK = {"explicit_deny": 0, "implicit_deny": 1, "allow": 2}
"""The decision on an operation is the least of its authorizations'."""


class Decider:
    """Decides documents of CONTRACTS "ringwall decide"."""

    def __init__(self, vocabulary: Vocabulary, *, trace: bool = False) -> None:
        self.vocabulary = vocabulary
        self.trace = trace
        self._reader = PolicyReader()

    def answer(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one document; what cannot be read becomes ``{"id", "error"}``."""
        identifier = document.get("id")
        try:
            policies = self._reader.read(_object(document, "policies", default={}))
            request = _object(document, "request")
            if "operation" in request:
                return {"id": identifier, **self._operation(request, policies)}
            return {"id": identifier, **self._single(request, policies)}
        except PolicySyntaxError as error:
            return {"id": identifier, "error": str(error)}
        except (ValueError, KeyError, TypeError, RecursionError, RingwallError) as error:
            return {"id": identifier, "error": _words(error)}

    def _single(self, request: Mapping[str, Any], policies: PolicySet) -> dict[str, Any]:
        parsed = request_from_json(request)
        answer = decision_to_json(decide(parsed, policies, self.vocabulary))
        if self.trace:
            answer["trace"] = str(explain(parsed, policies, self.vocabulary)).splitlines()
        return answer

    def _operation(self, request: Mapping[str, Any], policies: PolicySet) -> dict[str, Any]:
        call = read_call(request)
        answers = []
        for part in call.parts:
            needed = part.authorization
            single = {
                "principal": call.principal,
                "action": needed.action,
                "resource": needed.resource,
                "resource_account": needed.resource_account,
                "context": {key: list(values) for key, values in part.context.items()},
            }
            bearing = replace(policies, vpc_endpoint=None) if part.forwarded else policies
            answers.append(
                {"action": needed.action, "resource": needed.resource, **self._single(single, bearing)}
            )
        least = min(
            answers, key=lambda item: RANK[item["decision"]], default=decision_to_json(Decision("allow"))
        )
        names = ("decision", "because", "missing")
        notes = {"notes": list(call.notes)} if call.notes else {}
        return {**{name: least[name] for name in names}, "authorizations": answers, **notes}


def _object(document: Mapping[str, Any], name: str, *, default: Any = None) -> Any:
    value = document.get(name, default)
    if not isinstance(value, Mapping):
        msg = f"{name} must be an object"
        raise TypeError(msg)
    return value


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing" if error.args else "a field is missing"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    further = error.details if isinstance(error, RingwallError) else ()
    return "; ".join((str(error), *further))
