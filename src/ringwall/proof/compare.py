"""What one set of policies allows and another does not, with a request to show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from ringwall.iam.arn import is_account_id
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import Policy, PolicySet, PrincipalElement
from ringwall.iam.request import ANONYMOUS, Request
from ringwall.iam.rules import RESOURCE_POLICY_DECIDES
from ringwall.proof import axioms
from ringwall.proof.claims import Claim
from ringwall.proof.language import Clock, GaveUpError
from ringwall.proof.question import ContextModel, Question
from ringwall.proof.search import Refutation, Search
from ringwall.proof.setting import make_setting
from ringwall.proof.witness import requests_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ringwall.iam.vocabulary import Vocabulary

Difference = Request | None | Literal["unknown"]

DEFAULT_PRINCIPAL: Final = "arn:aws:iam::111122223333:role/Compared"
_OUTSIDE_ACCOUNT: Final = "777788889999"
_EVERYTHING: Final = Claim("never")
_KEPT: Final = frozenset({axioms.SINGLE_VALUED_KEYS, axioms.TYPED_VALUES, axioms.ONE_PARTITION})
_ANY_REQUEST: Final = frozenset(axioms.AXIOMS) - _KEPT
_ALLOW_ALL: Final = parse_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
    name="everything",
)


@dataclass(frozen=True)
class Comparison:
    """A request that the later policies newly allow, and one that they newly deny.

    ``None`` means that there is none, which is proved; ``"unknown"`` that neither was found in time.
    """

    newly_allows: Difference
    newly_denies: Difference


@dataclass(frozen=True)
class _Frame:
    """A way of asking a document: as which policies, for whose requests, on whose resources."""

    principal: str
    resource_account: str | None
    allow_all: bool = False
    delegated: str | None = None
    as_resource: bool = False

    def policies(self, document: Policy) -> PolicySet:
        identity = (_ALLOW_ALL,) if self.allow_all else ()
        if self.as_resource:
            return PolicySet(identity=identity, resource=document)
        return PolicySet(
            identity=(document,), resource=_delegation(self.delegated) if self.delegated else None
        )


def compare(
    before: PolicySet | Policy,
    after: PolicySet | Policy,
    vocabulary: Vocabulary,
    *,
    principal: str = DEFAULT_PRINCIPAL,
    context_model: ContextModel = "catalog",
    timeout: float = 10.0,
) -> Comparison:
    """Compare two policies, or two sets of policies of one principal.

    Args:
        before: what is compared with; single policies are compared over any request, as identity policies of one principal, or, where
            a statement has a Principal element, as policies of one resource. Sets are compared over the requests of
            ``principal``.
        after: what is compared, of the same form.
        vocabulary: what AWS's actions and keys are.
        principal: whose requests, for sets.
        context_model: for sets, ``catalog`` or ``any``.
        timeout: seconds for each direction.

    Raises:
        TypeError: one is a single policy, the other a set.
        ValueError: the principal cannot be read.
    """
    if isinstance(before, Policy) and isinstance(after, Policy):
        return Comparison(
            _document_difference(after, before, vocabulary, timeout),
            _document_difference(before, after, vocabulary, timeout),
        )
    if isinstance(before, Policy) or isinstance(after, Policy):
        raise TypeError("compare two policies or two sets of policies, not one of each")

    def new(less: PolicySet, more: PolicySet) -> Difference:
        return newly_allowed(
            less, more, vocabulary, principal=principal, context_model=context_model, timeout=timeout
        )

    return Comparison(new(before, after), new(after, before))


def newly_allowed(
    before: PolicySet,
    after: PolicySet,
    vocabulary: Vocabulary,
    *,
    principal: str = DEFAULT_PRINCIPAL,
    actions: tuple[str, ...] | None = None,
    context_model: ContextModel = "catalog",
    timeout: float = 10.0,
) -> Difference:
    """A request that the one set of policies denies and the other allows: one direction of :func:`compare`.

    Args:
        before: what must not allow it.
        after: what must.
        vocabulary: what AWS's actions and keys are.
        principal: whose requests.
        actions: patterns of the actions to look among; ``None`` = all.
        context_model: ``catalog`` or ``any``.
        timeout: seconds.

    Raises:
        ValueError: the principal cannot be read.
    """
    question = Question("compare", principal, after, Claim("never", actions), context_model)
    return _difference(question, before, vocabulary, Clock.starting_now(timeout))


def _document_difference(
    allowing: Policy, other: Policy, vocabulary: Vocabulary, timeout: float
) -> Difference:
    """A request that one document allows and the other does not."""
    clock = Clock.starting_now(timeout)
    unknown = False
    for frame in _frames(allowing, other):
        question = Question(
            "compare",
            frame.principal,
            frame.policies(allowing),
            _EVERYTHING,
            "any",
            resource_account=frame.resource_account,
            disabled_axioms=_ANY_REQUEST,
        )
        found = _difference(question, frame.policies(other), vocabulary, clock)
        if isinstance(found, Request):
            return found
        unknown = unknown or found == "unknown"
    return "unknown" if unknown else None


def _difference(question: Question, other: PolicySet, vocabulary: Vocabulary, clock: Clock) -> Difference:
    try:
        setting = make_setting(question, vocabulary, against=other)
        search = Search(
            setting.formula, setting.root, setting.variables, frozenset(setting.keys.multivalued), clock
        )
        try:
            outcome = search.run(setting.assumptions)
            if isinstance(outcome, Refutation):
                return "unknown" if search.incomplete else None
            (request,) = requests_of(setting, outcome, vocabulary, clock)
        finally:
            search.close()
    except GaveUpError:
        return "unknown"
    differs = (
        decide(request, question.policies, vocabulary).allowed
        and not decide(request, other, vocabulary).allowed
    )
    return request if differs else "unknown"


def _frames(one: Policy, other: Policy) -> Iterator[_Frame]:
    elements = [*_elements(one), *_elements(other)]
    if not elements:
        account = DEFAULT_PRINCIPAL.split(":")[4]
        yield _Frame(DEFAULT_PRINCIPAL, account)
        if _may_need_delegation(one) or _may_need_delegation(other):
            yield _Frame(DEFAULT_PRINCIPAL, account, delegated=account)
        return
    principals = list(dict.fromkeys(_principals(elements)))
    for principal in principals:
        yield _Frame(principal, None, as_resource=True)
    for principal in principals:
        if principal.startswith("arn:"):
            yield _Frame(principal, _OUTSIDE_ACCOUNT, allow_all=True, as_resource=True)


def _may_need_delegation(policy: Policy) -> bool:
    """Whether the policy speaks of actions that need the resource's policy too, of keys and roles."""
    services = {start.partition(":")[0] for start, _ in RESOURCE_POLICY_DECIDES}
    return any(
        statement.actions is None
        or any(
            action.partition(":")[0].lower() in services or action.startswith("*")
            for action in statement.actions
        )
        for statement in policy.statements
    )


