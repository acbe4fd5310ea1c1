"""The quickstart's desired Estate, bound as if nothing were deployed, serves as the account."""

from __future__ import annotations

from pathlib import Path

import pytest

from ringwall.access import Access
from ringwall.controls.compile import compile_estate
from ringwall.estate.codec import dumps
from ringwall.estate.references import bind, placeholders
from ringwall.perimeter import load

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"


@pytest.fixture(scope="session")
def quickstart():
    desired = compile_estate(load(QUICKSTART))
    return Access(bind(desired, placeholders(desired)))


@pytest.fixture(scope="session")
def runtime_endpoint(quickstart):
    for resource in quickstart.estate.of_type("AWS::EC2::VPCEndpoint"):
        if resource.get("ServiceName").endswith(".bedrock-runtime"):
            return quickstart.attribute(resource, "Id")
    raise AssertionError("the quickstart has no endpoint for bedrock-runtime")


@pytest.fixture(scope="session")
def guardrail(quickstart):
    (found,) = (
        quickstart.attribute(resource, "Arn")
        for resource in quickstart.estate.of_type("AWS::Bedrock::Guardrail")
        if resource.id == "guardrail/baseline"
    )
    return found


@pytest.fixture(scope="session")
def estate_file(quickstart, tmp_path_factory):
    path = tmp_path_factory.mktemp("why") / "estate.json"
    path.write_text(dumps(quickstart.estate), encoding="utf-8")
    return str(path)
