"""Models, inference profiles, batch jobs, knowledge bases and agents."""

from __future__ import annotations

import pytest

from ringwall.sandbox.bedrock.fidelity import FIDELITY
from ringwall.sandbox.bedrock.plane import OPERATIONS
from ringwall.sandbox.call import AwsError
from sandbox_bedrock.bedrock_fakes import ACCOUNT, MODELS, NOVA, REGION, Bedrock, events_of

NOVA_ARN = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/{NOVA}"
MISTRAL = "mistral.mistral-large-2402-v1:0"


@pytest.fixture
def bedrock():
    return Bedrock()


def test_every_operation_exists_in_its_service():
    for service, operations in OPERATIONS.items():
        assert set(operations) <= set(MODELS[service].operation_names)


def test_foundation_models(bedrock):
    listed = {model["modelId"]: model for model in bedrock.call("ListFoundationModels")["modelSummaries"]}
    assert listed["amazon.nova-pro-v1:0"]["modelLifecycle"]["status"] == "ACTIVE"
    assert "anthropic.claude-3-7-sonnet-20250219-v1:0" not in listed
    shown = bedrock.call("GetFoundationModel", modelIdentifier="amazon.nova-pro-v1:0")["modelDetails"]
    assert shown == listed["amazon.nova-pro-v1:0"]
    embeddings = bedrock.call("ListFoundationModels", byOutputModality="EMBEDDING")["modelSummaries"]
    assert {model["modelId"] for model in embeddings} < set(listed)
    assert bedrock.call("ListFoundationModels", byProvider="nobody")["modelSummaries"] == []
    error = bedrock.refusal("GetFoundationModel", modelIdentifier="amazon.nothing-v1:0")
    assert error.code == "ResourceNotFoundException"


def test_profiles_name_a_model_for_each_destination(bedrock):
    shown = bedrock.call("GetInferenceProfile", inferenceProfileIdentifier=NOVA)
    regions = [model["modelArn"].split(":")[3] for model in shown["models"]]
    assert len(regions) == len(set(regions)) >= 3
    assert shown["type"] == "SYSTEM_DEFINED"
    assert bedrock.call("GetInferenceProfile", inferenceProfileIdentifier=NOVA_ARN) == shown
    listed = bedrock.call("ListInferenceProfiles", maxResults=1000)["inferenceProfileSummaries"]
    assert shown in listed
    assert all(not one["inferenceProfileId"].startswith("eu.") for one in listed)
    assert tuple(model["modelArn"] for model in shown["models"]) == bedrock.plane.profiles.models(
        NOVA_ARN, REGION
    )


def test_a_global_profile_names_the_model_without_a_region(bedrock):
    shown = bedrock.call(
        "GetInferenceProfile", inferenceProfileIdentifier="global.anthropic.claude-sonnet-4-5-20250929-v1:0"
    )
    assert [model["modelArn"].split(":")[3] for model in shown["models"]] == [REGION, ""]


@pytest.mark.parametrize("source", [NOVA_ARN, f"arn:aws:bedrock:{REGION}::foundation-model/{MISTRAL}"])
def test_application_profiles(bedrock, source):
    arn = bedrock.call(
        "CreateInferenceProfile",
        inferenceProfileName="team-a",
        modelSource={"copyFrom": source},
        tags=[{"key": "team", "value": "a"}],
    )["inferenceProfileArn"]
    shown = bedrock.call("GetInferenceProfile", inferenceProfileIdentifier=arn)
    assert shown["type"] == "APPLICATION"
    assert bedrock.plane.profiles.models(arn, REGION) == tuple(model["modelArn"] for model in shown["models"])
    assert bedrock.converse("hello", model=arn)["stopReason"] == "end_turn"
    application = bedrock.call("ListInferenceProfiles", typeEquals="APPLICATION")["inferenceProfileSummaries"]
    assert application == [shown]
    assert bedrock.call("ListTagsForResource", service="bedrock", resourceARN=arn)["tags"] == [
        {"key": "team", "value": "a"}
    ]
    bedrock.call("DeleteInferenceProfile", inferenceProfileIdentifier=arn)
    assert bedrock.plane.profiles.models(arn, REGION) is None
    messages = [{"role": "user", "content": [{"text": "x"}]}]
    assert bedrock.refusal("Converse", modelId=arn, messages=messages).code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("operation", "given", "code"),
    [
        (
            "CreateInferenceProfile",
            {"modelSource": {"copyFrom": NOVA_ARN.replace(NOVA, "us.x.y-v1:0")}},
            "ValidationException",
        ),
        (
            "CreateInferenceProfile",
            {"modelSource": {"copyFrom": f"arn:aws:bedrock:eu-west-1::foundation-model/{MISTRAL}"}},
            "ValidationException",
        ),
        (
            "CreateInferenceProfile",
            {
                "modelSource": {
                    "copyFrom": f"arn:aws:bedrock:{REGION}::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0"
                }
            },
            "ValidationException",
        ),
        (
            "GetInferenceProfile",
            {"inferenceProfileIdentifier": "eu.amazon.nova-pro-v1:0"},
            "ResourceNotFoundException",
        ),
        ("GetInferenceProfile", {"inferenceProfileIdentifier": "abcdefghijkl"}, "ResourceNotFoundException"),
        ("DeleteInferenceProfile", {"inferenceProfileIdentifier": NOVA}, "ValidationException"),
        (
            "DeleteInferenceProfile",
            {"inferenceProfileIdentifier": "abcdefghijkl"},
            "ResourceNotFoundException",
        ),
    ],
)
def test_what_aws_rejects_of_profiles(bedrock, operation, given, code):
    named = {"inferenceProfileName": "p"} if operation == "CreateInferenceProfile" else {}
    assert bedrock.refusal(operation, **named, **given).code == code


