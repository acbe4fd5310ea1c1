"""What really left: the pinned guardrail in every form of call, and nothing at all of a call outside the perimeter."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

import botocore
import pytest
from botocore.client import BaseClient
from botocore.config import Config

from client.client_hostile import GUARDRAIL, GUARDRAIL_ID, Hostile, Reply, model_of
from client.conftest import MODEL
from ringwall.client import PerimeterViolation, SecureBedrockClient
from ringwall.errors import RingwallError

MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]
BODY = json.dumps({"messages": []})
PINNED = {"guardrailIdentifier": GUARDRAIL, "guardrailVersion": "3"}
OTHER = GUARDRAIL.replace(GUARDRAIL_ID, "other1234567")
Make = Callable[..., SecureBedrockClient]
CALLS: Mapping[str, Mapping[str, Any]] = {
    "converse": {"messages": MESSAGES},
    "converse_stream": {"messages": MESSAGES},
    "invoke_model": {"body": BODY},
    "invoke_model_with_response_stream": {"body": BODY},
}


def call(client: Any, method: str, **parameters: Any) -> Any:
    return getattr(client, method)(**{"modelId": MODEL, **CALLS.get(method, {}), **parameters})


def carried(server: Hostile) -> tuple[str, str]:
    """Guardrail and version in the bytes of the only request."""
    sent = server.only
    if "converse" in sent.path:
        given = sent.json["guardrailConfig"]
        return given["guardrailIdentifier"], given["guardrailVersion"]
    names = ("x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion")
    return sent.headers[names[0]], sent.headers[names[1]]


def refused(server: Hostile, rule: str, attempt: Callable[[], Any]) -> PerimeterViolation:
    """The attempt is refused by that rule, and not a byte of it has arrived."""
    with pytest.raises(PerimeterViolation) as caught:
        attempt()
    assert caught.value.rule == rule, caught.value.explain()
    assert [item.path for item in server.received if item.path.startswith(("/model", "/guardrail/"))] == []
    return caught.value


# -- what is added -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", CALLS)
def test_the_guardrail_is_in_the_bytes(by_hand: Make, server: Hostile, method: str) -> None:
    call(by_hand(), method)
    assert carried(server) == (GUARDRAIL, "3")
    assert model_of(server.only) == MODEL
    assert server.only.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAAMBIENT")
    assert "/us-east-1/bedrock/aws4_request" in server.only.headers["authorization"]


@pytest.mark.parametrize("method", ["invoke_model", "invoke_model_with_response_stream"])
def test_the_guardrail_headers_are_signed(by_hand: Make, server: Hostile, method: str) -> None:
    call(by_hand(), method)
    signed = server.only.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion"} <= set(signed)


@pytest.mark.parametrize(
    "given", [PINNED, {**PINNED, "guardrailIdentifier": GUARDRAIL_ID}, {"trace": "disabled"}]
)
def test_what_the_caller_gave_rightly_stays(by_hand: Make, server: Hostile, given: dict[str, str]) -> None:
    config = {**PINNED, **given}
    call(by_hand(), "converse", guardrailConfig=config)
    assert server.only.json["guardrailConfig"] == config


def test_apply_guardrail_names_the_pinned_one(by_hand: Make, server: Hostile) -> None:
    by_hand().apply_guardrail(
        source="INPUT",
        content=[{"text": {"text": "x"}}],
        guardrailIdentifier=GUARDRAIL_ID,
        guardrailVersion="3",
    )
    assert server.only.path == f"/guardrail/{GUARDRAIL_ID}/version/3/apply"


def test_the_callers_values_are_not_written_to(by_hand: Make, server: Hostile) -> None:
    given = {
        "messages": copy.deepcopy(MESSAGES),
        "guardrailConfig": {"trace": "enabled"},
        "requestMetadata": {"a": "b"},
    }
    before = copy.deepcopy(given)
    by_hand(guardrail=f"{GUARDRAIL}:3").converse(modelId=MODEL, **{**given, "guardrailConfig": dict(PINNED)})
    by_hand().converse(modelId=MODEL, messages=given["messages"], requestMetadata=given["requestMetadata"])
    assert given == before


def test_declared_metadata_cannot_be_evicted(declared: Make, declaration: Any, server: Hostile) -> None:
    text = declaration.read_text().replace("trust_environment: false", "metadata: {team: payments}")
    declaration.write_text(text)
    client = declared()
    given = {"team": "mine", "trace": "1"}
    client.converse(modelId=MODEL, messages=MESSAGES, requestMetadata=given)
    client.invoke_model(modelId=MODEL, body=BODY, requestMetadata=json.dumps(given))
    assert server.calls("converse")[0].json["requestMetadata"] == {"team": "payments", "trace": "1"}
    header = server.calls("invoke")[0].headers["x-amzn-bedrock-request-metadata"]
    assert json.loads(header) == {"team": "payments", "trace": "1"}
    assert given == {"team": "mine", "trace": "1"}


# -- guardrails and models that are refused ----------------------------------------------------------------------------

WRONG_GUARDRAILS = {
    "other": (OTHER, "3"),
    "other-id": ("other1234567", "3"),
    "draft": (GUARDRAIL, "DRAFT"),
    "other-version": (GUARDRAIL, "2"),
    "padded-version": (GUARDRAIL, "03"),
    "version-in-arn": (f"{GUARDRAIL}:3", "3"),
    "empty": ("", "3"),
    "other-account": (GUARDRAIL.replace("111122223333", "444455556666"), "3"),
}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("case", WRONG_GUARDRAILS)
def test_another_guardrail_is_refused(by_hand: Make, server: Hostile, method: str, case: str) -> None:
    identifier, version = WRONG_GUARDRAILS[case]
    pair = {"guardrailIdentifier": identifier, "guardrailVersion": version}
    given = {"guardrailConfig": pair} if "converse" in method else pair
    refused(server, "guardrail-not-pinned", lambda: call(by_hand(), method, **given))


def test_a_draft_must_be_asked_for_by_name(by_hand: Make, server: Hostile) -> None:
    with pytest.raises(PerimeterViolation):
        by_hand(guardrail=f"{GUARDRAIL}:DRAFT")
    call(by_hand(guardrail=f"{GUARDRAIL}:DRAFT", unsafe_allow_draft=True), "converse")
    assert carried(server) == (GUARDRAIL, "DRAFT")


def test_a_guardrail_of_another_region_is_refused(by_hand: Make, server: Hostile) -> None:
    wrong = GUARDRAIL.replace("us-east-1", "us-west-2")
    refused(server, "guardrail-not-pinned", lambda: by_hand(guardrail=f"{wrong}:3"))


ARN = "arn:aws:bedrock:us-east-1"
MODELS = {
    "id": "us.amazon.nova-lite-v1:0",
    "foundation model under the profile": "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "foundation model ARN": f"{ARN}::foundation-model/anthropic.claude-sonnet-4-5-20250929-v1:0",
    "profile of another account": f"{ARN}:444455556666:inference-profile/{MODEL}",
    "profile of another Region": f"arn:aws:bedrock:eu-west-1:111122223333:inference-profile/{MODEL}",
    "global profile": MODEL.replace("us.", "global."),
    "application profile": f"{ARN}:111122223333:application-inference-profile/abcd1234efgh",
    "prompt": f"{ARN}:111122223333:prompt/ABCDEFGHIJ:1",
    "router": f"{ARN}:111122223333:default-prompt-router/anthropic.claude:1",
    "provisioned": f"{ARN}:111122223333:provisioned-model/abcd1234efgh",
    "custom": f"{ARN}:111122223333:custom-model-deployment/abcd1234efgh",
    "imported": f"{ARN}:111122223333:imported-model/abcd1234efgh",
    "sagemaker": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/x",
    "upper case": MODEL.upper(),
    "trailing blank": f"{MODEL} ",
    "path": f"{MODEL}/../us.amazon.nova-lite-v1:0",
}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("case", MODELS)
def test_an_undeclared_model_is_refused(by_hand: Make, server: Hostile, method: str, case: str) -> None:
    violation = refused(server, "model-not-declared", lambda: call(by_hand(), method, modelId=MODELS[case]))
    assert MODEL in violation.reason


@pytest.mark.parametrize("case", ["prompt", "router", "provisioned", "application profile"])
def test_a_declared_arn_may_be_invoked(by_hand: Make, server: Hostile, case: str) -> None:
    call(by_hand(models=[MODELS[case]]), "converse", modelId=MODELS[case])
    assert model_of(server.only) == MODELS[case]


def test_a_declared_profile_may_be_named_by_its_arn(by_hand: Make, server: Hostile) -> None:
    arn = f"{ARN}:111122223333:inference-profile/{MODEL}"
    call(by_hand(), "converse", modelId=arn)
    assert model_of(server.only) == arn


# -- operations --------------------------------------------------------------------------------------------------------


def test_operations_without_a_guardrail_are_refused(declared: Make, server: Hostile) -> None:
    client = declared()
    agents = client.session.client("bedrock-agent-runtime")
    control = client.session.client("bedrock")
    output = {"s3OutputDataConfig": {"s3Uri": "s3://b/o"}}
    attempts = {
        "async": lambda: client.start_async_invoke(modelId=MODEL, modelInput={}, outputDataConfig=output),
        "generate": lambda: agents.retrieve_and_generate(input={"text": "x"}),
        "flow": lambda: agents.invoke_flow(flowIdentifier="F", flowAliasIdentifier="A", inputs=[]),
        "inline": lambda: agents.invoke_inline_agent(sessionId="s1", foundationModel=MODEL, instruction="x" * 40),
        "optimize": lambda: agents.optimize_prompt(
            input={"textPrompt": {"text": "x"}}, targetModelId="anthropic.claude-x"
        ),
        "batch": lambda: control.create_model_invocation_job(
            jobName="j", roleArn="arn:aws:iam::111122223333:role/r", modelId=MODEL,
            inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://b/i"}}, outputDataConfig=output,
        ),
        "write": lambda: control.delete_guardrail(guardrailIdentifier=GUARDRAIL),
    }  # fmt: skip
    for attempt in attempts.values():
        refused(server, "operation-not-guarded", attempt)
    assert {item.operation.partition("?")[0] for item in server.received} <= {
        "GetCallerIdentity",
        "AssumeRole",
        "guardrails",
        GUARDRAIL_ID,  # reading the pinned version
    }


@pytest.mark.parametrize("use", ["operator", "guardrail-admin"])
def test_administrators_run_no_model_over_data_sets(declared: Make, server: Hostile, use: str) -> None:
    control = declared(use).session.client("bedrock")
    output = {"s3OutputDataConfig": {"s3Uri": "s3://b/o"}}
    refused(server, "operation-not-guarded", lambda: control.create_model_invocation_job(
        jobName="j", roleArn="arn:aws:iam::111122223333:role/r", modelId=MODEL,
        inputDataConfig={"s3InputDataConfig": {"s3Uri": "s3://b/i"}}, outputDataConfig=output,
    ))  # fmt: skip
    control.delete_guardrail(guardrailIdentifier=GUARDRAIL_ID)
    assert server.received[-1].method == "DELETE"


@pytest.mark.parametrize("service", ["bedrock-agentcore", "bedrock-data-automation-runtime"])
def test_sibling_services_are_refused(by_hand: Make, server: Hostile, service: str) -> None:
    client = by_hand()
    refused(server, "service-not-guarded", lambda: client.session.client(service))
    refused(
        server, "service-not-guarded", lambda: client.session._session.create_client(service, "us-east-1")
    )


def test_a_new_operation_is_refused(by_hand: Make, server: Hostile) -> None:
    """As a later botocore would bring it: another operation in the model, with a path of its own."""
    client = by_hand().client
    model = client.meta.service_model.operation_model("Converse")
    renamed = copy.copy(model)
    renamed.name = "ConverseLater"
    with pytest.raises(PerimeterViolation) as caught:
        client._convert_to_request_dict(
            {"modelId": MODEL}, renamed, server.url, context={"client_region": "us-east-1"}
        )
    assert caught.value.rule == "operation-not-guarded"
    move(client, lambda url: url.replace("/converse", "/converse-later"))
    refused(server, "operation-not-guarded", lambda: call(client, "converse"))


def test_a_knowledge_base_and_an_agent_are_the_declared_ones(declared: Make, server: Hostile) -> None:
    search = declared("search").session.client("bedrock-agent-runtime")
    assistant = declared("assistant").session.client("bedrock-agent-runtime")
    query: dict[str, Any] = {"retrievalQuery": {"text": "x"}}
    with pytest.raises(PerimeterViolation, match="knowledge-base-not-declared"):
        search.retrieve(knowledgeBaseId="ANOTHER123", **query)
    other = {"guardrailId": "other1234567", "guardrailVersion": "1"}
    with pytest.raises(PerimeterViolation, match="guardrail-not-pinned"):
        search.retrieve(knowledgeBaseId="KBQUICKST1", guardrailConfiguration=other, **query)
    move(search, lambda url: url.replace("KBQUICKST1", "ANOTHER123"))
    with pytest.raises(PerimeterViolation, match="knowledge-base-not-declared"):
        search.retrieve(knowledgeBaseId="KBQUICKST1", **query)
    with pytest.raises(PerimeterViolation, match="agent-not-declared"):
        assistant.invoke_agent(agentId="AGENTQUIC1", agentAliasId="TSTALIASID", sessionId="s1", inputText="x")
    assert not any("knowledgebases" in item.path or "agents" in item.path for item in server.received)
    declared("search").session.client("bedrock-agent-runtime").retrieve(knowledgeBaseId="KBQUICKST1", **query)
    assert server.received[-1].path == "/knowledgebases/KBQUICKST1/retrieve"


RERANKING = {"type": "BEDROCK_RERANKING_MODEL", "bedrockRerankingConfiguration": {"modelConfiguration": {}}}
ELSEWHERE = "arn:aws:bedrock:us-east-1::foundation-model/cohere.rerank-v3-5:0"


def reranked(model: str) -> dict[str, Any]:
    found = copy.deepcopy(RERANKING)
    found["bedrockRerankingConfiguration"]["modelConfiguration"]["modelArn"] = model
    return found


FILTERING = {
    "modelArn": "arn:aws:bedrock:us-east-1::foundation-model/us.amazon.nova-pro-v1:0",
    "metadataAttributes": [{"key": "k", "type": "STRING", "description": "d"}],
}
SEARCHES: Mapping[str, tuple[dict[str, Any], str]] = {
    "a model writes the filter": (
        {"vectorSearchConfiguration": {"implicitFilterConfiguration": FILTERING}}, "operation-not-guarded",
    ),
    "another model reranks": (
        {"vectorSearchConfiguration": {"rerankingConfiguration": reranked(ELSEWHERE)}}, "model-not-declared",
    ),
    "another model reranks a managed search": (
        {"managedSearchConfiguration": {"rerankingConfiguration": reranked(ELSEWHERE)}}, "model-not-declared",
    ),
    "AWS chooses a model": ({"managedSearchConfiguration": {"rerankingModelType": "MANAGED"}}, "model-not-declared"),
}  # fmt: skip


@pytest.mark.parametrize("case", SEARCHES)
@pytest.mark.parametrize("late", [False, True], ids=["asked", "edited later"])
@pytest.mark.parametrize("use", ["search", "assistant"])
def test_a_search_runs_no_other_model(
    declared: Make, server: Hostile, use: str, case: str, *, late: bool
) -> None:
    """Retrieve and InvokeAgent take models beside the one that answers; the bytes are looked at too."""
    configuration, rule = SEARCHES[case]
    client = declared(use).session.client("bedrock-agent-runtime")

    def ask(**given: Any) -> Any:
        if use == "search":
            return client.retrieve(knowledgeBaseId="KBQUICKST1", retrievalQuery={"text": "x"}, **given)
        base = {"knowledgeBaseId": "KBQUICKST1", **given}
        state = {"sessionState": {"knowledgeBaseConfigurations": [base]}} if given else {}
        return client.invoke_agent(
            agentId="AGENTQUIC1", agentAliasId="ALIASQUIC1", sessionId="s1", inputText="x", **state
        )

    def edit(body: dict[str, Any]) -> None:
        place = body
        if use == "assistant":
            place = body.setdefault("sessionState", {})["knowledgeBaseConfigurations"] = [{}]
            place = place[0]
        place["retrievalConfiguration"] = configuration

    if late:
        client.meta.events.register_last("before-call", edited(edit))
    with pytest.raises(PerimeterViolation) as caught:
        ask(**({} if late else {"retrievalConfiguration": configuration}))
    assert caught.value.rule == rule
    assert not any("/retrieve" in item.path or "/agents/" in item.path for item in server.received)


def test_a_declared_model_may_rerank(declared: Make, server: Hostile) -> None:
    client = declared("search").session.client("bedrock-agent-runtime")
    own = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0"
    for kind in ({"rerankingConfiguration": reranked(own)}, {"numberOfResults": 3}):
        client.retrieve(
            knowledgeBaseId="KBQUICKST1", retrievalQuery={"text": "x"},
            retrievalConfiguration={"vectorSearchConfiguration": kind},
        )  # fmt: skip
    assert len([item for item in server.received if item.path.endswith("/retrieve")]) == 2


@pytest.mark.parametrize("data", [b"\xff", b"{", b'{"a": 1, "a": 2}', b"[]"])
@pytest.mark.parametrize("use", ["search", "assistant"])
def test_a_search_that_cannot_be_read_does_not_leave(
    declared: Make, server: Hostile, use: str, data: bytes
) -> None:
    client = declared(use).session.client("bedrock-agent-runtime")
    client.meta.events.register_last("before-call", lambda params, **_: params.update(body=data))
    attempts = {
        "search": lambda: client.retrieve(knowledgeBaseId="KBQUICKST1", retrievalQuery={"text": "x"}),
        "assistant": lambda: client.invoke_agent(
            agentId="AGENTQUIC1", agentAliasId="ALIASQUIC1", sessionId="s1"
        ),
    }
    with pytest.raises(PerimeterViolation, match="guardrail-not-pinned"):
        attempts[use]()
    assert not any("/retrieve" in item.path or "/agents/" in item.path for item in server.received)


# -- other handlers at work --------------------------------------------------------------------------------------------


def move(client: Any, change: Callable[[str], str]) -> None:
    """A handler that changes the URL after everything was decided."""

    def handler(request: Any, **_: Any) -> None:
        request.url = change(request.url)

    client.meta.events.register_last("request-created", handler)
    client.meta.events.register_last("before-send", handler)


def edited(edit: Callable[[dict[str, Any]], Any]) -> Callable[..., None]:
    """A ``before-call`` handler that edits the body."""

    def handler(params: dict[str, Any], **_: Any) -> None:
        body = json.loads(params["body"])
        params["body"] = edit(body) or json.dumps(body).encode()

    return handler


BODIES: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "stripped": lambda body: body.pop("guardrailConfig") and None,
    "version": lambda body: body["guardrailConfig"].update(guardrailVersion="DRAFT"),
    "other": lambda body: body["guardrailConfig"].update(guardrailIdentifier=OTHER),
    "hidden deeper": lambda body: body.update(x={"guardrailConfig": body.pop("guardrailConfig")}),
    "twice": lambda body: (
        b'{"guardrailConfig":{"guardrailIdentifier":"%s","guardrailVersion":"1"},%s'
        % (OTHER.encode(), json.dumps(body).encode()[1:])
    ),
    "twice, escaped": lambda body: b'{"\\u0067uardrailConfig":{},%s' % json.dumps(body).encode()[1:],
    "twice inside": lambda body: (
        json.dumps(body).replace('"guardrailVersion"', '"guardrailVersion": "1", "guardrailVersion"').encode()
    ),
    "not JSON": lambda body: b"guardrailConfig",
    "UTF-16": lambda body: json.dumps(body).encode("utf-16"),
    "list": lambda body: json.dumps([body]).encode(),
    "empty": lambda body: b" ",
}


@pytest.mark.parametrize("method", ["converse", "converse_stream"])
@pytest.mark.parametrize("case", BODIES)
def test_a_body_edited_later_does_not_leave(by_hand: Make, server: Hostile, method: str, case: str) -> None:
    client = by_hand().client
    client.meta.events.register_last("before-call", edited(BODIES[case]))
    refused(server, "guardrail-not-pinned", lambda: call(client, method))


@pytest.mark.parametrize(
    "event", ["request-created", "before-send", "before-send.bedrock-runtime.InvokeModel"]
)
def test_a_header_removed_after_signing_does_not_leave(by_hand: Make, server: Hostile, event: str) -> None:
    client = by_hand().client

    def strip(request: Any, **_: Any) -> None:
        del request.headers["X-Amzn-Bedrock-GuardrailIdentifier"]

    client.meta.events.register_last(event, strip)
    refused(server, "guardrail-not-pinned", lambda: call(client, "invoke_model"))


def test_a_header_added_after_signing_does_not_leave(by_hand: Make, server: Hostile) -> None:
    client = by_hand().client
    names = ("X-Amzn-Bedrock-GuardrailIdentifier", "X-Amzn-Bedrock-GuardrailVersion")

    def strip(request: Any, **_: Any) -> None:
        for name in names:
            del request.headers[name]

    def put_back(request: Any, **_: Any) -> None:
        request.headers[names[0]], request.headers[names[1]] = GUARDRAIL, "3"

    client.meta.events.register_last("before-sign", strip)
    client.meta.events.register_last("before-send", put_back)
    refused(server, "guardrail-not-signed", lambda: call(client, "invoke_model"))


def test_a_model_swapped_by_another_handler_does_not_leave(by_hand: Make, server: Hostile) -> None:
    client = by_hand().client

    def swap(params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "modelId": "us.amazon.nova-lite-v1:0"}

    client.meta.events.register("provide-client-params.bedrock-runtime.Converse", swap)
    refused(server, "model-not-declared", lambda: call(client, "converse"))


@pytest.mark.parametrize(
    "model", ["us.amazon.nova-lite-v1%3A0", "us.amazon.nova-lite-v1:0", f"{MODEL}%2F..%2Fx"]
)
def test_a_model_swapped_in_the_url_does_not_leave(by_hand: Make, server: Hostile, model: str) -> None:
    client = by_hand().client
    move(client, lambda url: "/model/".join((url.partition("/model/")[0], f"{model}/converse")))
    refused(server, "model-not-declared", lambda: call(client, "converse"))


def test_the_verification_stands_without_a_decision(by_hand: Make, server: Hostile) -> None:
    """As if botocore came to take other steps, and somebody took off the handlers that can be."""
    client = by_hand().client
    client._convert_to_request_dict = MethodType(BaseClient._convert_to_request_dict, client)
    client.meta.events.unregister("needs-retry.bedrock-runtime", unique_id="ringwall-bedrock-runtime-retry")
    client.meta.events.unregister("after-call.bedrock-runtime", unique_id="ringwall-observe")
    for method in CALLS:
        refused(server, "guardrail-not-pinned", lambda method=method: call(client, method))
    given = {"guardrailConfig": PINNED}
    refused(
        server,
        "model-not-declared",
        lambda: call(client, "converse", modelId="amazon.nova-lite-v1:0", **given),
    )
    output = {"s3OutputDataConfig": {"s3Uri": "s3://b/o"}}
    refused(
        server,
        "operation-not-guarded",
        lambda: client.start_async_invoke(modelId=MODEL, modelInput={}, outputDataConfig=output),
    )
    assert server.received == []
    call(client, "converse", **given)
    assert carried(server) == (GUARDRAIL, "3")


def test_a_client_made_by_the_botocore_session_is_guarded(by_hand: Make, server: Hostile) -> None:
    session = by_hand().session._session
    client = session.create_client(
        "bedrock-runtime", "us-east-1", endpoint_url=server.url, verify=server.ca_file
    )
    call(client, "converse")
    assert carried(server) == (GUARDRAIL, "3")
    elsewhere = session.create_client("bedrock-runtime", "us-east-1", endpoint_url="https://127.0.0.1:1")
    with pytest.raises(PerimeterViolation, match="endpoint-not-declared"):
        call(elsewhere, "converse")


# -- signatures --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", CALLS)
def test_a_bearer_token_of_the_environment_never_wins(
    by_hand: Make, server: Hostile, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-LEAK")
    monkeypatch.setenv("AWS_AUTH_SCHEME_PREFERENCE", "httpBearerAuth")
    call(by_hand(), method)
    assert server.only.headers["authorization"].startswith("AWS4-HMAC-SHA256 ")
    assert b"LEAK" not in server.only.raw


def test_other_signatures_are_refused(
    by_hand: Make, server: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-LEAK")
    client = by_hand()
    for config in (
        Config(signature_version=botocore.UNSIGNED),
        Config(signature_version="bearer"),
        Config(signature_version="v4a"),
        Config(auth_scheme_preference="httpBearerAuth"),
    ):
        refused(
            server,
            "sigv4-only",
            lambda config=config: client.session.client("bedrock-runtime", config=config),
        )
    for chosen in (botocore.UNSIGNED, "bearer", "v4-query"):
        other = client.session.client("bedrock-runtime")
        other.meta.events.register("choose-signer", lambda chosen=chosen, **_: chosen)
        refused(server, "sigv4-only", lambda other=other: call(other, "converse"))


def test_a_signature_for_another_region_or_service_does_not_leave(by_hand: Make, server: Hostile) -> None:
    for signing, rule in (
        ({"region": "us-west-2"}, "region-not-declared"),
        ({"signing_name": "s3"}, "sigv4-only"),
    ):
        client = by_hand().client
        client.meta.events.register(
            "before-call",
            lambda context, signing=signing, **_: context.setdefault("signing", {}).update(signing),
        )
        refused(server, rule, lambda client=client: call(client, "converse"))


def test_nothing_is_presigned(by_hand: Make, server: Hostile) -> None:
    client = by_hand().client
    given = {"modelId": MODEL, "messages": MESSAGES, "guardrailConfig": PINNED}
    refused(server, "no-presigned-urls", lambda: client.generate_presigned_url("converse", Params=given))


# -- the way there -----------------------------------------------------------------------------------------------------


def test_a_redirect_is_not_followed(by_hand: Make, server: Hostile) -> None:
    server.reply("converse", Reply(307, b"{}", {"Location": f"{server.url}/model/elsewhere/converse"}))
    with pytest.raises(botocore.exceptions.ClientError):
        call(by_hand(), "converse")
    assert model_of(server.only) == MODEL


def test_a_version_with_a_copied_description_and_weaker_content_is_not_pinned(
    declared: Make, server: Hostile
) -> None:
    weak = {name: item for name, item in server.guardrail_contents["3"].items() if name != "contentPolicy"}
    client = declared()
    server.guardrail_contents = {"3": weak}
    with pytest.raises(RingwallError, match="no numbered version with the declared content"):
        client.converse(modelId=MODEL, messages=MESSAGES)
    assert not server.calls("converse")
