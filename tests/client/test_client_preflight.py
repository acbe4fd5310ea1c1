"""``ringwall preflight`` in the sandbox: everything well, and each thing that can be wrong, said so that it can be put right."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.command_line import QUICKSTART, Done, ringwall
from client.client_hostile import Hostile, Reply
from demo.quickstart_account import deployed
from ringwall.client.preflight import preflight
from ringwall.demo.world import World

Run = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with deployed(tmp_path_factory.mktemp("preflight")) as found:
        yield found


@pytest.fixture(autouse=True)
def bare_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's environment in place of the one of this folder's other tests."""
    for name, value in world.sandbox.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def edited(tmp_path: Path) -> Callable[..., str]:
    """The quickstart with some text replaced."""

    def write(*pairs: tuple[str, str]) -> str:
        text = QUICKSTART.read_text()
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / "ringwall.yaml").write_text(text)
        return str(tmp_path / "ringwall.yaml")

    return write


def checked(file: str, use: str = "app", code: int = 2) -> dict[str, dict[str, Any]]:
    """Checks by name, a model's by its declared name."""
    done = ringwall("preflight", "--file", file, "--use", use, "--json")
    assert done.code == code, done.err
    found = done.valid("preflight")
    assert found["ok"] is (code == 0)
    return {f"{item['check']} {item['summary'].split(' ')[0]}"
            if item["check"] == "model" else item["check"]: item for item in found["checks"]}  # fmt: skip


def test_all_is_well() -> None:
    found = checked(str(QUICKSTART), code=0)
    assert {item["status"] for item in found.values()} == {"ok"}
    assert list(found) == ["environment", "identity", "guardrail", "model claude", "model nova"]
    assert found["identity"]["facts"]["arn"].startswith(
        "arn:aws:sts::111122223333:assumed-role/quickstart-app/"
    )
    model = found["model claude"]["facts"]
    assert model["endpoint"] == "https://bedrock-runtime.us-east-1.amazonaws.com"
    assert model["tls"] == found["identity"]["facts"]["tls"] == "TLSv1.3"
    assert found["guardrail"]["facts"]["version"] == "1"
    assert found["environment"]["facts"] == {
        "ignored": ["AWS_ENDPOINT_URL"], "obeyed": ["HTTPS_PROXY", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
    }  # fmt: skip


def test_a_knowledge_base_and_an_agent() -> None:
    done = ringwall("preflight", "--file", str(QUICKSTART))
    assert done.code == 2
    assert "ok      search: knowledge-base: KBQUICKST1 may be called" in done.out
    known = "alias ALIASQUIC1 of agent AGENTQUIC1 is there and takes calls; it was not asked, as it could run"
    assert f"unknown assistant: agent: {known}" in done.out
    assert "FAILED" not in done.out


def agent_of(found: list[Any]) -> Any:
    return next(item for item in found if item.name == "agent")


def test_an_agent_that_is_not_there(edited: Callable[..., str]) -> None:
    file = edited(("alias: ALIASQUIC1", "alias: ALIASNONE1"))
    agent = agent_of(list(preflight(file, uses=("assistant",))))
    assert (agent.status, agent.facts["code"]) == ("failed", "ResourceNotFoundException")
    assert "uses.assistant.alias" in str(agent.advice)


@pytest.mark.parametrize(
    ("alias", "status"),
    [
        ({"agentAliasStatus": "PREPARED", "aliasInvocationState": "ACCEPT_INVOCATIONS"}, "unknown"),
        ({"agentAliasStatus": "PREPARED"}, "unknown"),
        ({"agentAliasStatus": "FAILED", "aliasInvocationState": "ACCEPT_INVOCATIONS"}, "failed"),
        ({"agentAliasStatus": "PREPARED", "aliasInvocationState": "REJECT_INVOCATIONS"}, "failed"),
        (None, "unknown"),
    ],
)
def test_an_agents_alias(
    server: Hostile, declaration: Path, alias: dict[str, str] | None, status: str
) -> None:
    """What can be read of it, by the credentials that begin; nothing is invoked."""
    denied = {"message": "User: x is not authorized to perform: bedrock:GetAgentAlias"}
    server.reply(
        "ALIASQUIC1",
        Reply(403, json.dumps(denied).encode(), {"x-amzn-ErrorType": "AccessDeniedException"})
        if alias is None
        else Reply(200, json.dumps({"agentAlias": alias}).encode()),
    )
    server.reply("SimulatePrincipalPolicy", Reply(403, SIMULATION_DENIED))
    agent = asked_of(server, declaration)
    assert agent.status == status
    assert ("nor can it be read" in agent.summary) is (alias is None)
    assert len([item for item in server.received if item.path.endswith("/agentaliases/ALIASQUIC1/")]) == 1
    assert not any("/sessions/" in item.path for item in server.received)


def asked_of(server: Hostile, declaration: Path) -> Any:
    """The check of the agent, where every service is the hostile server."""
    services = ("sts", "bedrock", "bedrock-agent", "bedrock-agent-runtime", "iam")
    endpoints = dict.fromkeys(services, server.url)
    return agent_of(
        list(preflight(declaration, uses=("assistant",), endpoint_urls=endpoints, ca_bundle=server.ca_file))
    )


SIMULATION_DENIED = (
    b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: x is not authorized to perform:"
    b" iam:SimulatePrincipalPolicy</Message></Error></ErrorResponse>"
)


def simulated(decision: str, *missing: str, organization: bool | None = None) -> Reply:
    """An answer of the policy simulator."""
    names = "".join(f"<member>{name}</member>" for name in missing)
    scp = "" if organization is None else (
        "<OrganizationsDecisionDetail><AllowedByOrganizations>"
        f"{str(organization).lower()}</AllowedByOrganizations></OrganizationsDecisionDetail>"
    )  # fmt: skip
    text = (
        "<SimulatePrincipalPolicyResponse><SimulatePrincipalPolicyResult><EvaluationResults><member>"
        f"<EvalActionName>bedrock:InvokeAgent</EvalActionName><EvalDecision>{decision}</EvalDecision>{scp}"
        f"<ResourceSpecificResults><member><MissingContextValues>{names}</MissingContextValues></member>"
        "</ResourceSpecificResults></member></EvaluationResults></SimulatePrincipalPolicyResult>"
        "</SimulatePrincipalPolicyResponse>"
    )
    return Reply(200, text.encode(), {"Content-Type": "text/xml"})


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (simulated("allowed"), "ok", "allow it"),
        (simulated("allowed", organization=True), "ok", "allow it"),
        (simulated("implicitDeny", organization=False), "failed", "an SCP denies it"),
        (simulated("implicitDeny"), "failed", "no statement allows it"),
        (simulated("explicitDeny"), "failed", "a statement denies it"),
        (simulated("allowed", "aws:SourceVpce"), "unknown", "depends on aws:SourceVpce"),
        (simulated("explicitDeny", "aws:SourceVpce"), "unknown", "depends on aws:SourceVpce"),
        (simulated("later"), "unknown", "the answer is later"),
        (
            Reply(403, SIMULATION_DENIED),
            "unknown",
            "iam:SimulatePrincipalPolicy on arn:aws:iam::111122223333:role/",
        ),
    ],
)
def test_whether_the_role_may_invoke_an_agent(
    server: Hostile, declaration: Path, reply: Reply, status: str, said: str
) -> None:
    """As IAM's simulator says of the role; asked with the credentials that begin, and nothing is invoked."""
    ready = {"agentAlias": {"agentAliasStatus": "PREPARED", "aliasInvocationState": "ACCEPT_INVOCATIONS"}}
    server.reply("ALIASQUIC1", Reply(200, json.dumps(ready).encode()))
    server.reply("SimulatePrincipalPolicy", reply)
    agent = asked_of(server, declaration)
    assert agent.status == status
    assert said in agent.summary
    (asked,) = server.calls("SimulatePrincipalPolicy")
    assert asked.form["ActionNames.member.1"] == "bedrock:InvokeAgent"
    assert asked.form["ResourceArns.member.1"].endswith(":agent-alias/AGENTQUIC1/ALIASQUIC1")
    assert asked.form["PolicySourceArn"].startswith("arn:aws:iam::111122223333:role/")
    assert f"Credential={os.environ['AWS_ACCESS_KEY_ID']}/" in asked.headers["authorization"]
    assert not any("/sessions/" in item.path for item in server.received)


