"""Knowledge bases over S3: their role reads, or the job fails; what they hold is found, filtered and streamed."""

import json

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Reader"
BUCKET = "ingested-documents"
VECTORS = {
    "type": "VECTOR",
    "vectorKnowledgeBaseConfiguration": {
        "embeddingModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"
    },
}
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"
READ = {
    "Effect": "Allow",
    "Action": ["s3:ListBucket", "s3:GetObject"],
    "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
}


def trust(service):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def base(world):
    """A knowledge base with an S3 data source, whose role may not read yet; the ids of both."""
    s3 = world.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="manuals/pump.txt", Body=b"The pump needs oil every week.")
    attributes = {"metadataAttributes": {"team": "plant", "level": 2, "tags": ["oil"]}}
    s3.put_object(Bucket=BUCKET, Key="manuals/pump.txt.metadata.json", Body=json.dumps(attributes))
    s3.put_object(Bucket=BUCKET, Key="manuals/valve.md", Body=b"The valve needs oil every year.")
    s3.put_object(Bucket=BUCKET, Key="manuals/photo.png", Body=b"\x89PNG")
    s3.put_object(Bucket=BUCKET, Key="secret/oil.txt", Body=b"The secret oil.")
    world.client("iam").create_role(
        RoleName="Reader", AssumeRolePolicyDocument=trust("bedrock.amazonaws.com")
    )
    agents = world.client("bedrock-agent")
    base_id = agents.create_knowledge_base(name="manuals", roleArn=ROLE, knowledgeBaseConfiguration=VECTORS)[
        "knowledgeBase"
    ]["knowledgeBaseId"]
    location = {"bucketArn": f"arn:aws:s3:::{BUCKET}", "inclusionPrefixes": ["manuals/"]}
    source_id = agents.create_data_source(
        knowledgeBaseId=base_id,
        name="s3",
        dataSourceConfiguration={"type": "S3", "s3Configuration": location},
    )["dataSource"]["dataSourceId"]
    return {"knowledgeBaseId": base_id, "dataSourceId": source_id}


def ingest(world, base):
    agents = world.client("bedrock-agent")
    job = agents.start_ingestion_job(**base)["ingestionJob"]
    assert job["status"] == "STARTING"
    return agents.get_ingestion_job(**base, ingestionJobId=job["ingestionJobId"])["ingestionJob"]


def found(world, base, query, **search):
    results = world.client("bedrock-agent-runtime").retrieve(
        knowledgeBaseId=base["knowledgeBaseId"],
        retrievalQuery={"text": query},
        retrievalConfiguration={"vectorSearchConfiguration": {"numberOfResults": 5, **search}},
    )["retrievalResults"]
    return {result["location"]["s3Location"]["uri"].rpartition("/")[2] for result in results}


@pytest.fixture(scope="module")
def filled(world, base):
    """The base once its role may read: the first job fails, the second takes everything, the third nothing new."""
    refused = ingest(world, base)
    assert refused["status"] == "FAILED"
    assert "s3:ListBucket" in refused["failureReasons"][0]
    assert found(world, base, "oil") == set()
    document = json.dumps({"Version": "2012-10-17", "Statement": [READ]})
    world.client("iam").put_role_policy(RoleName="Reader", PolicyName="read", PolicyDocument=document)
    job = ingest(world, base)
    assert job["status"] == "COMPLETE"
    counted = job["statistics"]
    assert (counted["numberOfNewDocumentsIndexed"], counted["numberOfDocumentsSkipped"]) == (2, 1)
    assert ingest(world, base)["statistics"]["numberOfNewDocumentsIndexed"] == 0
    jobs = world.client("bedrock-agent").list_ingestion_jobs(**base)["ingestionJobSummaries"]
    assert [one["status"] for one in jobs] == ["COMPLETE", "COMPLETE", "FAILED"]
    return base


def test_what_was_ingested_is_found(world, filled):
    assert found(world, filled, "oil") == {"pump.txt", "valve.md"}


