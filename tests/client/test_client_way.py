"""Endpoints, Regions, proxies, certificates and TLS: only the declared way, whatever the environment says."""

from __future__ import annotations

import json
import socket
import ssl
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme
from botocore.config import Config
from botocore.exceptions import BotoCoreError, SSLError
from botocore.session import Session

from client.client_hostile import GUARDRAIL, Hostile, hostile
from client.conftest import MODEL
from ringwall.client import PerimeterViolation, SecureBedrockClient
from ringwall.client.transport import KEEP_ALIVE, HardenedSession, host_of, hosts
from ringwall.errors import RingwallError

MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]
Make = Callable[..., SecureBedrockClient]
PROXY_NAMES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")


def converse(client: Any) -> Any:
    return client.converse(modelId=MODEL, messages=MESSAGES)


def real_hosts(server: Hostile, **options: Any) -> SecureBedrockClient:
    """A client without endpoint URLs: it asks for AWS's own host names."""
    given: dict[str, Any] = {"guardrail": f"{GUARDRAIL}:3", "models": [MODEL], "read_timeout": 5, **options}
    return SecureBedrockClient("us-east-1", **given)


def violated(rule: str, attempt: Callable[[], Any]) -> None:
    with pytest.raises(PerimeterViolation) as caught:
        attempt()
    assert caught.value.rule == rule, caught.value.explain()


