"""Frameworks as they are, on the guarded client, against the sandbox: an answer, a stream, and a refusal they understand.

Collected where at least one of them is installed (``pip install 'ringwall[frameworks]'``); each test where its own is.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import pytest

from cli.command_line import QUICKSTART
from demo.quickstart_account import deployed
from ringwall.client import GuardedSession, Outcome, PerimeterViolation, session
from ringwall.demo.world import World

QUESTION = "What is a VPC endpoint?"
OTHER = "us.amazon.nova-lite-v1:0"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with deployed(tmp_path_factory.mktemp("frameworks")) as found:
        yield found


@pytest.fixture(autouse=True)
def bare_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's environment in place of the one of this folder's other tests."""
    for name, value in world.sandbox.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANGSMITH_TRACING", "false")


@pytest.fixture
def seen() -> list[Outcome]:
    return []


@pytest.fixture
def guarded(seen: list[Outcome]) -> GuardedSession:
    return session(QUICKSTART, use="app", on_outcome=seen.append)


def carried(seen: list[Outcome], *operations: str) -> None:
    """Every call was seen, and carried the guardrail."""
    assert [item.operation for item in seen] == list(operations)
    assert all(":guardrail/" in item.guardrail and item.guardrail_version == "1" for item in seen)


def denied(error: BaseException) -> bool:
    """Whether a violation is what a framework's own exception comes from."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, PerimeterViolation):
            return True
        found = found.__cause__ or found.__context__
    return False


if find_spec("langchain_aws"):
    from langchain_aws import ChatBedrock, ChatBedrockConverse

    def langchain(kind: Any, guarded: GuardedSession, model: str) -> Any:
        given = {"provider": "anthropic"} if kind is ChatBedrock else {}
        return kind(
            model=model,
            client=guarded.client("bedrock-runtime"),
            bedrock_client=guarded.client("bedrock"),
            **given,
        )

    def test_langchain_converse(guarded: GuardedSession, seen: list[Outcome]) -> None:
        chat = langchain(ChatBedrockConverse, guarded, guarded.models["nova"])
        assert chat.invoke(QUESTION).text
        assert "".join(part.text for part in chat.stream(QUESTION))
        carried(seen, "Converse", "ConverseStream")

    def test_langchain_invoke_model(guarded: GuardedSession, seen: list[Outcome]) -> None:
        chat = langchain(ChatBedrock, guarded, guarded.models["claude"])
        assert chat.invoke(QUESTION).text
        assert "".join(part.text for part in chat.stream(QUESTION))
        carried(seen, "InvokeModel", "InvokeModelWithResponseStream")

    @pytest.mark.parametrize("kind", [ChatBedrockConverse, ChatBedrock])
    def test_langchain_is_refused(guarded: GuardedSession, seen: list[Outcome], kind: Any) -> None:
        with pytest.raises(Exception, match="model-not-declared") as caught:
            langchain(kind, guarded, OTHER).invoke(QUESTION)
        assert denied(caught.value)
        assert seen == []


if find_spec("langchain_aws") and find_spec("langchain"):
    from langchain.agents import create_agent

    def lookup(word: str) -> str:
        """What a word means."""
        return f"{word}: an interface in your subnet"

    @pytest.mark.parametrize("kind", [ChatBedrockConverse, ChatBedrock])
    def test_a_langchain_agent_with_tools(guarded: GuardedSession, seen: list[Outcome], kind: Any) -> None:
        """An agent's turns carry the guardrail, and its outcomes say what of them no guardrail reads."""
        agent = create_agent(langchain(kind, guarded, guarded.models["claude"]), tools=[lookup])
        turns: list[Any] = [
            {"role": "user", "content": QUESTION},
            {"role": "assistant", "content": "", "tool_calls": [{"id": "t1", "name": "lookup", "args": {"word": "x"}}]},
            {"role": "tool", "tool_call_id": "t1", "content": lookup("endpoint")},
        ]  # fmt: skip
        assert agent.invoke({"messages": turns[:1]})["messages"][-1].text
        assert agent.invoke({"messages": turns})["messages"][-1].text
        operation = "Converse" if kind is ChatBedrockConverse else "InvokeModel"
        carried(seen, operation, operation)
        first, second = (set(item.coverage.rules) for item in seen if item.coverage)
        assert first == {"tool-specification"}
        assert second == {"tool-specification", "tool-arguments", "tool-result"}

    def test_a_langchain_agent_is_refused(guarded: GuardedSession, seen: list[Outcome]) -> None:
        agent = create_agent(langchain(ChatBedrockConverse, guarded, OTHER), tools=[lookup])
        with pytest.raises(Exception, match="model-not-declared") as caught:
            agent.invoke({"messages": [{"role": "user", "content": QUESTION}]})
        assert denied(caught.value)
        assert seen == []