def test_availability(bedrock):
    shown = bedrock.call("GetFoundationModelAvailability", modelId="amazon.nova-pro-v1:0")
    assert shown["agreementAvailability"]["status"] == "AVAILABLE"


JOB = {
    "jobName": "batch",
    "roleArn": f"arn:aws:iam::{ACCOUNT}:role/Batch",
    "modelId": MISTRAL,
    "inputDataConfig": {"s3InputDataConfig": {"s3Uri": "s3://input-bucket/in.jsonl"}},
    "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://output-bucket/out/"}},
}


def test_batch_jobs_are_kept_and_never_run(bedrock):
    arn = bedrock.call("CreateModelInvocationJob", **JOB)["jobArn"]
    assert bedrock.call("GetModelInvocationJob", jobIdentifier=arn)["status"] == "Submitted"
    assert bedrock.refusal("CreateModelInvocationJob", **JOB).code == "ConflictException"
    bedrock.call("StopModelInvocationJob", jobIdentifier=arn)
    (listed,) = bedrock.call("ListModelInvocationJobs")["invocationJobSummaries"]
    assert listed["status"] == "Stopped"
    unknown = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-invocation-job/abcdefghijkl"
    assert bedrock.refusal("GetModelInvocationJob", jobIdentifier=unknown).code == "ResourceNotFoundException"


# Knowledge bases


def test_the_quickstarts_knowledge_base_answers(bedrock):
    output = bedrock.call(
        "Retrieve", knowledgeBaseId="KBQUICKST1", retrievalQuery={"text": "the travel policy"}
    )
    assert output["retrievalResults"][0]["content"]["text"].startswith("Travel policy")
    limited = bedrock.call(
        "Retrieve",
        knowledgeBaseId=f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/KBQUICKST1",
        retrievalQuery={"text": "policy"},
        retrievalConfiguration={"vectorSearchConfiguration": {"numberOfResults": 1}},
    )
    assert len(limited["retrievalResults"]) == 1


@pytest.mark.parametrize("region", ["us-west-2", REGION])
def test_unknown_knowledge_bases_are_not_found(bedrock, region):
    base = "KBQUICKST1" if region != REGION else "KBUNKNOWN1"
    error = bedrock.refusal("Retrieve", region=region, knowledgeBaseId=base, retrievalQuery={"text": "x"})
    assert (error.code, error.status) == ("ResourceNotFoundException", 404)


def rag(bedrock, text, guardrail=None, **more):
    settings = {"knowledgeBaseId": "KBQUICKST1", "modelArn": NOVA_ARN, **more}
    if guardrail:
        config = {"guardrailId": guardrail, "guardrailVersion": "DRAFT"}
        settings["generationConfiguration"] = {"guardrailConfiguration": config}
    configuration = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": settings}
    return {"input": {"text": text}, "retrieveAndGenerateConfiguration": configuration}


def test_retrieve_and_generate(bedrock):
    output = bedrock.call("RetrieveAndGenerate", **rag(bedrock, "the travel policy"))
    assert output["output"]["text"].startswith("[ringwall stand-in for amazon.nova-pro-v1:0]")
    assert output["citations"][0]["retrievedReferences"][0]["content"]["text"].startswith("Travel policy")
    assert "guardrailAction" not in output


