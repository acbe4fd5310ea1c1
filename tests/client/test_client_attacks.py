"""Ways past the client that code in the same process may take, by accident or not: nothing of them arrives."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.client import BaseClient
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.credentials import Credentials
from botocore.hooks import HierarchicalEmitter
from botocore.httpsession import URLLib3Session

from client.client_hostile import Hostile
from client.test_client_tampering import ALL, call, rule_of
from ringwall.client import PerimeterViolation, SecureBedrockClient
from ringwall.client.keys import Keys

Make = Callable[..., SecureBedrockClient]
FOREIGN = Credentials("AKIAFOREIGN000000001", "other", "token-of-somebody-else")


# -- signatures of others ----------------------------------------------------------------------------------------------


def into_the_context(client: Any, credentials: Credentials = FOREIGN) -> None:
    """botocore signs with what stands here in place of the client's own credentials."""

    def put(request: Any, **_: Any) -> None:
        request.context.setdefault("signing", {})["request_credentials"] = credentials

    client.meta.events.register_last("before-sign.bedrock-runtime", put)


def into_the_parameters(client: Any) -> None:
    """The same, before anything is built."""

    def put(params: Any, context: Any, **_: Any) -> None:
        context.setdefault("signing", {})["request_credentials"] = FOREIGN

    client.meta.events.register_first("provide-client-params.bedrock-runtime", put)


def signed_anew(client: Any) -> None:
    """Signed rightly, for the same service and Region, behind botocore's own signature."""

    def sign(request: Any, **_: Any) -> None:
        kept = {name: value.decode() for name, value in request.headers.items() if name.lower() in KEPT}
        fresh = AWSRequest(request.method, request.url, data=request.body, headers=kept)
        SigV4Auth(FOREIGN, "bedrock", "us-east-1").add_auth(fresh)
        for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = fresh.headers[name].encode()

    client.meta.events.register_last("before-send", sign)


def into_the_signer(client: Any) -> None:
    client._request_signer._credentials = FOREIGN


KEPT = ("content-type", "x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion")
SIGNERS = (into_the_context, into_the_parameters, signed_anew, into_the_signer)


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("sign", SIGNERS)
def test_a_signature_of_others_does_not_leave(
    by_hand: Make, server: Hostile, sign: Callable[[Any], None], method: str
) -> None:
    """Cold, and after a call with the client's own."""
    for warm in (False, True):
        client = by_hand().client
        before = len(server.received)
        if warm:
            call(client, method)
        sign(client)
        assert rule_of(client, method) == "credentials-not-declared"
        assert len(server.received) == before + warm


def test_a_client_of_the_session_with_other_keys_is_not_made(by_hand: Make, server: Hostile) -> None:
    """Past ``GuardedSession.client``, which refuses them too."""
    own = by_hand().session._session
    with pytest.raises(PerimeterViolation, match="credentials-not-declared"):
        own.create_client(
            "bedrock-runtime", "us-east-1", endpoint_url=server.url, verify=server.ca_file,
            aws_access_key_id="AKIAFOREIGN000000001", aws_secret_access_key="y",
        )  # fmt: skip


def test_keys_that_were_renewed_on_the_way_are_still_the_clients() -> None:
    """Between signing and sending another thread may renew them."""
    current = ["A"]
    keys = Keys(lambda: current[0])
    assert keys.hold("A")
    current[0] = "B"
    assert keys.hold("B")
    assert keys.hold("A")
    assert not keys.hold("C")
    assert not Keys(lambda: None).hold("A")


def test_the_assumed_roles_keys_are_the_clients(declared: Make, server: Hostile) -> None:
    """Not those that it began with."""
    client = declared().client
    call(client, "converse")
    into_the_context(client, Credentials("AKIAAMBIENT000000001", "secret"))
    assert rule_of(client, "converse") == "credentials-not-declared"
    assert len(server.calls("converse")) == 1


# -- parts of a client replaced ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
def test_another_http_session_sends_nothing(by_hand: Make, server: Hostile, method: str) -> None:
    client = by_hand().client
    client._endpoint.http_session = URLLib3Session(verify=server.ca_file)
    assert rule_of(client, method) == "transport-replaced"
    assert server.received == []


@pytest.mark.parametrize("method", ALL)
def test_another_emitter_changes_nothing(by_hand: Make, server: Hostile, method: str) -> None:
    client = by_hand().client
    client.meta._events = HierarchicalEmitter()
    with pytest.raises(PerimeterViolation, match="model-not-declared"):
        client.converse(modelId="us.amazon.nova-lite-v1:0", messages=[])
    client.meta.events.register("before-send", lambda **_: None)
    assert server.received == []


