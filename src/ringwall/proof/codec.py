"""Questions, answers and comparisons as JSON: the forms of ``ringwall prove`` and ``ringwall compare``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringwall.catalog import operations
from ringwall.iam.codec import policies_from_json, request_to_json
from ringwall.iam.parser import parse_policy
from ringwall.iam.principal import parse_principal
from ringwall.proof.axioms import AXIOMS
from ringwall.proof.claims import Claim, claim_from_json
from ringwall.proof.question import Answer, Authorization, ContextModel, Question

if TYPE_CHECKING:
    from ringwall.iam.policy import Policy, PolicySet
    from ringwall.iam.request import Reason
    from ringwall.proof.compare import Comparison, Difference, Differences, Group

_QUESTION_FIELDS = frozenset(
    {
        "id", "principal", "policies", "claim", "context_model", "resource_account", "account", "context",
        "disabled_axioms", "parameters", "region",
    }
)  # fmt: skip
_CONTEXT_MODELS: tuple[ContextModel, ...] = ("catalog", "any")
_DEFAULT_REGION = "us-east-1"
_RESOURCE_PARAMETERS = {
    "guardrail": "guardrailIdentifier",
    "agent-alias": "agentAliasId",
    "knowledge-base": "knowledgeBaseId",
}


class QuestionError(ValueError):
    """A question in JSON is malformed; the message says where and how."""


def question_from_json(value: Mapping[str, Any]) -> Question:
    """Read a line of ``ringwall prove``.

    Args:
        value: ``id``, ``principal``, ``policies``, ``claim``; optionally ``context_model``, ``resource_account``,
            ``account`` (instead of ``principal``: any principal of the account), ``context`` (keys with known values,
            ``null`` = absent), ``disabled_axioms``, and for an operation claim ``parameters`` (boto3's) and ``region``.

    Raises:
        QuestionError: a field is missing, unknown or of the wrong type.
        ValueError: claim, policies or principal are malformed.
    """
    if not isinstance(value, Mapping):
        raise QuestionError("a question must be an object")
    unknown = sorted(set(value) - _QUESTION_FIELDS)
    if unknown:
        raise QuestionError(
            f"question has no field {unknown[0]!r}; known are {', '.join(sorted(_QUESTION_FIELDS))}"
        )
    claim = claim_from_json(_object(value, "claim"))
    principal, account = _whose(value)
    return Question(
        id=str(value.get("id", "")),
        principal=principal,
        policies=policies_from_json(_object(value, "policies")),
        claim=claim,
        context_model=_context_model(value.get("context_model", "catalog")),
        resource_account=_optional_text(value, "resource_account"),
        disabled_axioms=_axioms(value.get("disabled_axioms", [])),
        fixed=_fixed(value.get("context", {})),
        authorizations=_authorizations(claim, value, account or _account_of(principal)),
        account=account,
    )


def _object(value: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    found = value.get(field)
    if not isinstance(found, Mapping):
        raise QuestionError(f"the question has no {field}" if found is None else f"{field} must be an object")
    return found


def _optional_text(value: Mapping[str, Any], field: str) -> str | None:
    found = value.get(field)
    if found is not None and not isinstance(found, str):
        raise QuestionError(f"{field} must be a string")
    return found


def _whose(value: Mapping[str, Any]) -> tuple[str | None, str | None]:
    principal, account = _optional_text(value, "principal"), _optional_text(value, "account")
    if (principal is None) == (account is None):
        raise QuestionError("a question has a principal, or an account for any principal of it")
    if principal is not None:
        parse_principal(principal)
    return principal, account


def _account_of(principal: str | None) -> str | None:
    return parse_principal(principal).account if principal else None


def _context_model(value: Any) -> ContextModel:
    for model in _CONTEXT_MODELS:
        if value == model:
            return model
    raise QuestionError(f"context_model must be one of {', '.join(_CONTEXT_MODELS)}")


def _axioms(value: Any) -> frozenset[str]:
    if not isinstance(value, list | tuple):
        raise QuestionError("disabled_axioms must be a list of names")
    unknown = sorted(str(name) for name in value if name not in AXIOMS)
    if unknown:
        raise QuestionError(f"there is no axiom {unknown[0]!r}; known are {', '.join(AXIOMS)}")
    return frozenset(value)


def _fixed(value: Any) -> dict[str, str | tuple[str, ...] | None]:
    if not isinstance(value, Mapping):
        raise QuestionError("context must be an object of condition keys")
    fixed: dict[str, str | tuple[str, ...] | None] = {}
    for key, item in value.items():
        if item is None or isinstance(item, str):
            fixed[key.lower()] = item
        elif isinstance(item, list | tuple) and all(isinstance(part, str) for part in item):
            fixed[key.lower()] = tuple(item)
        else:
            raise QuestionError(
                f"context.{key} must be a string, a list of strings, or null for an absent key"
            )
    return fixed


def _authorizations(claim: Claim, value: Mapping[str, Any], account: str | None) -> tuple[Authorization, ...]:
    if claim.operation is None:
        return ()
    service, _, operation = claim.operation.rpartition(":")
    parameters = value.get("parameters")
    if parameters is None:
        parameters = _parameters(claim)
    if not isinstance(parameters, Mapping):
        raise QuestionError("parameters must be an object of the operation's parameters")
    service, operation = operations.find_operation(operation, service or None)
    found = operations.authorizations(
        service,
        operation,
        parameters,
        account=account or "",
        region=str(value.get("region", _DEFAULT_REGION)),
    )
    return tuple(Authorization(one.action, one.resource, one.context, one.resource_account) for one in found)


def _parameters(claim: Claim) -> dict[str, str]:
    """The parameter that names the claim's resource, where there is one."""
    if claim.resources is None or claim.resources == ("*",):
        return {}
    if len(claim.resources) != 1 or "*" in claim.resources[0]:
        raise QuestionError("an Operation claim names one Resource, without wildcards")
    resource = claim.resources[0]
    kind = resource.rpartition(":")[2].partition("/")[0] if resource.startswith("arn:") else ""
    return {_RESOURCE_PARAMETERS.get(kind, "modelId"): resource}


def answer_to_json(question: Question, answer: Answer) -> dict[str, Any]:
    """A line of ``ringwall prove``'s output."""
    return {
        "id": question.id,
        "verdict": answer.verdict,
        "witness": _witness(question, answer),
        "because": [_reason(reason) for reason in answer.because],
        "missing": list(answer.missing),
        "axioms": list(answer.axioms),
        "vacuous": answer.vacuous,
        "reason": answer.reason,
    }


def _witness(question: Question, answer: Answer) -> dict[str, Any] | None:
    if not answer.witness:
        return None
    if question.claim.operation is not None:
        requests = [request_to_json(request) for request in answer.witness]
        return {"operation": question.claim.operation, "requests": requests}
    return request_to_json(answer.witness[0])


def _reason(reason: Reason) -> dict[str, str]:
    return {
        "policy_type": reason.policy_type,
        "policy": reason.policy,
        "statement": reason.statement,
        "effect": reason.effect,
    }


def policies_of_comparison(value: Any, name: str) -> Policy | PolicySet:
    """One side of a line of ``ringwall compare``: a policy document, or policies as ``decide`` reads them.

    Raises:
        ValueError: it is neither.
    """
    if not isinstance(value, Mapping):
        raise QuestionError(f"{name} must be a policy document or an object of policies")
    try:
        return parse_policy(value, name=name) if "Statement" in value else policies_from_json(value)
    except ValueError as error:
        raise QuestionError(f"{name}: {error}") from error


def comparison_to_json(identifier: Any, comparison: Comparison) -> dict[str, Any]:
    """A line of ``ringwall compare``'s output; ``reason`` is there where something is unknown."""
    told = {
        "id": identifier,
        "newly_allows": _difference(comparison.newly_allows),
        "newly_denies": _difference(comparison.newly_denies),
    }
    return told if comparison.reason is None else {**told, "reason": comparison.reason}


def differences_to_json(differences: Differences) -> dict[str, Any]:
    """What differs, by principal and action."""
    return {
        "newly_allows": [_group(group) for group in differences.newly_allows],
        "newly_denies": [_group(group) for group in differences.newly_denies],
        "unknown": list(differences.unknown),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "principal": group.principal,
        "action": group.action,
        "witness": request_to_json(group.witness),
    }


def _difference(difference: Difference) -> dict[str, Any] | str | None:
    return difference if difference is None or isinstance(difference, str) else request_to_json(difference)