def test_nothing_is_paid_for(world: World) -> None:
    """What was sent is in the sandbox's own record: no call of a model was answered."""
    before = len(world.sandbox.decisions())
    checked(str(QUICKSTART), code=0)
    asked = world.sandbox.decisions()[before:]
    assert any("Converse" in str(item) for item in asked)
    failed = [line for line in preflight(QUICKSTART, uses=("app",)) if line.facts.get("code") is None]
    assert {item.name for item in failed} == {"environment", "identity", "guardrail"}


def test_a_model_that_the_role_may_not_use(edited: Callable[..., str]) -> None:
    file = edited(
        (
            "  nova: us.amazon.nova-pro-v1:0",
            "  nova: us.amazon.nova-pro-v1:0\n  lite: us.amazon.nova-lite-v1:0",
        ),
        ("models: [claude, nova]", "models: [claude, nova, lite]"),
    )
    found = checked(file)
    assert found["model claude"]["status"] == "ok"
    lite = next(item for name, item in found.items() if name.startswith("model lite"))
    assert lite["status"] == "failed"
    assert "quickstart-app" in lite["summary"]
    assert "is not authorized to perform: bedrock:InvokeModel" in lite["summary"]
    assert "ringwall why" in lite["advice"]


def test_a_guardrail_of_other_content(edited: Callable[..., str]) -> None:
    found = checked(edited(("words: [project-nightjar]", "words: [project-nightjar, project-owl]")))
    assert found["guardrail"]["status"] == "failed"
    assert "no numbered version with the declared content" in found["guardrail"]["summary"]
    assert "ringwall apply" in found["guardrail"]["advice"]
    assert found["calls"]["status"] == "unknown"


