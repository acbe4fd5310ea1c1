"""Coverage and violations: pure tables."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from client.client_hostile import Hostile
from client.conftest import MODEL
from ringwall.client import PerimeterViolation, SecureBedrockClient, coverage
from ringwall.client.body import json_object, outline

TEXT = {"text": "hello"}
GUARDED = {"guardContent": {"text": {"text": "hello"}}}
Make = Callable[..., SecureBedrockClient]


def user(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(blocks)}]}


def body(**members: Any) -> dict[str, Any]:
    return {"body": json.dumps({"messages": [{"role": "user", "content": "hello"}], **members})}


SETTINGS = "amazon-bedrock-guardrailConfig"
CASES: Mapping[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "text": (user(TEXT), []),
    "nothing": ({}, []),
    "all guarded": (user(GUARDED, {"cachePoint": {"type": "default"}}), []),
    "narrowed": (user(TEXT, GUARDED, TEXT), [
        ("text-outside-guard-content", "messages[0].content[0]"),
        ("text-outside-guard-content", "messages[0].content[2]"),
    ]),
    "narrowed by an earlier turn": (
        {"messages": [{"role": "user", "content": [GUARDED]}, {"role": "user", "content": [TEXT]}]},
        [("text-outside-guard-content", "messages[1].content[0]")],
    ),
    "tools": (
        {
            **user({"toolResult": {"toolUseId": "1", "content": [TEXT]}}, {"toolUse": {"name": "t", "input": {}}}),
            "toolConfig": {"tools": [{"toolSpec": {"name": "t"}}, {"cachePoint": {}}]},
        },
        [
            ("tool-result", "messages[0].content[0]"),
            ("tool-arguments", "messages[0].content[1]"),
            ("tool-specification", "toolConfig.tools[0]"),
        ],
    ),
    "tools of AWS's own": (
        {**user(TEXT), "toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}, {"later": {}}]}},
        [("system-tool", "toolConfig.tools[0]"), ("unknown-tool", "toolConfig.tools[1]")],
    ),
    "system": ({**user(TEXT), "system": [TEXT, GUARDED]}, [("system-outside-guard-content", "system[0]")]),
    "system guards do not narrow messages": ({**user(TEXT), "system": [GUARDED]}, []),
    "media": (user({"image": {}}, {"document": {}}), [
        ("media-by-filter", "messages[0].content[0]"),
        ("media-by-filter", "messages[0].content[1]"),
    ]),
    "a block that is not known": (user({"hologram": {}}), [("unknown-block", "messages[0].content[0]")]),
    "prompt variables": ({"promptVariables": {"a": {"text": "x"}}}, [("prompt-variables", "promptVariables")]),
    "additional text": (
        {**user(TEXT), "additionalModelRequestFields": {"a": [{"b": "text"}]}},
        [("additional-fields", "additionalModelRequestFields")],
    ),
    "additional numbers": ({**user(TEXT), "additionalModelRequestFields": {"top_k": 5}}, []),
    "a schema for the answer": (
        {**user(TEXT), "outputConfig": {"textFormat": {"structure": {"jsonSchema": {"schema": "{}"}}}}},
        [("output-schema", "outputConfig")],
    ),
    "a parameter that is not known": ({**user(TEXT), "later": {"a": ["b"]}}, [("unknown-parameter", "later")]),
    "settings": ({**user(TEXT), "modelId": "m", "inferenceConfig": {"stopSequences": ["x"]}}, []),
    "an evaluation": ({"guardrailIdentifier": "g", "guardrailVersion": "1", "source": "INPUT", "content": [TEXT]}, []),
    "async": (
        {**user(TEXT), "guardrailConfig": {"streamProcessingMode": "async"}},
        [("asynchronous-stream", "guardrailConfig.streamProcessingMode")],
    ),
    "sync": ({**user(TEXT), "guardrailConfig": {"streamProcessingMode": "sync"}}, []),
    "body": (body(), []),
    "bytes": ({"body": body()["body"].encode()}, []),
    "tagged body": (body(**{SETTINGS: {"tagSuffix": "x1"}}), [("only-tagged-text", f"body.{SETTINGS}.tagSuffix")]),
    "async body": (
        body(**{SETTINGS: {"streamProcessingMode": "ASYNCHRONOUS"}}),
        [("asynchronous-stream", f"body.{SETTINGS}.streamProcessingMode")],
    ),
    "tools in a body": (
        body(
            messages=[{"role": "user", "content": [{"type": "tool_result"}, {"type": "image"}]}, {"role": "tool"}],
            tools=[{}],
        ),
        [
            ("tool-result", "body.messages[0].content[0]"),
            ("media-by-filter", "body.messages[0].content[1]"),
            ("tool-result", "body.messages[1]"),
            ("tool-specification", "body.tools[0]"),
        ],
    ),
    "unreadable body": ({"body": b"\xff"}, [("unreadable-body", "body")]),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_coverage(case: str) -> None:
    parameters, expected = CASES[case]
    before = copy.deepcopy(parameters)
    found = coverage(parameters)
    assert [(gap.rule, gap.where) for gap in found.gaps] == expected
    assert found.complete is (not expected)
    assert found.rules == tuple(sorted({rule for rule, _ in expected}))
    assert parameters == before
    assert "hello" not in repr(found)


@pytest.mark.parametrize("value", [None, 3, "x", [1], {"content": 3}, [{"content": ["x", None]}]])
def test_coverage_takes_anything(value: Any) -> None:
    odd = {"messages": value, "system": value, "toolConfig": value, "guardrailConfig": value}
    assert coverage(odd).complete


def test_an_asynchronous_stream_is_refused_where_the_guardrail_masks(declared: Make, server: Hostile) -> None:
    client = declared()
    late = {"streamProcessingMode": "async"}
    asked = body(**{SETTINGS: {"streamProcessingMode": "ASYNCHRONOUS"}})
    with pytest.raises(PerimeterViolation, match="stream-not-synchronous"):
        client.converse_stream(modelId=MODEL, **user(TEXT), guardrailConfig=late)
    with pytest.raises(PerimeterViolation, match="stream-not-synchronous"):
        client.invoke_model_with_response_stream(modelId=MODEL, **asked)

    def later(params: dict[str, Any], **_: Any) -> None:
        sent = json.loads(params["body"])
        sent["guardrailConfig"]["streamProcessingMode"] = "async"
        params["body"] = json.dumps(sent).encode()

    client.meta.events.register("before-call.bedrock-runtime.ConverseStream", later)
    with pytest.raises(PerimeterViolation, match="stream-not-synchronous"):
        client.converse_stream(modelId=MODEL, **user(TEXT))
    assert not [item for item in server.received if item.path.startswith("/model")]


# -- violations --------------------------------------------------------------------------------------------------------


def line(declaration: Any, text: str) -> str:
    lines = declaration.read_text().splitlines()
    return f"{declaration}:{next(n for n, value in enumerate(lines, 1) if value.strip().startswith(text))}"


def test_a_violation_is_a_denial_that_names_its_line(declared: Make, declaration: Any) -> None:
    client = declared()
    with pytest.raises(ClientError) as caught:
        client.converse(modelId="us.amazon.nova-lite-v1:0", **user(TEXT))
    violation = caught.value
    assert isinstance(violation, PerimeterViolation)
    assert violation.response["Error"]["Code"] == "AccessDeniedException"
    assert violation.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert violation.operation_name == "Converse"
    assert violation.declared == line(declaration, "models: [claude, nova]")
    assert violation.explain().startswith("model-not-declared: us.amazon.nova-lite-v1:0 is not declared")
    assert violation.explain().endswith(f"({violation.declared})")


def test_each_rule_names_its_own_line(declared: Make, declaration: Any) -> None:
    client = declared()
    pinned = {"guardrailIdentifier": "other1234567", "guardrailVersion": "1"}
    attempts: Mapping[str, tuple[str, Callable[[], Any]]] = {
        "guardrail": ("guardrail:", lambda: client.converse(modelId=MODEL, **user(TEXT), guardrailConfig=pinned)),
        "region": ("source: us-east-1", lambda: client.session.client("bedrock", region_name="eu-west-1")),
        "operation": ("kind: invoke", lambda: client.start_async_invoke(
            modelId=MODEL, modelInput={}, outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://b/o"}}
        )),
        "endpoint": ("client:", lambda: client.session.client("bedrock", endpoint_url="https://x.example")),
    }  # fmt: skip
    for start, attempt in attempts.values():
        with pytest.raises(PerimeterViolation) as caught:
            attempt()
        assert caught.value.declared == line(declaration, start)


def test_a_declaration_that_was_broken_since_does_not_open_anything(declared: Make, declaration: Any) -> None:
    client = declared()
    assert client.session.rules
    declaration.write_text("{")
    with pytest.raises(PerimeterViolation) as caught:
        client.converse(modelId="us.amazon.nova-lite-v1:0", **user(TEXT))
    assert caught.value.declared is None


def test_a_violation_survives_a_trip_between_processes() -> None:
    violation = PerimeterViolation(
        "model-not-declared", "x is not declared", "Converse", declared="ringwall.yaml:7"
    )
    again = pickle.loads(pickle.dumps(violation))
    assert type(again) is PerimeterViolation
    assert (again.explain(), again.response, str(again)) == (
        violation.explain(),
        violation.response,
        str(violation),
    )


# -- long bodies -------------------------------------------------------------------------------------------------------

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.sampled_from(
    ["x" * 300, '"' * 300, "\\" * 301, '\\"' * 200, "ж" * 300, "tool_result" * 30]
)  # fmt: skip
DOCUMENTS = st.dictionaries(
    st.text(max_size=8) | st.sampled_from(["y" * 250, "z" * 250, '\\"' * 150]),
    st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=8), inner)),
    min_size=1,
)


def shortened(value: Any, escaped: bool) -> Any:
    """A document without what is long, names too."""
    if isinstance(value, dict):
        return [(shortened(name, escaped), shortened(item, escaped)) for name, item in value.items()]
    if isinstance(value, list):
        return [shortened(item, escaped) for item in value]
    if not isinstance(value, str) or value.startswith("long text "):
        return value if not isinstance(value, str) else "long"
    return "long" if len(json.dumps(value, ensure_ascii=escaped).encode()) >= 202 else value


@given(document=DOCUMENTS, escaped=st.booleans())
def test_an_outline_says_what_the_body_says(document: dict[str, Any], escaped: bool) -> None:
    document["padding of a body that is not short"] = [0] * 500
    data = json.dumps(document, ensure_ascii=escaped).encode()
    assert shortened(dict(outline(data)), escaped) == shortened(document, escaped)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b'"' + b"x" * 1200,
        b'{"a": "' + b"x" * 1200,
        b'{"a": "' + b"x" * 1200 + b'\\"}',
        b'{"a": 1, "b": "' + b"x" * 1200 + b'", "a": 2}',
        b'{"a": "' + b"x" * 1200 + b'"} {"b": 1}',
        b'{"a": \\"' + b"x" * 1200 + b'"}',
        json.dumps({"a": "x" * 1200}).encode("utf-16"),
    ],
)
def test_what_cannot_be_read_has_no_outline(data: bytes) -> None:
    assert outline(data) == json_object(data) == {}


@given(
    document=DOCUMENTS,
    place=st.integers(0, 10**6),
    inserted=st.sampled_from([b'"', b"\\", b'\\"', b"\\\\", b",", b":", b"{", b"}", b"[", b"]", b"\x00"]),
)
def test_a_spoilt_body_is_read_as_it_is_or_not_at_all(
    document: dict[str, Any], place: int, inserted: bytes
) -> None:
    """One character more anywhere: the outline has what the whole has, and nothing where the whole cannot be read."""
    document["padding of a body that is not short"] = [0] * 500
    data = json.dumps(document, ensure_ascii=True).encode()
    at = place % len(data)
    spoilt = data[:at] + inserted + data[at:]
    found, whole = outline(spoilt), json_object(spoilt)
    if whole:
        assert shortened(dict(found), True) == shortened(dict(whole), True)
    elif found:  # inside of a long text control characters and unknown escapes are not seen
        with pytest.raises(ValueError, match=r"Invalid (\\|control)"):
            json.loads(spoilt)


def test_many_quotations_are_read_whole() -> None:
    data = json.dumps({"messages": [{"role": "tool", "content": ["quoted"] * 3000}]})
    assert [gap.rule for gap in coverage({"body": data}).gaps] == ["tool-result"]


def test_a_long_prompt_hides_nothing() -> None:
    """What stands in a text is text; what stands beside it is seen."""
    text = '{"role": "tool", "tools": [{}]} \\' * 40
    beside = {
        "messages": [{"role": "user", "content": text}, {"role": "tool", "content": text}],
        "tools": [{}],
    }
    assert [gap.where for gap in coverage({"body": json.dumps(beside)}).gaps] == [
        "body.messages[1]",
        "body.tools[0]",
    ]
    assert coverage({"body": json.dumps({"messages": [beside["messages"][0]]})}).complete


@pytest.mark.parametrize("value", [[], {}, 1, None, ["x"]])
@pytest.mark.parametrize("form", ["body", "converse", "message", "settings"])
def test_values_of_another_kind_are_no_accident(value: Any, form: str) -> None:
    """A caller may give anything; who says so is botocore or AWS, not an exception in between."""
    settings = {SETTINGS: {"streamProcessingMode": value, "tagSuffix": ""}}
    given: dict[str, Any] = {
        "body": {"body": json.dumps({"messages": value, "tools": value if value != ["x"] else []})},
        "message": {"body": json.dumps({"messages": [value, {"role": value, "content": [value]}]})},
        "settings": {"body": json.dumps({"prompt": "hello", **settings})},
        "converse": {
            "messages": value,
            "system": value,
            "guardrailConfig": {"streamProcessingMode": value},
        },
    }[form]
    assert coverage(given).complete


@pytest.mark.parametrize("model", [[], {}, None, 1])
def test_a_model_of_another_kind_is_none(by_hand: Make, model: Any) -> None:
    with pytest.raises(PerimeterViolation, match="model-not-declared"):
        by_hand().converse(modelId=model, messages=[])
