"""Mistakes in a declaration: all at once, each where it stands."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from ringwall.errors import DeclarationError, RingwallError
from ringwall.perimeter import load, loads
from ringwall.perimeter.schema import declaration_schema

QUICKSTART = Path(__file__).parents[2] / "examples/quickstart/ringwall.yaml"
BASE = """\
version: 1
name: t
organization: {id: o-ringwallsb, management_role: "arn:aws:iam::999988887777:role/RingwallManagement"}
account: "111122223333"
administrators: ["arn:aws:iam::111122223333:user/Admin"]
regions: {source: us-east-1, destinations: [us-east-2, us-west-2]}
models: {claude: us.anthropic.claude-sonnet-4-5-20250929-v1:0}
guardrail:
  strength: high
network:
  vpc: vpc-0a11ce00000000001
  subnets: [subnet-0a11ce00000000001]
  application_security_group: sg-0a11ce00000000001
alarms: {email: a@example.com}
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(DeclarationError) as caught:
        loads(text, file="ringwall.yaml")
    return [str(problem) for problem in caught.value.problems]


def test_the_base_and_the_quickstart_and_the_template_are_valid():
    assert loads(BASE).guardrail.strengths["HATE"] == "high"
    assert load(QUICKSTART).uses["app"].models == ("claude", "nova")
    assert loads(files("ringwall.perimeter").joinpath("template.yaml").read_text()).name == "bedrock"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  strength: high", "  strenght: high", "ringwall.yaml:9:3: guardrail.strenght: unknown field, did you mean strength?"),
        ("  strength: high", "  strength: hihg", "ringwall.yaml:9:13: guardrail.strength: must be one of none, low, medium, high, not 'hihg', did you mean high?"),
        ('account: "111122223333"', "account: 111122223333", 'ringwall.yaml:4:10: account: must be text: write it in quotes, "111122223333"'),
        ("version: 1", "version: 2", "ringwall.yaml:1:10: version: must be 1, not 2"),
        ("name: t\n", "", "ringwall.yaml:1:1: name: this field is required"),
        ("  vpc: vpc-0a11ce00000000001\n", "", "ringwall.yaml:10:1: network.vpc: this field is required"),
        ("[us-east-2, us-west-2]", "[us-east-2]", "ringwall.yaml:7:18: models.claude: us.anthropic.claude-sonnet-4-5-20250929-v1:0 also runs in us-west-2: add to regions.destinations"),
        ("us.anthropic.claude-sonnet", "global.anthropic.claude-sonnet", "ringwall.yaml:7:18: models.claude: global.anthropic.claude-sonnet-4-5-20250929-v1:0 is processed anywhere; declare regions.residency: global, or use a geographic profile"),
        ("version: 1\n", "version: 1\nversion: 1\n", "ringwall.yaml:2:1: version stands there twice, first in line 1"),
        ("name: t", "name: [t", "ringwall.yaml:3:13: expected ',' or ']', but got ':'"),
        ("name: t", "name: t\n\tx: y", "ringwall.yaml:3:1: a tab: indent with spaces"),
        ("name: t", "name: \x07t", "ringwall.yaml:2:7: unacceptable character #x0007: special characters are not allowed"),
        ("name: t", "name: !Ref t", "ringwall.yaml:2:7: !Ref means nothing here: write the value alone"),
        ("name: t", "name: !!binary dA==", "ringwall.yaml:2:7: !!binary means nothing here: write the value alone"),
        ("name: t", "name: !!bool t", "ringwall.yaml:2:7: !!bool means nothing here: write the value alone"),
        ("name: t", "name: 2026-01-01", 'ringwall.yaml:2:7: must be text: write it in quotes, "2026-01-01"'),
        ("name: t", "name: 2026-99-99", 'ringwall.yaml:2:7: must be text: write it in quotes, "2026-99-99"'),
        ("name: t", "name: t\n1: x", "ringwall.yaml:3:1: a key is text: write it in quotes"),
        ("name: t", "name: t\n[a, b]: x", "ringwall.yaml:3:1: a key is text: write it in quotes"),
        ("name: t", "name: t\nx: !!omap y", "ringwall.yaml:3:4: !!omap means nothing here: write the value alone"),
        ("name: t", f"name: {'9' * 5000}", "ringwall.yaml:2:7: has 5000 digits; no number here has more than 20"),
        ("alarms: {", "logging: {deletion_protection: yes}\nalarms: {", "ringwall.yaml:14:32: logging.deletion_protection: must be true or false, not 'yes'"),
        ("alarms: {", 'logging: {retention_days: "364"}\nalarms: {', "ringwall.yaml:14:27: logging.retention_days: must be a valid integer, not '364'"),
        ("alarms: {", "logging: {retention_days: true}\nalarms: {", "ringwall.yaml:14:27: logging.retention_days: must be a valid integer, not True"),
    ],
)  # fmt: skip
def test_each_mistake_is_shown_where_it_stands(old, new, expected):
    assert old in BASE
    assert expected in mistakes(BASE.replace(old, new))


