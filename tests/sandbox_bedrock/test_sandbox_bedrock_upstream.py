"""Models behind an OpenAI-compatible server: requests, answers, and failures as Bedrock's errors."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ringwall.errors import RingwallError
from ringwall.sandbox.bedrock.runtime.upstream import Upstream
from ringwall.sandbox.call import AwsError
from sandbox_bedrock.bedrock_fakes import NOVA, Bedrock, events_of, reply_text

MODEL = "amazon.nova-pro-v1:0"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, dict(self.headers), body))
        status, answer = self.server.answer(body)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@contextmanager
def server(answer):
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.answer, httpd.requests = answer, []
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        httpd.url = f"http://127.0.0.1:{httpd.server_port}"
        yield httpd
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def completion(text, finish="stop"):
    document = {
        "choices": [{"message": {"content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
    }
    return lambda _: (200, json.dumps(document).encode())


def streamed(*texts):
    events = [{"choices": [{"delta": {"content": text}}]} for text in texts]
    events.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return lambda _: (200, "".join((*lines, "data: [DONE]\n\n")).encode())


def test_a_conversation_goes_to_the_upstream_and_back():
    with server(completion("bonjour", "length")) as upstream:
        bedrock = Bedrock(model_upstream=upstream.url, model_names={MODEL: "llama3"}, model_api_key="k")
        output = bedrock.converse(
            "hello",
            model=NOVA,
            system=[{"text": "be brief"}],
            inferenceConfig={"maxTokens": 5, "stopSequences": ["."]},
        )
    assert reply_text(output) == "bonjour"
    assert output["stopReason"] == "max_tokens"
    assert output["usage"] == {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18}
    ((path, headers, body),) = upstream.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer k"
    assert body == {
        "model": "llama3",
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "hello"}],
        "stream": False,
        "max_tokens": 5,
        "stop": ["."],
    }


def test_guardrails_stand_before_and_behind_the_upstream():
    with server(completion("the nightjar sings")) as upstream:
        bedrock = Bedrock(model_upstream=upstream.url)
        guardrail = bedrock.guardrail()
        assert reply_text(bedrock.converse("nightjar", guardrail, model=NOVA)) == "IN"
        assert upstream.requests == []
        assert reply_text(bedrock.converse("which bird?", guardrail, model=NOVA)) == "OUT"


def test_streams_come_as_the_upstream_sends_them():
    with server(streamed("bon", "jour")) as upstream:
        events = Bedrock(model_upstream=f"{upstream.url}/v1/").converse(
            "hello", model=NOVA, operation="ConverseStream"
        )
    texts = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert texts == ["bon", "jour"]
    assert events[-2] == {"messageStop": {"stopReason": "end_turn"}}
    assert upstream.requests[0][2]["stream"] is True


REQUEST = {"modelId": NOVA, "messages": [{"role": "user", "content": [{"text": "x"}]}]}


@pytest.mark.parametrize(
    ("answer", "code", "status"),
    [
        (lambda _: (404, b"no such model"), "ModelErrorException", 424),
        (lambda _: (500, b"out of memory"), "ModelErrorException", 424),
        (lambda _: (429, b"slow down"), "ThrottlingException", 429),
        (lambda _: (200, b"<html>"), "ModelErrorException", 424),
        (lambda _: (200, b'{"choices": []}'), "ModelErrorException", 424),
    ],
)
def test_failures_are_bedrocks_errors(answer, code, status):
    with server(answer) as upstream:
        bedrock = Bedrock(model_upstream=upstream.url)
        error = bedrock.refusal("Converse", **REQUEST)
        bedrock.plane.flush()
    assert (error.code, error.status) == (code, status)
    metric = "InvocationThrottles" if status == 429 else "InvocationClientErrors"
    assert bedrock.platform.metric(metric) == [1.0]


def test_an_upstream_that_is_not_there():
    with server(completion("x")) as upstream:
        url = upstream.url
    error = Bedrock(model_upstream=url).refusal("Converse", **REQUEST)
    assert (error.code, error.status) == ("ServiceUnavailableException", 503)


def test_a_stream_that_breaks_fails_in_the_stream():
    with server(
        lambda _: (200, b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: {oops\n\n')
    ) as upstream:
        bedrock = Bedrock(model_upstream=upstream.url)
        output = bedrock.output("ConverseStream", **REQUEST)
        with pytest.raises(AwsError) as raised:
            events_of(output)
    assert raised.value.code == "ModelStreamErrorException"


def test_what_is_no_url_is_refused_at_once():
    with pytest.raises(RingwallError, match="not an HTTP URL"):
        Upstream("file:///etc/passwd")
