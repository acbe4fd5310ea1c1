"""What is sent again on its own, and what never is."""

from __future__ import annotations

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from moto import mock_aws

from estate.estate_support import REGION
from ringwall.errors import AwsCallError
from ringwall.estate import connection
from ringwall.estate.connection import connect
from ringwall.estate.repeating import PAUSES, Tokens, repeated


@pytest.fixture
def aws(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setattr(connection.time, "sleep", lambda _: None)
    with mock_aws():
        yield connect("quickstart", region=REGION)


def failing(client, failures):
    """Let the answers to the client's next requests be lost (moto carries them out first); returns what was sent."""
    sent = []

    def before_send(request, **_):
        sent.append(request.headers.get("X-Amz-Target", request.url))
        if failures:
            raise failures.pop(0)

    client.meta.events.register("before-send", before_send)
    return sent


@pytest.mark.parametrize("failure", [ReadTimeoutError, ConnectionClosedError])
def test_a_write_is_sent_once(aws, failure):
    sent = failing(aws._client("kms"), [failure(endpoint_url="https://kms")])
    with pytest.raises(AwsCallError) as caught:
        aws.call("kms", "CreateKey")
    assert caught.value.code in ("EndpointTimedOut", "ConnectionClosed")
    assert len(sent) == 1
    assert len(aws.call("kms", "ListKeys")["Keys"]) == 1


@pytest.mark.parametrize("failure", [ReadTimeoutError, ConnectionClosedError])
def test_a_read_is_sent_until_it_is_answered(aws, failure):
    sent = failing(aws._client("kms"), [failure(endpoint_url="https://kms") for _ in PAUSES])
    assert aws.call("kms", "ListKeys")["Keys"] == []
    assert len(sent) == len(PAUSES) + 1


@pytest.mark.parametrize(("code", "tries"), [("ThrottlingException", 5), ("503", 5), ("AccessDenied", 1)])
def test_a_read_is_repeated_only_where_that_may_help(code, tries):
    asked, slept = [], []

    def ask():
        asked.append(1)
        raise AwsCallError("kms", "ListKeys", code, "no")

    with pytest.raises(AwsCallError):
        repeated(ask, sleep=slept.append)
    assert len(asked) == tries
    assert all(most / 2 <= pause <= most for pause, most in zip(slept, PAUSES, strict=False))


MEMBERS = {"ServiceName": 0, "ClientToken": 0}


def token(tokens, **parameters):
    return tokens.added("CreateVpcEndpoint", parameters, MEMBERS)[0]["ClientToken"]


def test_a_write_has_the_same_token_until_it_is_answered():
    tokens = Tokens("run-1")
    first = token(tokens, ServiceName="a")
    assert token(tokens, ServiceName="a") == first
    assert token(tokens, ServiceName="b") != first
    tokens.answered(tokens.added("CreateVpcEndpoint", {"ServiceName": "a"}, MEMBERS)[1])
    assert token(tokens, ServiceName="a") != first
    assert token(Tokens("run-2"), ServiceName="a") != first


def test_no_token_where_none_is_taken_or_one_is_given():
    assert Tokens("run-1").added("CreateKey", {}, {"Tags": 0}) == ({}, "")
    assert Tokens("run-1").added("X", {"ClientToken": "mine"}, MEMBERS) == ({"ClientToken": "mine"}, "")
