"""Every way to change a call on its way, cold and after an untouched call to the same URL: not a byte of it arrives."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.config import Config
from botocore.exceptions import ParamValidationError

from client.client_hostile import GUARDRAIL, GUARDRAIL_ID, Hostile
from client.conftest import MODEL
from ringwall.client import PerimeterViolation, SecureBedrockClient, verify

Make = Callable[..., SecureBedrockClient]
MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]
OTHER = GUARDRAIL.replace(GUARDRAIL_ID, "other1234567")
BODY_CALLS = ("converse", "converse_stream")
HEADER_CALLS = ("invoke_model", "invoke_model_with_response_stream")
ALL = (*BODY_CALLS, *HEADER_CALLS)
NAMES = ("X-Amzn-Bedrock-GuardrailIdentifier", "X-Amzn-Bedrock-GuardrailVersion")


def call(client: Any, method: str) -> Any:
    given = {"messages": MESSAGES} if method in BODY_CALLS else {"body": json.dumps({"messages": []})}
    return getattr(client, method)(modelId=MODEL, **given)


@dataclass(frozen=True)
class Tamper:
    """A handler of somebody else's on one event, and the rule that must stop what it does."""

    event: str
    change: Callable[[Any], None]
    rule: str
    methods: tuple[str, ...] = ALL


def headers(**values: Any) -> Callable[[Any], None]:
    """Sets headers, by names with underscores."""

    def change(request: Any) -> None:
        for name, value in values.items():
            header = name.replace("_", "-")
            if header in request.headers:
                del request.headers[header]
            request.headers[header] = value

    return change


def without(*names: str) -> Callable[[Any], None]:
    def change(request: Any) -> None:
        for name in names:
            del request.headers[name]

    return change


def url(change: Callable[[str], str]) -> Callable[[Any], None]:
    def handler(request: Any) -> None:
        request.url = change(request.url)

    return handler


def body(change: Callable[[bytes], bytes]) -> Callable[[Any], None]:
    """Replaces the body of a prepared request, and its length with it."""

    def handler(request: Any) -> None:
        request.body = change(request.body)
        request.headers["Content-Length"] = str(len(request.body))

    return handler


def cut(data: bytes) -> bytes:
    document = json.loads(data)
    del document["guardrailConfig"]
    return json.dumps(document).encode()


def later(data: bytes) -> bytes:
    """The pinned pair first, another one after it."""
    second = b', "guardrailConfig": {"guardrailIdentifier": "%s", "guardrailVersion": "1"}}' % OTHER.encode()
    return data[:-1] + second


def asynchronous(data: bytes) -> bytes:
    return data.replace(b'"trace": "enabled"', b'"trace": "enabled", "streamProcessingMode": "async"')


class Posing(bytes):
    """Bytes that decode to something else than they are."""

    def decode(self, *_: Any) -> str:
        return json.dumps({"guardrailConfig": {"guardrailIdentifier": GUARDRAIL, "guardrailVersion": "3"}})

    def startswith(self, *_: Any) -> bool:
        return True


def resigned(request: Any, signature: bytes) -> None:
    """The same header with something else in the place of the signature, padded to its length."""
    authorization = request.headers["Authorization"][:-64] + signature.rjust(64, b"0")
    del request.headers["Authorization"]
    request.headers["Authorization"] = authorization


def unlike(request: Any) -> None:
    request.method = "PUT"