def _delegation(account: str) -> Policy:
    """A resource policy that leaves the decision to the account's identity policies."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "*",
        "Resource": "*",
    }
    return parse_policy({"Version": "2012-10-17", "Statement": statement}, name="delegation")


def _elements(policy: Policy) -> list[PrincipalElement]:
    return [
        element
        for statement in policy.statements
        for element in (statement.principal, statement.not_principal)
        if element is not None
    ]


def _principals(elements: Iterable[PrincipalElement]) -> Iterator[str]:
    """One principal of each sort that the elements can tell apart."""
    yield DEFAULT_PRINCIPAL
    yield _root_of(DEFAULT_PRINCIPAL)
    yield f"arn:aws:iam::{_OUTSIDE_ACCOUNT[::-1]}:user/Unlisted"
    yield ANONYMOUS
    yield "unlisted.amazonaws.com"
    for element in elements:
        for name in element.aws:
            yield from _of_name(name)
        yield from element.service
        yield from element.federated
        yield from element.canonical_user


def _root_of(principal: str) -> str:
    return f"{principal.rpartition(':')[0]}:root"


def _of_name(name: str) -> Iterator[str]:
    if is_account_id(name):
        yield f"arn:aws:iam::{name}:role/Unlisted"
    fields = name.split(":", 5)
    if len(fields) != 6 or not is_account_id(fields[4]):
        return
    account, resource = fields[4], fields[5]
    prefix = ":".join(fields[:2])
    yield f"{prefix}:iam::{account}:role/Unlisted"
    if resource == "root":
        yield f"{prefix}:iam::{account}:user/Unlisted"
        yield name
        return
    yield name
    if resource.startswith("role/"):
        yield f"{prefix}:sts::{account}:assumed-role/{resource.rpartition('/')[2]}/unlisted"
