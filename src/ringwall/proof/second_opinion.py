"""A question put to cvc5: the same policies and axioms, translated by other code into another theory.

The tests hold the prover against it. The prover asks it where policy variables stand for values that nothing determines,
which its own atoms cannot express. It reads the decision order from the evaluator's documentation, as the prover does,
but whole resource names are strings here, patterns regular expressions, and policy variables word equations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ringwall.iam.codec import make_request
from ringwall.iam.compile import IDENTITY_SIDE, POLICY_VARIABLES_SINCE, CompiledStatement
from ringwall.iam.conditions import OPERATORS, compile_test, passes_when_absent
from ringwall.iam.evaluate import caller_of, rcp_applies
from ringwall.iam.patterns import (
    Reading,
    Tokens,
    Variable,
    as_text,
    complete_arns,
    expand,
    glob_matches,
    has_variables,
    tokenize,
)
from ringwall.iam.policy import ConditionTest, Effect, Policy, PolicySet, Statement
from ringwall.iam.principal import Grant
from ringwall.iam.request import PolicyType, Request
from ringwall.iam.rules import (
    ALWAYS_ALLOWED,
    RESOURCE_POLICY_DECIDES,
    deciding_resource,
    is_always_allowed,
)
from ringwall.iam.vocabulary import Vocabulary
from ringwall.proof import axioms
from ringwall.proof.claims import Claim
from ringwall.proof.question import Question, Verdict
from ringwall.proof.setting import all_policies, carries, filled_in, known_keys
from ringwall.proof.smt import InexpressibleError, Term, Terms
from ringwall.proof.traits import rcp_patterns

_MOST_ACTIONS: Final = 2000
_BUILT_IN: Final = frozenset({axioms.SINGLE_VALUED_KEYS, axioms.TYPED_VALUES, axioms.ONE_PARTITION})
_ENDPOINT_KEYS: Final = ("aws:sourcevpce", "aws:sourcevpc", "aws:vpcsourceip")
_LOWER: Final = (("a", "z"), ("0", "9"), ("-", "-"))


@dataclass(frozen=True)
class Opinion:
    """What cvc5 says.

    Attributes:
        verdict: of the claim.
        request: for a violated *never* and a holding *can*, the request of its model, which is still to be decided.
    """

    verdict: Verdict
    request: Request | None = None


def second_opinion(
    question: Question,
    vocabulary: Vocabulary,
    *,
    timeout: float = 10.0,
    against: PolicySet | None = None,
) -> Opinion:
    """Put a question about actions, resources and one known principal to cvc5.

    Raises:
        InexpressibleError: the question has a part without translation: numbers, dates, addresses, sets with
            variables, operations, or no known principal.
        ValueError: the principal cannot be read.

    With ``against``, the request must also be one that those policies do not allow.
    """
    return _Translation(question, vocabulary, Terms(timeout), against).answer()


def script(question: Question, vocabulary: Vocabulary, *, against: PolicySet | None = None) -> str:
    """The question in SMT-LIB: satisfiable if there is a request as claimed that is allowed (and not by ``against``).

    Raises:
        InexpressibleError: as :func:`second_opinion`.
    """
    translation = _Translation(question, vocabulary, Terms(1), against)
    translation.ask()
    return translation.terms.script()


@dataclass
class _Key:
    """A context key: its slots for values, and whether each is used."""

    values: tuple[Term, ...]
    used: tuple[Term, ...]


class _KnownActions:
    """One of the actions of a vocabulary that a claim speaks of."""

    def __init__(self, terms: Terms, claim: Claim, vocabulary: Vocabulary) -> None:
        self._terms = terms
        names = dict.fromkeys(
            one for pattern in claim.actions or ("*",) for one in vocabulary.actions_matching(pattern)
        )
        for pattern in claim.not_actions or ():
            for one in vocabulary.actions_matching(pattern):
                names.pop(one, None)
        if len(names) > _MOST_ACTIONS:
            raise InexpressibleError(f"a claim about more than {_MOST_ACTIONS} actions")
        self.choices: Mapping[str, Term] = terms.choices("action", list(names))
        self.none = not names

    def constraint(self) -> Term:
        """One is chosen."""
        return self._terms.any(list(self.choices.values()))

    def chosen(self) -> str:
        """The action of the model."""
        solver = self._terms.solver
        return next(name for name, term in self.choices.items() if solver.getValue(term).getBooleanValue())

    def among(self, member: Callable[[str], bool], patterns: Callable[[], Iterable[str]]) -> Term:  # noqa: ARG002
        """The action has a property, which ``member`` tests and the patterns spell out."""
        return self._terms.any([term for name, term in self.choices.items() if member(name.lower())])

    def matching(self, patterns: Iterable[str]) -> Term:
        """The action matches one of the patterns."""
        lowered = [pattern.lower() for pattern in patterns]
        return self.among(
            lambda action: any(glob_matches(pattern, action) for pattern in lowered), lambda: lowered
        )


class _AnyAction:
    """Any text of the form ``service:name``."""

    choices: Mapping[str, Term] = MappingProxyType({})
    none = False

    def __init__(self, terms: Terms, claim: Claim) -> None:
        self._terms = terms
        self._claim = claim
        self._text = terms.string("action")

    def constraint(self) -> Term:
        """It has that form, and is as claimed."""
        terms, claim = self._terms, self._claim
        char = terms.re_any_of([terms.re_range(first, last) for first, last in _LOWER])
        some = terms.re_seq([char, terms.re_star(char)])
        return terms.all(
            [
                terms.is_in(self._text, terms.re_seq([some, terms.re_text(":"), some])),
                terms.true if claim.actions is None else self.matching(claim.actions),
                terms.no(self.matching(claim.not_actions or ())),
            ]
        )

    def chosen(self) -> str:
        """The action of the model."""
        text: str = self._terms.solver.getValue(self._text).getStringValue()
        return text

    def among(self, member: Callable[[str], bool], patterns: Callable[[], Iterable[str]]) -> Term:  # noqa: ARG002
        """The action has a property, which ``member`` tests and the patterns spell out."""
        return self.matching(patterns())

    def matching(self, patterns: Iterable[str]) -> Term:
        """The action matches one of the patterns."""
        terms = self._terms
        return terms.any(
            [
                terms.is_in(
                    self._text, terms.pattern(tokenize(pattern.lower(), variables=False), Reading.TEXT)
                )
                for pattern in patterns
            ]
        )


_Actions = _KnownActions | _AnyAction


@dataclass
class _Translation:
    question: Question
    vocabulary: Vocabulary
    terms: Terms
    against: PolicySet | None = None
    keys: dict[str, _Key] = field(default_factory=dict)

    def __post_init__(self) -> None:
        question = self.question
        if question.principal is None or question.authorizations:
            raise InexpressibleError("a question that is not about the requests of one principal")
        if question.disabled_axioms & _BUILT_IN:
            raise InexpressibleError("a question without an axiom that is built in here")
        self.known = known_keys(question)
        self.caller = caller_of(Request(question.principal, "", "*", None, self.known))
        self.filled_in = filled_in(question)
        if question.resource_account is not None:
            self.known.setdefault("aws:resourceaccount", (question.resource_account,))
        self.actions: _Actions = (
            _AnyAction(self.terms, question.claim)
            if question.context_model == "any"
            else _KnownActions(self.terms, question.claim, self.vocabulary)
        )
        self.whole = self.terms.boolean("resource *")
        self.fields = [self.terms.string(name) for name in ("service", "region", "account", "rest")]
        start = self.terms.text(f"arn:{self.caller.partition}:")
        parts = [part for one in self.fields for part in (one, self.terms.text(":"))][:-1]
        self.arn = self.terms.concat([start, *parts])
        tests = [*question.claim.conditions]
        sets = (question.policies, self.against) if self.against else (question.policies,)
        for policy in (policy for one in sets for policy in all_policies(one)):
            tests += [test for statement in policy.statements for test in statement.conditions]
        self.tested = {
            key: [one for one in tests if one.key.lower() == key]
            for key in {one.key.lower() for one in tests}
        }

    # The answer.

    def answer(self) -> Opinion:
        """Ask, and read a request from the model."""
        impossible: Verdict = "holds" if self.question.claim.kind == "never" else "violated"
        possible: Verdict = "violated" if impossible == "holds" else "holds"
        if self.actions.none:
            return Opinion(impossible)
        self.ask()
        result = self.terms.solver.checkSat()
        if result.isUnsat():
            return Opinion(impossible)
        return Opinion(possible, self._request()) if result.isSat() else Opinion("unknown")

    def ask(self) -> None:
        """Assert that there is a request as claimed that is allowed."""
        allowed = [_Decision(self, self.question.policies).allowed()]
        if self.against is not None:
            allowed.append(self.terms.no(_Decision(self, self.against).allowed()))
        goal = self.terms.all([self._claimed(), *allowed, self._resource(), self.actions.constraint()])
        self.terms.solver.assertFormula(goal)
        self.terms.solver.assertFormula(self.terms.all(self._facts()))

    def _request(self) -> Request:
        solver = self.terms.solver
        action = self.actions.chosen()
        whole = solver.getValue(self.whole).getBooleanValue()
        resource = "*" if whole else solver.getValue(self.arn).getStringValue()
        context = {key: values for key, values in self.known.items() if values}
        for name, key in self.keys.items():
            pairs = zip(key.values, key.used, strict=True)
            values = [
                solver.getValue(value).getStringValue()
                for value, used in pairs
                if solver.getValue(used).getBooleanValue()
            ]
            if values:
                context[name] = tuple(dict.fromkeys(values))
        return make_request(
            str(self.question.principal), action, resource, self.question.resource_account, context
        )

    # Action and resource.

    def holds(self, axiom: str) -> bool:
        """Whether an axiom is on."""
        return axiom not in self.question.disabled_axioms

    def _resource(self) -> Term:
        """What every resource looks like, and what those of each action do."""
        terms = self.terms
        lower = terms.re_any_of([terms.re_range(first, last) for first, last in _LOWER])
        some = terms.re_seq([lower, terms.re_star(lower)])
        service, region, account, rest = self.fields
        facts = [
            terms.is_in(service, some),
            terms.is_in(region, terms.re_star(lower)),
            terms.any(
                [
                    self._is_account_id,
                    *(terms.same(account, terms.text(one)) for one in ("", "aws", "amazon")),
                ]
            ),
            terms.no(terms.same(rest, terms.text(""))),
        ]
        shaped = self.actions.choices if self.holds(axioms.RESOURCE_SHAPES) else {}
        for name, chosen in shaped.items():
            patterns = self.vocabulary.resource_patterns(name)
            whole = ("*",) if patterns and self.vocabulary.takes_star(name) else ()
            facts.append(terms.implies(chosen, self._has_shape((*patterns, *whole))))
        return terms.all(facts)

    @property
    def _is_account_id(self) -> Term:
        digits = self.terms.re_times(self.terms.re_range("0", "9"), 12)
        return self.terms.is_in(self.fields[2], digits)

    def _has_shape(self, shapes: Sequence[str]) -> Term:
        terms = self.terms
        if not shapes:
            return self.whole
        as_arn = [terms.all(self._shape(shape)) for shape in shapes if shape.count(":") >= 5]
        whole = terms.constant("*" in shapes)
        return terms.any(
            [terms.all((self.whole, whole)), terms.all((terms.no(self.whole), terms.any(as_arn)))]
        )

    def _shape(self, shape: str) -> Iterable[Term]:
        terms = self.terms
        _, partition, *fields = shape.split(":", 5)
        yield terms.constant(glob_matches(partition, self.caller.partition))
        for index, (value, text) in enumerate(zip(self.fields, fields, strict=True)):
            if index == 2 and text == "*":
                yield terms.no(terms.same(value, terms.text("")))
                continue
            tokens = tokenize(text, variables=False)
            expression = terms.pattern(tokens, Reading.TEXT)
            if index == 3 and text.endswith("*"):
                head = terms.pattern(tokens[:-1], Reading.TEXT)
                expression = terms.re_seq([head, terms.re_char, terms.re_star(terms.re_char)])
            yield terms.is_in(value, expression)

    def names(self, patterns: Iterable[str], *, completes: bool, variables: bool) -> Term:
        """The resource matches one of the patterns."""
        return self.terms.any(
            [self._named(tokenize(one, variables=variables), completes=completes) for one in patterns]
        )

    def _named(self, tokens: Tokens, *, completes: bool) -> Term:
        terms = self.terms
        expanded = self._expand(tokens)
        if expanded is None:
            return terms.false
        if has_variables(expanded):
            if completes and sum(one.count(":") for one in expanded if isinstance(one, str)) < 5:
                raise InexpressibleError("a policy variable in a resource that is no whole ARN")
            if not isinstance(expanded[0], str):
                raise InexpressibleError("a policy variable in a resource that begins with no text")
            matches = terms.equation(self.arn, expanded, self._values(expanded))
            return terms.all([terms.no(self.whole), self._have_values(expanded), matches])
        forms = complete_arns((expanded,)) if completes else (expanded,)
        found = []
        for form in forms:
            accepts = terms.is_in(self.arn, terms.pattern(form, Reading.RESOURCE))
            is_whole = terms.is_in(terms.text("*"), terms.pattern(form, Reading.RESOURCE))
            found.append(terms.all((self.whole, is_whole)))
            found.append(terms.all((terms.no(self.whole), accepts)))
        return terms.any(found)

    # Context keys and conditions.

    def _key(self, key: str) -> _Key:
        if key not in self.keys:
            tests = self.tested.get(key, [])
            several = self.vocabulary.is_multivalued(key) or (
                self.vocabulary.key_type(key) is None and any(one.qualifier for one in tests)
            )
            count = len(tests) + 2 if several else 1
            self.keys[key] = _Key(
                tuple(self.terms.string(f"{key} {index}") for index in range(count)),
                tuple(self.terms.boolean(f"{key} used {index}") for index in range(count)),
            )
        return self.keys[key]

    def _present(self, key: str) -> Term:
        if key in self.known:
            return self.terms.constant(self.known[key])
        return self.terms.any(self._key(key).used)

    def _expand(self, tokens: Tokens) -> Tokens | None:
        """Known values in place of variables; the others stay."""
        parts: list[object] = []
        for token in tokens:
            if not isinstance(token, Variable) or token.key not in self.known:
                parts.append(token)
                continue
            found = expand((token,), self.known)
            if found is None:
                return None
            parts.extend(found)
        return tuple(parts)  # type: ignore[arg-type]

    def _values(self, tokens: Tokens) -> dict[str, Term]:
        values: dict[str, Term] = {}
        for token in tokens:
            if isinstance(token, Variable):
                key = self._key(token.key)
                if len(key.values) > 1 or token.default is not None:
                    raise InexpressibleError("a policy variable with several values or a default")
                values[token.key] = key.values[0]
        return values

    def _have_values(self, tokens: Tokens) -> Term:
        return self.terms.all([self._present(token.key) for token in tokens if isinstance(token, Variable)])

    def condition(self, test: ConditionTest, *, variables: bool) -> Term:
        """A statement's condition is met."""
        terms, key = self.terms, test.key.lower()
        operator = OPERATORS[test.operator]
        listed = [
            self._expand(tokenize(one, variables=variables and operator.variables)) for one in test.values
        ]
        if key in self.known and not any(one is not None and has_variables(one) for one in listed):
            return terms.constant(compile_test(test, variables=variables)(self.known))
        absent = terms.constant(passes_when_absent(test))
        present = self._present(key)
        if test.operator == "Null":
            there = terms.constant(operator.build(tuple(one for one in listed if one is not None))(""))
            return terms.any([terms.all((present, there)), terms.all((terms.no(present), absent))])
        texts = self.known.get(key)
        values = [terms.text(one) for one in texts] if texts is not None else list(self._key(key).values)
        used = [terms.true] * len(texts) if texts is not None else list(self._key(key).used)
        passing = [self._passes(test, value, [one for one in listed if one is not None]) for value in values]
        each = [terms.implies(there, one) for there, one in zip(used, passing, strict=True)]
        some = [terms.all(pair) for pair in zip(used, passing, strict=True)]
        if test.qualifier == "ForAllValues":
            return terms.all(each)
        if test.qualifier == "ForAnyValue":
            return terms.any(some)
        # The values of a key are a set: the same one twice is one.
        slots = list(zip(values, used, strict=True))
        alone = [
            terms.any((terms.no(terms.all((there, also))), terms.same(value, second)))
            for index, (value, there) in enumerate(slots)
            for second, also in slots[index + 1 :]
        ]
        return terms.any([terms.all((terms.no(present), absent)), terms.all([present, *alone, *each])])

    def _passes(self, test: ConditionTest, value: Term, listed: list[Tokens]) -> Term:
        terms, operator = self.terms, OPERATORS[test.operator]
        found = []
        for tokens in listed:
            if has_variables(tokens):
                if operator.family == "Arn" or "Ignore" in operator.name:
                    raise InexpressibleError(f"a policy variable under {operator.name}")
                whole = tokens if operator.name.endswith("Like") else _literally(tokens)
                found.append(
                    terms.all((self._have_values(tokens), terms.equation(value, whole, self._values(tokens))))
                )
            elif operator.family == "Arn":
                expression = terms.pattern(tokens, Reading.ARN)
                found.append(terms.false if expression is None else terms.is_in(value, expression))
            elif operator.family == "String" and operator.name.endswith("Like"):
                found.append(terms.is_in(value, terms.pattern(tokens, Reading.TEXT)))
            elif operator.family == "String" and "Ignore" not in operator.name:
                found.append(terms.same(value, terms.text(as_text(tokens))))
            elif operator.family == "Bool":
                found.append(terms.same(value, terms.text(as_text(tokens).lower())))
            else:
                raise InexpressibleError(f"{operator.name} on {test.key}")
        matches = terms.any(found)
        return terms.no(matches) if operator.negated else matches

    # Claim and decision.

    def _claimed(self) -> Term:
        claim = self.question.claim
        parts = [self.condition(test, variables=True) for test in claim.conditions]
        if claim.resources is not None:
            parts.append(self.names(claim.resources, completes=True, variables=True))
        if claim.not_resources is not None:
            parts.append(self.terms.no(self.names(claim.not_resources, completes=True, variables=True)))
        return self.terms.all(parts)

    def same_account(self) -> Term:
        """The resource is of the caller's account."""
        account = self.caller.account
        if account is None:
            return self.terms.false
        if self.question.resource_account is not None:
            return self.terms.constant(self.question.resource_account == account)
        is_own = self.terms.same(self.fields[2], self.terms.text(account))
        return self.terms.any((self.whole, self.terms.no(self._is_account_id), is_own))

    # Facts about requests.

    def _facts(self) -> list[Term]:
        """The axioms, for the keys that occur."""
        terms, facts = self.terms, []
        if self.holds(axioms.VPC_ENDPOINT_KEYS) and any(
            key in self.keys for key in (*_ENDPOINT_KEYS, "aws:sourceip")
        ):
            through = [self._present(key) for key in _ENDPOINT_KEYS]
            facts += [terms.same(through[0], other) for other in through[1:]]
            facts.append(terms.no(terms.all((through[0], self._present("aws:sourceip")))))
            if self.question.policies.vpc_endpoint is not None and self.holds(
                axioms.ENDPOINT_POLICY_MEANS_ENDPOINT
            ):
                facts.append(through[0])
        facts += [fact for name, key in tuple(self.keys.items()) for fact in self._facts_of_key(name, key)]
        return [*facts, *self._links()]

    def _facts_of_key(self, name: str, key: _Key) -> Iterable[Term]:
        terms, present = self.terms, self._present(name)
        always = name in axioms.ALWAYS_PRESENT and self.holds(axioms.KEYS_ALWAYS_PRESENT)
        owned = name == "aws:resourceaccount" and self.holds(axioms.RESOURCE_DETERMINES_ACCOUNT)
        if always or owned or name in self.filled_in:
            yield present
        if self.actions.choices and self.holds(axioms.KEYS_PER_ACTION):
            carrying = [
                term for one, term in self.actions.choices.items() if carries(self.vocabulary, one, name)
            ]
            yield terms.implies(present, terms.any(carrying))
        if self.vocabulary.key_type(name) == "Bool":
            choices = [terms.text("true"), terms.text("false")]
            for value in key.values:
                yield terms.any([terms.same(value, one) for one in choices])
        if (
            name.endswith(":bearertokentype")
            and self.actions.choices
            and self.holds(axioms.BEARER_TOKEN_TYPE)
        ):
            kinds = [terms.text("SHORT_TERM"), terms.text("LONG_TERM")]
            yield terms.any([terms.same(key.values[0], one) for one in kinds])
            caller = f"{name.partition(':')[0]}:callwithbearertoken"
            yield terms.implies(self.actions.matching((caller,)), present)

    def _links(self) -> Iterable[Term]:
        terms = self.terms
        service, region, account, rest = self.fields
        del service
        if "aws:requestedregion" in self.keys:
            value = self.keys["aws:requestedregion"].values[0]
            regional = terms.no(terms.same(region, terms.text("")))
            bedrock = self.actions.matching(("bedrock:*",))
            if self.holds(axioms.REGION_OF_RESOURCE):
                named = terms.all((bedrock, terms.no(self.whole), regional))
                yield terms.implies(named, terms.same(value, region))
            if self.holds(axioms.UNSPECIFIED_REGION):
                model = terms.prefix(terms.text("foundation-model/"), rest)
                everywhere = terms.all((bedrock, terms.no(self.whole), terms.no(regional), model))
                yield terms.same(everywhere, terms.same(value, terms.text("unspecified")))
        if "aws:resourceaccount" in self.keys and self.holds(axioms.RESOURCE_DETERMINES_ACCOUNT):
            value = self.keys["aws:resourceaccount"].values[0]
            named = terms.all((terms.no(self.whole), self._is_account_id))
            yield terms.implies(named, terms.same(value, account))