SIGN, SEND, EXACT = "before-sign", "before-send", "before-send.bedrock-runtime.{operation}"
LATE = "before-send", "request-created"
TAMPERS: Mapping[str, Tamper] = {
    "body cut": Tamper(SEND, body(cut), "guardrail-not-pinned", BODY_CALLS),
    "body cut, most specific event": Tamper(EXACT, body(cut), "guardrail-not-pinned", BODY_CALLS),
    "guardrail twice": Tamper(SEND, body(later), "guardrail-not-pinned", BODY_CALLS),
    "version changed": Tamper(
        SEND, body(lambda data: data.replace(b'"3"', b'"2"', 1)), "guardrail-not-pinned", BODY_CALLS
    ),
    "draft": Tamper(
        SEND, body(lambda data: data.replace(b'"3"', b'"DRAFT"', 1)), "guardrail-not-pinned", BODY_CALLS
    ),
    "version prolonged": Tamper(
        SEND, body(lambda data: data.replace(b'"3"', b'"31"', 1)), "guardrail-not-pinned", BODY_CALLS
    ),
    "body of another coding": Tamper(
        SEND, lambda request: (body(cut)(request), headers(Content_Encoding="gzip")(request))[0],
        "guardrail-not-pinned", BODY_CALLS,
    ),
    "UTF-16": Tamper(
        SEND, body(lambda data: data.decode().encode("utf-16")), "guardrail-not-pinned", BODY_CALLS
    ),
    "no body": Tamper(SEND, body(lambda _: b""), "guardrail-not-pinned", BODY_CALLS),
    "identifier gone": Tamper(SEND, without(NAMES[0]), "guardrail-not-pinned", HEADER_CALLS),
    "version gone": Tamper(SEND, without(NAMES[1]), "guardrail-not-pinned", HEADER_CALLS),
    "both gone before signing": Tamper(SIGN, without(*NAMES), "guardrail-not-pinned", HEADER_CALLS),
    "other identifier": Tamper(
        SIGN, headers(X_Amzn_Bedrock_GuardrailIdentifier=OTHER), "guardrail-not-pinned", HEADER_CALLS
    ),
    "header version": Tamper(
        SEND, headers(X_Amzn_Bedrock_GuardrailVersion="DRAFT"), "guardrail-not-pinned", HEADER_CALLS
    ),
    "bearer token": Tamper(SEND, headers(Authorization="Bearer bedrock-api-key-LEAK"), "sigv4-only"),
    "unsigned": Tamper(SEND, without("Authorization"), "sigv4-only"),
    "signature of another service": Tamper(
        SEND,
        headers(
            Authorization="AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, "
            f"SignedHeaders=host;{NAMES[0].lower()};{NAMES[1].lower()}, Signature={'0' * 64}"
        ),
        "sigv4-only",
    ),
    "signature of another Region": Tamper(
        SEND,
        headers(
            Authorization="AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/bedrock/aws4_request, "
            f"SignedHeaders=host;{NAMES[0].lower()};{NAMES[1].lower()}, Signature={'0' * 64}"
        ),
        "region-not-declared",
    ),
    "guardrail not covered by the signature": Tamper(
        SEND,
        headers(
            Authorization="AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request, "
            f"SignedHeaders=host, Signature={'0' * 64}"
        ),
        "guardrail-not-signed", HEADER_CALLS,
    ),
    "signature of two parts": Tamper(SEND, lambda request: resigned(request, b", Credential=AKIA/20260101/eu-west-1/s3/x"), "sigv4-only"),
    "signature that goes on": Tamper(SEND, lambda request: resigned(request, b"0" * 64 + b", SignedHeaders=host"), "sigv4-only"),
    "signature, not hexadecimal": Tamper(SEND, lambda request: resigned(request, b"-" * 64), "sigv4-only"),
    "another host": Tamper(SEND, url(lambda text: text.replace("127.0.0.1", "localhost")), "endpoint-not-declared"),
    "user information": Tamper(
        SEND, url(lambda text: text.replace("https://", "https://127.0.0.1@example.com/")), "endpoint-not-declared"
    ),
    "another host, by a user's name": Tamper(
        SEND, url(lambda text: text.replace("https://", "https://example.com@")), "endpoint-not-declared"
    ),
    "another host, to urllib3 alone": Tamper(
        SEND, url(lambda text: text.replace("https://", "https://localhost:1\\@")), "endpoint-not-declared"
    ),
    "a line break in the URL": Tamper(
        SEND, url(lambda text: text.replace("/model/", "/\n/model/")), "endpoint-not-declared"
    ),
    "a fragment": Tamper(SEND, url(lambda text: f"{text}#x"), "endpoint-not-declared"),
    "a query": Tamper(SEND, url(lambda text: f"{text}?guardrailIdentifier=x"), "operation-not-guarded"),
    "a target": Tamper(SEND, headers(X_Amz_Target="Bedrock.StartAsyncInvoke"), "operation-not-guarded"),
    "another protocol": Tamper(SEND, headers(Smithy_Protocol="rpc-v2-cbor"), "operation-not-guarded"),
    "a length by a name with a space": Tamper(
        SEND, lambda request: request.headers.__setitem__("Content-Length ", "1"), "body-not-whole"
    ),
    "a coding by a name with a space": Tamper(
        SEND, lambda request: request.headers.__setitem__("Transfer-Encoding ", "chunked"), "body-not-whole"
    ),
    "a header within a header": Tamper(
        SEND, headers(User_Agent="x\r\n Transfer-Encoding: chunked"), "body-not-whole"
    ),
    "a header within a header's bytes": Tamper(
        SEND, headers(User_Agent=b"x\r\n Transfer-Encoding: chunked"), "body-not-whole"
    ),
    "a body that says of itself another": Tamper(
        SEND, body(lambda _: Posing(b'{"messages": []}')), "guardrail-not-pinned", BODY_CALLS
    ),
    "a body in the making": Tamper(
        SEND, lambda request: setattr(request, "body", io.BytesIO(request.body)), "guardrail-not-pinned", BODY_CALLS
    ),
    "plain HTTP": Tamper(SEND, url(lambda text: text.replace("https:", "http:")), "tls-required"),
    "Host header": Tamper(SEND, headers(Host="bedrock-mantle.us-east-1.api.aws"), "endpoint-not-declared"),
    "Host header before signing": Tamper(SIGN, headers(Host="evil.example"), "endpoint-not-declared"),
    "another model": Tamper(
        SEND, url(lambda text: text.replace("us.anthropic.claude-sonnet-4-5", "us.amazon.nova-lite")),
        "model-not-declared",
    ),
    "model of a path within a path": Tamper(
        SEND, url(lambda text: text.replace("/model/", "/model/../model/")), "operation-not-guarded"
    ),
    "another operation": Tamper(
        SEND, url(lambda text: text.rpartition("/")[0] + "/async-invoke"), "operation-not-guarded"
    ),
    "another method": Tamper(SEND, unlike, "operation-not-guarded"),
    "a second request in the body": Tamper(SEND, headers(Content_Length="1"), "body-not-whole"),
    "two lengths": Tamper(SEND, headers(Transfer_Encoding="chunked"), "body-not-whole"),
}  # fmt: skip
CASES = [(name, method) for name, tamper in TAMPERS.items() for method in tamper.methods]


