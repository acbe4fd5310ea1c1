"""A use's credentials: what AssumeRole is asked for, when it is not asked at all, and once for all threads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from client.client_hostile import Hostile, Received, Reply
from client.conftest import MODEL
from ringwall.client import Outcome, SecureBedrockClient
from ringwall.client.credentials import Role
from ringwall.errors import RingwallError

MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]
Make = Callable[..., SecureBedrockClient]
ROLE = "arn:aws:iam::111122223333:role/quickstart-app"


def key(received: Received) -> str:
    found = re.search(r"Credential=(\w+)/", received.headers["authorization"])
    assert found
    return found[1]


def converse(client: Any) -> Any:
    return client.converse(modelId=MODEL, messages=MESSAGES)


def test_the_declared_role_is_assumed_once_and_used(declared: Make, server: Hostile) -> None:
    client = declared()
    assert server.received == []
    converse(client)
    converse(client)
    (assumed,) = server.calls("AssumeRole")
    assert assumed.form["RoleArn"] == ROLE
    assert assumed.form["DurationSeconds"] == "3600"
    assert re.fullmatch(r"[\w+=,.@-]{2,64}", assumed.form["RoleSessionName"])
    assert "/us-east-1/sts/aws4_request" in assumed.headers["authorization"]
    assert key(assumed) == "AKIAAMBIENT000000001"
    assert {key(item) for item in server.calls("converse")} == {"ASIAASSUMED00001"}
    assert server.calls("converse")[0].headers["x-amz-security-token"] == "token-1"
    assert {key(item) for item in server.received if item.path.startswith("/guardrails")} == {
        "ASIAASSUMED00001"
    }


def test_what_assume_role_is_asked_for(declared: Make, server: Hostile, declaration: Any) -> None:
    text = declaration.read_text().replace("    kind: invoke\n", "    kind: invoke\n    external_id: ext-1\n")
    declaration.write_text(text)
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}],
    }
    client = declared(
        session_name="job-7",
        source_identity="alice",
        tags={"team": "x"},
        session_policy=policy,
        duration=1800,
    )
    converse(client)
    form = server.calls("AssumeRole")[0].form
    assert (form["RoleSessionName"], form["SourceIdentity"], form["ExternalId"]) == (
        "job-7",
        "alice",
        "ext-1",
    )
    assert (form["Tags.member.1.Key"], form["Tags.member.1.Value"]) == ("team", "x")
    assert json.loads(form["Policy"]) == policy
    assert form["DurationSeconds"] == "1800"
    assert server.calls("GetCallerIdentity") == []


def test_a_short_session_is_refused(declared: Make) -> None:
    with pytest.raises(ValueError, match="1800"):
        declared(duration=900)


def test_the_role_itself_assumes_nothing(declared: Make, server: Hostile) -> None:
    server.caller = "arn:aws:sts::111122223333:assumed-role/quickstart-app/i-0123456789abcdef0"
    client = declared()
    assert server.received == []
    converse(client)
    assert server.calls("AssumeRole") == []
    assert len(server.calls("GetCallerIdentity")) == 1
    assert key(server.calls("converse")[0]) == "AKIAAMBIENT000000001"


@pytest.mark.parametrize(
    "options", [{"tags": {"a": "b"}}, {"source_identity": "alice"}, {"session_policy": {"a": 1}}]
)
def test_the_role_itself_is_assumed_where_its_session_would_lack_something(
    declared: Make, server: Hostile, options: dict[str, Any]
) -> None:
    server.caller = "arn:aws:sts::111122223333:assumed-role/quickstart-app/x"
    converse(declared(**options))
    assert len(server.calls("AssumeRole")) == 1


@pytest.mark.parametrize(
    ("caller", "own"),
    [
        ("arn:aws:sts::111122223333:assumed-role/quickstart-app/x", True),
        ("arn:aws:sts::111122223333:assumed-role/quickstart-app2/x", False),
        ("arn:aws:sts::444455556666:assumed-role/quickstart-app/x", False),
        ("arn:aws-cn:sts::111122223333:assumed-role/quickstart-app/x", False),
        ("arn:aws:sts::111122223333:federated-user/quickstart-app", False),
        ("arn:aws:iam::111122223333:user/quickstart-app", False),
        ("arn:aws:iam::111122223333:role/quickstart-app", False),
        ("", False),
    ],
)
def test_whose_session_it_is(caller: str, own: bool) -> None:
    assert Role(ROLE, "x").is_session(caller) is own
    assert Role(ROLE.replace("role/", "role/path/to/"), "x").is_session(caller) is own


def test_a_refused_identity_call_does_not_stand_in_the_way(declared: Make, server: Hostile) -> None:
    denied = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    server.reply("GetCallerIdentity", Reply(403, denied, {"Content-Type": "text/xml"}))
    converse(declared())
    assert len(server.calls("AssumeRole")) == 1


def test_a_role_that_cannot_be_assumed_is_an_error_and_not_kept(declared: Make, server: Hostile) -> None:
    denied = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
    server.reply("AssumeRole", Reply(403, denied, {"Content-Type": "text/xml"}))
    client = declared()
    with pytest.raises(ClientError, match="AccessDenied"):
        converse(client)
    assert server.calls("converse") == []
    converse(client)
    assert len(server.calls("AssumeRole")) == 2


def test_no_credentials_at_all(declared: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(NoCredentialsError):
        converse(declared())
    assert server.received == []


def test_two_hundred_threads_refresh_once_and_lose_nothing(declared: Make, server: Hostile) -> None:
    """The first session is about to expire: the next use must refresh it, and all threads arrive at once."""
    server.lifetime = lambda serial: 60 if serial == 1 else 3600
    outcomes: list[Outcome] = []
    client = declared(on_outcome=outcomes.append)
    credentials = client.session._session.get_credentials()
    assert credentials.access_key == "ASIAASSUMED00001"
    with ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: converse(client), range(200)))
    assert len(answers) == len(server.calls("converse")) == len(outcomes) == 200
    assert len(server.calls("AssumeRole")) == 2
    assert {key(item) for item in server.calls("converse")} == {"ASIAASSUMED00002"}
    assert {item.json["guardrailConfig"]["guardrailVersion"] for item in server.calls("converse")} == {"3"}


def test_many_threads_at_the_first_call_assume_and_look_up_once(declared: Make, server: Hostile) -> None:
    client = declared()
    with ThreadPoolExecutor(50) as pool:
        list(pool.map(lambda _: converse(client), range(100)))
    assert len(server.calls("AssumeRole")) == 1
    assert len(server.calls("GetCallerIdentity")) == 1
    # the guardrail by name, its versions, the content of the one
    assert len([item for item in server.received if item.path.startswith("/guardrails")]) == 3


def test_the_version_with_the_declared_content_is_pinned(declared: Make, server: Hostile) -> None:
    client = declared()
    assert client.session.rules.guardrail.version == "3"
    server.guardrail_versions = server.guardrail_versions[:2]
    with pytest.raises(RingwallError, match="ringwall apply"):
        SecureBedrockClient.declared(
            client.session._place.file, use="app", endpoint_urls=client.session._surroundings.endpoint_urls,
            ca_bundle=server.ca_file,
        ).converse(modelId=MODEL, messages=MESSAGES)  # fmt: skip
    assert server.calls("converse") == []