if find_spec("strands"):
    from strands import Agent
    from strands.models import BedrockModel

    def test_strands(guarded: GuardedSession, seen: list[Outcome]) -> None:
        for streaming in (True, False):
            model = BedrockModel(model_id=guarded.models["nova"], boto_session=guarded, streaming=streaming)
            assert str(Agent(model=model, callback_handler=None)(QUESTION)).strip()
        carried(seen, "ConverseStream", "Converse")

    def test_strands_is_refused(guarded: GuardedSession, seen: list[Outcome]) -> None:
        agent = Agent(model=BedrockModel(model_id=OTHER, boto_session=guarded), callback_handler=None)
        with pytest.raises(Exception, match="model-not-declared") as caught:
            agent(QUESTION)
        assert denied(caught.value)
        assert seen == []


if find_spec("pydantic_ai"):
    from pydantic_ai import Agent as PydanticAgent
    from pydantic_ai.models.bedrock import BedrockConverseModel
    from pydantic_ai.providers.bedrock import BedrockProvider

    def pydantic_agent(guarded: GuardedSession, model: str) -> Any:
        provider = BedrockProvider(bedrock_client=guarded.client("bedrock-runtime"))
        return PydanticAgent(BedrockConverseModel(model, provider=provider))

    def test_pydantic_ai(guarded: GuardedSession, seen: list[Outcome]) -> None:
        agent = pydantic_agent(guarded, guarded.models["nova"])
        assert agent.run_sync(QUESTION).output

        async def streamed() -> str:
            async with agent.run_stream(QUESTION) as result:
                return str(await result.get_output())

        assert asyncio.run(streamed())
        carried(seen, "Converse", "ConverseStream")

    def test_pydantic_ai_is_refused(guarded: GuardedSession, seen: list[Outcome]) -> None:
        with pytest.raises(Exception, match="model-not-declared") as caught:
            pydantic_agent(guarded, OTHER).run_sync(QUESTION)
        assert denied(caught.value)
        assert seen == []


if find_spec("instructor"):
    import instructor
    from pydantic import BaseModel

    class Answer(BaseModel):
        """What instructor asks for; the sandbox's model does not fill it, so the call is looked at, not its answer."""

        text: str = ""

    def test_instructor(guarded: GuardedSession, seen: list[Outcome]) -> None:
        client = instructor.from_bedrock(guarded.client("bedrock-runtime"), mode=instructor.Mode.BEDROCK_JSON)
        asked = {"messages": [{"role": "user", "content": [{"text": QUESTION}]}], "max_retries": 1}
        with pytest.raises(Exception) as caught:  # noqa: PT011 - no JSON in the sandbox's answer
            client.chat.completions.create(modelId=guarded.models["nova"], response_model=Answer, **asked)
        assert not denied(caught.value)
        assert {item.operation for item in seen} == {"Converse"}
        asked_so_far = len(seen)
        with pytest.raises(Exception, match="model-not-declared"):
            client.chat.completions.create(modelId=OTHER, response_model=Answer, **asked)
        assert len(seen) == asked_so_far