def test_steps_of_botocores_own_class_are_verified(by_hand: Make, server: Hostile) -> None:
    """The base class's step, without the decision: no guardrail, and nothing leaves."""
    client = by_hand().client
    client._convert_to_request_dict = lambda *arguments, **keywords: BaseClient._convert_to_request_dict(
        client, *arguments, **keywords
    )
    assert rule_of(client, "converse") == "guardrail-not-pinned"
    with pytest.raises(PerimeterViolation, match="model-not-declared"):
        BaseClient._make_api_call(by_hand().client, "Converse", {"modelId": "x", "messages": []})
    assert server.received == []


# -- all settings at once ----------------------------------------------------------------------------------------------

HOSTILE_VALUES = {
    # those that have to stay as they are for a client to be made at all, or that other tests are about
    "AWS_CONFIG_FILE": None,
    "AWS_SHARED_CREDENTIALS_FILE": None,
    "AWS_PROFILE": None,
    "AWS_DEFAULT_PROFILE": None,
    "AWS_DATA_PATH": None,
    "AWS_CA_BUNDLE": "/nowhere/ca.pem",
    "AWS_DEFAULTS_MODE": "in-region",
    "AWS_RETRY_MODE": "adaptive",
    "AWS_MAX_ATTEMPTS": "9",
    "AWS_AUTH_SCHEME_PREFERENCE": "httpBearerAuth",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_supported",
    "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES": "1",
    "AWS_SIGV4A_SIGNING_REGION_SET": "*",
    "AWS_STS_REGIONAL_ENDPOINTS": "legacy",
    "AWS_DEFAULT_REGION": "eu-west-3",
    "AWS_CSM_ENABLED": "false",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv4",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1",
    "AWS_METADATA_SERVICE_TIMEOUT": "1",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "1",
    "AWS_SDK_UA_APP_ID": "app",
}
"""A value for each variable that botocore knows; all others are switches, and on."""
NEW = ("x-amz-date", "authorization", "amz-sdk-invocation-id", "user-agent")


def test_no_setting_of_the_environment_changes_what_leaves(
    by_hand: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every variable of botocore's own table, at once: the same bytes to the same host, but for time and name."""
    call(by_hand(), "converse")
    for _, variables, _, _ in BOTOCORE_DEFAUT_SESSION_VARIABLES.values():
        for name in variables if isinstance(variables, list) else [variables]:
            value = HOSTILE_VALUES.get(name, "true") if name else None
            if value is not None:
                monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-LEAK")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://127.0.0.1:1")
    call(by_hand(), "converse")
    before, after = server.received
    assert (after.method, after.path, after.body) == (before.method, before.path, before.body)
    steady = [
        {name: value for name, value in item.headers.items() if name not in NEW} for item in (before, after)
    ]
    assert steady[0] == steady[1]
    assert "/us-east-1/bedrock/aws4_request" in after.headers["authorization"]


def test_nobody_is_told_of_calls_by_udp(
    by_hand: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Client-side monitoring: botocore would tell a host of the environment which operations are called."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        monkeypatch.setenv("AWS_CSM_ENABLED", "true")
        monkeypatch.setenv("AWS_CSM_PORT", str(listener.getsockname()[1]))
        call(by_hand().client, "converse")
        assert len(server.received) == 1
        with pytest.raises(BlockingIOError):
            listener.recv(65536)


# -- what botocore itself writes down ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ALL)
def test_botocore_writes_prompts_down_at_debug_and_the_client_says_so(
    by_hand: Make, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """The one way in which a prompt gets into a log: pinned, so that the day it ends is seen."""
    caplog.set_level(logging.DEBUG, logger="botocore")
    call(by_hand().client, method)
    told = [record for record in caplog.records if record.name == "ringwall.client"]
    assert [record.levelname for record in told] == ["WARNING"]
    assert any(
        "messages" in record.getMessage() for record in caplog.records if record.name.startswith("botocore")
    )


@pytest.mark.parametrize("method", ALL)
def test_no_logger_holds_a_prompt_above_debug(
    by_hand: Make, caplog: pytest.LogCaptureFixture, method: str
) -> None:
    caplog.set_level(logging.INFO)
    call(by_hand().client, method)
    assert not [
        record for record in caplog.records if "messages" in record.getMessage() + str(record.__dict__)
    ]
