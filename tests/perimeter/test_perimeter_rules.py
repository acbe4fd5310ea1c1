"""What a declaration must agree with itself about, and environments: each mistake where it stands."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from functools import reduce
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from perimeter.test_perimeter_loader import BASE, mistakes
from ringwall.errors import DeclarationError, RingwallError
from ringwall.perimeter import loads

MORE = """\
uses:
  app: {kind: invoke, models: [claude]}
  auditor: {kind: auditor}
knowledge_bases:
  manuals: {embedding_model: amazon.titan-embed-text-v2:0, vector_store: "arn:aws:aoss:us-east-1:111122223333:collection/abc"}
siblings:
  bedrock-mantle: {uses: [app], models: [x.y], without_guardrail: true}
enforcement: {account: true}
logging: {retention_days: 365, mask: [EmailAddress]}
"""
FULL = (
    BASE.replace(
        "  application_security_group: sg-0a11ce00000000001",
        "  application_security_group: sg-0a11ce00000000001\n"
        "  endpoints: [bedrock, bedrock-runtime, bedrock-agent-runtime, bedrock-mantle, sts]",
    )
    + MORE
)


def test_the_full_declaration_is_valid():
    assert loads(FULL).siblings["bedrock-mantle"].without_guardrail


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-gov-west-1", "aws-us-gov"),
        ("eusc-de-east-1", "aws-eusc"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("cn-north-1", "aws-cn"),
        ("eu-central-1", "aws"),
    ],
)
def test_a_region_tells_the_partition_and_all_arns_are_of_it(region, partition):
    text = FULL.replace("us-east-1, destinations: [us-east-2, us-west-2]", region).replace(
        "us-east-1", region
    )
    text = text.replace("claude: us.", "claude: ").replace("arn:aws:", f"arn:{partition}:")
    perimeter = loads(text)
    assert perimeter.partition == partition
    assert perimeter.role_arn("app").startswith(f"arn:{partition}:iam::")


def places(value, path=()):
    """Every place in a declaration, the whole aside."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in steps:
        yield (*path, step)
        yield from places(item, (*path, step))