@pytest.mark.parametrize(("name", "method"), CASES)
def test_a_tampered_call_does_not_leave(by_hand: Make, server: Hostile, name: str, method: str) -> None:
    tamper, client = TAMPERS[name], by_hand(read_timeout=5).client
    active: list[bool] = []

    def handler(request: Any, **_: Any) -> None:
        if active:
            tamper.change(request)

    operation = client.meta.method_to_api_mapping[method]
    client.meta.events.register_last(tamper.event.format(operation=operation), handler)
    active.append(True)
    assert rule_of(client, method) == tamper.rule
    assert server.received == []
    active.clear()
    call(client, method)
    active.append(True)
    assert rule_of(client, method) == tamper.rule
    assert len(server.received) == 1


def rule_of(client: Any, method: str) -> str:
    with pytest.raises(PerimeterViolation) as caught:
        call(client, method)
    return caught.value.rule


@pytest.mark.parametrize("method", ["converse_stream"])
def test_a_stream_made_asynchronous_on_the_way_does_not_leave(
    declared: Make, server: Hostile, method: str
) -> None:
    """The declared guardrail masks, which a stream that goes out unread would undo."""
    client = declared().client
    call(client, method)
    client.meta.events.register_last("before-send", lambda request, **_: body(asynchronous)(request))
    assert rule_of(client, method) == "stream-not-synchronous"
    assert len(server.calls("converse-stream")) == 1


