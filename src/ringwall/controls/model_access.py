"""Whether the account may call the models that it declares: what its policies allow, an agreement may still lack.

An observation of low severity: nothing is open, something does not work. Which models the account could call beyond the
declared ones is no finding, since AWS enables all of them by itself; that nobody calls them is what ``models-restricted``
proves, and that nobody but the administrators subscribes what ``controls-protected`` does.

Where no role of the perimeter may subscribe, the first call of a third party's model does not subscribe the account; the call
is denied (https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls import names
from ringwall.controls.ask import ask
from ringwall.controls.findings import Remediation, Status
from ringwall.controls.verdicts import ok, unknown, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter

MODEL_ACCESS = "Ringwall::Bedrock::ModelAccess"
SUBSCRIBE = "aws-marketplace:Subscribe"
BY_BEDROCK = {"aws:CalledViaFirst": "bedrock.amazonaws.com", "aws:CalledViaLast": "bedrock.amazonaws.com"}


def declared_models(perimeter: Perimeter) -> tuple[str, ...]:
    """Ids of the foundation models that the declared ones are or lead to, those that embed included.

    Models of the account's own (imported, customized) need nobody's agreement.
    """
    arns = (*names.direct_models(perimeter), *names.profile_models(perimeter))
    ids = (arn.rsplit("/", 1)[-1] for arn in arns if ":foundation-model/" in arn)
    embedding = (base.embedding_model for base in perimeter.knowledge_bases.values())
    return tuple(dict.fromkeys((*ids, *embedding)))


def entitled(context: CheckContext, control: Control) -> Iterator[Finding]:
    """A finding for each declared model that was asked about; none where nothing was (an Estate that is not there yet)."""
    for resource in context.observed.of_type(MODEL_ACCESS, account=context.account):
        model = str(resource.get("ModelId", resource.id))
        if resource.unknown:
            words = f"whether the account may call {model} could not be read: {resource.unknown[0].reason}"
            yield unknown(context, control, resource, words, name=model)
            continue
        lacking = list(_lacking(context, resource))
        if lacking:
            yield verdict(
                context,
                control,
                Status.FAIL,
                f"{model} is declared and cannot be called: " + "; ".join(lacking),
                resource=resource,
                name=model,
                severity="low",
                remediation=_remedy(model),
                details={"lacking": lacking},
            )
        else:
            subscribed = resource.get("Agreement") == "AVAILABLE"
            how = "has its agreement" if subscribed else "gets its agreement with the first call"
            yield ok(
                context, control, resource, f"{model} may be called by the account, and {how}", name=model
            )


def _lacking(context: CheckContext, resource: Resource) -> Iterator[str]:
    if resource.get("Exists") is not True:
        yield f"{resource.region} offers no such model"
        return
    if resource.get("Authorization") != "AUTHORIZED":
        yield "the account is not authorized for it"
    agreement = resource.get("Agreement")
    if agreement == "AVAILABLE":
        if resource.get("Entitlement") != "AVAILABLE":
            yield "the account is not entitled to it"
    elif agreement == "PENDING":
        yield "its agreement is pending"
    elif not _subscribes(context):
        reason = f" ({resource.get('AgreementError')})" if resource.get("AgreementError") else ""
        yield f"it has no agreement{reason}, and no role that calls models may subscribe"


def _subscribes(context: CheckContext) -> bool:
    """Whether a first call by some declared use subscribes the account."""
    perimeter = context.perimeter
    roles = [perimeter.role_arn(name) for name in perimeter.uses] if perimeter is not None else []
    return any(ask(context, role, SUBSCRIBE, "*", BY_BEDROCK).allowed for role in roles)


def _remedy(model: str) -> Remediation:
    return Remediation(
        "an administrator accepts the model's agreement, once for the account",
        (
            f"aws bedrock list-foundation-model-agreement-offers --model-id {model}",
            f"aws bedrock create-foundation-model-agreement --model-id {model} --offer-token TOKEN",
        ),
    )