def test_all_mistakes_are_reported_at_once():
    text = (
        BASE.replace("strength: high", "strenght: high\n  pii: {EMIAL: block}")
        .replace("name: t", "name: Not A Slug")
        .replace("alarms:", "uses: {app: {kind: invoke, models: [claude, gpt]}, x: {kind: agents}}\nalarms:")
    )
    found = "\n".join(mistakes(text))
    for words in (
        "guardrail.strenght: unknown field",
        "guardrail.pii.EMIAL: unknown PII type",
        "name: 'Not A Slug' does not have the form",
        "uses.app.models[1]: gpt is not declared under models",
        "uses.x: a use of kind agents needs agent",
    ):
        assert words in found, found
    assert mistakes(text) == sorted(
        mistakes(text), key=lambda line: [int(part) for part in line.split(":")[1:3]]
    )


@pytest.mark.parametrize("text", ["", "[]", "a", "- 1\n- 2"])
def test_what_is_not_a_mapping_is_refused(text):
    assert mistakes(text) == ["ringwall.yaml:1:1: must be a mapping, see `ringwall init`"]


LAUGHS = "\n".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12))
CHAIN = "\n".join(f"a{i}: &a{i} [*a{i - 1}]" for i in range(1, 900))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"a0: &a0 [x]\n{LAUGHS}", "stands for more than 500,000 values, aliases written out"),
        (f"a0: &a0 [x]\n{CHAIN}", "is nested deeper than 50"),
        ("a: &x {b: *x}", "an alias leads back to where it stands"),
    ],
)
def test_aliases_that_repeat_too_much_are_refused(text, words):
    (problem,) = mistakes(text)
    assert problem.endswith(words)


def test_what_a_merge_brings_is_wrong_where_it_was_written():
    text = BASE.replace("alarms: {", "encryption: &e {rotation_days: 20}\nlogging: {<<: *e}\nalarms: {")
    assert (
        mistakes(text)
        == [
            "ringwall.yaml:14:32: encryption.rotation_days: must be greater than or equal to 90, not 20",
            "ringwall.yaml:14:17: logging.rotation_days: unknown field, did you mean retention_days?",
        ][::-1]
    )


@pytest.mark.parametrize(
    "text", ["a: " + "[" * 2_000, "a: &x [*x]", "\x00", "a: !!python/object:os.system x"]
)
def test_hostile_text_is_refused(text):
    assert mistakes(text)


def test_missing_and_binary_files_say_what_to_do(tmp_path):
    with pytest.raises(RingwallError, match="ringwall init"):
        load(tmp_path / "none.yaml")
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"version: 1\nname: \xff\n")
    with pytest.raises(DeclarationError, match="b.yaml:2:1: is not UTF-8"):
        load(binary)


def test_the_schema_for_editors_is_draft_7_and_accepts_the_quickstart():
    import jsonschema
    from ruamel.yaml import YAML

    schema = declaration_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    jsonschema.validate(YAML(typ="safe").load(QUICKSTART.read_text()), schema, cls=jsonschema.Draft7Validator)
    assert "$defs" not in str(schema)