TREE = YAML(typ="safe").load(FULL)
ODD = st.sampled_from(
    [None, "", 0, -1, True, [], {}, [None], [[]], {"": ""}, "x" * 5_000, "\u00fc", "${a}", "arn:", "a:b:c:d:e:f", 3.5, 1e308,
     [1, "a"], {"a": 1}, "*", "\n", 10**18, ["x"] * 3, "s3", "standard", "arn:aws:iam::111122223333:role/x"]
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(list(places(TREE))), ODD), min_size=1, max_size=3))
def test_whatever_stands_in_a_place_is_taken_or_told_with_its_place(changes):
    tree = deepcopy(TREE)
    for path, value in changes:
        with suppress(KeyError, IndexError, TypeError):  # what an earlier change took away
            reduce(lambda there, step: there[step], path[:-1], tree)[path[-1]] = deepcopy(value)
    text = StringIO()
    YAML().dump(tree, text)
    lines = text.getvalue().splitlines()
    try:
        loads(text.getvalue())
    except DeclarationError as error:
        for problem in error.problems:
            assert 1 <= problem.line <= len(lines)
            assert 1 <= problem.column <= len(lines[problem.line - 1]) + 1
            assert problem.message


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("source: us-east-1", "source: us-eastt-1", "6:19: regions.source", "unknown Region us-eastt-1, did you mean us-east-1?"),
        ("[us-east-2, us-west-2]", "[us-east-2, us-wset-2]", "6:56: regions.destinations[1]", "did you mean us-west-2?"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "us.anthropic/claude", "7:18: models.claude", "does not have the form"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", '"arn:aws:bedrock:us-east-1:444455556666:imported-model/abcdefghij12"', "7:18: models.claude", "belongs to account 444455556666"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", '"arn:aws:bedrock:eu-west-1:111122223333:imported-model/abcdefghij12"', "7:18: models.claude", "is in eu-west-1; it must be in us-east-1"),
        ("  strength: high", "  strength: high\n  tier: standard", "10:9: guardrail.tier", "the standard tier needs profile"),
        ("  strength: high", "  strength: high\n  profile: us.guardrail.v1:0", "10:12: guardrail.profile", "only the standard tier"),
        ("  strength: high", "  strength: high\n  pii: {EMIAL: block}", "10:16: guardrail.pii.EMIAL", "unknown PII type, did you mean EMAIL?"),
        ("  strength: high", "  strength: high\n  output_filters: {PROMPT_ATTACK: high}", "10:35: guardrail.output_filters.PROMPT_ATTACK", "prompts alone"),
        ("  strength: high", "  strength: high\n  actions: {INSULTS: detecct}", "10:22: guardrail.actions.INSULTS", "must be one of block, detect, ignore, not 'detecct', did you mean detect?"),
        ("  strength: high", "  strength: high\n  actions: {INSULTS: {inptu: detect}}", "10:23: guardrail.actions.INSULTS.inptu", "unknown field, did you mean input?"),
        ("  strength: high", "  strength: high\n  actions: {PROMPT_ATTACK: {output: detect}}", "guardrail.actions.PROMPT_ATTACK.output", "prompts alone"),
        ("  strength: high", "  filters: {HATE: low}\n  actions: {INSULTS: detect}", "guardrail.actions.INSULTS", "has no strength"),
        ("  strength: high", "  filters: {HATE: low}\n  images: [HATE, SEXUAL]", "10:18: guardrail.images[1]", "has no strength"),
        ("[us-east-2, us-west-2]", "[us-east-2, us-west-2, us-east-2]", "6:67: regions.destinations[2]", "us-east-2 stands there twice"),
        ("[EmailAddress]", "[EmailAddress, EmailAddress]", "logging.mask[1]", "EmailAddress stands there twice"),
        ('["arn:aws:iam::111122223333:user/Admin"]', '["arn:aws-us-gov:iam::111122223333:user/Admin"]', "5:18: administrators[0]", "is in partition aws-us-gov; us-east-1 is in aws"),
        ('account: "111122223333"', 'account: "999988887777"', "4:10: account", "is the management account"),
        ("name: t", "name: a--b", "2:7: name", "the trail is a--b-bedrock"),
        ("name: t", "name: a-", "2:7: name", "the trail is a--bedrock"),
        ("retention_days: 365,", "trail: my--trail,", "logging.trail", "no two of . _ - in a row"),
        ("alarms:", "environments: {prod: {environments: {}}}\nalarms:", "environments.prod.environments", "no environments of its own"),
        ("alarms:", "environments: {prod: {name: null}}\nalarms:", "15:23: name", "this field is required"),
        ("  strength: high", "  strength: high\n  pii: {EMAIL: mask}", "10:16: guardrail.pii.EMAIL", "must be one of block, anonymize, detect, ignore"),
        ("  strength: high", "  strength: high\n  words: [a, {text: a, action: detect}]", "10:14: guardrail.words[1]", "a stands there twice"),
        ("  strength: high", "  strength: high\n  words: [{action: detect}]", "10:11: guardrail.words[0].text", "this field is required"),
        ("  strength: high", "  strength: high\n  grounding: {threshold: 1, action: detect}", "10:26: guardrail.grounding.threshold", "less than or equal to 0.99"),
        ("  strength: high", "  strength: high\n  topics: [{name: t, definition: d, action: anonymize}]", "guardrail.topics[0].action", "must be one of block, detect, ignore"),
        ("  strength: high", "  strength: high\n  words: [a, b, a]", "10:17: guardrail.words[2]", "a stands there twice"),
        ("  strength: high", f"  strength: high\n  topics: [{{name: t, definition: {'x' * 201}}}]", "10:34: guardrail.topics[0].definition", "the classic tier takes 200"),
        ("  strength: high", '  strength: high\n  regexes: [{name: r, pattern: "a(?=b)"}]', "10:13: guardrail.regexes[0]", "no look-around"),
        ("  strength: high", '  strength: high\n  reasoning: {policies: ["arn:aws:bedrock:us-east-1:111122223333:automated-reasoning-policy/abcdefghij12"]}', "enforcement.account", "cannot be enforced"),
        ("{account: true}", '{organization: {guardrail: "arn:aws:bedrock:us-east-1:999988887777:guardrail/abc", version: DRAFT}}', "enforcement.organization.version", "does not have the form"),
        ("{account: true}", '{organization: {guardrail: "arn:aws:bedrock:us-east-1:111122223333:guardrail/abc", version: "1"}}', "enforcement.organization.guardrail", "must belong to the management account 999988887777"),
        ("{account: true}", '{organization: {guardrail: "arn:aws:bedrock:eu-west-1:999988887777:guardrail/abc", version: "1"}}', "enforcement.organization.guardrail", "must be in us-east-1"),
        ("{account: true}", '{organization: {guardrail: "arn:aws:bedrock:us-east-1:999988887777:guardrail/abc", version: "1", key: "arn:aws:kms:us-west-2:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab"}}', "enforcement.organization.key", "must be in us-east-1 as its guardrail, not in us-west-2"),
        ("{account: true}", "{excluded_models: [us.amazon.nova-pro-v1:0]}", "enforcement.excluded_models[0]", "does not have the form"),
        (", without_guardrail: true", "", "siblings.bedrock-mantle", "say without_guardrail: true, or leave it closed"),
        ("models: [x.y], ", "", "siblings.bedrock-mantle", "needs models"),
        ("bedrock-mantle: {uses", "bedrock-mantel: {uses", "siblings.bedrock-mantel", "did you mean bedrock-mantle?"),
        ("siblings:\n  bedrock-mantle: {uses: [app]", "siblings:\n  bedrock-mantle: {uses: [apps]", "siblings.bedrock-mantle.uses[0]", "apps is not declared under uses, did you mean app?"),
        ("siblings:\n  bedrock-mantle: {uses: [app]", "siblings:\n  bedrock-mantle: {uses: [auditor]", "siblings.bedrock-mantle.uses[0]", "must be invoke or operator"),
        ("bedrock-agent-runtime, bedrock-mantle, sts", "bedrock-agent-runtime, sts", "siblings.bedrock-mantle", "needs the endpoint bedrock-mantle"),
        ("bedrock-agent-runtime, bedrock-mantle, sts", "bedrock-agent-runtim, bedrock-mantle, sts", "network.endpoints[2]", "did you mean bedrock-agent-runtime?"),
        ("collection/abc", "collection/a", "knowledge_bases.manuals.vector_store", "does not have the form"),
        ("aoss:us-east-1:111122223333:collection/abc", "rds:us-east-1:111122223333:cluster:c", "knowledge_bases.manuals", "needs secret"),
        ("aoss:us-east-1:111122223333", "aoss:us-east-1:444455556666", "knowledge_bases.manuals.vector_store", "belongs to account 444455556666"),
        ("[EmailAddress]", "[EmailAdress]", "logging.mask[0]", "did you mean EmailAddress?"),
        ("retention_days: 365", "retention_days: 360", "logging.retention_days", "did you mean 365?"),
        ("  strength: high", "  strength: high\n  topics: [{name: t, definition: d, examples: [a, b, c, d, e, f]}]", "guardrail.topics[0].examples", "takes at most 5, has 6"),
        ("subnets: [subnet-0a11ce00000000001]", "subnets: []", "network.subnets", "needs at least 1, has 0"),
        ("organization: {id: o-ringwallsb", "organization: {attachments: 10, id: o-ringwallsb", "organization.attachments", "must be less than or equal to 9, not 10"),
        ("retention_days: 365", "retention_days: 365, prefix: logs/", "logging.prefix", "does not have the form"),
        ("  auditor: {kind", "  kb-manuals: {kind", "uses.kb-manuals", "belongs to the perimeter's own role"),
        ("name: t\n", f"name: a{'b' * 30}\n", "2:7: name", "too long for S3"),
        ("  auditor: {kind: auditor}", "  auditor: {kind: agents, agent: ABCDEFGHIJ, alias: TSTALIASID}", "uses.auditor", "TSTALIASID is the test alias"),
    ],
)  # fmt: skip
def test_each_mistake_is_shown_where_it_stands(old, new, place, words):
    assert old in FULL
    found = mistakes(FULL.replace(old, new, 1))
    assert any(place in line and words in line for line in found), found


