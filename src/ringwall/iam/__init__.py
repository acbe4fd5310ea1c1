"""The policy language: documents, patterns, condition operators, requests, evaluation. Standard library only.

    >>> from ringwall.iam import PolicySet, decide, parse_policy, request_from_json
    >>> policy = parse_policy('{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}')
    >>> role = "arn:aws:iam::111122223333:role/App"
    >>> request = request_from_json({"principal": role, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"})
    >>> decide(request, PolicySet(identity=(policy,))).outcome
    'allow'

The names below are imported when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ringwall.iam.arn import Arn
    from ringwall.iam.codec import (
        RequestError,
        decision_to_json,
        policies_from_json,
        policies_to_json,
        request_from_json,
        request_to_json,
    )
    from ringwall.iam.conditions import OPERATORS
    from ringwall.iam.evaluate import decide, explain
    from ringwall.iam.parser import PolicySyntaxError, parse_policy
    from ringwall.iam.patterns import glob_matches
    from ringwall.iam.policy import (
        ConditionTest,
        Effect,
        Policy,
        PolicyLevel,
        PolicySet,
        PrincipalElement,
        Statement,
    )
    from ringwall.iam.principal import Principal, PrincipalKind, parse_principal
    from ringwall.iam.render import render_policy
    from ringwall.iam.request import Decision, Reason, Request
    from ringwall.iam.trace import Trace
    from ringwall.iam.vocabulary import Vocabulary

__all__ = [
    "OPERATORS",
    "Arn",
    "ConditionTest",
    "Decision",
    "Effect",
    "Policy",
    "PolicyLevel",
    "PolicySet",
    "PolicySyntaxError",
    "Principal",
    "PrincipalElement",
    "PrincipalKind",
    "Reason",
    "Request",
    "RequestError",
    "Statement",
    "Trace",
    "Vocabulary",
    "decide",
    "decision_to_json",
    "explain",
    "glob_matches",
    "parse_policy",
    "parse_principal",
    "policies_from_json",
    "policies_to_json",
    "render_policy",
    "request_from_json",
    "request_to_json",
]

_MODULES = {
    "arn": ("Arn",),
    "codec": (
        "RequestError", "decision_to_json", "policies_from_json", "policies_to_json", "request_from_json",
        "request_to_json",
    ),
    "conditions": ("OPERATORS",),
    "evaluate": ("decide", "explain"),
    "parser": ("PolicySyntaxError", "parse_policy"),
    "patterns": ("glob_matches",),
    "policy": ("ConditionTest", "Effect", "Policy", "PolicyLevel", "PolicySet", "PrincipalElement", "Statement"),
    "principal": ("Principal", "PrincipalKind", "parse_principal"),
    "render": ("render_policy",),
    "request": ("Decision", "Reason", "Request"),
    "trace": ("Trace",),
    "vocabulary": ("Vocabulary",),
}  # fmt: skip
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
