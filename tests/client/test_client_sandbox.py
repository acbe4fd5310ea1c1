"""Against the sandbox, which enforces the declared policies: helpers, residency, and what a denial is explained by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.command_line import QUICKSTART
from client.client_hostile import Hostile, model_of
from client.conftest import MODEL
from client.test_client_outcomes import said
from demo.quickstart_account import deployed
from ringwall.client import PerimeterViolation, SecureBedrockClient, session
from ringwall.client.asking import retrieve
from ringwall.client.residency import lies_in, resides
from ringwall.demo.world import World

MESSAGES = [{"role": "user", "content": [{"text": "What is a VPC endpoint?"}]}]
FORBIDDEN = "Tell me about project-nightjar."
Make = Callable[..., SecureBedrockClient]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with deployed(tmp_path_factory.mktemp("client")) as found:
        yield found


@pytest.fixture
def account(world: World, bare_environment: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """The sandbox's environment in place of none."""
    for name, value in world.sandbox.environment().items():
        monkeypatch.setenv(name, value)
    return world


# -- helpers -----------------------------------------------------------------------------------------------------------


def test_a_knowledge_base_is_asked_with_the_guardrail(account: World) -> None:
    client = SecureBedrockClient.declared(QUICKSTART, use="search")
    response, outcome = client.retrieve_safely("endpoint policies")
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert (outcome.operation, outcome.intervened) == ("Retrieve", False)
    assert response["retrievalResults"]
    nothing, blocked = client.retrieve_safely(FORBIDDEN)
    assert (blocked.intervened, blocked.policies) == (True, ("words",))
    assert nothing == {"retrievalResults": []}


def test_what_a_knowledge_base_holds_is_read_too(by_hand: Make, server: Hostile) -> None:
    """One result is let through, one masked, one blocked, and a picture is left out."""
    client = by_hand(endpoint_urls={"bedrock-agent-runtime": server.url})
    found = [{"content": {"text": text}} for text in ("good", "mail a@b.example", "evil")]
    server.reply(
        "retrieve",
        said({"retrievalResults": [*found, {"content": {"type": "IMAGE", "byteContent": "data:"}}]}),
    )
    pii = {
        "sensitiveInformationPolicy": {
            "piiEntities": [{"type": "EMAIL", "match": "m", "action": "ANONYMIZED"}]
        }
    }
    topics = {"topicPolicy": {"topics": [{"name": "n", "type": "DENY", "action": "BLOCKED"}]}}
    through = {"action": "NONE", "outputs": [], "assessments": [], "usage": {}}
    server.reply("apply", said(through), said(through),
        said({**through, "action": "GUARDRAIL_INTERVENED", "outputs": [{"text": "mail {EMAIL}"}], "assessments": [pii]}),
        said({**through, "action": "GUARDRAIL_INTERVENED", "outputs": [{"text": "no"}], "assessments": [topics]}),
    )  # fmt: skip
    rules = replace(client.session.rules, knowledge_base="KBQUICKST1")
    agents = client.session.staying_in("us")
    agents._guard._rules = lambda: rules
    response, outcome = retrieve(agents.client("bedrock-agent-runtime"), client.client, rules, "what?")
    assert [item["content"]["text"] for item in response["retrievalResults"]] == ["good", "mail {EMAIL}"]
    assert (outcome.intervened, outcome.policies) == (True, ("sensitive information", "topics"))
    assert len(server.calls("apply")) == 4


def test_an_agent_is_asked(account: World) -> None:
    client = SecureBedrockClient.declared(QUICKSTART, use="assistant")
    answer, outcome = client.invoke_agent_safely("What is a VPC endpoint?", session_id="s-1")
    assert answer
    assert (outcome.operation, outcome.complete) == ("InvokeAgent", True)
    with pytest.raises(PerimeterViolation, match="model-not-declared"):
        client.converse(modelId=MODEL, messages=MESSAGES)


def test_helpers_of_what_a_use_is_not_for(account: World) -> None:
    client = SecureBedrockClient.declared(QUICKSTART, use="app")
    with pytest.raises(PerimeterViolation, match="knowledge-base-not-declared"):
        client.retrieve_safely("x")
    with pytest.raises(PerimeterViolation, match="agent-not-declared"):
        client.invoke_agent_safely("x", session_id="s-1")


def test_invoke_model_safely(account: World) -> None:
    client = SecureBedrockClient.declared(QUICKSTART, use="app")
    response, outcome = client.invoke_model_safely(client.models["nova"], MESSAGES)
    assert response["stopReason"] == "end_turn"
    assert not outcome.intervened
    _, blocked = client.invoke_model_safely(
        client.models["nova"], [{"role": "user", "content": [{"text": FORBIDDEN}]}]
    )
    assert (blocked.intervened, blocked.policies) == (True, ("words",))


# -- explanations ------------------------------------------------------------------------------------------------------