ENVIRONMENTS = (
    BASE
    + """\
environments:
  prod:
    account: "222233334444"
    member: prod
    administrators: ["arn:aws:iam::222233334444:role/Admin"]
    guardrail: {strength: medium, words: [nightjar]}
  dev:
    data_retention: default
    guardrail: {strength: null, profanity: block}
"""
)


def test_environments_are_laid_over_the_rest():
    base, prod, dev = (loads(ENVIRONMENTS, environment=name) for name in (None, "prod", "dev"))
    assert (base.account, prod.account) == ("111122223333", "222233334444")
    assert (base.guardrail.strength, prod.guardrail.strength, dev.guardrail.strength) == (
        "high",
        "medium",
        "none",
    )
    assert prod.guardrail.words == ("nightjar",)
    assert prod.network == base.network
    assert dev.data_retention == "default"
    assert set(base.environments) == {"prod", "dev"}
    assert prod.environments == {}


def test_an_environment_that_is_not_there_names_those_that_are():
    with pytest.raises(RingwallError, match=r"no environment stage \(there: prod, dev\)"):
        loads(ENVIRONMENTS, environment="stage")


@pytest.mark.parametrize("chosen", [None, "prod", "dev"])
def test_mistakes_of_every_environment_are_found_at_their_own_lines(chosen):
    text = ENVIRONMENTS.replace("strength: medium", "strength: mediun").replace(
        "profanity: block", "profanety: block"
    )
    with pytest.raises(DeclarationError) as caught:
        loads(text, environment=chosen)
    assert [(item.line, item.path) for item in caught.value.problems] == [
        (20, "guardrail.strength"),
        (23, "guardrail.profanety"),
    ]
