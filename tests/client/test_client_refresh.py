"""Credentials over time: clocks that are wrong, sessions that end early, many threads at once, and what they may do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from client.client_hostile import EXPIRED, Hostile
from client.test_client_credentials import converse, key
from ringwall.client import Outcome, SecureBedrockClient
from ringwall.client.narrowing import CHARACTERS, session_policy
from ringwall.errors import RingwallError
from ringwall.perimeter import load

Make = Callable[..., SecureBedrockClient]


class Clock:
    """A clock that a test moves."""

    def __init__(self, skew: timedelta = timedelta()) -> None:
        self.moved = skew

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.moved


def clocked(client: SecureBedrockClient, clock: Clock) -> SecureBedrockClient:
    client.session._session.get_credentials()._clock = clock
    return client


# -- refresh -----------------------------------------------------------------------------------------------------------


def test_a_refresh_every_second_among_many_threads_loses_no_call(declared: Make, server: Hostile) -> None:
    """The clock jumps an hour before each round of calls: every round finds its credentials expired, all at once."""
    outcomes: list[Outcome] = []
    clock = Clock()
    client = clocked(declared(on_outcome=outcomes.append), clock)
    server.lifetime = lambda _serial: int(clock.moved.total_seconds()) + 3600
    rounds, threads = 8, 24
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds):
            assert len(list(pool.map(lambda _: converse(client), range(threads)))) == threads
            clock.moved += timedelta(hours=1)
    assert len(server.calls("converse")) == len(outcomes) == rounds * threads
    assert len(server.calls("AssumeRole")) == rounds
    used = [key(item) for item in server.calls("converse")]
    for number in range(rounds):
        assert set(used[number * threads : (number + 1) * threads]) == {f"ASIAASSUMED{number + 1:05d}"}


def test_a_thousand_threads_lose_no_call_while_credentials_end(declared: Make, server: Hostile) -> None:
    """All at once, and after every hundredth answer the clock jumps past the end of the credentials in use."""
    threads, clock, answered, lock = 1000, Clock(), list[Outcome](), threading.Lock()

    def told(outcome: Outcome) -> None:
        with lock:
            answered.append(outcome)
            if len(answered) % 100 == 0:
                clock.moved += timedelta(hours=1)

    server.lifetime = lambda _serial: int(clock.moved.total_seconds()) + 3600
    session = clocked(declared(on_outcome=told), clock).session
    client = session.client("bedrock-runtime", config=Config(max_pool_connections=64, connect_timeout=60))
    together = threading.Barrier(threads)

    def call(_: int) -> Any:
        together.wait(60)
        return converse(client)

    with ThreadPoolExecutor(threads) as pool:
        assert len(list(pool.map(call, range(threads)))) == threads
    assert len(answered) == len(server.calls("converse")) == threads
    assert all(item.complete and item.error is None for item in answered)
    assert 2 <= len(server.calls("AssumeRole")) <= threads // 100 + 1


@pytest.mark.parametrize("minutes", [-14, -5, 0, 5, 40])
def test_a_wrong_clock_neither_uses_a_session_too_long_nor_asks_each_time(
    declared: Make, server: Hostile, minutes: int
) -> None:
    """STS gives an hour. However wrong our clock is, the next session begins before the hour is over."""
    clock = Clock(timedelta(minutes=minutes))
    client = clocked(declared(), clock)
    for _ in range(3):
        converse(client)
    assert len(server.calls("AssumeRole")) == 1
    clock.moved += timedelta(minutes=60)
    server.lifetime = lambda _serial: 7200
    converse(client)
    assert len(server.calls("AssumeRole")) == 2


# -- sessions that AWS ends before their time --------------------------------------------------------------------------


def test_an_expired_session_is_begun_anew_and_the_call_made_once_more(
    declared: Make, server: Hostile
) -> None:
    client = declared()
    converse(client)
    server.reply("converse", EXPIRED)
    converse(client)
    assert [key(item) for item in server.calls("converse")] == [
        "ASIAASSUMED00001",
        "ASIAASSUMED00001",
        "ASIAASSUMED00002",
    ]


def test_a_session_that_is_expired_again_is_an_error(declared: Make, server: Hostile) -> None:
    server.reply("converse", EXPIRED, EXPIRED, EXPIRED)
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        converse(declared())
    assert len(server.calls("converse")) == 2
    assert len(server.calls("AssumeRole")) == 2


def test_credentials_that_are_not_ours_to_renew(declared: Make, server: Hostile) -> None:
    server.caller = "arn:aws:sts::111122223333:assumed-role/quickstart-app/i-0123456789abcdef0"
    server.reply("converse", EXPIRED)
    with pytest.raises(ClientError, match="ExpiredTokenException"):
        converse(declared())
    assert len(server.calls("converse")) == 1


def test_threads_that_are_refused_together_renew_once(declared: Make, server: Hostile) -> None:
    client = declared()
    converse(client)
    credentials = client.session._session.get_credentials()
    server.expired.add("ASIAASSUMED00001")
    threads = 16
    together = threading.Barrier(threads)

    def refused(_: int) -> Any:
        together.wait(10)
        return converse(client)

    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(refused, range(threads)))
    assert len(answers) == threads
    assert len(server.calls("AssumeRole")) == 2
    assert credentials.generation == 1
    assert credentials.renew(0) is True
    assert credentials.generation == 1


# -- the session policy ------------------------------------------------------------------------------------------------


def test_the_session_may_do_what_the_use_is_declared_for(
    declared: Make, server: Hostile, declaration: Path
) -> None:
    converse(declared())
    sent = json.loads(server.calls("AssumeRole")[0].form["Policy"])
    perimeter = load(declaration)
    assert sent == session_policy(perimeter, "app")
    actions = {action for statement in sent["Statement"] for action in _list(statement["Action"])}
    assert actions == {
        "bedrock:InvokeModel",
        "bedrock:InvokeModelWithResponseStream",
        "bedrock:GetInferenceProfile",
        "bedrock:ListGuardrails",
        "bedrock:ApplyGuardrail",
        "bedrock:GetGuardrail",
        "kms:Decrypt",
    }
    assert len(json.dumps(sent, separators=(",", ":"))) <= CHARACTERS


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_no_narrowing_where_none_is_wanted(declared: Make, server: Hostile) -> None:
    converse(declared(session_policy=None))
    assert "Policy" not in server.calls("AssumeRole")[0].form


@pytest.mark.parametrize("use", ["assistant", "guardrail-admin", "auditor", "operator"])
def test_uses_that_reach_further_have_no_session_policy(declaration: Path, use: str) -> None:
    perimeter = load(declaration)
    assert session_policy(perimeter, use) is None


def test_a_session_policy_keeps_to_its_size(declaration: Path) -> None:
    """More models: named once for all Regions; and when that is too much as well, it is said."""
    text = declaration.read_text()

    def sized(count: int) -> dict[str, Any] | None:
        names = [f"m{number}" for number in range(count)]
        models = "".join(f"  {name}: us.amazon.nova-pro-v{name[1:]}:0\n" for name in names)
        many = text.replace("models:  ", f"models:\n{models}#", 1)
        many = many.replace("models: [claude, nova]", f"models: [{', '.join(names)}]", 1)
        declaration.write_text(many)
        perimeter = load(declaration)
        return session_policy(perimeter, "app")

    fits = sized(5)
    assert len(json.dumps(fits, separators=(",", ":"))) <= CHARACTERS
    assert "arn:aws:bedrock:*::foundation-model/amazon.nova-pro-v4:0" in json.dumps(fits)
    with pytest.raises(RingwallError, match="divide its models"):
        sized(40)
