"""The symbolic request of a question: its choices, what is known of them, and the axioms that tie them together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ringwall.iam.codec import make_request
from ringwall.iam.evaluate import caller_of
from ringwall.iam.principal import PrincipalKind
from ringwall.iam.request import Request
from ringwall.proof import axioms
from ringwall.proof.actions import ACTION, Actions, AnyAction, KnownActions, OneAction
from ringwall.proof.callers import PRINCIPAL_ARN, AnyCaller, Caller, OneCaller
from ringwall.proof.context import Keys, View
from ringwall.proof.decision import Encoder, Scene, Selectors, action_literal, resource_literal
from ringwall.proof.digest import digest_of, keys_of
from ringwall.proof.formula import FALSE, TRUE, Formula
from ringwall.proof.language import STAR, literal
from ringwall.proof.question import Authorization, Question
from ringwall.proof.resources import (
    ACCOUNT,
    ACCOUNT_ID,
    REGION,
    AnyResource,
    ResourceChoice,
    ThisResource,
)
from ringwall.proof.search import KEY
from ringwall.proof.theory import Free, Holds, Variable
from ringwall.proof.traits import REGIONAL
from ringwall.proof.universe import classes_of, is_among, universe_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from ringwall.iam.policy import Policy, PolicySet
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.language import Clock
    from ringwall.proof.universe import Universe

_REQUESTED_REGION: Final = "aws:requestedregion"
_RESOURCE_ACCOUNT: Final = "aws:resourceaccount"
_PARTITIONS: Final = ("aws", "aws-us-gov", "aws-cn")
_UNSPECIFIED: Final = literal("unspecified")
_FOUNDATION_MODEL: Final = (*literal("foundation-model/"), STAR)
_WITHOUT_IDENTITY_KEYS: Final = frozenset(
    {PrincipalKind.ANONYMOUS, PrincipalKind.SERVICE, PrincipalKind.FEDERATED, PrincipalKind.CANONICAL_USER}
)
_ENDPOINT_KEYS: Final = ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip")


@dataclass
class Setting:
    """Everything that a proof of one question works on.

    Attributes:
        scenes: one for each authorization.
        root: the request is as claimed, as the axioms say, and allowed.
        selectors: what stands for denies and duties.
        assumed: selector -> axiom.
        more_axioms: of a comparison, makes the facts about keys that came up since the formula was begun.
        delegated: of a comparison, the literal that the resource's policy leaves the decision to the account.
        always: axioms that were built in and cannot be told apart in a proof.
    """

    question: Question
    formula: Formula
    keys: Keys
    caller: Caller
    more_axioms: Callable[[], Iterable[int]] = tuple
    delegated: int = FALSE
    scenes: list[Scene] = field(default_factory=list)
    root: int = TRUE
    selectors: Selectors = None  # type: ignore[assignment]
    assumed: dict[int, str] = field(default_factory=dict)
    always: set[str] = field(default_factory=set)

    @property
    def variables(self) -> Mapping[str, Variable]:
        """Every value variable by name."""
        found = dict(self.keys.variables)
        if isinstance(self.caller, AnyCaller):
            found.update(self.caller.variables)
        for scene in self.scenes:
            if isinstance(scene.resource, AnyResource):
                found.update(scene.resource.variables)
            if isinstance(scene.actions, AnyAction):
                found[ACTION] = scene.actions.variable
        return found

    @property
    def assumptions(self) -> list[int]:
        """Every selector, switched on."""
        return [*self.assumed, *self.selectors.duties, *self.selectors.denies]

    def side(self, policies: PolicySet) -> int:
        """Of a comparison, the literal that these policies allow the request; what both sides say is one formula."""
        return Encoder(self.scenes[0], policies, self.selectors).allowed()

    def facts(self) -> int:
        """Of a comparison, what the axioms say of every key that came up by now."""
        return self.formula.conj(self.more_axioms())

    def holds(self, name: str) -> bool:
        """Whether an axiom is on."""
        return name not in self.question.disabled_axioms

    def axiom(self, name: str, fact: int) -> int:
        """The fact under its axiom's selector."""
        if fact == TRUE or not self.holds(name):
            return TRUE
        selector = self.formula.atom(Free(f"axiom {name}"))
        self.assumed[selector] = name
        return self.formula.implies(selector, fact)