def test_a_guardrail_that_is_not_there(edited: Callable[..., str]) -> None:
    found = checked(edited(("name: baseline", "name: another")))
    assert "there is no guardrail another in us-east-1" in found["guardrail"]["summary"]


def test_a_role_that_is_not_there(edited: Callable[..., str]) -> None:
    file = edited(("  search:", "  later: {kind: invoke, models: [nova]}\n  search:"))
    found = checked(file, "later")
    assert found["identity"]["status"] == "failed"
    assert found["identity"]["facts"]["role"] == "arn:aws:iam::111122223333:role/quickstart-later"
    assert "ringwall apply" in found["identity"]["advice"]


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    found = checked(str(QUICKSTART))
    assert found["identity"]["facts"]["code"] == "NoCredentialsError"
    assert "sign in" in found["identity"]["advice"]


def test_another_account(edited: Callable[..., str]) -> None:
    """A role of another account does not trust these credentials, and is not there besides."""
    file = edited(
        ('account: "111122223333"', 'account: "444455556666"'),
        ("arn:aws:iam::111122223333:user/SandboxAdministrator", "arn:aws:iam::444455556666:user/X"),
    )
    found = checked(file)
    assert found["identity"]["status"] == "failed"
    assert "444455556666" in found["identity"]["facts"]["role"]


def test_a_certificate_that_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    found = checked(str(QUICKSTART))
    assert found["identity"]["facts"]["code"] == "SSLError"
    assert "STS can be reached" in found["identity"]["advice"]


def test_an_endpoint_that_does_not_answer(world: World) -> None:
    """The runtime's endpoint alone: identity and guardrail are well, the calls cannot be told."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"https://127.0.0.1:{closed.getsockname()[1]}"
    found = list(preflight(QUICKSTART, uses=("app",), endpoint_urls={"bedrock-runtime": url}))
    models = [item for item in found if item.name == "model"]
    assert [item.status for item in models] == ["unknown", "unknown"]
    assert all("ndpoint" in str(item.advice) for item in models)


def test_a_policy_that_denies(world: World) -> None:
    iam = boto3.Session(region_name="us-east-1").client("iam")
    denial = '{"Version":"2012-10-17","Statement":[{"Sid":"Stop","Effect":"Deny","Action":"bedrock:InvokeModel*","Resource":"*"}]}'
    iam.put_role_policy(RoleName="quickstart-app", PolicyName="stop", PolicyDocument=denial)
    try:
        found = checked(str(QUICKSTART))
    finally:
        iam.delete_role_policy(RoleName="quickstart-app", PolicyName="stop")
    assert found["model nova"]["status"] == "failed"
    assert "explicit deny" in found["model nova"]["summary"]


@pytest.mark.parametrize("arguments", [("--use", "nobody"), ("--file", "/nowhere.yaml")])
def test_what_cannot_be_done(arguments: tuple[str, str]) -> None:
    done: Done = ringwall("preflight", "--file", str(QUICKSTART), *arguments)
    assert done.code == 1
    assert done.err.startswith("ringwall: ")


def test_the_environment_is_the_one_that_was_named(edited: Callable[..., str]) -> None:
    """An environment with a use of its own, and a guardrail that is not there."""
    file = edited()
    with Path(file).open("a") as text:
        text.write(
            "environments:\n  prod:\n    guardrail: {name: stricter}\n    uses: {app: {models: [nova]}}\n"
        )
    done = ringwall("preflight", "--file", file, "--use", "app", "--environment", "prod", "--json")
    found = {item["check"]: item for item in done.valid("preflight")["checks"]}
    assert "there is no guardrail stricter" in found["guardrail"]["summary"]
    plain = ringwall("preflight", "--file", file, "--use", "app", "--json")
    assert plain.code == 0, plain.err
    missing = ringwall("preflight", "--file", file, "--environment", "stage")
    assert (missing.code, "no environment stage (there: prod)" in missing.err) == (1, True)


def test_credentials_of_another_account(server: Hostile, declaration: Path) -> None:
    """A role was assumed, and whoever that is belongs elsewhere: nothing is asked as them."""
    elsewhere = "arn:aws:sts::999988887777:assumed-role/quickstart-app/x"
    server.caller = elsewhere
    endpoints = dict.fromkeys(("sts", "bedrock", "bedrock-runtime"), server.url)
    found = list(preflight(declaration, uses=("app",), endpoint_urls=endpoints, ca_bundle=server.ca_file))
    identity = next(item for item in found if item.name == "identity")
    assert identity.status == "failed"
    assert elsewhere in identity.summary
    assert "111122223333" in identity.summary
    assert (identity.facts, "--profile" in str(identity.advice)) == ({"arn": elsewhere}, True)
    assert [item.status for item in found if item.name == "calls"] == ["unknown"]
    assert {item.operation for item in server.received} == {"GetCallerIdentity", "AssumeRole"}
