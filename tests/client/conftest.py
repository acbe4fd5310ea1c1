"""Fixtures: a hostile server, an environment without AWS settings, and clients by hand and from a declaration."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from client.client_hostile import GUARDRAIL, GUARDRAIL_ID, Hostile, hostile
from ringwall.client import SecureBedrockClient
from ringwall.controls.guardrails import content, digest
from ringwall.estate.kinds.guardrail_fields import BLOCKS, TEXTS, lower
from ringwall.perimeter import load

FRAMEWORKS = (
    "langchain_aws",
    "strands",
    "pydantic_ai",
    "instructor",
    "llama_index",
    "aiobotocore",
    "anthropic",
)
collect_ignore = [] if any(map(find_spec, FRAMEWORKS)) else ["test_client_frameworks.py"]
collect_ignore += [] if find_spec("aiobotocore") else ["test_client_asynchronous.py"]
MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"
REMOVED = ("AWS_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL", "BOTO_")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No AWS settings, no proxies, no files of the developer's own; static credentials of an IAM user."""
    for name in list(os.environ):
        if name.upper().startswith(REMOVED):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAAMBIENT000000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Hostile]:
    with hostile(tmp_path) as running:
        yield running


@pytest.fixture
def by_hand(server: Hostile) -> Callable[..., SecureBedrockClient]:
    """Makes a client that was given everything by hand; calls land on the hostile server."""

    def make(**options: Any) -> SecureBedrockClient:
        given: dict[str, Any] = {
            "guardrail": f"{GUARDRAIL}:3",
            "models": [MODEL],
            "endpoint_url": server.url,
            "ca_bundle": server.ca_file,
            **options,
        }
        return SecureBedrockClient("us-east-1", **given)

    return make


@pytest.fixture
def declaration(tmp_path: Path) -> Path:
    """The quickstart without trust in the environment."""
    file = tmp_path / "ringwall.yaml"
    text = QUICKSTART.read_text().replace("trust_environment: true", "trust_environment: false")
    file.write_text(text)
    return file


def as_response(properties: dict[str, Any], **members: Any) -> dict[str, Any]:
    """What GetGuardrail answers for a guardrail of this content."""
    answer: dict[str, Any] = {
        "guardrailId": GUARDRAIL_ID,
        "guardrailArn": GUARDRAIL,
        "status": "READY",
        **{api: properties[name] for name, api in TEXTS if name in properties},
        **members,
    }
    for block in BLOCKS:
        if block.name in properties:
            value = properties[block.name]
            answer[block.response] = {
                items.response: lower(value[items.name]) for items in block.items if items.name in value
            }
    return answer


@pytest.fixture
def declared(server: Hostile, declaration: Path) -> Callable[..., SecureBedrockClient]:
    """Makes the client of a declared use; Bedrock and STS are the hostile server."""
    pinned = load(declaration).guardrail
    server.guardrail_versions = [
        {
            "id": GUARDRAIL_ID,
            "arn": GUARDRAIL,
            "name": pinned.name,
            "version": version,
            "status": "READY",
            "description": description,
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": "2026-01-01T00:00:00Z",
        }
        for version, description in (("DRAFT", "x"), ("2", "sha256:old"), ("3", digest(content(pinned))))
    ]
    server.guardrail_contents = {"3": as_response(content(pinned), version="3")}

    def make(use: str = "app", **options: Any) -> SecureBedrockClient:
        given: dict[str, Any] = {
            "endpoint_urls": dict.fromkeys(
                ("bedrock", "bedrock-runtime", "bedrock-agent-runtime", "sts"), server.url
            ),
            "ca_bundle": server.ca_file,
            **options,
        }
        return SecureBedrockClient.declared(declaration, use=use, **given)

    return make
