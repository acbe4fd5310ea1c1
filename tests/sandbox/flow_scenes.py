"""Flows, models of one's own and the roles that they work with, made by a world's clients."""

from sandbox.conftest import policy

ACCOUNT, REGION = "111122223333", "us-east-1"
NOVA = "amazon.nova-lite-v1:0"
MODEL = f"arn:aws:bedrock:{REGION}::foundation-model/{NOVA}"
FLOWS = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:flow/"
BUCKET = "model-training-data"


def allow(*actions, resource="*", **more):
    """An Allow statement."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


def trusting(source):
    """A trust policy of a service role, with the user guide's conditions."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "bedrock.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
            "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:{source}"},
        },
    }


def role(world, name, source, *statements):
    """Make a service role; its ARN."""
    iam = world.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trusting(source)))
    grant(world, name, *statements)
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def grant(world, name, *statements):
    """Let a service role do this, and nothing else."""
    iam = world.client("iam")
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
    elif iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName="own")


def definition(guardrail=None):
    """Input, a prompt node, output."""
    template = {"text": {"text": "About {{topic}}.", "inputVariables": [{"name": "topic"}]}}
    inline = {"modelId": NOVA, "templateType": "TEXT", "templateConfiguration": template}
    prompt = {"sourceConfiguration": {"inline": inline}}
    if guardrail:
        prompt["guardrailConfiguration"] = {"guardrailIdentifier": guardrail, "guardrailVersion": "1"}

    def joined(source, output, target, input_):
        data = {"sourceOutput": output, "targetInput": input_}
        named = {"name": f"{source}{target}", "source": source, "target": target}
        return {"type": "Data", **named, "configuration": {"data": data}}

    whole = {"type": "String", "expression": "$.data"}
    return {
        "nodes": [
            {
                "name": "Start",
                "type": "Input",
                "configuration": {"input": {}},
                "outputs": [{"name": "document", "type": "String"}],
            },
            {
                "name": "Ask",
                "type": "Prompt",
                "configuration": {"prompt": prompt},
                "inputs": [{"name": "topic", **whole}],
                "outputs": [{"name": "modelCompletion", "type": "String"}],
            },
            {
                "name": "End",
                "type": "Output",
                "configuration": {"output": {}},
                "inputs": [{"name": "document", **whole}],
            },
        ],
        "connections": [
            joined("Start", "document", "Ask", "topic"),
            joined("Ask", "modelCompletion", "End", "document"),
        ],
    }


def publish(agents, name, role_arn, **more):
    """Make, prepare, number and publish a flow; what InvokeFlow needs of it."""
    given = {"executionRoleArn": role_arn, "definition": definition(), **more}
    flow = agents.create_flow(name=name, **given)["id"]
    assert agents.prepare_flow(flowIdentifier=flow)["status"] == "Prepared"
    version = agents.create_flow_version(flowIdentifier=flow)["version"]
    route = [{"flowVersion": version}]
    alias = agents.create_flow_alias(flowIdentifier=flow, name="live", routingConfiguration=route)["id"]
    return {"flowIdentifier": flow, "flowAliasIdentifier": alias}


def run(world, flow, document="pumps", **keys):
    """What a flow says, to the administrator or to a caller's keys."""
    content = {"document": document}
    inputs = [{"nodeName": "Start", "nodeOutputName": "document", "content": content}]
    answer = world.client("bedrock-agent-runtime", **keys).invoke_flow(**flow, inputs=inputs)
    events = list(answer["responseStream"])
    assert events[-1] == {"flowCompletionEvent": {"completionReason": "SUCCESS"}}
    return [one["flowOutputEvent"]["content"]["document"] for one in events[:-1]]


TUNED = {
    "baseModelIdentifier": NOVA,
    "trainingDataConfig": {"s3Uri": f"s3://{BUCKET}/train.jsonl"},
    "outputDataConfig": {"s3Uri": f"s3://{BUCKET}/out/"},
}
FILES = {"s3DataSource": {"s3Uri": f"s3://{BUCKET}/model/"}}
READ = allow("s3:GetObject", "s3:ListBucket")
