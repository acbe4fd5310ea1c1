"""Answers to ``ringwall decide``: single actions, and operations that stand for several authorizations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ringwall.catalog.operations import authorizations, find_operation
from ringwall.errors import RingwallError
from ringwall.iam.codec import decision_to_json, policies_from_json, request_from_json
from ringwall.iam.evaluate import decide, explain
from ringwall.iam.parser import PolicySyntaxError
from ringwall.iam.policy import PolicySet
from ringwall.iam.principal import parse_principal
from ringwall.iam.request import Decision
from ringwall.iam.vocabulary import Vocabulary

RANK = {"explicit_deny": 0, "implicit_deny": 1, "allow": 2}
"""The decision on an operation is the least of its authorizations'."""


class Decider:
    """Decides documents of CONTRACTS "ringwall decide"."""

    def __init__(self, vocabulary: Vocabulary, *, trace: bool = False) -> None:
        self.vocabulary = vocabulary
        self.trace = trace

    def answer(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one document; what cannot be read becomes ``{"id", "error"}``."""
        identifier = document.get("id")
        try:
            policies = policies_from_json(_object(document, "policies", default={}))
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
        service, operation = find_operation(str(request["operation"]))
        principal = str(request.get("principal", "*"))
        context = _object(request, "context", default={})
        region = _first(context, "aws:RequestedRegion")
        if region is None:
            msg = "an operation needs aws:RequestedRegion in its context: the Region that is called"
            raise ValueError(msg)
        account = request.get("account") or parse_principal(principal).account
        if not account:
            msg = f"an operation by {principal} needs an account: name it as request.account"
            raise ValueError(msg)
        parts = authorizations(
            service,
            operation,
            _object(request, "parameters", default={}),
            account=str(account),
            region=region,
        )
        answers = []
        for part in parts:
            single = {
                "principal": principal,
                "action": part.action,
                "resource": part.resource,
                "resource_account": part.resource_account,
                "context": {
                    **_without(context, part.context),
                    **{k: list(v) for k, v in part.context.items()},
                },
            }
            answers.append(
                {"action": part.action, "resource": part.resource, **self._single(single, policies)}
            )
        least = min(
            answers, key=lambda item: RANK[item["decision"]], default=decision_to_json(Decision("allow"))
        )
        names = ("decision", "because", "missing")
        return {**{name: least[name] for name in names}, "authorizations": answers}


def _object(document: Mapping[str, Any], name: str, *, default: Any = None) -> Any:
    value = document.get(name, default)
    if not isinstance(value, Mapping):
        msg = f"{name} must be an object"
        raise TypeError(msg)
    return value


def _first(context: Mapping[str, Any], key: str) -> str | None:
    for name, value in context.items():
        if name.lower() == key.lower():
            return str(value[0] if isinstance(value, list) else value)
    return None


def _without(context: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The caller's context less the keys that the operation itself determines."""
    own = {key.lower() for key in other}
    return {key: value for key, value in context.items() if key.lower() not in own}


def _words(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing" if error.args else "a field is missing"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    return str(error)