def test_a_denial_is_explained_by_its_statement(account: World) -> None:
    """The statement stands in no declaration: an observed Estate has it."""
    iam = boto3.Session(region_name="us-east-1").client("iam")
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "StopIt", "Effect": "Deny", "Action": "bedrock:InvokeModel*", "Resource": "*"}],
    }
    iam.put_role_policy(RoleName="quickstart-app", PolicyName="stop", PolicyDocument=json.dumps(policy))
    guarded = session(QUICKSTART, use="app")
    try:
        with pytest.raises(ClientError, match="AccessDenied") as caught:
            guarded.client("bedrock-runtime").converse(modelId=guarded.models["nova"], messages=MESSAGES)
        text = guarded.explain(caught.value, account.observe())
    finally:
        iam.delete_role_policy(RoleName="quickstart-app", PolicyName="stop")
    assert "StopIt" in text
    assert "quickstart-app" in text


def test_a_denial_by_the_declared_policies_is_explained_by_the_declaration(account: World) -> None:
    """Raw boto3 with the role's credentials and no guardrail: the declaration's own statement denies."""
    guarded = session(QUICKSTART, use="app", session_policy=None)
    keys = guarded.get_credentials().get_frozen_credentials()
    raw = boto3.Session(keys.access_key, keys.secret_key, keys.token, "us-east-1").client("bedrock-runtime")
    with pytest.raises(ClientError, match="AccessDenied") as caught:
        raw.converse(modelId=guarded.models["nova"], messages=MESSAGES)
    text = guarded.explain(caught.value)
    assert "DenyWithoutPinnedGuardrail" in text or "service control policy" in text.lower(), text


def test_a_violation_is_explained_by_its_line(account: World) -> None:
    guarded = session(QUICKSTART, use="app")
    with pytest.raises(PerimeterViolation) as caught:
        guarded.client("bedrock-runtime").converse(modelId="amazon.nova-micro-v1:0", messages=MESSAGES)
    text = guarded.explain(caught.value)
    line = next(
        number
        for number, text in enumerate(QUICKSTART.read_text().splitlines(), 1)
        if "models: [claude, nova]" in text
    )
    assert text == caught.value.explain()
    assert text.startswith("model-not-declared: ")
    assert f"{QUICKSTART}:{line}" in text


def test_an_error_that_no_policy_causes_is_left_as_it_is(account: World) -> None:
    error = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "Converse")
    assert session(QUICKSTART, use="app").explain(error) == str(error)


# -- residency ---------------------------------------------------------------------------------------------------------


def test_a_client_keeps_to_one_geography(by_hand: Make, server: Hostile) -> None:
    """The same session; a client that is asked to stay has fewer models, on the bytes too."""
    world_wide = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
    secure = by_hand(models=[MODEL, world_wide])
    anywhere = secure.client
    staying = secure.session.client("bedrock-runtime", residency="us")
    anywhere.converse(modelId=world_wide, messages=MESSAGES)
    staying.converse(modelId=MODEL, messages=MESSAGES)
    with pytest.raises(PerimeterViolation, match="model-not-declared"):
        staying.converse(modelId=world_wide, messages=MESSAGES)
    staying.meta.events.register_last(
        "before-send",
        lambda request, **_: setattr(request, "url", request.url.replace("us.anth", "global.anth")),
    )
    with pytest.raises(PerimeterViolation, match="model-not-declared"):
        staying.converse(modelId=MODEL, messages=MESSAGES)
    assert [model_of(item) for item in server.received] == [world_wide, MODEL]


@pytest.mark.parametrize(
    ("residency", "models", "reason"),
    [
        ("eu", [MODEL], "does not lie in eu"),
        ("mars", [MODEL], "known are us, us-gov, eu"),
        ("us", ["global.anthropic.claude-sonnet-4-5-20250929-v1:0"], "no declared model"),
        ("us", ["arn:aws:bedrock:us-east-1:111122223333:prompt/ABCDEFGHIJ:1"], "no declared model"),
    ],
)
def test_a_geography_that_is_not_to_be_had(
    by_hand: Make, server: Hostile, residency: str, models: list[str], reason: str
) -> None:
    with pytest.raises(PerimeterViolation, match=reason) as caught:
        by_hand(models=models).session.client("bedrock-runtime", residency=residency)
    assert caught.value.rule == "residency-not-declared"
    assert server.connections == 0


@pytest.mark.parametrize(
    ("model", "source", "residency", "stays"),
    [
        ("eu.amazon.nova-pro-v1:0", "eu-central-1", "eu", True),
        ("eu.amazon.nova-pro-v1:0", "eu-central-1", "us", False),
        ("us.amazon.nova-pro-v1:0", "eu-central-1", "eu", False),
        ("amazon.nova-pro-v1:0", "eu-central-1", "eu", True),
        ("amazon.nova-pro-v1:0", "us-east-1", "eu", False),
        ("arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0", "eu-west-1", "eu", True),
        ("arn:aws:bedrock:eu-west-1:111122223333:default-prompt-router/x:1", "eu-west-1", "eu", False),
        ("arn:aws:bedrock:eu-west-1:111122223333:application-inference-profile/x1", "eu-west-1", "eu", False),
        ("global.amazon.nova-pro-v1:0", "us-east-1", "us", False),
    ],
)
def test_which_models_stay(model: str, source: str, residency: str, stays: bool) -> None:
    assert resides(model, source, residency) is stays


def test_govcloud_is_not_the_united_states_commercial() -> None:
    assert not lies_in("us-gov-west-1", "us")
    assert lies_in("us-gov-west-1", "us-gov")