# -- endpoints and Regions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        "AWS_ENDPOINT_URL_STS",
        "AWS_ENDPOINT_URL_BEDROCK",
    ],
)
def test_endpoints_of_the_environment_are_ignored(
    server: Hostile, by_hand: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    (tmp_path / "thief").mkdir()
    with hostile(tmp_path / "thief") as thief:
        monkeypatch.setenv(name, thief.url)
        client = by_hand(role_arn="arn:aws:iam::111122223333:role/x", endpoint_urls={"sts": server.url})
        converse(client)
        assert thief.connections == 0
        assert len(server.calls("converse")) == 1


def test_endpoints_of_a_profile_are_ignored(
    server: Hostile, by_hand: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[default]\nendpoint_url = https://127.0.0.1:1\nuse_dualstack_endpoint = true\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    converse(by_hand())
    assert server.only.operation == "converse"


def test_services_of_a_profile_are_ignored(
    server: Hostile, by_hand: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(
        "[default]\nservices = elsewhere\nauth_scheme_preference = httpBearerAuth\n[services elsewhere]\n"
        "bedrock_runtime =\n  endpoint_url = https://127.0.0.1:1\nsts =\n  endpoint_url = https://127.0.0.1:1\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    converse(by_hand(role_arn="arn:aws:iam::111122223333:role/x", endpoint_urls={"sts": server.url}))
    assert [item.operation for item in server.received] == ["GetCallerIdentity", "AssumeRole", "converse"]
    assert server.received[-1].headers["authorization"].startswith("AWS4-HMAC-SHA256 ")


def test_an_undeclared_endpoint_is_refused(server: Hostile, by_hand: Make) -> None:
    session = by_hand().session
    for url in (
        "https://127.0.0.1:1",
        f"https://localhost:{server.port}",
        server.url.replace("https", "http"),
    ):
        violated("endpoint-not-declared", lambda url=url: session.client("bedrock-runtime", endpoint_url=url))
    violated("endpoint-not-declared", lambda: session.client("bedrock", endpoint_url=server.url))
    assert server.connections == 0


def test_an_endpoint_moved_by_another_handler_does_not_leave(server: Hostile, by_hand: Make) -> None:
    client = by_hand().client

    def move(request: Any, **_: Any) -> None:
        request.url = request.url.replace(f":{server.port}", ":1")

    client.meta.events.register_last("before-send", move)
    violated("endpoint-not-declared", lambda: converse(client))


def test_plain_http_is_refused(server: Hostile, by_hand: Make) -> None:
    violated("tls-required", lambda: by_hand(endpoint_url=server.url.replace("https", "http")))
    assert server.connections == 0


@pytest.mark.parametrize("options", [{"verify": False}, {"verify": 0}, {"use_ssl": False}])
def test_tls_cannot_be_switched_off(by_hand: Make, options: dict[str, Any]) -> None:
    violated("tls-required", lambda: by_hand().session.client("bedrock-runtime", **options))


@pytest.mark.parametrize(
    "options",
    [
        {"verify": False},
        {"verify": 0},
        {"config": Config(proxies_config={"proxy_use_forwarding_for_https": True})},
    ],
)
@pytest.mark.parametrize("whose", ["the session's own", "somebody else's"])
def test_tls_cannot_be_switched_off_behind_the_session(
    by_hand: Make, server: Hostile, options: dict[str, Any], whose: str
) -> None:
    """Frameworks make clients of their own from the botocore session."""
    session = by_hand().session
    botocore_session = session._session if whose == "the session's own" else Session()
    if botocore_session is not session._session:
        session.attach(botocore_session)
    given = {"endpoint_url": server.url, **options}
    violated("tls-required", lambda: botocore_session.create_client("bedrock-runtime", "us-east-1", **given))
    assert server.connections == 0


@pytest.mark.parametrize("member", ["signingName", "endpointPrefix"])
def test_bedrock_by_another_name_is_refused(
    by_hand: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, member: str
) -> None:
    """As ``aws configure add-model`` installs a preview: the same API, under a name that nobody guards."""
    model = Session().get_component("data_loader").load_service_model("bedrock-runtime", "service-2")
    metadata = {
        **model["metadata"], "serviceId": "Preview", "signingName": "x", "endpointPrefix": "x",
        member: "bedrock-runtime",
    }  # fmt: skip
    folder = tmp_path / "models" / "preview" / "2023-09-30"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps({**model, "metadata": metadata}))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
    session = by_hand().session
    violated("service-not-guarded", lambda: session.client("preview", endpoint_url=server.url))
    assert session.client("sts").meta.service_model.service_name == "sts"
    assert server.connections == 0


def test_another_region_is_refused(by_hand: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    session = by_hand().session
    violated("region-not-declared", lambda: session.client("bedrock-runtime", region_name="eu-west-1"))
    elsewhere = session._session.create_client("bedrock-runtime", "eu-west-1", endpoint_url=server.url)
    violated("region-not-declared", lambda: converse(elsewhere))
    assert server.connections == 0
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    converse(by_hand())
    assert "/us-east-1/bedrock/" in server.only.headers["authorization"]


def test_the_credentials_that_begin_are_guarded_too(by_hand: Make, server: Hostile) -> None:
    client = by_hand().session.beginning_client("bedrock-runtime")
    violated(
        "model-not-declared", lambda: client.converse(modelId="amazon.nova-lite-v1:0", messages=MESSAGES)
    )
    assert server.connections == 0
    converse(client)
    assert server.only.json["guardrailConfig"]["guardrailIdentifier"] == GUARDRAIL


def test_other_credentials_are_refused(by_hand: Make) -> None:
    keys = {"aws_access_key_id": "AKIAX", "aws_secret_access_key": "y"}
    violated("credentials-not-declared", lambda: by_hand().session.client("bedrock-runtime", **keys))


# -- AWS's own hosts, reached through a proxy that is allowed ----------------------------------------------------------


def test_host_names_are_the_regions_own(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_NAMES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.port}")
    client = real_hosts(
        server, trust_environment=True, ca_bundle=server.ca_file, role_arn="arn:aws:iam::111122223333:role/x"
    )
    converse(client)
    assert [item.connect for item in server.received] == [
        "sts.us-east-1.amazonaws.com:443",
        "sts.us-east-1.amazonaws.com:443",
        "bedrock-runtime.us-east-1.amazonaws.com:443",
    ]


def test_sts_stays_regional_where_the_environment_says_legacy(
    server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    client = real_hosts(
        server, trust_environment=True, ca_bundle=server.ca_file, role_arn="arn:aws:iam::111122223333:role/x"
    )
    converse(client)
    assert {item.connect for item in server.received if item.body.startswith(b"Action")} == {
        "sts.us-east-1.amazonaws.com:443"
    }


def test_fips_hosts_are_the_regions_own_too(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    converse(real_hosts(server, trust_environment=True, ca_bundle=server.ca_file))
    assert server.only.connect == "bedrock-runtime-fips.us-east-1.amazonaws.com:443"


def test_dual_stack_hosts_have_to_be_declared(server: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
    client = real_hosts(server, trust_environment=True, ca_bundle=server.ca_file)
    config = Config(use_dualstack_endpoint=True)
    violated("endpoint-not-declared", lambda: client.session.client("bedrock-runtime", config=config))
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    violated("endpoint-not-declared", lambda: converse(client.session.client("bedrock-runtime")))
    assert server.connections == 0


@pytest.mark.parametrize("settings", [{"inject_host_prefix": True}, {"account_id_endpoint_mode": "required"}])
def test_host_prefixes_and_account_endpoints_stay_within_the_hosts(
    server: Hostile, by_hand: Make, settings: dict[str, Any]
) -> None:
    converse(by_hand().session.client("bedrock-runtime", config=Config(**settings)))
    assert server.only.headers["host"] == f"127.0.0.1:{server.port}"
    client = by_hand().session.client("bedrock-runtime", config=Config(**settings))

    def prefix(params: dict[str, Any], **_: Any) -> None:
        params["url"] = params["url"].replace("https://", "https://111122223333.")

    client.meta.events.register("before-call", prefix)
    violated("endpoint-not-declared", lambda: converse(client))


# -- proxies and certificates of the environment -----------------------------------------------------------------------


def test_proxies_of_the_environment_are_ignored(
    server: Hostile, by_hand: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "proxy").mkdir()
    with hostile(tmp_path / "proxy") as proxy:
        for name in (*PROXY_NAMES, "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        converse(by_hand())
        assert proxy.connections == 0
        assert server.only.connect is None


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"])
def test_certificate_authorities_of_the_environment_are_ignored(
    server: Hostile, by_hand: Make, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, server.ca_file)
    with pytest.raises(SSLError):
        converse(by_hand(ca_bundle=None))
    assert server.received == []


def test_the_environment_counts_where_it_is_trusted(
    server: Hostile, by_hand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", server.ca_file)
    converse(by_hand(ca_bundle=None, trust_environment=True))
    assert server.only.operation == "converse"


def test_a_proxy_that_would_read_calls_is_refused(by_hand: Make) -> None:
    config = Config(proxies={"https": "https://p"}, proxies_config={"proxy_use_forwarding_for_https": True})
    violated("tls-required", lambda: by_hand().session.client("bedrock-runtime", config=config))


# -- TLS ---------------------------------------------------------------------------------------------------------------


def test_a_plain_server_is_refused(by_hand: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        client = by_hand(endpoint_url=f"https://127.0.0.1:{listener.getsockname()[1]}", read_timeout=5)
        seen = in_thread(lambda: talk_plain(listener))
        with pytest.raises(BotoCoreError):
            converse(client)
        assert b"hello" not in seen()


def test_a_server_of_tls_1_1_is_refused(by_hand: Make, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "old.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        client = by_hand(endpoint_url=url, ca_bundle=str(tmp_path / "old.pem"), read_timeout=5)
        failure = in_thread(lambda: shake(listener, context))
        with pytest.raises(SSLError):
            converse(client)
        assert "version" in failure() or "protocol" in failure().lower()


def test_the_floor_and_keep_alive_are_in_every_client(
    by_hand: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Pins the one private seam that the transport uses: a botocore that moves it fails here."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    config = Config(read_timeout=77, connect_timeout=3, max_pool_connections=33)
    for service in ("bedrock", "bedrock-runtime", "bedrock-agent", "bedrock-agent-runtime"):
        http = by_hand().session.client(service, config=config)._endpoint.http_session
        assert isinstance(http, HardenedSession)
        pool = http._manager.connection_pool_kw
        assert pool["ssl_context"].minimum_version == ssl.TLSVersion.TLSv1_2
        assert pool["ssl_context"].keylog_filename is None
        assert (pool["timeout"].connect_timeout, pool["timeout"].read_timeout, pool["maxsize"]) == (3, 77, 33)
        options = {(level, name): value for level, name, value in pool["socket_options"]}
        assert options[socket.SOL_SOCKET, socket.SO_KEEPALIVE] == 1
        assert options[socket.IPPROTO_TCP, socket.TCP_NODELAY] == 1
        for name, seconds in KEEP_ALIVE:
            if hasattr(socket, name):
                assert options[socket.IPPROTO_TCP, getattr(socket, name)] == seconds


def test_no_keys_of_connections_are_written(
    by_hand: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    converse(by_hand())
    assert not (tmp_path / "keys").exists() or (tmp_path / "keys").read_text().count("SECRET") == 0


def test_hosts() -> None:
    assert hosts("bedrock-runtime", "cn-north-1", {}) == {
        "bedrock-runtime.cn-north-1.amazonaws.com.cn:443",
        "bedrock-runtime-fips.cn-north-1.amazonaws.com.cn:443",
    }
    assert hosts("sts", "us-east-1", {"sts": "https://VPCE-1.example:8443/x"}) == {"vpce-1.example:8443"}
    assert hosts("sts", "us-east-1", {"sts": "https://a.example\\@b.example"}) == frozenset()
    for url in (
        "https://a.example@b.example/",
        "https://a.example\\@b.example/",
        "https://a.example/ x",
        "ftp://a.example/",
    ):
        assert host_of(url) is None


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)
    pool.shutdown(wait=False)
    return lambda: future.result(10)


def talk_plain(listener: socket.socket) -> bytes:
    sock, _ = listener.accept()
    with sock:
        data = sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    return data


def shake(listener: socket.socket, context: ssl.SSLContext) -> str:
    sock, _ = listener.accept()
    try:
        context.wrap_socket(sock, server_side=True).close()
    except (ssl.SSLError, OSError) as error:
        return str(error)
    finally:
        sock.close()
    return "accepted"


# -- the user agent ----------------------------------------------------------------------------------------------------


def test_the_user_agent_names_the_application(
    server: Hostile, by_hand: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is the client's own of the beginning: CloudTrail shows who called, and each call says the same."""
    monkeypatch.setenv("AWS_SDK_UA_APP_ID", "claims-bot")
    client = by_hand().session.client("bedrock-runtime", config=Config(user_agent_extra="framework/1"))
    for _ in range(2):
        converse(client)
    first, second = (item.headers["user-agent"] for item in server.received)
    assert first == second
    assert first.startswith("Boto3/")
    assert {"app/claims-bot", "framework/1", "ringwall"} <= set(first.split(" "))


# -- environments of a declaration -------------------------------------------------------------------------------------


def test_an_environment_is_laid_over_the_declaration(
    declared: Callable[..., SecureBedrockClient], server: Hostile, declaration: Path
) -> None:
    nova, claude = "us.amazon.nova-pro-v1:0", MODEL
    text = declaration.read_text() + "environments:\n  prod:\n    uses: {app: {models: [nova]}}\n  dev: {}\n"
    declaration.write_text(text)
    assert set(declared().models) == set(declared(environment="dev").models) == {"claude", "nova"}
    client = declared(environment="prod")
    assert client.models == {"nova": nova}
    with pytest.raises(PerimeterViolation) as caught:
        client.converse(modelId=claude, messages=MESSAGES)
    line = text.splitlines().index("    uses: {app: {models: [nova]}}") + 1
    assert caught.value.declared == f"{declaration}:{line}"
    assert not server.calls("converse")
    client.converse(modelId=nova, messages=MESSAGES)
    assert len(server.calls("converse")) == 1
    with pytest.raises(RingwallError, match=r"no environment stage \(there: prod, dev\)"):
        declared(environment="stage")
