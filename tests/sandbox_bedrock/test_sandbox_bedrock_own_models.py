"""Models of an account's own and the jobs that make them: records, names, tokens, lists, statuses, keys."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox_bedrock.bedrock_fakes import ACCOUNT, NOW, REGION, USER, Bedrock, FakePlatform, reply_text

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Tuner"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
LITE = "amazon.nova-lite-v1:0"
LITE_ARN = f"arn:aws:bedrock:{REGION}::foundation-model/{LITE}"
TRAINING = {
    "roleArn": ROLE,
    "baseModelIdentifier": LITE,
    "trainingDataConfig": {"s3Uri": "s3://training-data/train.jsonl"},
    "outputDataConfig": {"s3Uri": "s3://training-data/out/"},
    "validationDataConfig": {"validators": [{"s3Uri": "s3://training-data/check.jsonl"}]},
}
FILES = {"modelDataSource": {"s3DataSource": {"s3Uri": "s3://training-data/model/"}}, "roleArn": ROLE}
ARTIFACTS = {
    "modelSourceConfig": {"s3DataSource": {"s3Uri": "s3://training-data/model/"}},
    "roleArn": ROLE,
}


@pytest.fixture
def bedrock():
    platform = FakePlatform()
    platform.answers |= {
        "s3:GetObject": {"Body": b'{"model_type": "llama"}'},
        "s3:ListObjectsV2": {"Contents": [{"Key": "model/config.json"}]},
        "kms:DescribeKey": {"KeyMetadata": {"Arn": KEY}},
    }
    return Bedrock(platform)


def later(bedrock, **time):
    bedrock.platform.now = lambda: NOW + timedelta(**time)


def custom_model(bedrock, name="mine", **more):
    return bedrock.call("CreateCustomModel", modelName=name, **ARTIFACTS, **more)["modelArn"]


def customize(bedrock, name="job", model="mine", **more):
    given = {"jobName": name, "customModelName": model, **TRAINING, **more}
    return bedrock.call("CreateModelCustomizationJob", **given)["jobArn"]


def test_a_customization_job_makes_its_model_when_its_time_is_over(bedrock):
    arn = customize(bedrock, customModelTags=[{"key": "team", "value": "plant"}])
    assert arn.startswith(f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-customization-job/{LITE}/")
    assert bedrock.call("GetModelCustomizationJob", jobIdentifier=arn)["status"] == "InProgress"
    assert bedrock.call("ListCustomModels")["modelSummaries"] == []
    later(bedrock, minutes=1)
    job = bedrock.call("GetModelCustomizationJob", jobIdentifier="job")
    assert (job["status"], job["statusDetails"]["trainingDetails"]["status"]) == ("Completed", "Completed")
    model = bedrock.call("GetCustomModel", modelIdentifier="mine")
    assert model["modelArn"] == job["outputModelArn"]
    assert (model["baseModelArn"], model["jobArn"], model["modelStatus"]) == (LITE_ARN, arn, "Active")
    (listed,) = bedrock.call("ListCustomModels")["modelSummaries"]
    assert (listed["baseModelName"], listed["ownerAccountId"]) == ("amazon.nova-lite-v1", ACCOUNT)
    tags = bedrock.call("ListTagsForResource", service="bedrock", resourceARN=model["modelArn"])["tags"]
    assert tags == [{"key": "team", "value": "plant"}]


def test_a_customization_job_works_with_its_role_for_itself_alone(bedrock):
    arn = customize(bedrock)
    ((principal, assumed, context),) = bedrock.platform.named("sts:AssumeRole")
    assert (principal, assumed["RoleArn"]) == ("bedrock.amazonaws.com", ROLE)
    assert context == {"aws:sourceaccount": (ACCOUNT,), "aws:sourcearn": (arn,)}
    read = [(who, given["Key"]) for who, given, _ in bedrock.platform.named("s3:GetObject")]
    assert read == [(ROLE, "train.jsonl"), (ROLE, "check.jsonl")]
    ((writer, written, _),) = bedrock.platform.named("s3:PutObject")
    folder = f"out/model-customization-job-{arn.rpartition('/')[2]}/training_artifacts/"
    assert (writer, written["Key"]) == (ROLE, f"{folder}step_wise_training_metrics.csv")


@pytest.mark.parametrize("refused", ["s3:GetObject", "s3:PutObject"])
def test_a_job_whose_role_may_not_use_the_data_fails_and_says_so(bedrock, refused):
    bedrock.platform.refused[refused] = "AccessDenied"
    customize(bedrock)
    later(bedrock, minutes=1)
    job = bedrock.call("GetModelCustomizationJob", jobIdentifier="job")
    assert job["status"] == "Failed"
    assert f"may not {refused}" in job["failureMessage"]
    assert job["statusDetails"]["trainingDetails"]["status"] == "NotStarted"
    assert "outputModelArn" not in job
    assert bedrock.call("ListCustomModels")["modelSummaries"] == []


def test_a_role_that_does_not_trust_bedrock_is_refused_at_the_call(bedrock):
    bedrock.platform.refused["sts:AssumeRole"] = "AccessDenied"
    for operation, given in (
        ("CreateModelCustomizationJob", {"jobName": "j", "customModelName": "m", **TRAINING}),
        ("CreateModelImportJob", {"jobName": "j", "importedModelName": "m", **FILES}),
        ("CreateCustomModel", {"modelName": "m", **ARTIFACTS}),
    ):
        error = bedrock.refusal(operation, **given)
        assert error.code == "ValidationException"
        assert error.message.startswith("Could not assume provided IAM role.")


def test_a_job_is_stopped_while_it_runs(bedrock):
    arn = customize(bedrock)
    bedrock.call("StopModelCustomizationJob", jobIdentifier="job")
    later(bedrock, minutes=1)
    assert bedrock.call("GetModelCustomizationJob", jobIdentifier=arn)["status"] == "Stopped"
    assert bedrock.call("ListCustomModels")["modelSummaries"] == []
    error = bedrock.refusal("StopModelCustomizationJob", jobIdentifier=arn)
    assert error.code == "ConflictException"


def test_a_models_name_is_taken_while_its_job_runs(bedrock):
    customize(bedrock)
    second = {"jobName": "second", "customModelName": "mine", **TRAINING}
    assert bedrock.refusal("CreateModelCustomizationJob", **second).code == "ConflictException"
    bedrock.call("StopModelCustomizationJob", jobIdentifier="job")
    bedrock.call("CreateModelCustomizationJob", **second)


def test_a_job_without_validation_data_shows_none(bedrock):
    given = {name: value for name, value in TRAINING.items() if name != "validationDataConfig"}
    bedrock.call("CreateModelCustomizationJob", jobName="job", customModelName="mine", **given)
    shown = bedrock.output("GetModelCustomizationJob", jobIdentifier="job").parameters
    assert "validationDataConfig" not in shown


def test_another_accounts_role_is_not_passed(bedrock):
    given = {"jobName": "j", "customModelName": "m", **TRAINING, "roleArn": f"arn:aws:iam::{'9' * 12}:role/x"}
    assert bedrock.refusal("CreateModelCustomizationJob", **given).code == "ValidationException"


def test_a_model_is_encrypted_by_its_maker_and_decrypted_by_each_user(bedrock):
    customize(bedrock, customModelKmsKeyId=KEY)
    (maker, grant, context) = bedrock.platform.named("kms:CreateGrant")[0]
    assert (maker, grant["GranteePrincipal"]) == (USER, "bedrock.amazonaws.com")
    assert context["kms:viaservice"] == (f"bedrock.{REGION}.amazonaws.com",)
    assert context["kms:grantisforawsresource"] == ("true",)
    later(bedrock, minutes=1)
    model = bedrock.call("GetCustomModel", modelIdentifier="mine")
    assert model["modelKmsKeyArn"] == KEY
    deployed = bedrock.call(
        "CreateCustomModelDeployment", modelDeploymentName="d", modelArn=model["modelArn"]
    )["customModelDeploymentArn"]
    assert reply_text(bedrock.converse("hello", model=deployed)).endswith("hello")
    ((user, used, _),) = bedrock.platform.named("kms:Decrypt")
    assert (user, used["KeyId"]) == (USER, KEY)
    bedrock.platform.refused["kms:Decrypt"] = "AccessDeniedException"
    error = bedrock.refusal(
        "Converse", modelId=deployed, messages=[{"role": "user", "content": [{"text": "x"}]}]
    )
    assert error.code == "AccessDeniedException"


@pytest.mark.parametrize("refused", ["kms:CreateGrant", "kms:DescribeKey", "kms:GenerateDataKey"])
def test_who_may_not_use_the_key_makes_no_job(bedrock, refused):
    bedrock.platform.refused[refused] = "AccessDeniedException"
    given = {"jobName": "job", "customModelName": "mine", "customModelKmsKeyId": KEY, **TRAINING}
    assert bedrock.refusal("CreateModelCustomizationJob", **given).code == "AccessDeniedException"
    assert bedrock.call("ListModelCustomizationJobs")["modelCustomizationJobSummaries"] == []


def test_a_job_in_a_vpc_makes_network_interfaces_with_its_role(bedrock):
    bedrock.platform.answers["ec2:CreateNetworkInterface"] = {
        "NetworkInterface": {"NetworkInterfaceId": "eni-1"}
    }
    network = {"subnetIds": ["subnet-1", "subnet-2"], "securityGroupIds": ["sg-1"]}
    arn = customize(bedrock, vpcConfig=network)
    made = bedrock.platform.named("ec2:CreateNetworkInterface")
    assert [(who, given["SubnetId"], given["Groups"]) for who, given, _ in made] == [
        (ROLE, "subnet-1", ["sg-1"]),
        (ROLE, "subnet-2", ["sg-1"]),
    ]
    tags = made[0][1]["TagSpecifications"][0]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "BedrockManaged": "true",
        "BedrockModelCustomizationJobArn": arn,
    }
    assert len(bedrock.platform.named("ec2:DeleteNetworkInterface")) == 2
    bedrock.platform.refused["ec2:CreateNetworkInterface"] = "UnauthorizedOperation"
    customize(bedrock, "second", "second", vpcConfig=network)
    later(bedrock, minutes=1)
    assert bedrock.call("GetModelCustomizationJob", jobIdentifier="second")["status"] == "Failed"


def test_an_imported_model_answers_in_the_shapes_of_its_architecture(bedrock):
    bedrock.call("CreateModelImportJob", jobName="import", importedModelName="mine", **FILES)
    job = bedrock.call("GetModelImportJob", jobIdentifier="import")
    assert job["status"] == "Completed"
    model = bedrock.call("GetImportedModel", modelIdentifier="mine")
    assert (model["modelArn"], model["modelArchitecture"]) == (job["importedModelArn"], "llama")
    answer = bedrock.call("InvokeModel", modelId=model["modelArn"], body=b'{"prompt": "hello"}')
    assert b'"generation": "[ringwall stand-in' in answer["body"]
    bedrock.call("DeleteImportedModel", modelIdentifier="mine")
    error = bedrock.refusal("InvokeModel", modelId=model["modelArn"], body=b'{"prompt": "hello"}')
    assert error.code == "ResourceNotFoundException"


def test_an_import_without_files_fails(bedrock):
    bedrock.platform.answers["s3:ListObjectsV2"] = {}
    bedrock.call("CreateModelImportJob", jobName="import", importedModelName="mine", **FILES)
    job = bedrock.call("GetModelImportJob", jobIdentifier="import")
    assert (job["status"], "no objects" in job["failureMessage"]) == ("Failed", True)
    assert bedrock.call("ListImportedModels")["modelSummaries"] == []


def test_throughput_is_kept_for_its_term(bedrock):
    arn = bedrock.call(
        "CreateProvisionedModelThroughput",
        provisionedModelName="units",
        modelUnits=2,
        modelId=LITE,
        commitmentDuration="OneMonth",
    )["provisionedModelArn"]
    shown = bedrock.call("GetProvisionedModelThroughput", provisionedModelId="units")
    assert (shown["status"], shown["modelArn"], shown["foundationModelArn"]) == (
        "InService",
        LITE_ARN,
        LITE_ARN,
    )
    assert reply_text(bedrock.converse("hello", model=arn)).endswith("hello")
    error = bedrock.refusal("DeleteProvisionedModelThroughput", provisionedModelId=arn)
    assert error.code == "ConflictException"
    later(bedrock, days=31)
    bedrock.call("DeleteProvisionedModelThroughput", provisionedModelId="units")
    assert bedrock.call("ListProvisionedModelThroughputs")["provisionedModelSummaries"] == []


def test_throughput_moves_between_models_of_one_base(bedrock):
    model = custom_model(bedrock)
    given = {"provisionedModelName": "units", "modelUnits": 1}
    bedrock.call("CreateProvisionedModelThroughput", modelId=LITE, **given)
    bedrock.call(
        "UpdateProvisionedModelThroughput",
        provisionedModelId="units",
        desiredModelId="mine",
        desiredProvisionedModelName="renamed",
    )
    shown = bedrock.call("GetProvisionedModelThroughput", provisionedModelId="renamed")
    assert (shown["modelArn"], shown["foundationModelArn"]) == (model, LITE_ARN)
    other = {"provisionedModelId": "renamed", "desiredModelId": "amazon.nova-pro-v1:0"}
    assert bedrock.refusal("UpdateProvisionedModelThroughput", **other).code == "ValidationException"


def test_a_model_in_use_is_not_deleted(bedrock):
    model, other = custom_model(bedrock), custom_model(bedrock, "other")
    arn = bedrock.call("CreateCustomModelDeployment", modelDeploymentName="d", modelArn=model)[
        "customModelDeploymentArn"
    ]
    assert bedrock.refusal("DeleteCustomModel", modelIdentifier="mine").code == "ConflictException"
    bedrock.call("UpdateCustomModelDeployment", customModelDeploymentIdentifier="d", modelArn=other)
    shown = bedrock.call("GetCustomModelDeployment", customModelDeploymentIdentifier=arn)
    assert shown["updateDetails"] == {"modelArn": other, "updateStatus": "UpdateCompleted"}
    bedrock.call("DeleteCustomModel", modelIdentifier="mine")
    bedrock.call("DeleteCustomModelDeployment", customModelDeploymentIdentifier="d")
    bedrock.call("DeleteCustomModel", modelIdentifier=other)
    assert bedrock.call("ListCustomModels")["modelSummaries"] == []


def test_a_custom_model_is_not_invoked_by_its_own_arn(bedrock):
    model = custom_model(bedrock)
    error = bedrock.refusal(
        "Converse", modelId=model, messages=[{"role": "user", "content": [{"text": "x"}]}]
    )
    assert error.code == "ValidationException"


def test_a_copy_is_a_model_of_its_own_in_another_region(bedrock):
    model = custom_model(bedrock, modelKmsKeyArn=KEY)
    where = {"region": "us-west-2"}
    arn = bedrock.output(
        "CreateModelCopyJob", sourceModelArn=model, targetModelName="copy", **where
    ).parameters["jobArn"]
    job = bedrock.output("GetModelCopyJob", jobArn=arn, **where).parameters
    assert (job["status"], job["sourceAccountId"]) == ("Completed", ACCOUNT)
    copied = bedrock.output("GetCustomModel", modelIdentifier="copy", **where).parameters
    assert copied["modelArn"] == job["targetModelArn"] != model
    assert copied["baseModelArn"].split(":")[3] == "us-west-2"
    assert "modelKmsKeyArn" not in copied
    assert bedrock.platform.named("kms:Decrypt")
    unknown = model[:-4] + "0000"
    error = bedrock.refusal("CreateModelCopyJob", sourceModelArn=unknown, targetModelName="none", **where)
    assert error.code == "ResourceNotFoundException"


EVALUATION = {
    "jobName": "evaluate",
    "roleArn": ROLE,
    "evaluationConfig": {
        "automated": {
            "datasetMetricConfigs": [
                {"taskType": "Generation", "dataset": {"name": "d"}, "metricNames": ["Builtin.Accuracy"]}
            ]
        }
    },
    "inferenceConfig": {"models": [{"bedrockModel": {"modelIdentifier": LITE}}]},
    "outputDataConfig": {"s3Uri": "s3://training-data/evaluated/"},
}


def test_an_evaluation_job_is_kept_until_it_is_stopped(bedrock):
    arn = bedrock.call("CreateEvaluationJob", **EVALUATION)["jobArn"]
    shown = bedrock.call("GetEvaluationJob", jobIdentifier=arn)
    assert (shown["status"], shown["jobType"]) == ("InProgress", "Automated")
    (listed,) = bedrock.call("ListEvaluationJobs", applicationTypeEquals="ModelEvaluation")["jobSummaries"]
    assert (listed["modelIdentifiers"], listed["evaluationTaskTypes"]) == ([LITE], ["Generation"])
    bedrock.call("StopEvaluationJob", jobIdentifier=arn)
    assert bedrock.refusal("StopEvaluationJob", jobIdentifier=arn).code == "ConflictException"
    assert bedrock.refusal("CreateEvaluationJob", **EVALUATION).code == "ConflictException"
    unknown = {"models": [{"bedrockModel": {"modelIdentifier": "amazon.nothing-v1:0"}}]}
    given = {**EVALUATION, "jobName": "other", "inferenceConfig": unknown}
    assert bedrock.refusal("CreateEvaluationJob", **given).code == "ValidationException"


def test_a_rag_evaluation_names_its_knowledge_bases(bedrock):
    retrieve = {
        "knowledgeBaseId": "KBQUICKST1",
        "knowledgeBaseRetrievalConfiguration": {"vectorSearchConfiguration": {"numberOfResults": 3}},
    }
    rag = {"ragConfigs": [{"knowledgeBaseConfig": {"retrieveConfig": retrieve}}]}
    bedrock.call("CreateEvaluationJob", **{**EVALUATION, "inferenceConfig": rag})
    (listed,) = bedrock.call("ListEvaluationJobs")["jobSummaries"]
    assert (listed["applicationType"], listed["ragIdentifiers"]) == ("RagEvaluation", ["KBQUICKST1"])
    for wrong in ({}, {**EVALUATION["inferenceConfig"], **rag}):
        given = {**EVALUATION, "jobName": "other", "inferenceConfig": wrong}
        assert bedrock.refusal("CreateEvaluationJob", **given).code == "ValidationException"
    computed = {"models": [{"precomputedInferenceSource": {"inferenceSourceIdentifier": "mine"}}]}
    given = {**EVALUATION, "jobName": "other", "inferenceConfig": computed}
    assert bedrock.refusal("CreateEvaluationJob", **given).status == 501


NAMED_TWICE = {
    "CreateModelCustomizationJob": (
        {"jobName": "j", "customModelName": "m", **TRAINING},
        "ConflictException",
    ),
    "CreateCustomModel": ({"modelName": "m", **ARTIFACTS}, "ConflictException"),
    "CreateModelImportJob": ({"jobName": "j", "importedModelName": "m", **FILES}, "ConflictException"),
    "CreateProvisionedModelThroughput": (
        {"provisionedModelName": "m", "modelUnits": 1, "modelId": LITE},
        "ValidationException",
    ),
}


@pytest.mark.parametrize(("operation", "case"), NAMED_TWICE.items(), ids=NAMED_TWICE)
def test_a_token_makes_one_thing_and_a_name_is_had_once(bedrock, operation, case):
    given, code = case
    first = bedrock.call(operation, clientRequestToken="token-1", **given)
    assert bedrock.call(operation, clientRequestToken="token-1", **given) == first
    assert bedrock.refusal(operation, clientRequestToken="token-2", **given).code == code


FILTERS = {
    "all, the newest first": ({}, ["third", "second", "first"]),
    "the oldest first": ({"sortOrder": "Ascending"}, ["first", "second", "third"]),
    "by name": ({"nameContains": "ir"}, ["third", "first"]),
    "after": ({"creationTimeAfter": NOW + timedelta(minutes=1)}, ["third", "second"]),
    "before": ({"creationTimeBefore": NOW + timedelta(minutes=1)}, ["second", "first"]),
    "of a base model": ({"baseModelArnEquals": LITE_ARN}, ["third", "second", "first"]),
    "of another base model": ({"foundationModelArnEquals": f"{LITE_ARN[:-6]}pro-v1:0"}, []),
    "failed": ({"modelStatus": "Failed"}, []),
    "of others": ({"isOwned": False}, []),
    "one's own": ({"isOwned": True, "maxResults": 2}, ["third", "second"]),
}


@pytest.mark.parametrize(("given", "names"), FILTERS.values(), ids=FILTERS)
def test_lists_are_filtered_sorted_and_cut(bedrock, given, names):
    for minute, name in enumerate(("first", "second", "third")):
        later(bedrock, minutes=minute)
        custom_model(bedrock, name)
    output = bedrock.call("ListCustomModels", **given)
    assert [model["modelName"] for model in output["modelSummaries"]] == names
    if "maxResults" in given:
        rest = bedrock.call("ListCustomModels", **given, nextToken=output["nextToken"])
        assert [model["modelName"] for model in rest["modelSummaries"]] == ["first"]


UNKNOWN = {
    "GetModelCustomizationJob": {"jobIdentifier": "nothing"},
    "GetCustomModel": {"modelIdentifier": "nothing"},
    "DeleteCustomModel": {"modelIdentifier": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:custom-model/{LITE}/abcdefghijkl"},
    "GetModelImportJob": {"jobIdentifier": "nothing"},
    "GetImportedModel": {"modelIdentifier": "nothing"},
    "DeleteImportedModel": {"modelIdentifier": "nothing"},
    "GetCustomModelDeployment": {"customModelDeploymentIdentifier": "nothing"},
    "GetProvisionedModelThroughput": {"provisionedModelId": "nothing"},
    "GetModelCopyJob": {"jobArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:model-copy-job/abcdefghijkl"},
    "GetEvaluationJob": {"jobIdentifier": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:evaluation-job/abcdefghijkl"},
}  # fmt: skip


@pytest.mark.parametrize(("operation", "given"), UNKNOWN.items(), ids=UNKNOWN)
def test_what_is_not_there_is_not_found(bedrock, operation, given):
    error = bedrock.refusal(operation, **given)
    assert (error.code, error.status) == ("ResourceNotFoundException", 404)


def test_invocations_of_ones_own_models_are_logged_and_counted(bedrock):
    model = custom_model(bedrock)
    arn = bedrock.call("CreateCustomModelDeployment", modelDeploymentName="d", modelArn=model)[
        "customModelDeploymentArn"
    ]
    config = {"s3Config": {"bucketName": "log-bucket"}, "textDataDeliveryEnabled": True}
    bedrock.platform.answers["s3:PutObject"] = {}
    bedrock.call("PutModelInvocationLoggingConfiguration", loggingConfig=config)
    bedrock.converse("hello", model=arn)
    bedrock.plane.flush()
    assert bedrock.platform.metric("Invocations") == [1.0]
    (counted,) = (datum for _, datum in bedrock.platform.metrics if datum["MetricName"] == "Invocations")
    assert counted["Dimensions"] == [{"Name": "ModelId", "Value": arn.rpartition("/")[2]}]
    bedrock.plane.stop()


def test_guardrails_look_at_ones_own_models_too(bedrock):
    guardrail = bedrock.guardrail()
    bedrock.call("CreateModelImportJob", jobName="import", importedModelName="mine", **FILES)
    arn = bedrock.call("GetImportedModel", modelIdentifier="mine")["modelArn"]
    assert reply_text(bedrock.converse("nightjar", guardrail, model=arn)) == "IN"
