"""Flows and models of one's own in a state directory: made again, with jobs ended by the clock or stopped."""

from datetime import UTC, datetime, timedelta

from ringwall.sandbox import Sandbox
from sandbox.flow_scenes import BUCKET, FILES, NOVA, TUNED, allow, publish, role, run


def shown(world):
    """What a sandbox shows of flows and models, without request ids."""
    bedrock, agents = world.client("bedrock"), world.client("bedrock-agent")
    flows = [one["id"] for one in agents.list_flows()["flowSummaries"]]
    answers = [
        bedrock.list_custom_models(),
        bedrock.list_imported_models(),
        bedrock.list_custom_model_deployments(),
        bedrock.list_provisioned_model_throughputs(),
        bedrock.list_model_customization_jobs(),
        bedrock.list_model_import_jobs(),
        *(agents.get_flow(flowIdentifier=flow) for flow in flows),
        *(agents.list_flow_aliases(flowIdentifier=flow) for flow in flows),
        *(agents.list_flow_versions(flowIdentifier=flow) for flow in flows),
    ]
    return [{name: value for name, value in one.items() if name != "ResponseMetadata"} for one in answers]


def test_a_sandbox_that_starts_again_has_its_flows_and_models(helpers, tmp_path):
    ran = datetime.now(UTC) + timedelta(minutes=1)
    with Sandbox(state=tmp_path) as sandbox:
        first = helpers.WORLD(sandbox)
        s3, bedrock = first.client("s3"), first.client("bedrock")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_object(Bucket=BUCKET, Key="train.jsonl", Body=b"{}")
        s3.put_object(Bucket=BUCKET, Key="model/config.json", Body=b'{"model_type": "llama"}')
        may = allow("s3:*", "bedrock:InvokeModel")
        runner = role(first, "FlowRunner", "flow/*", may)
        tuner = role(first, "Tuner", "model-*-job/*", may)
        key = first.client("kms").create_key()["KeyMetadata"]["Arn"]
        encrypted = {"customModelKmsKeyId": key}
        for name in ("stopped", "mine"):
            given = {"jobName": name, "customModelName": name, "roleArn": tuner, **TUNED, **encrypted}
            bedrock.create_model_customization_job(**given)
        bedrock.stop_model_customization_job(jobIdentifier="stopped")
        bedrock.create_model_import_job(
            jobName="import", importedModelName="llama", roleArn=tuner, modelDataSource=FILES
        )
        sandbox.gateway._clock = lambda: ran
        model = bedrock.get_custom_model(modelIdentifier="mine")["modelArn"]
        deployed = bedrock.create_custom_model_deployment(modelDeploymentName="mine", modelArn=model)
        bedrock.create_provisioned_model_throughput(provisionedModelName="mine", modelUnits=1, modelId="mine")
        flow = publish(first.client("bedrock-agent"), "kept", runner, customerEncryptionKeyArn=key)
        before = shown(first)
        assert {one["jobName"]: one["status"] for one in before[4]["modelCustomizationJobSummaries"]} == {
            "stopped": "Stopped",
            "mine": "Completed",
        }
    with Sandbox(state=tmp_path) as sandbox:
        second = helpers.WORLD(sandbox)
        assert shown(second) == before
        ask = {"modelId": deployed["customModelDeploymentArn"], "messages": helpers.MESSAGES}
        assert second.client("bedrock-runtime").converse(**ask)["stopReason"] == "end_turn"
        assert run(second, flow) == [f"[ringwall stand-in for {NOVA}] About pumps."]