METADATA = "X-Amzn-Bedrock-Request-Metadata"
EVICTING: Mapping[str, Tamper] = {
    "gone from the body": Tamper(
        SEND, body(lambda data: data.replace(b"requestMetadata", b"requestmetadata")), "metadata-not-declared", BODY_CALLS
    ),
    "another value in the body": Tamper(
        SEND, body(lambda data: data.replace(b"payments", b"marketing")), "metadata-not-declared", BODY_CALLS
    ),
    "no mapping in the body": Tamper(
        SEND, body(lambda data: data.replace(b'{"team": "payments"}', b'"payments"')), "metadata-not-declared", BODY_CALLS
    ),
    "gone from the headers": Tamper(SEND, without(METADATA), "metadata-not-declared", HEADER_CALLS),
    "gone before signing": Tamper(SIGN, without(METADATA), "metadata-not-declared", HEADER_CALLS),
    "another value": Tamper(
        SEND, headers(X_Amzn_Bedrock_Request_Metadata=b'{"team": "marketing"}'), "metadata-not-declared", HEADER_CALLS
    ),
    "twice": Tamper(
        SEND, headers(X_Amzn_Bedrock_Request_Metadata=b'{"team": "payments", "team": "marketing"}'),
        "metadata-not-declared", HEADER_CALLS,
    ),
    "no JSON": Tamper(SEND, headers(X_Amzn_Bedrock_Request_Metadata=b"team"), "metadata-not-declared", HEADER_CALLS),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "method"), [(name, method) for name, tamper in EVICTING.items() for method in tamper.methods]
)
def test_declared_metadata_is_in_what_leaves(
    declared: Make, declaration: Path, server: Hostile, name: str, method: str
) -> None:
    text = declaration.read_text().replace("trust_environment: false", "metadata: {team: payments}")
    declaration.write_text(text)
    tamper, client = EVICTING[name], declared().client
    active: list[bool] = []

    def handler(request: Any, **_: Any) -> None:
        if active:
            tamper.change(request)

    client.meta.events.register_last(tamper.event, handler)
    for before in (0, 1):  # cold, and after an untouched call
        active[:] = [True]
        assert rule_of(client, method) == tamper.rule
        assert len([item for item in server.received if "/model/" in item.path]) == before
        active.clear()
        call(client, method)


@pytest.mark.parametrize("method", HEADER_CALLS)
def test_a_version_alone_is_checked_too(by_hand: Make, server: Hostile, method: str) -> None:
    with pytest.raises(PerimeterViolation, match="DRAFT"):
        getattr(by_hand(), method)(modelId=MODEL, body="{}", guardrailVersion="DRAFT")
    assert server.received == []


def test_a_client_that_is_told_not_to_sign(by_hand: Make, server: Hostile) -> None:
    """As agents do that take an API key: unsigned, with a bearer token put in at the end."""
    session = by_hand().session._session
    client = session.create_client(
        "bedrock-runtime", "us-east-1", endpoint_url=server.url, verify=server.ca_file,
        config=Config(signature_version=botocore.UNSIGNED),
    )  # fmt: skip
    client.meta.events.register_last(
        "before-send", lambda request, **_: headers(Authorization="Bearer bedrock-api-key-LEAK")(request)
    )
    for method in ALL:
        assert rule_of(client, method) == "sigv4-only"
    assert server.received == []