if find_spec("llama_index") and find_spec("llama_index.llms.bedrock_converse"):
    from llama_index.llms.bedrock_converse import BedrockConverse

    def llama(guarded: GuardedSession, model: str) -> Any:
        return BedrockConverse(model=model, client=guarded.client("bedrock-runtime"), region_name="us-east-1")

    def test_llama_index(guarded: GuardedSession, seen: list[Outcome]) -> None:
        model = llama(guarded, guarded.models["nova"])
        assert model.complete(QUESTION).text
        assert list(model.stream_complete(QUESTION))[-1].text
        carried(seen, "Converse", "ConverseStream")

    def test_llama_index_is_refused(guarded: GuardedSession, seen: list[Outcome]) -> None:
        with pytest.raises(Exception, match="model-not-declared"):
            llama(guarded, OTHER).complete(QUESTION)
        assert seen == []


if find_spec("aiobotocore"):
    from aiobotocore.session import AioSession

    def asynchronous(
        guarded: GuardedSession, model: str, *, verify: Any = None, handler: Any = None, **parameters: Any
    ) -> Any:
        own = AioSession()
        guarded.attach(own)
        keys = guarded.get_credentials().get_frozen_credentials()
        messages = [{"role": "user", "content": [{"text": QUESTION}]}]

        async def ask() -> tuple[Any, list[Any]]:
            async with own.create_client(
                "bedrock-runtime", "us-east-1", endpoint_url="https://bedrock-runtime.us-east-1.amazonaws.com",
                aws_access_key_id=keys.access_key, aws_secret_access_key=keys.secret_key,
                aws_session_token=keys.token, verify=verify,
            ) as client:  # fmt: skip
                if handler is not None:
                    client.meta.events.register_last("before-send", handler)
                answer = await client.converse(modelId=model, messages=messages, **parameters)
                stream = await client.converse_stream(modelId=model, messages=messages)
                return answer, [event async for event in stream["stream"]]

        return asyncio.run(ask())

    def test_aiobotocore(guarded: GuardedSession, seen: list[Outcome]) -> None:
        answer, events = asynchronous(guarded, guarded.models["nova"])
        assert answer["output"]["message"]["content"][0]["text"]
        assert any("messageStop" in event for event in events)
        carried(seen, "Converse", "ConverseStream")

    def test_aiobotocore_is_refused(guarded: GuardedSession, seen: list[Outcome]) -> None:
        with pytest.raises(PerimeterViolation, match="model-not-declared"):
            asynchronous(guarded, OTHER)
        other = {"guardrailIdentifier": "other1234567", "guardrailVersion": "1"}
        with pytest.raises(PerimeterViolation, match="guardrail-not-pinned"):
            asynchronous(guarded, guarded.models["nova"], guardrailConfig=other)
        with pytest.raises(PerimeterViolation, match="tls-required"):
            asynchronous(guarded, guarded.models["nova"], verify=False)
        assert seen == []

    def test_aiobotocore_after_everybody_else(guarded: GuardedSession, seen: list[Outcome]) -> None:
        """The check stands behind handlers that were registered after it."""

        def swap(request: Any, **_: Any) -> None:
            request.url = request.url.replace("nova-pro", "nova-lite")

        with pytest.raises(PerimeterViolation, match="model-not-declared"):
            asynchronous(guarded, guarded.models["nova"], handler=swap)
        assert seen == []