def test_retrieve_and_generate_behind_a_guardrail(bedrock):
    guardrail = bedrock.guardrail()
    blocked = bedrock.call("RetrieveAndGenerate", **rag(bedrock, "nightjar policy", guardrail))
    assert (blocked["output"]["text"], blocked["guardrailAction"]) == ("IN", "INTERVENED")
    assert blocked["citations"][0]["retrievedReferences"] == []
    assert (
        bedrock.call("RetrieveAndGenerate", **rag(bedrock, "policy", guardrail))["guardrailAction"] == "NONE"
    )


def test_retrieve_and_generate_needs_base_and_model(bedrock):
    unknown = rag(bedrock, "x", knowledgeBaseId="KBUNKNOWN1")
    assert bedrock.refusal("RetrieveAndGenerate", **unknown).code == "ResourceNotFoundException"
    assert (
        bedrock.refusal("RetrieveAndGenerate", **rag(bedrock, "x", modelArn="amazon.nothing")).code
        == "ValidationException"
    )
    assert bedrock.refusal("RetrieveAndGenerate", input={"text": "x"}).code == "ValidationException"


BASE = {
    "name": "manuals",
    "roleArn": f"arn:aws:iam::{ACCOUNT}:role/Base",
    "knowledgeBaseConfiguration": {
        "type": "VECTOR",
        "vectorKnowledgeBaseConfiguration": {
            "embeddingModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0"
        },
    },
}


def test_a_knowledge_base_of_ones_own(bedrock):
    base = bedrock.call("CreateKnowledgeBase", tags={"team": "a"}, **BASE)["knowledgeBase"]
    identifier = base["knowledgeBaseId"]
    source = {"type": "CUSTOM"}
    made = bedrock.call(
        "CreateDataSource", knowledgeBaseId=identifier, name="docs", dataSourceConfiguration=source
    )
    source_id = made["dataSource"]["dataSourceId"]
    document = {
        "content": {
            "dataSourceType": "CUSTOM",
            "custom": {
                "customDocumentIdentifier": {"id": "d1"},
                "sourceType": "IN_LINE",
                "inlineContent": {"type": "TEXT", "textContent": {"data": "The pump needs oil every week."}},
            },
        }
    }
    ingested = bedrock.call(
        "IngestKnowledgeBaseDocuments",
        knowledgeBaseId=identifier,
        dataSourceId=source_id,
        documents=[document],
    )
    assert ingested["documentDetails"][0]["status"] == "INDEXED"
    output = bedrock.call(
        "Retrieve", knowledgeBaseId=identifier, retrievalQuery={"text": "how much oil for the pump"}
    )
    assert output["retrievalResults"][0]["content"]["text"] == "The pump needs oil every week."
    assert bedrock.call("GetKnowledgeBase", knowledgeBaseId=identifier)["knowledgeBase"]["status"] == "ACTIVE"
    assert (
        bedrock.call("GetDataSource", knowledgeBaseId=identifier, dataSourceId=source_id)["dataSource"][
            "name"
        ]
        == "docs"
    )
    assert len(bedrock.call("ListDataSources", knowledgeBaseId=identifier)["dataSourceSummaries"]) == 1
    assert {one["name"] for one in bedrock.call("ListKnowledgeBases")["knowledgeBaseSummaries"]} == {
        "quickstart",
        "manuals",
    }
    arn = base["knowledgeBaseArn"]
    assert bedrock.call("ListTagsForResource", service="bedrock-agent", resourceArn=arn)["tags"] == {
        "team": "a"
    }
    bedrock.call("TagResource", service="bedrock-agent", resourceArn=arn, tags={"x": "y"})
    bedrock.call("UntagResource", service="bedrock-agent", resourceArn=arn, tagKeys=["team"])
    assert bedrock.call("ListTagsForResource", service="bedrock-agent", resourceArn=arn)["tags"] == {"x": "y"}
    assert bedrock.refusal("CreateKnowledgeBase", **BASE).code == "ConflictException"
    bedrock.call("DeleteDataSource", knowledgeBaseId=identifier, dataSourceId=source_id)
    bedrock.call("DeleteKnowledgeBase", knowledgeBaseId=identifier)
    assert bedrock.refusal("GetKnowledgeBase", knowledgeBaseId=identifier).code == "ResourceNotFoundException"


# Agents


def ask(bedrock, agent="AGENTQUIC1", alias="ALIASQUIC1", text="hello"):
    output = bedrock.output("InvokeAgent", agentId=agent, agentAliasId=alias, sessionId="s-1", inputText=text)
    assert output.parameters == {"contentType": "application/json", "sessionId": "s-1"}
    return b"".join(event["chunk"]["bytes"] for event in events_of(output)).decode()