FILTERS = {
    "equals": ({"equals": {"key": "team", "value": "plant"}}, {"pump.txt"}),
    "notEquals": ({"notEquals": {"key": "team", "value": "plant"}}, {"valve.md"}),
    "greaterThan": ({"greaterThan": {"key": "level", "value": 1}}, {"pump.txt"}),
    "lessThan": ({"lessThan": {"key": "level", "value": 1}}, set()),
    "in": ({"in": {"key": "team", "value": ["plant", "office"]}}, {"pump.txt"}),
    "notIn": ({"notIn": {"key": "team", "value": ["plant"]}}, {"valve.md"}),
    "startsWith": ({"startsWith": {"key": "team", "value": "pl"}}, {"pump.txt"}),
    "listContains": ({"listContains": {"key": "tags", "value": "oil"}}, {"pump.txt"}),
    "stringContains": ({"stringContains": {"key": "x-amz-bedrock-kb-source-uri", "value": "valve"}}, {"valve.md"}),
    "andAll": (
        {"andAll": [{"equals": {"key": "team", "value": "plant"}}, {"equals": {"key": "level", "value": 3}}]},
        set(),
    ),
    "orAll": (
        {"orAll": [{"equals": {"key": "team", "value": "plant"}}, {"notIn": {"key": "team", "value": ["plant"]}}]},
        {"pump.txt", "valve.md"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("filter_", "names"), FILTERS.values(), ids=FILTERS)
def test_filters_keep_documents_back(world, filled, filter_, names):
    assert found(world, filled, "oil", filter=filter_) == names


def test_a_stream_says_what_the_whole_answer_says(world, filled):
    runtime = world.client("bedrock-agent-runtime")
    settings = {"knowledgeBaseId": filled["knowledgeBaseId"], "modelArn": MODEL}
    request = {
        "input": {"text": "oil for the pump"},
        "retrieveAndGenerateConfiguration": {
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseConfiguration": settings,
        },
    }
    whole = runtime.retrieve_and_generate(**request)
    streamed = runtime.retrieve_and_generate_stream(**request)
    events = list(streamed["stream"])
    assert streamed["sessionId"]
    assert (
        "".join(event["output"]["text"] for event in events if "output" in event) == whole["output"]["text"]
    )
    (citation,) = [event["citation"] for event in events if "citation" in event]
    assert citation["retrievedReferences"] == whole["citations"][0]["retrievedReferences"]


def test_a_data_source_takes_its_documents_with_it(world, filled):
    world.client("bedrock-agent").delete_data_source(**filled)
    assert found(world, filled, "oil") == set()


def test_asynchronous_invocations_are_kept(world, helpers):
    runtime = world.client("bedrock-runtime")
    given = {
        "modelId": "amazon.nova-reel-v1:1",
        "modelInput": {"taskType": "TEXT_VIDEO"},
        "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://{BUCKET}/videos"}},
        "clientRequestToken": "once",
    }
    arn = runtime.start_async_invoke(**given)["invocationArn"]
    assert runtime.start_async_invoke(**given)["invocationArn"] == arn
    assert runtime.get_async_invoke(invocationArn=arn)["status"] == "InProgress"
    assert [one["invocationArn"] for one in runtime.list_async_invokes()["asyncInvokeSummaries"]] == [arn]
    assert runtime.list_async_invokes(statusEquals="Completed")["asyncInvokeSummaries"] == []
    text_model = {**given, "modelId": "amazon.nova-pro-v1:0", "clientRequestToken": "twice"}
    assert helpers.code_of(runtime.start_async_invoke, **text_model) == "ValidationException"
    elsewhere = {"s3OutputDataConfig": {"s3Uri": "s3://made-by-nobody/videos"}}
    lost = {**given, "outputDataConfig": elsewhere, "clientRequestToken": "thrice"}
    with pytest.raises(ClientError, match="does not exist"):
        runtime.start_async_invoke(**lost)