def make_setting(
    question: Question,
    vocabulary: Vocabulary,
    *,
    against: PolicySet | None = None,
    delegable: bool = False,
    named: bool = True,
    clock: Clock | None = None,
) -> Setting:
    """Build the formula of a question.

    Args:
        question: the claim and its policies.
        vocabulary: what AWS's actions and keys are.
        against: for a comparison, the other policies: whether each side allows the request is then left open, and asked
            with :meth:`Setting.side`.
        delegable: for a comparison, whether the resource's policy may leave the decision to the account.
        named: whether a proof is to name the statements that it rests on.
        clock: when building it has to end.

    Raises:
        OutOfTimeError: the clock ran out.
        ValueError: the principal cannot be read.
    """
    formula = Formula(clock)
    disabled = question.disabled_axioms
    keys = Keys(
        formula,
        vocabulary,
        single_valued=axioms.SINGLE_VALUED_KEYS not in disabled,
        typed=axioms.TYPED_VALUES not in disabled,
    )
    known = known_keys(question)
    caller = _caller(question, formula, known)
    setting = Setting(
        question, formula, keys, caller, selectors=Selectors(formula, named=named and against is None)
    )
    if delegable:
        setting.delegated = formula.atom(Free("delegated"))
    builder = _Builder(setting, vocabulary, known, against)
    parts = builder.operation() if question.authorizations else builder.single()
    if against is not None:
        setting.root, setting.more_axioms = formula.conj(parts), builder.axioms
        return setting
    setting.root = formula.conj([*parts, *builder.axioms()])
    setting.always |= builder.built_in()
    return setting


def _caller(question: Question, formula: Formula, known: Mapping[str, tuple[str, ...]]) -> Caller:
    if question.principal is None:
        if question.account is None:
            raise ValueError("a question without principal needs the account whose principals it means")
        linked = axioms.PRINCIPAL_DETERMINES_KEYS not in question.disabled_axioms
        return AnyCaller(formula, question.account, linked=linked)
    return OneCaller(caller_of(Request(question.principal, "", "*", None, known)))


def known_keys(question: Question) -> dict[str, tuple[str, ...]]:
    """The keys that the question fixes or the principal determines; no values = absent."""
    fixed = {
        key.lower(): () if value is None else (value,) if isinstance(value, str) else tuple(value)
        for key, value in question.fixed.items()
    }
    if axioms.PRINCIPAL_DETERMINES_KEYS in question.disabled_axioms:
        return fixed
    if question.principal is None:
        derived: dict[str, tuple[str, ...]] = {
            "aws:principalaccount": (question.account or "",),
            "aws:principalisawsservice": ("false",),
            **dict.fromkeys(axioms.ABSENT_UNLESS_SERVICE, ()),
        }
        return {**derived, **fixed}
    given = {key: values for key, values in fixed.items() if values}
    derived = dict(make_request(question.principal, "any:Action", "*", None, given).context)
    derived.pop(_RESOURCE_ACCOUNT, None)
    kind = caller_of(Request(question.principal, "", "*")).kind
    if kind in _WITHOUT_IDENTITY_KEYS:
        derived = {**dict.fromkeys(axioms.ABSENT_UNLESS_IDENTITY, ()), **derived}
    if kind is not PrincipalKind.USER:
        derived = {**dict.fromkeys(axioms.ABSENT_UNLESS_USER, ()), **derived}
    if kind is not PrincipalKind.SERVICE:
        derived = {**dict.fromkeys(axioms.ABSENT_UNLESS_SERVICE, ()), **derived}
    return {**derived, **fixed}