def test_the_quickstarts_agent_answers(bedrock):
    assert ask(bedrock) == "[ringwall stand-in for amazon.nova-pro-v1:0] hello"
    assert ask(bedrock, alias="TSTALIASID").endswith("hello")


@pytest.mark.parametrize(
    ("agent", "alias"),
    [("AGENTQUIC1", "ALIASQUIC2"), ("AGENTQUIC2", "ALIASQUIC1"), ("AGENTQUIC2", "TSTALIASID")],
)
def test_unknown_agents_and_aliases_are_not_found(bedrock, agent, alias):
    error = bedrock.refusal("InvokeAgent", agentId=agent, agentAliasId=alias, sessionId="s-1", inputText="x")
    assert (error.code, error.status) == ("ResourceNotFoundException", 404)


AGENT = {
    "agentName": "helper",
    "foundationModel": NOVA,
    "instruction": "You help people with questions about their pumps.",
}


def test_an_agent_of_ones_own_behind_its_guardrail(bedrock):
    guardrail = {"guardrailIdentifier": bedrock.guardrail(), "guardrailVersion": "DRAFT"}
    made = bedrock.call("CreateAgent", guardrailConfiguration=guardrail, tags={"a": "b"}, **AGENT)["agent"]
    agent = made["agentId"]
    alias = {"agentId": agent, "agentAliasName": "live"}
    assert bedrock.refusal("CreateAgentAlias", **alias).code == "ValidationException"
    bedrock.call("PrepareAgent", agentId=agent)
    alias_id = bedrock.call("CreateAgentAlias", **alias)["agentAlias"]["agentAliasId"]
    assert ask(bedrock, agent, alias_id).endswith("hello")
    assert ask(bedrock, agent, alias_id, "nightjar") == "IN"
    runs_as = {principal for principal, _, _ in bedrock.platform.named("bedrock-runtime:Converse")}
    assert runs_as == {made["agentResourceRoleArn"]}
    assert bedrock.call("GetAgent", agentId=agent)["agent"]["guardrailConfiguration"] == guardrail
    assert (
        bedrock.call("GetAgentAlias", agentId=agent, agentAliasId=alias_id)["agentAlias"]["agentAliasName"]
        == "live"
    )
    assert len(bedrock.call("ListAgentAliases", agentId=agent)["agentAliasSummaries"]) == 1
    assert {one["agentName"] for one in bedrock.call("ListAgents")["agentSummaries"]} == {
        "quickstart",
        "helper",
    }
    bedrock.platform.refused["bedrock-runtime:Converse"] = "AccessDeniedException"
    with pytest.raises(AwsError, match="Access denied when calling Bedrock"):
        ask(bedrock, agent, alias_id)
    role = f"arn:aws:iam::{ACCOUNT}:role/Agent"
    bedrock.call("UpdateAgent", agentId=agent, agentResourceRoleArn=role, **AGENT)
    assert "guardrailConfiguration" not in bedrock.call("GetAgent", agentId=agent)["agent"]
    assert bedrock.refusal("DeleteAgent", agentId=agent).code == "ConflictException"
    bedrock.call("DeleteAgentAlias", agentId=agent, agentAliasId=alias_id)
    bedrock.call("DeleteAgent", agentId=agent)
    assert bedrock.refusal("GetAgent", agentId=agent).code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "given",
    [
        {"foundationModel": "amazon.no-such-model-v1:0"},
        {"guardrailConfiguration": {"guardrailIdentifier": "abcdefghijkl", "guardrailVersion": "1"}},
        {"instruction": "too short"},
        {"agentResourceRoleArn": "arn:aws:iam::444455556666:role/Agent"},
    ],
)
def test_what_aws_rejects_of_agents(bedrock, given):
    assert bedrock.refusal("CreateAgent", **{**AGENT, **given}).code == "ValidationException"


def test_the_fidelity_table_has_a_row_for_every_operation():
    table = {service: set(rows) for service, rows in FIDELITY.items()}
    assert table == {service: set(operations) for service, operations in OPERATIONS.items()}


def test_retrieving_is_no_inference_and_nothing_is_enforced_on_it(bedrock):
    identifier = bedrock.guardrail()
    bedrock.call("CreateGuardrailVersion", guardrailIdentifier=identifier)
    config = {"guardrailIdentifier": identifier, "guardrailVersion": "1"}
    bedrock.call("PutEnforcedGuardrailConfiguration", guardrailInferenceConfig=config)
    found = bedrock.call("Retrieve", knowledgeBaseId="KBQUICKST1", retrievalQuery={"text": "nightjar policy"})
    assert found["retrievalResults"]
    assert bedrock.call("RetrieveAndGenerate", **rag(bedrock, "nightjar"))["output"]["text"] == "IN"
