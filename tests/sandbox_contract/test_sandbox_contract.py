"""The contract with AWS holds, and the page about it says what the run said."""

import json
from pathlib import Path
from zlib import crc32

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from ringwall.sandbox import models
from ringwall.sandbox.bedrock.plane import OPERATIONS
from sandbox_contract import contract
from sandbox_contract.operations import POSITIVE
from sandbox_contract.rejections import REJECTIONS
from sandbox_contract.scene import set_scene

PAGE = Path(__file__).parents[2] / "docs" / "sandbox.md"
BEDROCK = ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime")
SAMPLED = 29
"""One of so many operations of moto's services is tried."""


@pytest.fixture(scope="module")
def runs(world):
    """The rows of every run, in one scene."""
    scene = set_scene(world)
    return {
        "operations": list(contract.run_operations(scene)),
        "rejections": list(contract.run_rejections(scene)),
        "authorizations": list(contract.run_authorizations(scene)),
    }


def test_what_aws_takes_is_taken(runs):
    assert len(runs["operations"]) == sum(len(calls) for calls in POSITIVE.values()) >= 200


def test_what_aws_rejects_is_rejected_with_its_code(runs):
    assert len(runs["rejections"]) == len(REJECTIONS) >= 110
    assert contract.wrong(runs["rejections"]) == []


def test_who_may_is_decided_as_aws_decides(runs):
    assert len(runs["authorizations"]) >= 60
    assert contract.wrong(runs["authorizations"]) == []


def test_the_page_says_what_the_run_said(runs):
    assert PAGE.read_text(encoding="utf-8") == contract.page(**runs), "run scripts/generate_sandbox_docs.py"


def test_every_operation_of_the_bedrock_plane_is_in_the_contract():
    carried_out = {(service, name) for service, table in OPERATIONS.items() for name in table}
    tried = {
        (service.strip(), contract.name_of(call[0])) for service, calls in POSITIVE.items() for call in calls
    }
    assert carried_out - tried == set()


def lacking():
    """Operations that the sandbox may lack: all of Bedrock's, a sample of the others'."""
    for service in sorted(models.SIGNING_NAMES):
        for name in sorted(models.service_model(service).operation_names):
            if service in BEDROCK:
                if name not in OPERATIONS[service] and crc32(name.encode()) % 4 == 0:
                    yield service, name
            elif service != "sts" and crc32(name.encode()) % SAMPLED == 0:
                yield service, name


def least(shape, depth=0):
    """The least that an input must hold."""
    if depth > 6:
        return None
    if shape.type_name == "structure" and getattr(shape, "is_tagged_union", False):
        name = next(iter(shape.members))
        return {name: least(shape.members[name], depth + 1)}
    if shape.type_name == "structure":
        return {name: least(shape.members[name], depth + 1) for name in shape.required_members}
    if shape.type_name == "list":
        return [least(shape.member, depth + 1)] * shape.metadata.get("min", 0)
    if shape.type_name == "map":
        return {}
    if shape.type_name == "string":
        choices = shape.metadata.get("enum")
        return choices[0] if choices else "x" * max(shape.metadata.get("min", 1), 12)
    simple = {"boolean": True, "blob": b"x", "timestamp": 0, "float": 1.0, "double": 1.0}
    return simple.get(shape.type_name, max(shape.metadata.get("min", 1), 1))


@pytest.mark.parametrize(("service", "operation"), list(lacking()))
def test_what_is_lacking_says_so(world, service, operation):
    settings = world.sandbox.environment()
    client = world.session.client(
        service,
        region_name="us-east-1",
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        verify=settings["AWS_CA_BUNDLE"],
        config=Config(retries={"max_attempts": 0}, inject_host_prefix=False),
    )
    bodies = []
    client.meta.events.register(
        "before-parse", lambda response_dict, **_: bodies.append(response_dict["body"])
    )
    shape = models.operation_model(service, operation).input_shape
    method = next(name for name, known in client.meta.method_to_api_mapping.items() if known == operation)
    try:
        answer = getattr(client, method)(**(least(shape) if shape else {}))
    except ParamValidationError:
        pytest.fail(f"{operation} cannot be called by this test")
    except ClientError as error:
        answer = error.response
    assert not any(b"<html" in body.lower() for body in bodies if isinstance(body, bytes))
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    message = answer.get("Error", {}).get("Message", "")
    assert status < 500 or (status == 501 and operation in message and "docs/sandbox.md" in message), (
        status,
        json.dumps(answer, default=str)[:500],
    )
    if service in BEDROCK:
        assert status >= 400
