"""Before a guardrail is enforced: whoever calls models must be allowed to apply it, or each of their calls is refused.

Bedrock authorizes ``ApplyGuardrail`` with the caller's permissions on every call that an enforced guardrail judges
(https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-enforcements.html). So every user and role of the account
is asked, declared or not, in the Estate as the plan leaves it; nothing is called.

Of a guardrail of the management account this is the caller's side; its own policy is
:mod:`ringwall.deploy.organization_guardrail`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ringwall.access import Access
from ringwall.controls import knowledge
from ringwall.controls.ask import ask, words
from ringwall.controls.context import CheckContext
from ringwall.controls.enforcement import CONFIGURATION, ENFORCED, ORGANIZATION_POLICY, enforced
from ringwall.controls.policies import approved
from ringwall.deploy.after import outlook
from ringwall.deploy.changes import Change, Plan
from ringwall.errors import RingwallError
from ringwall.estate.kind import Kind
from ringwall.estate.members import member_of, own_id
from ringwall.estate.model import substitute
from ringwall.perimeter.model import Perimeter

APPLY = "bedrock:ApplyGuardrail"
CALL = "bedrock:InvokeModel"


class ShutOutError(RingwallError):
    """The plan enforces a guardrail that somebody who calls models may not apply."""


def require_nobody_shut_out(plan: Plan, kinds: Mapping[str, Kind], perimeters: Iterable[Perimeter]) -> None:
    """Refuse a plan that enforces a guardrail on callers who may not apply it.

    Raises:
        ShutOutError: there are such; names them all. Nothing was written.
    """
    found = [words for perimeter in perimeters for words in shut_out(plan, kinds, perimeter)]
    if found:
        raise ShutOutError(
            f"Every call of {found[0]}. Allow it, or enforce the guardrail later.", details=tuple(found[1:])
        )


def shut_out(plan: Plan, kinds: Mapping[str, Kind], perimeter: Perimeter) -> Iterator[str]:
    """Whose calls an enforced guardrail would refuse once the plan is applied, and why; nobody's where none is set."""
    if not any(_enforces(change, perimeter) for change in plan.todo):
        return
    after = outlook(plan, kinds).after
    attributes = _attributes(plan, perimeter)
    context = CheckContext(
        perimeter, after, plan.desired.with_resources(()), Access(after, partition=perimeter.partition)
    )
    needed = substitute(enforced(perimeter), lambda ref: attributes[ref.target][ref.attribute])
    keys = _call(perimeter, attributes)
    for entry in context.access.principals(account=perimeter.account):
        if not any(
            ask(context, entry.arn, CALL, model, keys | _profile(model)).allowed
            for model in (*approved(perimeter), *knowledge.embedding_models(perimeter))
        ):
            continue
        for arn in needed:
            decision = ask(
                context,
                entry.arn,
                APPLY,
                arn,
                keys,
                resource_account=perimeter.account,
                endpoint=keys.get("aws:SourceVpce"),
            )
            if not decision.allowed:
                who = entry.arn.split(":", 5)[5]
                yield f"{who} would be refused: it may not apply {arn}, {words(decision)}"


def _enforces(change: Change, perimeter: Perimeter) -> bool:
    """Whether a change sets a guardrail on the account's calls."""
    resource = change.resource
    return (
        own_id(change.id) in (ENFORCED, ORGANIZATION_POLICY)
        and change.action in ("create", "update", "replace")
        and (resource.type != CONFIGURATION or resource.account == perimeter.account)
    )


def _attributes(plan: Plan, perimeter: Perimeter) -> Mapping[str, Mapping[str, str]]:
    """What references of the account's own declaration resolve to."""
    whose = perimeter.member or ""
    several = any(member_of(name) for name in plan.attributes)
    return {
        own_id(name): values
        for name, values in plan.attributes.items()
        if not several or member_of(name) == whose
    }


def _call(perimeter: Perimeter, attributes: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What an inference call carries that does all that the perimeter asks."""
    guardrail = attributes[f"guardrail/{perimeter.guardrail.name}"]["Arn"]
    keys = {"aws:RequestedRegion": perimeter.regions.source, "bedrock:GuardrailIdentifier": f"{guardrail}:1"}
    endpoint = attributes.get("endpoint/bedrock-runtime")
    return keys | ({"aws:SourceVpce": endpoint["Id"]} if endpoint else {})


def _profile(model: str) -> dict[str, str]:
    return {"bedrock:InferenceProfileArn": model} if ":inference-profile/" in model else {}
