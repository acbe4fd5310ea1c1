"""A platform that answers what the plane asks, records it, and refuses what a test wants refused."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from botocore.loaders import Loader
from botocore.model import ServiceModel

from ringwall.sandbox.bedrock.plane import BedrockPlane
from ringwall.sandbox.call import AwsError, Call

ACCOUNT, REGION = "111122223333", "us-east-1"
USER = f"arn:aws:iam::{ACCOUNT}:user/tester"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
NOVA = "us.amazon.nova-pro-v1:0"
NOW = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


class FakePlatform:
    """Everything is allowed and succeeds, unless it is in ``refused`` (service:Operation) or ``denied`` (actions)."""

    def __init__(self):
        self.calls = []
        self.metrics = []
        self.refused = {}
        self.denied = set()
        self.changes = 0
        self.plane = None
        self.effective = {}
        self.answers = {
            "kms:DescribeKey": {
                "KeyMetadata": {"Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k", "KeyState": "Enabled"}
            },
            "kms:GenerateDataKey": {"CiphertextBlob": b"wrapped"},
            "s3:GetBucketLocation": {"LocationConstraint": None},
        }

    def call_as(self, principal, service, operation, parameters, *, account, region, context=None):
        name = f"{service}:{operation}"
        self.calls.append((principal, name, dict(parameters), dict(context or {})))
        if name in self.refused:
            raise AwsError(self.refused[name], f"{principal} may not {name}", 403)
        if service == "bedrock-runtime":
            call = Call(service, operation, parameters, account, region, principal, {}, "r", "", "", NOW)
            return self.plane.handle(call).parameters
        return self.answers.get(name, {})

    def peek(self, service, operation, parameters, account, region):
        name = f"{service}:{operation}"
        if name == "cloudwatch:PutMetricData":
            self.metrics += [(parameters["Namespace"], datum) for datum in parameters["MetricData"]]
            return {}
        if name not in self.answers:
            raise AwsError("NotFound", name, 404)
        return self.answers[name]

    def authorize(self, call, action, resource, context=None):
        if action in self.denied:
            raise AwsError("AccessDeniedException", f"not authorized to perform: {action} on {resource}", 403)

    def effective_policy(self, type_, account):
        return self.effective.get((type_, account))

    def now(self):
        return NOW

    def changed(self):
        self.changes += 1

    def named(self, name):
        return [
            (principal, parameters, context) for principal, n, parameters, context in self.calls if n == name
        ]

    def metric(self, name):
        """Values of a metric, each as often as it occurred."""
        return [
            value
            for _, datum in self.metrics
            if datum["MetricName"] == name
            for value, count in zip(datum["Values"], datum["Counts"], strict=True)
            for _ in range(int(count))
        ]


class Bedrock:
    """The plane with a client's manners: ``bedrock.call("CreateGuardrail", name=...)``."""

    def __init__(self, platform=None, **settings):
        self.platform = platform or FakePlatform()
        self.plane = BedrockPlane(self.platform, **settings)
        self.platform.plane = self.plane

    def output(self, operation, service=None, principal=USER, account=ACCOUNT, region=REGION, **parameters):
        service = service or service_of(operation)
        call = Call(
            service,
            operation,
            parameters,
            account,
            region,
            principal,
            {},
            "request-1",
            "192.0.2.1",
            "test",
            NOW,
        )
        return self.plane.handle(call)

    def call(self, operation, service=None, **parameters):
        service = service or service_of(operation)
        output = self.output(operation, service, **parameters)
        if output.events is None:
            check_shape(MODELS[service].operation_model(operation).output_shape, output.parameters, operation)
            return output.parameters
        return events_of(output)

    def attempt(self, operation, **parameters):
        """The output and no error code, or no output and the error's code."""
        try:
            return self.output(operation, **parameters), None
        except AwsError as error:
            return None, error.code

    def refusal(self, operation, service=None, **parameters):
        try:
            self.output(operation, service, **parameters)
        except AwsError as error:
            return error
        raise AssertionError(f"{operation} was accepted")

    def guardrail(self, name="baseline", **policies):
        policies = policies or {"wordPolicyConfig": {"wordsConfig": [{"text": "nightjar"}]}}
        made = self.call(
            "CreateGuardrail",
            name=name,
            blockedInputMessaging="IN",
            blockedOutputsMessaging="OUT",
            **policies,
        )
        return made["guardrailId"]

    def converse(self, text, guardrail=None, model=CLAUDE, **more):
        messages = more.pop("messages", None) or [{"role": "user", "content": [{"text": text}]}]
        if guardrail:
            more["guardrailConfig"] = {
                "guardrailIdentifier": guardrail,
                "guardrailVersion": "DRAFT",
                "trace": "enabled",
                **more.pop("config", {}),
            }
        return self.call(more.pop("operation", "Converse"), modelId=model, messages=messages, **more)


MODELS = {
    name: ServiceModel(Loader().load_service_model(name, "service-2"), name)
    for name in (
        "bedrock",
        "bedrock-runtime",
        "bedrock-agent",
        "bedrock-agent-runtime",
        "bedrock-agentcore-control",
    )
}


def service_of(operation):
    return next(name for name, model in MODELS.items() if operation in model.operation_names)


def events_of(output):
    async def collect():
        return [event async for event in output.events]

    return asyncio.run(collect())


def reply_text(output):
    return output["output"]["message"]["content"][0]["text"]


def check_shape(shape, value, path):
    """Assert that an output fits its service model: no unknown members, every required one, right types."""
    if shape is None or getattr(shape, "is_document_type", False):
        return
    if shape.type_name == "structure":
        assert isinstance(value, dict), path
        assert not set(value) - set(shape.members), (
            f"{path}: unknown members {set(value) - set(shape.members)}"
        )
        missing = [name for name in shape.required_members if value.get(name) is None]
        assert not missing, f"{path}: missing {missing}"
        for name, member in value.items():
            if member is not None:
                check_shape(shape.members[name], member, f"{path}.{name}")
    elif shape.type_name == "list":
        assert isinstance(value, list), path
        for member in value:
            check_shape(shape.member, member, f"{path}[]")
    elif shape.type_name == "map":
        assert isinstance(value, dict), path
        for member in value.values():
            check_shape(shape.value, member, f"{path}{{}}")
    else:
        check_value(shape, value, path)


def check_value(shape, value, path):
    if shape.type_name == "string":
        assert isinstance(value, str), path
        # AWS itself answers INFERENCE_PROFILE here, which its model does not list.
        if shape.metadata.get("enum") and value != "INFERENCE_PROFILE":
            assert value in shape.metadata["enum"], f"{path}: {value}"
    else:
        kinds = {"boolean": bool, "integer": int, "long": int, "double": float, "float": float}
        kinds |= {"timestamp": datetime, "blob": bytes}
        assert isinstance(value, kinds[shape.type_name]), f"{path}: {value!r} is no {shape.type_name}"