if find_spec("anthropic"):
    from anthropic import AnthropicBedrock, DefaultHttpxClient

    from ringwall.client.anthropic import middleware

    def claude(guarded: GuardedSession, world: World) -> Any:
        keys = guarded.get_credentials().get_frozen_credentials()
        context = ssl.create_default_context(cafile=world.sandbox.environment()["AWS_CA_BUNDLE"])
        return AnthropicBedrock(
            aws_region="us-east-1", aws_access_key=keys.access_key, aws_secret_key=keys.secret_key,
            aws_session_token=keys.token, base_url="https://bedrock-runtime.us-east-1.amazonaws.com",
            middleware=[middleware(guarded)], http_client=DefaultHttpxClient(verify=context), max_retries=0,
        )  # fmt: skip

    ASKED = {"max_tokens": 100, "messages": [{"role": "user", "content": QUESTION}]}

    def test_anthropic(guarded: GuardedSession, world: World) -> None:
        """Without the guardrail the sandbox's policies deny; with it they answer."""
        client = claude(guarded, world)
        assert client.messages.create(model=guarded.models["claude"], **ASKED).content[0].text
        with client.messages.stream(model=guarded.models["claude"], **ASKED) as stream:
            assert "".join(stream.text_stream)

    @pytest.mark.parametrize(
        ("given", "rule"),
        [
            ({"model": OTHER}, "model-not-declared"),
            ({"extra_headers": {"X-Amzn-Bedrock-GuardrailVersion": "DRAFT"}}, "guardrail-not-pinned"),
            ({"extra_headers": {"x-amzn-bedrock-guardrailidentifier": "other"}}, "guardrail-not-pinned"),
            ({"extra_headers": {"Authorization": "Bearer x"}}, "sigv4-only"),
            (
                {
                    "stream": True,
                    "extra_body": {
                        "amazon-bedrock-guardrailConfig": {"streamProcessingMode": "ASYNCHRONOUS"}
                    },
                },
                "stream-not-synchronous",
            ),
        ],
    )
    def test_anthropic_is_refused(
        guarded: GuardedSession, world: World, given: dict[str, Any], rule: str
    ) -> None:
        with pytest.raises(PerimeterViolation) as caught:
            claude(guarded, world).messages.create(**{"model": guarded.models["claude"], **ASKED, **given})
        assert caught.value.rule == rule

    def test_anthropics_copies_are_refused_too(guarded: GuardedSession, world: World) -> None:
        client = claude(guarded, world)
        for other in (client.with_options(timeout=5), client.copy(), client.with_middleware(passing)):
            with pytest.raises(PerimeterViolation, match="model-not-declared"):
                other.messages.create(model=OTHER, **ASKED)
            with pytest.raises(PerimeterViolation, match="model-not-declared"):
                other.beta.messages.create(model=OTHER, **ASKED)
        with pytest.raises(PerimeterViolation, match="model-not-declared"):
            client.messages.create(model=guarded.models["claude"], extra_body={"model": OTHER}, **ASKED)

    def passing(request: Any, call_next: Any) -> Any:
        return call_next(request)


if find_spec("opentelemetry") and find_spec("opentelemetry.instrumentation"):
    from opentelemetry.instrumentation.botocore import BotocoreInstrumentor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    def test_opentelemetrys_own_instrumentation(guarded: GuardedSession) -> None:
        """Its span gets what it leaves out, and no content."""
        exporter, provider = InMemorySpanExporter(), TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        BotocoreInstrumentor().instrument(tracer_provider=provider)
        try:
            messages = [{"role": "user", "content": [{"text": "Tell me about project-nightjar."}]}]
            guarded.client("bedrock-runtime").converse(modelId=guarded.models["nova"], messages=messages)
        finally:
            BotocoreInstrumentor().uninstrument()
        span = next(
            item for item in exporter.get_finished_spans() if item.name == f"chat {guarded.models['nova']}"
        )
        assert span.attributes is not None
        assert span.attributes["ringwall.guardrail.intervened"] is True
        assert span.attributes["ringwall.guardrail.policies"] == ("words",)
        assert span.attributes["gen_ai.provider.name"] == "aws.bedrock"
        assert "nightjar" not in str(dict(span.attributes))