class _Decision:
    """When some policies allow the request."""

    def __init__(self, told: _Translation, policies: PolicySet) -> None:
        self._told = told
        self._terms = told.terms
        self._actions = told.actions
        self._policies = policies

    def allowed(self) -> Term:
        """The policies allow the request."""
        terms, policies = self._terms, self._policies
        caller = self._told.caller
        if not caller.has_identity_policies:
            raise InexpressibleError("a principal that is neither user nor role")
        same = self._told.same_account()
        grants = self._grants(policies.resource)

        def at_least(least: Grant) -> Term:
            return terms.any([term for grant, term in grants if grant >= least])

        identity = self._any_allow(policies.identity, "identity")
        needed = [terms.any((identity, terms.all((same, at_least(Grant.ROLE)))))]
        decides = self._resource_policy_decides()
        needed.append(terms.any((at_least(Grant.DELEGATED), terms.all((same, terms.no(decides))))))
        denies = [self._any_deny(policies.identity, "identity")]
        if policies.permissions_boundary is not None:
            own = self._any_allow(policies.permissions_boundary, "permissions_boundary")
            needed.append(terms.any((own, terms.all((same, at_least(Grant.USER))))))
            denies.append(self._any_deny(policies.permissions_boundary, "permissions_boundary"))
        if policies.session is not None:
            own = self._any_allow(policies.session, "session")
            needed.append(terms.any((own, terms.all((same, at_least(Grant.DIRECT))))))
            denies.append(self._any_deny(policies.session, "session"))
        if policies.resource is not None:
            denies.append(self._any_deny((policies.resource,), "resource"))
        if policies.vpc_endpoint is not None:
            needed.append(self._any_allow(policies.vpc_endpoint, "vpc_endpoint"))
            denies.append(self._any_deny(policies.vpc_endpoint, "vpc_endpoint"))
        for level in (policies.scp or ()) if caller.bound_by_scp else ():
            needed.append(self._any_allow(level.policies, "scp"))
            denies.append(self._any_deny(level.policies, "scp"))
        vocabulary = self._told.vocabulary
        reached = self._actions.among(
            lambda action: rcp_applies(action, vocabulary), lambda: rcp_patterns(vocabulary)
        )
        for level in (policies.rcp or ()) if caller.bound_by_rcp else ():
            needed.append(terms.implies(reached, self._any_allow(level.policies, "rcp")))
            denies.append(terms.all((reached, self._any_deny(level.policies, "rcp"))))
        always = self._actions.among(is_always_allowed, lambda: sorted(ALWAYS_ALLOWED))
        return terms.any((always, terms.all([*needed, *map(terms.no, denies)])))

    def _resource_policy_decides(self) -> Term:
        terms, found = self._terms, []
        for start, part in RESOURCE_POLICY_DECIDES:
            acts = self._actions.among(
                lambda action, part=part: deciding_resource(action) == part,  # type: ignore[misc]
                lambda start=start: [f"{start}*"],  # type: ignore[misc]
            )
            named = terms.inside(terms.text(part), self._told.arn)
            found.append(terms.all((acts, terms.no(self._told.whole), named)))
        return terms.any(found)

    def _grants(self, policy: Policy | None) -> list[tuple[Grant, Term]]:
        found = []
        for statement in policy.statements if policy is not None else ():
            assert policy is not None
            if statement.effect is Effect.ALLOW:
                grant = self._grant(statement, policy, "resource")
                if grant:
                    found.append((grant, self._matches(statement, policy, "resource")))
        return found

    def _grant(self, statement: Statement, policy: Policy, policy_type: PolicyType) -> Grant:
        """How the statement names the caller."""
        # Not by its index: the policy may be a part of one, whose statements keep the numbers that they had.
        compiled = CompiledStatement(statement, policy, policy_type).ready()
        if compiled.principal is None:
            return Grant.DIRECT
        return compiled.principal(self._told.caller, self._policies.permissions_boundary is not None)

    def _any_allow(self, policies: Iterable[Policy], policy_type: PolicyType) -> Term:
        return self._any(policies, policy_type, Effect.ALLOW)

    def _any_deny(self, policies: Iterable[Policy], policy_type: PolicyType) -> Term:
        return self._any(policies, policy_type, Effect.DENY)

    def _any(self, policies: Iterable[Policy], policy_type: PolicyType, effect: Effect) -> Term:
        return self._terms.any(
            [
                self._matches(statement, policy, policy_type)
                for policy in policies
                for statement in policy.statements
                if statement.effect is effect and self._grant(statement, policy, policy_type)
            ]
        )

    def _matches(self, statement: Statement, policy: Policy, policy_type: PolicyType) -> Term:
        terms, told = self._terms, self._told
        variables = policy.version == POLICY_VARIABLES_SINCE
        acts = self._actions.matching(
            statement.actions if statement.actions is not None else statement.not_actions or ()
        )
        parts = [acts if statement.actions is not None else terms.no(acts)]
        if parts[0] == terms.false:
            return terms.false
        completes = policy_type in IDENTITY_SIDE
        if statement.resources is not None:
            parts.append(told.names(statement.resources, completes=completes, variables=variables))
        elif statement.not_resources is not None:
            named = told.names(statement.not_resources, completes=completes, variables=variables)
            parts.append(terms.no(named))
        elif completes and statement.effect is Effect.ALLOW:
            return terms.false
        parts += [told.condition(test, variables=variables) for test in statement.conditions]
        return terms.all(parts)


def _literally(tokens: Tokens) -> Tokens:
    """The pattern with its wildcards as plain characters."""
    return tuple(token if isinstance(token, str | Variable) else token.value for token in tokens)