def test_a_model_of_the_service_that_drops_the_guardrail(
    by_hand: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """botocore prefers service models of AWS_DATA_PATH to its own."""
    loader = botocore.session.Session().get_component("data_loader")
    model = copy.deepcopy(loader.load_service_model("bedrock-runtime", "service-2"))
    for shape in ("ConverseRequest", "ConverseStreamRequest"):
        del model["shapes"][shape]["members"]["guardrailConfig"]
    folder = tmp_path / "models" / "bedrock-runtime" / "2023-09-30"
    folder.mkdir(parents=True)
    (folder / "service-2.json").write_text(json.dumps(model))
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "models"))
    client = by_hand()
    for method in BODY_CALLS:
        with pytest.raises((PerimeterViolation, ParamValidationError)):
            call(client, method)
    assert server.received == []


# -- the quick look ----------------------------------------------------------------------------------------------------


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Requests that were read in full."""
    seen: list[Any] = []
    read = verify.read
    monkeypatch.setattr(
        verify, "read", lambda request, routes: (seen.append(request), read(request, routes))[1]
    )
    return seen


@pytest.mark.parametrize("method", ALL)
@pytest.mark.parametrize("maker", ["by_hand", "declared"])
def test_an_untouched_call_is_read_in_full_once(
    request: pytest.FixtureRequest, server: Hostile, reads: list[Any], method: str, maker: str
) -> None:
    """Pins the form that botocore gives a call: where it changes, every call is read in full, and this fails.

    The body of an InvokeModel stream is read every time where the guardrail masks: it may ask for an unread stream.
    """
    client = request.getfixturevalue(maker)()
    for _ in range(3):
        call(client, method)
    runtime = [item for item in reads if "/model/" in item.url]
    always = maker == "declared" and method == "invoke_model_with_response_stream"
    assert len(runtime) == (3 if always else 1)
    assert len([item for item in server.received if "/model/" in item.path]) == 3


def test_what_the_caller_gave_is_no_less_plain(by_hand: Make, server: Hostile, reads: list[Any]) -> None:
    client = by_hand()
    given = {"guardrailIdentifier": GUARDRAIL_ID, "guardrailVersion": "3", "trace": "disabled"}
    for _ in range(3):
        client.converse(modelId=MODEL, messages=MESSAGES, guardrailConfig=given)
    assert len(reads) == 1
    assert [item.json["guardrailConfig"] for item in server.received] == [given] * 3


def test_text_that_looks_like_a_guardrail_changes_nothing(by_hand: Make, server: Hostile) -> None:
    text = '"guardrailConfig": {"guardrailIdentifier": "x", "guardrailVersion": "1"}, \u0067"\x00"'
    client = by_hand()
    for _ in range(2):
        client.converse(modelId=MODEL, messages=[{"role": "user", "content": [{"text": text}]}])
    assert server.received[1].json["messages"][0]["content"][0]["text"] == text
    assert server.received[1].json["guardrailConfig"]["guardrailIdentifier"] == GUARDRAIL


def test_a_guardrail_deeper_in_the_body_is_none(by_hand: Make, server: Hostile) -> None:
    """Additional fields may hold a member of that name: it is the model's, not Bedrock's."""
    client = by_hand()
    fields = {"guardrailConfig": {"guardrailIdentifier": OTHER, "guardrailVersion": "1"}}
    for _ in range(2):
        client.converse(modelId=MODEL, messages=MESSAGES, additionalModelRequestFields=fields)
    assert {item.json["guardrailConfig"]["guardrailIdentifier"] for item in server.received} == {GUARDRAIL}


def test_a_mapping_changed_after_the_check_does_not_count(by_hand: Make, server: Hostile) -> None:
    """The caller's own mapping is copied when it is checked: another thread may still hold it."""
    client = by_hand()
    given = {"guardrailIdentifier": GUARDRAIL, "guardrailVersion": "3"}
    serialize = client._serializer.serialize_to_request

    def late(*arguments: Any) -> Any:
        given.update(guardrailVersion="DRAFT")
        return serialize(*arguments)

    client._serializer.serialize_to_request = late
    client.converse(modelId=MODEL, messages=MESSAGES, guardrailConfig=given)
    assert server.only.json["guardrailConfig"]["guardrailVersion"] == "3"
