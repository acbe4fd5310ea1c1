"""Part 6: the guardrail policy is replaced by a check for presence; it is caught three ways, and put right.

The policy has the right key name, so nothing looks wrong: some guardrail is still required. For the operator, whose own
policies allow all of Bedrock, the service control policy is all that holds; the application stays shut by the deny in
its own role, which the same declaration put there.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from ringwall.audit.run import Audit, run_audit
from ringwall.controls.findings import Status
from ringwall.controls.proving import Proved
from ringwall.controls.replay import Replay, replay
from ringwall.demo.calls import Case, denials, message, send
from ringwall.demo.deploy import planned, problems
from ringwall.demo.line import Line, Lines, shorten
from ringwall.demo.world import World
from ringwall.deploy.apply import apply
from ringwall.deploy.drift import find_drift
from ringwall.estate.kinds import registry

CLAIM = "guardrail-always-pinned"
CONTROL = "guardrail-cannot-be-bypassed"
PRESENCE_TEST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "RequireGuardrail",
            "Effect": "Deny",
            "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
            "Resource": "*",
            "Condition": {"Null": {"bedrock:GuardrailIdentifier": "true"}},
        }
    ],
}
APP_WITH_WEAK = Case("app-weak", "the application with the weak guardrail", guardrail="team-experiment")


def tamper(world: World) -> Lines:
    """Break it, catch it, put it right."""
    weaken(world)
    yield Line(
        "tampered", "somebody replaces the guardrail policy by a test that a guardrail is present", ok=True
    )
    yield caught_by_drift(world)
    found = run_audit(world.aws, world.management, world.perimeter, world.catalog)
    yield caught_by_audit(found)
    violated = next((item for item in found.proofs if item.declared.name == CLAIM), None)
    attempt = (
        replay(world.perimeter, found.observed, world.attributes, violated, world.catalog)
        if violated
        else None
    )
    yield caught_by_proof(violated, attempt)
    if attempt is None:
        return
    yield gets_through(world, attempt)
    yield application_stays_shut(world)
    yield from put_right(world, attempt, found)


def weaken(world: World) -> None:
    """Replace the content of the guardrail policy, as an administrator of the organization could."""
    policy = world.attributes["scp/guardrail"]["Id"]
    world.management.call("organizations", "UpdatePolicy", PolicyId=policy, Content=json.dumps(PRESENCE_TEST))


def caught_by_drift(world: World) -> Line:
    """Drift names the policy, the statement and that it is weaker."""
    drift = find_drift(
        world.desired,
        world.observe(),
        registry(),
        world.catalog,
        perimeter=world.perimeter.name,
        administrators=world.perimeter.administrators,
    )
    changed = [change.id for change in drift.changed]
    return Line(
        "caught:drift",
        "caught by drift: " + (", ".join(changed) or "nothing") + " is not what was declared",
        ok=changed == ["scp/guardrail"] and not drift.missing,
        details=tuple(
            f"{item.path} ({item.effect})" for change in drift.changed for item in change.differences
        ),
    )


def caught_by_audit(found: Audit) -> Line:
    """The audit fails exactly the control that does not work any more."""
    passing = (Status.PASS, Status.NOT_APPLICABLE)
    failed = [slug for slug, status in found.verdicts.items() if status not in passing]
    summaries = [finding.summary for finding in found.findings if finding.status is Status.FAIL]
    return Line(
        "caught:audit",
        f"caught by the audit: {', '.join(failed) or 'nothing'} fails",
        ok=failed == [CONTROL],
        details=tuple(shorten(text, 160) for text in summaries),
    )


def caught_by_proof(violated: Proved | None, attempt: Replay | None) -> Line:
    """The claim is violated, with a request that can be sent."""
    verdict = violated.answer.verdict if violated else "missing"
    exposed = violated.answer.exposed if violated and verdict == "violated" else ()
    who = ", ".join(arn.split(":", 5)[5] if arn.startswith("arn:") else arn for arn in exposed)
    return Line(
        "caught:proof",
        f"caught by proof: the claim is {verdict}" + (f" by {who}" if who else ""),
        ok=verdict == "violated" and attempt is not None,
        details=(attempt.in_words(),) if attempt else (),
    )


def gets_through(world: World, attempt: Replay) -> Line:
    """The witness is sent for real."""
    outcome = send_replay(world, attempt)
    return Line(
        "witness:sent",
        "the witness, sent for real, gets through" if outcome is None else "the witness was refused",
        ok=outcome is None,
        details=(attempt.in_words(),) if outcome is None else (outcome,),
    )


def application_stays_shut(world: World) -> Line:
    """The application's own role still denies it."""
    try:
        send(world, APP_WITH_WEAK)
    except ClientError as error:
        deciding = denials(world, error.response["ResponseMetadata"]["RequestId"])
        reasons = [reason for item in deciding for reason in item["because"]]
        own = [reason for reason in reasons if reason["policy_type"] == "identity"]
        return Line(
            "app:shut",
            "the application stays shut: the deny in its own role does not rest on the service control policy",
            ok=bool(own),
            details=tuple(
                f"denied by identity policy {r['policy']}, statement {r['statement']}" for r in own[:1]
            ),
        )
    return Line("app:shut", "the application got through with the weak guardrail", ok=False)


def put_right(world: World, attempt: Replay, found: Audit) -> Lines:
    """Apply again; the same request is refused, and the audit is clean."""
    plan, access = planned(world, found.observed)
    applied = apply(plan, world.aws, registry(), management=world.management)
    yield Line(
        "repaired",
        f"apply puts it right: {len(applied.done)} change, newly denies {len(access.newly_denies)} kinds of request",
        ok=applied.complete and len(applied.done) == 1 and not access.widening and bool(access.newly_denies),
        details=problems(applied),
    )
    outcome = send_replay(world, attempt)
    yield Line(
        "witness:refused",
        "the same request is refused" if outcome else "the same request still gets through",
        ok=outcome is not None,
        details=(outcome,) if outcome else (),
    )
    found = run_audit(world.aws, world.management, world.perimeter, world.catalog)
    yield Line(
        "clean",
        "the audit passes every control again, and every claim is proved",
        ok=found.clean and all(item.holds for item in found.proofs),
    )


def send_replay(world: World, attempt: Replay) -> str | None:
    """Send a replayed witness; ``None`` if it was answered, else the refusal."""
    use = next(
        (name for name in world.perimeter.uses if world.perimeter.role_arn(name) == attempt.principal), None
    )
    if use is None:
        return f"{attempt.principal} is no declared use"
    place = world.inside if attempt.endpoint else world.outside
    client = place(world.credentials(use), attempt.service)
    parameters = {**attempt.parameters, "messages": message("hello")}
    try:
        client.converse(**parameters)
    except ClientError as error:
        return shorten(error.response["Error"]["Message"], 400)
    return None