def filled_in(question: Question) -> frozenset[str]:
    """Keys that a request always gets from its principal, where their values are left open."""
    if question.principal is None or axioms.PRINCIPAL_DETERMINES_KEYS not in question.disabled_axioms:
        return frozenset()
    return frozenset(make_request(question.principal, "any:Action", "*", None, {}).context)


def all_policies(policies: PolicySet) -> Iterable[Policy]:
    """Every policy of a set."""
    yield from policies.identity
    yield from policies.permissions_boundary or ()
    yield from policies.session or ()
    yield from policies.vpc_endpoint or ()
    if policies.resource is not None:
        yield policies.resource
    for level in (*(policies.scp or ()), *(policies.rcp or ())):
        yield from level.policies


def carries(vocabulary: Vocabulary, action: str, key: str) -> bool:
    """Whether a request for the action can carry a lower-cased key, free parts included."""
    return is_among(vocabulary.condition_keys(action), key)


class _Builder:
    def __init__(
        self,
        setting: Setting,
        vocabulary: Vocabulary,
        known: Mapping[str, tuple[str, ...]],
        against: PolicySet | None,
    ) -> None:
        self._setting = setting
        self._against = against
        self._question = setting.question
        self._claim = setting.question.claim
        self._formula = setting.formula
        self._vocabulary = vocabulary
        self._known = dict(known)
        policies = [
            setting.question.policies,
            *(one.policies for one in setting.question.authorizations if one.policies),
            *((against,) if against else ()),
        ]
        self._documents = [policy for one in policies for policy in all_policies(one)]
        self._tested = self._all_tested()
        self._filled = filled_in(setting.question)

    def _all_tested(self) -> AbstractSet[str]:
        """The keys of every test in the claim and the policies; those with a set operator are noted as such."""
        claimed = self._claim.conditions
        digests = [digest_of(policy) for policy in self._documents]
        qualified = keys_of(test for test in claimed if test.qualifier is not None)
        self._setting.keys.qualified.update(qualified, *(digest.qualified for digest in digests))
        return keys_of(claimed).union(*(digest.keys for digest in digests))

    # One request whose action and resource are choices.

    def single(self) -> list[int]:
        """The parts of the formula for a claim about actions and resources."""
        question, formula = self._question, self._formula
        actions = self._actions()
        if actions is None:
            return [FALSE]
        caller = self._setting.caller
        accounts = [account for account in (question.resource_account, caller.account) if account]
        partitions = sorted(_PARTITIONS, key=lambda name: name != caller.partition)
        one = self._setting.holds(axioms.ONE_PARTITION)
        resource = AnyResource(formula, accounts, partitions[:1] if one else partitions)
        view = View(self._setting.keys, self._known, linked=self._links(actions, resource))
        scene = Scene(
            formula,
            actions,
            resource,
            view,
            caller,
            question.resource_account,
            self._vocabulary,
            self._setting.delegated,
        )
        self._setting.scenes.append(scene)
        claimed = [
            actions.constraint(),
            action_literal(scene, self._claim.actions, self._claim.not_actions)
            if self._claim.actions is not None or self._claim.not_actions is not None
            else TRUE,
            self._claimed_resource(scene),
            *(view.condition(test, variables=True) for test in self._claim.conditions),
        ]
        if self._against is None:
            claimed.append(self._setting.side(question.policies))
        return [FALSE] if FALSE in claimed else [*claimed, self._shapes(actions, resource)]

    def _claimed_resource(self, scene: Scene) -> int:
        if self._claim.resources is not None:
            return resource_literal(scene, self._claim.resources, completes=True, variables=True)
        if self._claim.not_resources is not None:
            return -resource_literal(scene, self._claim.not_resources, completes=True, variables=True)
        return TRUE

    def _actions(self) -> Actions | None:
        if self._question.context_model == "any":
            return AnyAction(self._formula)
        # A protocol does not say so, but a vocabulary is an object like any other.
        universe = universe_of(self._vocabulary, self._claim.actions, self._claim.not_actions)  # type: ignore[arg-type]
        if not universe.names:
            return None
        self._setting.always.add(axioms.KEYS_PER_ACTION)
        classes = classes_of(
            universe,
            self._telling(universe),
            shapes=self._setting.holds(axioms.RESOURCE_SHAPES),
            rcp=self._question.policies.rcp is not None,
        )
        return KnownActions(self._formula, classes)

    def _telling(self, universe: Universe) -> frozenset[frozenset[str]]:
        """What tells actions apart: the patterns that match them, and the keys that they carry."""
        patterns = (*(self._claim.actions or ()), *(self._claim.not_actions or ()))
        keys = self._tested - self._known.keys()
        claimed = universe.divided([*map(universe.members, patterns), *map(universe.carrying, keys)])
        return claimed.union(*(digest_of(policy).telling(universe) for policy in self._documents))

    def _links(self, actions: Actions, resource: AnyResource) -> dict[str, tuple[int, str]]:
        formula = self._formula
        links: dict[str, tuple[int, str]] = {}
        if self._setting.holds(axioms.REGION_OF_RESOURCE):
            regional = formula.conj((-resource.is_whole, -resource.field(3, ()), actions.among(REGIONAL)))
            if regional != FALSE:
                links[_REQUESTED_REGION] = (regional, REGION)
        if self._question.resource_account is not None:
            self._known.setdefault(_RESOURCE_ACCOUNT, (self._question.resource_account,))
        elif self._setting.holds(axioms.RESOURCE_DETERMINES_ACCOUNT):
            named = formula.conj((-resource.is_whole, resource.field(4, ACCOUNT_ID)))
            links[_RESOURCE_ACCOUNT] = (named, ACCOUNT)
        return {key: link for key, link in links.items() if key not in self._known}

    def _shapes(self, actions: Actions, resource: AnyResource) -> int:
        if not isinstance(actions, KnownActions) or not self._setting.holds(axioms.RESOURCE_SHAPES):
            return TRUE
        facts = [
            self._formula.implies(self._formula.disj(chosen), resource.has_shape(shapes))
            for shapes, chosen in actions.by_shapes()
        ]
        return self._setting.axiom(axioms.RESOURCE_SHAPES, self._formula.conj(facts))

    # A call, whose authorizations are known and share one context.

    def operation(self) -> list[int]:
        """The parts of the formula for a claim about an operation."""
        carried = self._tested - self._known.keys()
        allowed: list[int] = []
        for index, one in enumerate(self._question.authorizations):
            allowed.append(self._authorization(one, index, carried))
            if allowed[-1] == FALSE:
                return [FALSE]
        claimed = self._formula.disj(
            [
                self._formula.conj([view.condition(test, variables=True) for test in self._claim.conditions])
                for view in self._claim_views(carried)
            ]
        )
        return [claimed, *allowed]

    def _authorization(self, one: Authorization, index: int, carried: Iterable[str]) -> int:
        question = self._question
        account = one.resource_account or question.resource_account
        view = self._view(one, f"{index} ")
        if question.context_model == "catalog" and self._setting.holds(axioms.KEYS_PER_ACTION):
            self._setting.always.add(axioms.KEYS_PER_ACTION)
            view.carries_only({key: carries(self._vocabulary, one.action, key) for key in carried})
        resource: ResourceChoice = ThisResource(one.resource)
        scene = Scene(
            self._formula,
            OneAction(self._vocabulary, one.action),
            resource,
            view,
            self._setting.caller,
            account,
            self._vocabulary,
        )
        self._setting.scenes.append(scene)
        return Encoder(scene, one.policies or question.policies, self._setting.selectors).allowed()

    def _view(self, one: Authorization, owner: str) -> View:
        known = {**self._known, **{key.lower(): tuple(values) for key, values in one.context.items()}}
        account = one.resource_account or self._question.resource_account
        if self._question.principal is not None:
            derived = make_request(self._question.principal, one.action, one.resource, account, {}).context
            if _RESOURCE_ACCOUNT in derived:
                known.setdefault(_RESOURCE_ACCOUNT, derived[_RESOURCE_ACCOUNT])
        return View(self._setting.keys, known, owner=owner)

    def _claim_views(self, carried: Iterable[str]) -> Iterable[View]:
        """The call's context as each authorization sees it, but with the keys that any of them carries."""
        everywhere = {
            key: any(carries(self._vocabulary, one.action, key) for one in self._question.authorizations)
            for key in carried
        }
        for one in self._question.authorizations:
            elsewhere = {
                key.lower(): tuple(values)
                for other in self._question.authorizations
                for key, values in other.context.items()
                if not carries(self._vocabulary, one.action, key.lower())
            }
            view = self._view(replace_context(one, {**elsewhere, **one.context}), "claim ")
            if self._question.context_model == "catalog" and self._setting.holds(axioms.KEYS_PER_ACTION):
                view.carries_only(everywhere)
            yield view

    # Axioms over the keys that occur.

    def axioms(self) -> list[int]:
        """The facts that bear on keys which the formula speaks of."""
        used = [name.removeprefix(KEY) for name in self._setting.keys.variables]
        facts = [self._present(key) for key in used]
        if isinstance(self._setting.caller, AnyCaller):
            facts += self._any_caller(self._setting.caller)
        facts += self._endpoint(used)
        for scene in self._setting.scenes:
            if isinstance(scene.resource, AnyResource):
                facts += self._of_choices(scene, scene.resource, used)
        return facts

    def built_in(self) -> set[str]:
        """The axioms that shaped the formula itself, so that a proof cannot tell whether it needed them."""
        tested = self._tested
        given = {key.lower() for key in self._question.fixed}
        keys = self._setting.keys
        used = {
            axioms.PRINCIPAL_DETERMINES_KEYS: tested & self._known.keys() - given - {_RESOURCE_ACCOUNT},
            axioms.SINGLE_VALUED_KEYS: keys.variables.keys() - keys.multivalued,
            axioms.TYPED_VALUES: [one for one in keys.variables.values() if one.closed or not one.is_text],
            axioms.ONE_PARTITION: [
                one for one in self._setting.scenes if isinstance(one.resource, AnyResource)
            ],
            axioms.REGION_OF_RESOURCE: [
                one for one in self._setting.scenes if _REQUESTED_REGION in one.view.linked.keys() & tested
            ],
            axioms.RESOURCE_DETERMINES_ACCOUNT: [
                one for one in self._setting.scenes if _RESOURCE_ACCOUNT in one.view.linked.keys() & tested
            ],
        }
        return {name for name, where in used.items() if where and self._setting.holds(name)}

    def _present(self, key: str) -> int:
        present = self._setting.keys.present(key)
        if key in self._filled:
            return present
        if key in axioms.ALWAYS_PRESENT:
            return self._setting.axiom(axioms.KEYS_ALWAYS_PRESENT, present)
        if key == _RESOURCE_ACCOUNT and self._setting.caller.account is not None:
            return self._setting.axiom(axioms.RESOURCE_DETERMINES_ACCOUNT, present)
        return TRUE

    def _any_caller(self, caller: AnyCaller) -> list[int]:
        keys, formula = self._setting.keys, self._formula
        keys.variable("aws:principalarn")
        if caller.name == PRINCIPAL_ARN:
            keys.variables[PRINCIPAL_ARN].shape = caller.shape
        user = caller.is_arn(caller.shape[0][0])
        facts = [
            keys.present("aws:principalarn"),
            self._setting.axiom(axioms.SERVICE_LINKED_ROLES_APART, -caller.is_arn(caller.service_linked)),
        ]
        kind = KEY + "aws:principaltype"
        if kind in keys.variables:
            keys.variables[kind].samples, keys.variables[kind].closed = ("User", "AssumedRole"), True
            is_user = formula.atom(Holds(kind, literal("User")), cost=1)
            facts.append(self._setting.axiom(axioms.PRINCIPAL_DETERMINES_KEYS, formula.same(user, is_user)))
        if KEY + "aws:username" in keys.variables:
            named = keys.present("aws:username")
            facts.append(self._setting.axiom(axioms.PRINCIPAL_DETERMINES_KEYS, formula.same(user, named)))
        return facts

    def _endpoint(self, used: Iterable[str]) -> list[int]:
        through = [key for key in _ENDPOINT_KEYS if key in used]
        if not through and "aws:sourceip" not in used:
            return []
        formula = self._formula
        presence = [self._presence(key) for key in _ENDPOINT_KEYS]
        facts = [formula.same(presence[0], other) for other in presence[1:]]
        facts.append(-formula.conj((presence[0], self._presence("aws:sourceip"))))
        together = self._setting.axiom(axioms.VPC_ENDPOINT_KEYS, formula.conj(facts))
        sets = [
            self._question.policies,
            *(one.policies for one in self._question.authorizations if one.policies),
        ]
        if any(one.vpc_endpoint is not None for one in sets):
            came = self._setting.axiom(axioms.ENDPOINT_POLICY_MEANS_ENDPOINT, presence[0])
            return [together, came]
        return [together]

    def _presence(self, key: str) -> int:
        if key in self._known:
            return TRUE if self._known[key] else FALSE
        return self._setting.keys.present(key)

    def _of_choices(self, scene: Scene, resource: AnyResource, used: Iterable[str]) -> list[int]:
        facts: list[int] = []
        actions = scene.actions
        if isinstance(actions, KnownActions) and self._setting.holds(axioms.KEYS_PER_ACTION):
            facts += [self._carried(actions, key) for key in used]
        if isinstance(actions, KnownActions):
            facts += self._bearer_token(actions, used)
        if _REQUESTED_REGION in used:
            formula = self._formula
            everywhere = formula.conj(
                (
                    -resource.is_whole,
                    resource.field(3, ()),
                    resource.field(5, _FOUNDATION_MODEL),
                    actions.among(REGIONAL),
                )
            )
            unspecified = scene.view.value(_REQUESTED_REGION, _UNSPECIFIED)
            facts.append(
                self._setting.axiom(axioms.UNSPECIFIED_REGION, formula.same(everywhere, unspecified))
            )
        return facts

    def _carried(self, actions: KnownActions, key: str) -> int:
        carrying = actions.carrying(key)
        if len(carrying) == len(actions.choices):
            return TRUE
        present = self._setting.keys.present(key)
        return self._setting.axiom(
            axioms.KEYS_PER_ACTION, self._formula.implies(present, self._formula.disj(carrying))
        )

    def _bearer_token(self, actions: KnownActions, used: Iterable[str]) -> Iterable[int]:
        for key in used:
            service, _, name = key.partition(":")
            choice = actions.choices.get(f"{service}:callwithbearertoken")
            if name == "bearertokentype" and choice is not None:
                variable = self._setting.keys.variables[KEY + key]
                variable.samples, variable.closed = ("SHORT_TERM", "LONG_TERM"), True
                present = self._setting.keys.present(key)
                yield self._setting.axiom(axioms.BEARER_TOKEN_TYPE, self._formula.implies(choice, present))


def replace_context(one: Authorization, context: Mapping[str, tuple[str, ...]]) -> Authorization:
    """The authorization with another context."""
    return Authorization(one.action, one.resource, context, one.resource_account, one.policies)
