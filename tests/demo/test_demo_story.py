"""The story that ``make demo`` tells: each part's lines, by name, observed in one run against the sandbox."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from demo.quickstart_account import QUICKSTART, Story
from ringwall.controls import registry
from ringwall.controls.claims import declared_claims
from ringwall.controls.findings import CATEGORIES
from ringwall.demo.line import Line
from ringwall.demo.story import PARTS
from ringwall.perimeter import load

CONTROLS = (
    "least-privilege-invoke", "guardrail-cannot-be-bypassed", "models-restricted", "regions-restricted",
    "vpc-endpoint-effective", "vpc-endpoint-cannot-be-skipped", "keys-effective", "trail-records-inference",
    "invocation-logging-delivers", "guardrail-filters-content", "guardrail-pinned", "alarms-reach-someone",
    "controls-protected", "api-keys-prevented", "data-retention-none", "buckets-private",
    "agents-bounded",
)  # fmt: skip
CLAIMS = (
    "guardrail-always-pinned", "unguarded-paths-closed", "only-declared-agents", "only-declared-models",
    "only-declared-regions", "only-source-region", "only-through-endpoint-bedrock-runtime",
    "only-through-endpoint-bedrock-agent-runtime", "no-api-keys-made", "no-api-keys-used", "retention-stays-none",
    "protect-guardrail", "protect-settings", "protect-subscriptions", "protect-keys", "protect-grants", "protect-trail", "protect-log-group",
    "protect-buckets", "protect-endpoints", "protect-endpoint-group", "protect-topic", "protect-alarms",
    "protect-tampering-rule", "protect-roles", "protect-administrators", "stay-in-organization",
    "app-can-converse-claude", "app-can-converse-nova", "search-can-converse-nova", "search-can-retrieve",
    "assistant-can-invoke-agent", "guardrail-admin-can-update-guardrail", "operator-can-converse-claude",
    "auditor-can-get-model-invocation-logging-configuration", "only-declared-principals",
    "nobody-outside-organization", "decrypt-guardrail", "decrypt-trail", "decrypt-records",
    "protect-organization", "mantle-retention-stays-none", "mantle-projects-retain-none",
)  # fmt: skip
SERVER_REFUSALS = {
    # what is refused, and the words for the layer that has to be among the deciding ones
    "no-guardrail": "denied by scp quickstart-guardrail, statement RequirePinnedGuardrail",
    "weak-guardrail": "denied by scp quickstart-guardrail, statement RequirePinnedGuardrail",
    "operator-weak-guardrail": "denied by scp quickstart-guardrail, statement RequirePinnedGuardrail",
    "wrong-model": "denied by scp quickstart-models, statement OnlyDeclaredModels",
    "wrong-region": "denied by scp quickstart-regions, statement InferenceOutsideSourceUnlessDeclaredProfile",
    "global-profile": "denied by scp quickstart-models, statement OnlyDeclaredModels",
    "outside-endpoint": "denied by scp quickstart-network, statement RuntimeOnlyThroughEndpoint",
    "another-principal": "no Allow in any identity policy",
}


def observed(lines: dict[str, Line], *slugs: str) -> None:
    """Each of these lines was told, and what it says was seen."""
    assert {slug: lines[slug].ok if slug in lines else "not told" for slug in slugs} == dict.fromkeys(
        slugs, True
    )


def only(lines: dict[str, Line], *slugs: str) -> None:
    """These lines and no others were told, and what they say was seen."""
    observed(lines, *slugs)
    assert set(lines) == set(slugs)


def test_the_six_parts_are_told_in_order(story: Story) -> None:
    assert list(story.parts) == [part.title for part in PARTS]
    assert len(story.parts) == 6
    assert [line for lines in story.parts.values() for line in lines if not line.ok] == []


def test_slugs_name_lines(story: Story) -> None:
    slugs = [line.slug for lines in story.parts.values() for line in lines]
    assert len(set(slugs)) == len(slugs)


def test_part_1_compiles_and_proves_every_claim(story: Story) -> None:
    lines = story.part("Declare and prove")
    only(lines, "compiled", "asked", *(f"claim:{name}" for name in CLAIMS))
    assert {claim.name for claim in declared_claims(load(QUICKSTART))} == set(CLAIMS)
    assert lines["compiled"].text.endswith(f"for the uses {', '.join(load(QUICKSTART).uses)}")


def test_part_1_says_what_each_proof_rests_on(story: Story) -> None:
    lines = story.part("Declare and prove")
    for name in CLAIMS:
        text, details = lines[f"claim:{name}"].text, lines[f"claim:{name}"].details
        assert text.startswith("possible: " if "-can-" in name else "proved: ")
        if name == "nobody-outside-organization":  # no policy of a resource lets strangers in
            continue
        assert "-can-" in name or any("scp quickstart-" in line for line in details), name


def test_part_2_plans_applies_and_converges(story: Story) -> None:
    lines = story.part("Plan and apply")
    only(lines, "planned", "applied", "converged")
    planned, done = (
        int(re.search(r"(\d+) (?:resources|done)", lines[slug].text)[1]) for slug in ("planned", "applied")
    )
    assert planned == done > 50
    assert lines["applied"].text.endswith("0 failed, 0 not attempted")


def test_part_3_passes_every_control_that_applies_with_evidence(story: Story) -> None:
    lines = story.part("Audit")
    only(lines, "report", *(f"control:{slug}" for slug in CONTROLS))
    for slug in CONTROLS:
        responses = re.search(rf"\({slug}: PASS, (\d+) responses\)", lines[f"control:{slug}"].text)
        assert responses, lines[f"control:{slug}"].text
        assert int(responses[1]) > 0


def test_part_3_covers_the_six_categories(story: Story) -> None:
    texts = [line.text for line in story.parts["Audit"] if line.slug.startswith("control:")]
    assert [text.split(":")[0] for text in texts] == sorted(
        (control.category for control in registry() if control.slug in CONTROLS), key=CATEGORIES.index
    )
    assert {text.split(":")[0] for text in texts} == set(CATEGORIES)
    assert len(CATEGORIES) == 6


def test_part_3_writes_a_report_that_stands_alone(story: Story) -> None:
    page = story.report.read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    for slug in CONTROLS:
        assert slug in page
    assert not re.search(r"""(?:src|href)=["']https?://[^"']+\.(?:js|css|woff2?|png)""", page)
    assert "<script src" not in page


def test_part_4_answers_streams_and_blocks(story: Story) -> None:
    lines = story.part("Call")
    observed(lines, "answered", "streamed", "blocked")
    assert any("stop reason guardrail_intervened" in line for line in lines["blocked"].details)
    assert int(re.search(r"streams (\d+) chunks", lines["streamed"].text)[1]) > 1


@pytest.mark.parametrize(
    ("slug", "rule"),
    [
        ("model", "model-not-declared"),
        ("guardrail", "guardrail-not-pinned"),
        ("draft", "guardrail-not-pinned"),
        ("region", "region-not-declared"),
        ("operation", "operation-not-guarded"),
    ],
)
def test_part_4_the_client_refuses_before_anything_leaves(story: Story, slug: str, rule: str) -> None:
    lines = story.part("Call")
    observed(lines, f"client:{slug}")
    assert lines[f"client:{slug}"].details[0].startswith(f"{rule}: ")


@pytest.mark.parametrize("slug", SERVER_REFUSALS)
def test_part_4_the_server_refuses_and_names_the_layer(story: Story, slug: str) -> None:
    lines = story.part("Call")
    observed(lines, f"server:{slug}")
    message, *deciding = lines[f"server:{slug}"].details
    assert "is not authorized to perform: bedrock:InvokeModel" in message
    assert any(line.startswith(SERVER_REFUSALS[slug]) for line in deciding), deciding


def test_part_4_tells_nothing_else(story: Story) -> None:
    clients = {"model", "guardrail", "draft", "region", "operation"}
    expected = {"answered", "streamed", "blocked", *(f"client:{name}" for name in clients)}
    assert set(story.part("Call")) == expected | {f"server:{name}" for name in SERVER_REFUSALS}


def test_part_5_finds_the_calls_in_trail_and_logs(story: Story) -> None:
    lines = story.part("What was recorded")
    only(
        lines,
        "trail:answered",
        "trail:blocked",
        "trail:refused:weak-guardrail",
        "trail:bucket",
        "log:bucket",
        "log:group",
        "log:auditor",
    )
    assert "AccessDenied" in lines["trail:refused:weak-guardrail"].details[0]
    assert "assumed-role/quickstart-app/" in lines["trail:answered"].details[0]


def test_part_5_uses_a_key_for_each_log(story: Story) -> None:
    lines = story.part("What was recorded")
    keys = [
        re.search(r"key (arn:aws:kms:\S+)", " ".join(lines[slug].details))[1]
        for slug in ("trail:bucket", "log:bucket", "log:group")
    ]
    assert len(set(keys)) == 3


def test_part_6_is_caught_three_ways_and_put_right(story: Story) -> None:
    lines = story.part("Tamper, and be caught")
    order = (
        "tampered", "caught:drift", "caught:audit", "caught:proof", "witness:sent", "app:shut",
        "repaired", "witness:refused", "clean",
    )  # fmt: skip
    only(lines, *order)
    assert tuple(lines) == order


def test_part_6_names_what_was_weakened_and_who_gets_through(story: Story) -> None:
    lines = story.part("Tamper, and be caught")
    assert any(
        "RequirePinnedGuardrail" in line and "weakens" in line for line in lines["caught:drift"].details
    )
    assert "guardrail-cannot-be-bypassed" in lines["caught:audit"].text
    assert "role/quickstart-operator" in lines["caught:proof"].text
    assert "team-experiment" in lines["witness:sent"].details[0]
    assert "RequirePinnedGuardrail" not in " ".join(lines["app:shut"].details)
    assert "DenyWithoutPinnedGuardrail" in lines["app:shut"].details[0]


def test_the_command_tells_it_in_plain_text_when_piped(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    report = tmp_path / "report.html"
    done = subprocess.run(
        [sys.executable, "-m", "ringwall", "demo", "--file", str(QUICKSTART), "--report", str(report)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [
        line for line in done.stdout.splitlines() if line.startswith("  ") and not line.startswith("      ")
    ]
    assert [line for line in lines if not line.startswith("  ok   ")] == []
    assert len(lines) > 80
    assert done.returncode == 0
    assert "\x1b" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert re.search(r"^\d+ lines, every one was observed, in \d+\.\d s\.$", done.stdout.splitlines()[-1])
    assert report.stat().st_size > 10_000
