"""Part 4: an application inside the perimeter, and everybody who tries to get round it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from ringwall.client import PerimeterViolation, SecureBedrockClient
from ringwall.demo.line import Line, Lines, shorten
from ringwall.demo.world import World

Place = Literal["inside", "outside"]
OTHER_MODEL = "us.amazon.nova-lite-v1:0"
GLOBAL_PROFILE = "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
QUESTION = "What does a VPC endpoint policy decide?"
FORBIDDEN = "Tell me everything about project-nightjar."


def message(text: str) -> list[dict[str, Any]]:
    """A conversation of one question."""
    return [{"role": "user", "content": [{"text": text}]}]


def call(world: World) -> Lines:
    """Answers, the client's refusals, the server's refusals."""
    yield from answers(world)
    yield from client_refusals(world)
    for case in CASES:
        yield refused_by_server(world, case)


# -- what works --------------------------------------------------------------------------------------------------------


def answers(world: World) -> Lines:
    """An answered Converse, a streamed one, and a prompt that the guardrail blocks."""
    client = SecureBedrockClient.declared(world.file, use="app")
    model = client.models["claude"]

    reply = client.converse(modelId=model, messages=message(QUESTION))
    world.seen["answered"] = reply["ResponseMetadata"]["RequestId"]
    text = reply["output"]["message"]["content"][0]["text"]
    yield Line(
        "answered",
        "SecureBedrockClient: Converse is answered, though the application names no guardrail",
        ok=reply["stopReason"] == "end_turn" and bool(text),
        details=(
            shorten(text),
            f"{reply['usage']['inputTokens']} tokens in, {reply['usage']['outputTokens']} out",
        ),
    )

    streamed = client.converse_stream(modelId=client.models["nova"], messages=message(QUESTION))
    world.seen["streamed"] = streamed["ResponseMetadata"]["RequestId"]
    events = list(streamed["stream"])
    chunks = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    stops = [event["messageStop"]["stopReason"] for event in events if "messageStop" in event]
    yield Line(
        "streamed",
        f"SecureBedrockClient: ConverseStream streams {len(chunks)} chunks",
        ok=stops == ["end_turn"] and bool(chunks),
        details=(shorten("".join(chunks)),),
    )

    blocked = client.converse(modelId=model, messages=message(FORBIDDEN))
    world.seen["blocked"] = blocked["ResponseMetadata"]["RequestId"]
    said = blocked["output"]["message"]["content"][0]["text"]
    yield Line(
        "blocked",
        "the guardrail blocks a prompt about project-nightjar; no token was spent",
        ok=blocked["stopReason"] == "guardrail_intervened" and said == world.perimeter.guardrail.blocked_input
        and blocked["usage"]["inputTokens"] == 0,
        details=(f"stop reason {blocked['stopReason']}: {said}",),
    )  # fmt: skip


# -- what the client refuses -------------------------------------------------------------------------------------------


def client_refusals(world: World) -> Lines:
    """Calls that never leave the process; the sandbox sees none of them."""
    client = SecureBedrockClient.declared(world.file, use="app")
    client.session.rules  # noqa: B018 - finds the guardrail now, so that what follows may send nothing
    model = client.models["claude"]
    draft = {**world.guardrail("baseline"), "guardrailVersion": "DRAFT"}
    attempts: Mapping[str, tuple[str, Callable[[], Any]]] = {
        "model": ("another model", lambda: client.converse(modelId=OTHER_MODEL, messages=message("hi"))),
        "guardrail": (
            "the weak guardrail",
            lambda: client.converse(
                modelId=model, messages=message("hi"), guardrailConfig=world.guardrail("team-experiment")
            ),
        ),
        "draft": (
            "the DRAFT of the right guardrail",
            lambda: client.converse(modelId=model, messages=message("hi"), guardrailConfig=draft),
        ),
        "region": (
            "another Region",
            lambda: client.session.client("bedrock-runtime", region_name="eu-west-1").converse(
                modelId=model, messages=message("hi")
            ),
        ),
        "operation": (
            "an operation that cannot carry a guardrail",
            lambda: client.start_async_invoke(
                modelId=model,
                modelInput={},
                outputDataConfig={"s3OutputDataConfig": {"s3Uri": "s3://bucket/out"}},
            ),
        ),
    }
    for name, (words, attempt) in attempts.items():
        yield _refused_by_client(world, name, words, attempt)


def _refused_by_client(world: World, name: str, words: str, attempt: Callable[[], Any]) -> Line:
    before = world.sandbox.requests_seen
    try:
        attempt()
    except PerimeterViolation as violation:
        left = world.sandbox.requests_seen - before
        return Line(
            f"client:{name}",
            f"the client refuses {words} before anything leaves",
            ok=left == 0,
            details=(shorten(violation.explain(), 140),),
        )
    return Line(f"client:{name}", f"the client let {words} pass", ok=False)


# -- what the server refuses -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """A call by plain boto3 that AWS has to refuse.

    Attributes:
        slug: its name.
        words: what is wrong with it.
        use: whose credentials.
        model: model id.
        guardrail: declared guardrail to send, or ``None`` for none.
        place: where the client stands.
        region: Region that is called, if not the source.
        decides: ``(policy type, end of the policy's name, statement)`` that must be among the deciding ones.
        missing: policy type that must have lacked an Allow, for an implicit denial.
    """

    slug: str
    words: str
    use: str = "app"
    model: str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    guardrail: str | None = "baseline"
    place: Place = "inside"
    region: str | None = None
    decides: tuple[str, str, str] | None = None
    missing: str | None = None


GUARDRAIL_SCP = ("scp", "guardrail", "RequirePinnedGuardrail")
MODELS_SCP = ("scp", "models", "")
REGIONS_SCP = ("scp", "regions", "")
NETWORK_SCP = ("scp", "network", "")

CASES = (
    Case("no-guardrail", "no guardrail", guardrail=None, decides=GUARDRAIL_SCP),
    Case("weak-guardrail", "the weak guardrail", guardrail="team-experiment", decides=GUARDRAIL_SCP),
    Case(
        "operator-weak-guardrail",
        "the operator, with bedrock:* and the weak guardrail",
        use="operator",
        guardrail="team-experiment",
        decides=GUARDRAIL_SCP,
    ),
    Case("wrong-model", "another model", model=OTHER_MODEL, decides=MODELS_SCP),
    Case(
        "wrong-region",
        "another Region",
        model="amazon.nova-pro-v1:0",
        guardrail=None,
        region="us-west-2",
        decides=REGIONS_SCP,
    ),
    Case("global-profile", "a global profile", model=GLOBAL_PROFILE, decides=MODELS_SCP),
    Case(
        "outside-endpoint", "the right call from outside the endpoint", place="outside", decides=NETWORK_SCP
    ),
    Case("another-principal", "the right call by the auditor", use="auditor", missing="identity"),
)


def refused_by_server(world: World, case: Case) -> Line:
    """Send it, and read from the decision which layer, policy and statement refused."""
    words = f"the server refuses {case.words}"
    try:
        send(world, case)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        request_id = error.response["ResponseMetadata"]["RequestId"]
        world.seen[f"refused:{case.slug}"] = request_id
        deciding = denials(world, request_id)
        return Line(
            f"server:{case.slug}",
            words,
            ok=code == "AccessDeniedException" and _as_expected(case, deciding),
            details=(shorten(error.response["Error"]["Message"], 400), *_words(deciding)),
        )
    return Line(f"server:{case.slug}", f"the server let {case.words} pass", ok=False)


def send(world: World, case: Case) -> dict[str, Any]:
    """The case's Converse, by plain boto3 from its place."""
    place = world.inside if case.place == "inside" else world.outside
    client = place(world.credentials(case.use), "bedrock-runtime", case.region)
    parameters: dict[str, Any] = {"modelId": case.model, "messages": message("hello")}
    if case.guardrail is not None:
        parameters["guardrailConfig"] = world.guardrail(case.guardrail)
    response: dict[str, Any] = client.converse(**parameters)
    return response


def denials(world: World, request_id: str) -> list[dict[str, Any]]:
    """The denied authorizations of a request, from the sandbox's decision log."""
    found = world.sandbox.decisions(request_id=request_id)
    return [item for item in found if item["outcome"] != "allow"]


def _as_expected(case: Case, deciding: list[dict[str, Any]]) -> bool:
    for item in deciding:
        if case.missing is not None and case.missing in item["missing"]:
            return True
        for reason in item["because"]:
            if case.decides is not None and _matches(case.decides, reason):
                return True
    return False


def _matches(wanted: tuple[str, str, str], reason: Mapping[str, str]) -> bool:
    policy_type, name, statement = wanted
    return (
        reason["policy_type"] == policy_type
        and reason["policy"].endswith(name)
        and (not statement or reason["statement"] == statement)
    )


def _words(deciding: list[dict[str, Any]]) -> tuple[str, ...]:
    lines = []
    for item in deciding:
        for reason in item["because"]:
            text = f"{reason['policy_type']} {reason['policy']}, statement {reason['statement']}"
            lines.append(f"denied by {text} ({item['action']})")
        lines += [f"no Allow in any {missing} policy ({item['action']})" for missing in item["missing"]]
    return tuple(dict.fromkeys(lines))[:4]
