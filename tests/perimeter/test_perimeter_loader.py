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
        ("version: 1\n", "version: 1\nversion: 1\n", 'ringwall.yaml:2:1: found duplicate key "version" with value "1" (original value: "1")'),
        ("name: t", "name: [t", "ringwall.yaml:3:13: expected ',' or ']', but got ':'"),
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
