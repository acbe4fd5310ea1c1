"""Parameters that a person wrote are checked by name and type before anything is concluded from them."""

from __future__ import annotations

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.catalog.operations.checks import check
from ringwall.catalog.operations.names import services
from ringwall.catalog.operations.shapes import ParameterError, check_shape, required, shaped_services

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
GUARDRAIL = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh"
RAG = "retrieveAndGenerateConfiguration"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "message"),
    [
        ("bedrock-runtime", "Converse", {}, "Converse: the parameter modelId is needed"),
        ("bedrock-runtime", "Converse", {"modelId": ""}, "Converse: the parameter modelId is needed"),
        ("bedrock-runtime", "Converse", {"modelID": MODEL}, "no parameter modelID; did you mean modelId?"),
        ("bedrock-runtime", "Converse", {"model_id": MODEL}, "no parameter model_id; did you mean modelId?"),
        ("bedrock-runtime", "Converse", {"modelId": 5}, "modelId must be a string, not the number 5"),
        ("bedrock-runtime", "Converse", {"modelId": None}, "modelId must be a string, not null"),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "guardrailConfig": "abc"},
         "guardrailConfig must be an object, not the string 'abc'"),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "guardrailConfig": {"guardrailId": "abc"}},
         "no parameter guardrailConfig.guardrailId; did you mean guardrailIdentifier?"),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "guardrailIdentifier": "abc"},
         "no parameter guardrailIdentifier; did you mean guardrailConfig?"),
        ("bedrock-runtime", "Converse",
         {"modelId": MODEL, "guardrailConfig": {"guardrailIdentifier": "abc", "guardrailVersion": 1}},
         "guardrailConfig.guardrailVersion must be a string, not the number 1"),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "guardrailConfig": {"guardrailIdentifier": "abc"}},
         "guardrailConfig.guardrailIdentifier needs guardrailConfig.guardrailVersion"),
        ("bedrock-runtime", "InvokeModel", {"modelId": MODEL, "guardrailVersion": "1"},
         "guardrailVersion needs guardrailIdentifier"),
        ("bedrock-runtime", "InvokeModel",
         {"modelId": MODEL, "guardrailIdentifier": "abc", "guardrailVersion": "latest"},
         "guardrailVersion 'latest' is neither a number nor DRAFT"),
        ("bedrock-runtime", "InvokeModel",
         {"modelId": MODEL, "guardrailIdentifier": "My-Guardrail", "guardrailVersion": "1"},
         "guardrailIdentifier 'My-Guardrail' is neither a guardrail's id"),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "messages": {"role": "user"}},
         "messages must be a list, not an object"),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "messages": [{"content": [{"txt": "hi"}]}]},
         "no parameter messages[0].content[0].txt; did you mean text?"),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "inferenceConfig": {"maxTokens": True}},
         "inferenceConfig.maxTokens must be a number, not true"),
        ("bedrock-runtime", "ApplyGuardrail", {}, "the parameter guardrailIdentifier is needed"),
        ("bedrock-agent-runtime", "Retrieve", {}, "the parameter knowledgeBaseId is needed"),
        ("bedrock-agent-runtime", "InvokeAgent", {"agentId": "A"}, "the parameter agentAliasId is needed"),
        ("bedrock-agent-runtime", "RetrieveAndGenerate",
         {RAG: {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": {"knowledgeBaseId": "K"}}},
         f"the parameter {RAG}.knowledgeBaseConfiguration.modelArn is needed"),
        ("bedrock", "DeleteGuardrail", {}, "the parameter guardrailIdentifier is needed"),
        ("bedrock", "CreateModelInvocationJob", {"roleArn": "r"}, "the parameter modelId is needed"),
    ],
)  # fmt: skip
def test_mistakes_name_the_parameter(service, operation, parameters, message):
    with pytest.raises(ParameterError) as caught:
        check(service, operation, parameters)
    assert message in "\n".join((str(caught.value), *caught.value.details))


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "messages": [{"role": "user", "content": [{"text": "a"}]}]}),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "additionalModelRequestFields": {"any": [1, {"x": None}]}}),
        ("bedrock-runtime", "Converse", {"modelId": MODEL, "promptVariables": {"any name": {"text": "x"}}}),
        ("bedrock-runtime", "InvokeModel", {"modelId": MODEL, "body": {"max_tokens": 1}}),
        ("bedrock-runtime", "InvokeModel", {"modelId": MODEL, "guardrailIdentifier": f"{GUARDRAIL}:3"}),
        ("bedrock-runtime", "ApplyGuardrail", {"guardrailIdentifier": "abc"}),
        ("bedrock-agent-runtime", "RetrieveAndGenerate", {"input": {"text": "x"}, "sessionId": "s"}),
        ("bedrock-agent-runtime", "GenerateQuery", {}),
        ("bedrock-mantle", "CreateInference", {"model": "openai.gpt-oss-120b", "anything": 1}),
        ("s3", "GetObject", {"Bucket": "b", "NoSuchParameter": 1}),
    ],
)  # fmt: skip
def test_what_bears_on_permissions_is_enough(service, operation, parameters):
    check(service, operation, parameters)


def test_every_mistake_is_told():
    with pytest.raises(ParameterError) as caught:
        check_shape("bedrock-runtime", "Converse", {"modelID": 1, "guardrailConfigs": {}, "messages": 3})
    assert len((str(caught.value), *caught.value.details)) == 3


@pytest.mark.parametrize("service", shaped_services())
def test_shapes_are_those_of_the_service_model(service):
    model = botocore.session.get_session().get_service_model(service)
    for operation in services()[service].operations.values():
        shape = model.operation_model(operation).input_shape
        if shape is not None:
            assert required(service, operation) == tuple(shape.required_members)
            for name, member in shape.members.items():
                if member.type_name == "string":
                    check_shape(service, operation, {name: "x"})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.text(), x),
    )
)
def test_any_json_is_accepted_or_refused(value):
    try:
        check("bedrock-runtime", "Converse", {"modelId": MODEL, "guardrailConfig": value, "messages": value})
    except ParameterError as error:
        told = (str(error).removeprefix("Converse: "), *error.details)
        assert all("guardrailConfig" in line or "messages" in line for line in told)
