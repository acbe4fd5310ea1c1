"""The HTML report: whole, escaped, self-contained, and readable by more than the eye."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import shutil
import subprocess
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from audit.audit_samples import (
    BREAKOUT,
    FINDINGS,
    GUARDRAIL,
    LARGE,
    LOST,
    PROMPT,
    PROOFS,
    RESPONSES,
    SCRIPT,
    UNUSED,
    finding,
    proved,
    sample,
)
from ringwall.audit.report import render_html
from ringwall.audit.report_evidence import SHOWN
from ringwall.audit.report_picture import PARTS, part_verdicts, picture
from ringwall.audit.report_words import explanation, moment, size, visible
from ringwall.catalog.frameworks import programs
from ringwall.controls import registry
from ringwall.controls.findings import CATEGORIES, Status
from ringwall.proof.axioms import AXIOMS
from ringwall.proof.question import Answer

VOID = {"meta", "input", "br", "img", "link", "hr", "wbr"}
CHROMIUM = shutil.which("chromium")


class Page(HTMLParser):
    """What the tests ask of a document: elements with attributes and text, nesting, raw style and script."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.misnested: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        element = (tag, dict(attrs), [])
        self.elements.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        if not self.open or self.open[-1][0] != tag:
            self.misnested.append(f"</{tag}> closes {self.open[-1][0] if self.open else 'nothing'}")
            return
        self.open.pop()

    def handle_data(self, data):
        for _, _, texts in self.open:
            texts.append(data)

    def all(self, tag: str, **attributes: str) -> list[tuple[dict[str, str | None], str]]:
        return [
            (found, "".join(texts))
            for name, found, texts in self.elements
            if name == tag and all(found.get(key.rstrip("_")) == value for key, value in attributes.items())
        ]

    @property
    def ids(self) -> list[str]:
        return [found["id"] for _, found, _ in self.elements if found.get("id")]

    @property
    def links(self) -> list[str]:
        return [found["href"] or "" for _, found, _ in self.elements if "href" in found]


@cache
def html() -> str:
    return render_html(sample())


@cache
def page() -> Page:
    return Page(html())


def text_of(identifier: str) -> str:
    return next("".join(texts) for _, found, texts in page().elements if found.get("id") == identifier)


# -- structure -----------------------------------------------------------------------------------------------------


def test_elements_are_nested_properly_and_ids_are_unique():
    assert page().misnested == []
    assert page().open == []
    assert len(page().ids) == len(set(page().ids))


def test_headings_are_in_order():
    levels = [int(tag[1]) for tag, _, _ in page().elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_every_link_inside_the_page_leads_somewhere():
    targets = {f"#{identifier}" for identifier in page().ids}
    assert {link for link in page().links if link.startswith("#")} <= targets


def test_every_labelled_element_has_its_label():
    for _, found, _ in page().elements:
        for name in ("aria-labelledby", "aria-describedby", "for"):
            assert found.get(name) is None or found[name] in page().ids


def test_the_head_names_what_was_judged_by_whom_and_when():
    facts = page().all("dl", class_="facts")[0][1]
    for part in ("quickstart", "111122223333", "o-ringwallsb", "role/Auditor", "2026-03-01 12:00:01 UTC"):
        assert part in facts


@pytest.mark.parametrize(
    ("findings", "proofs", "words"),
    [
        (FINDINGS, PROOFS, "The perimeter does not hold."),
        (FINDINGS[1:], PROOFS[1:], "It cannot be said that the perimeter holds."),
        (FINDINGS[2:], PROOFS[1:2], "The perimeter holds."),
        (FINDINGS[2:], PROOFS[1:], "It cannot be said that the perimeter holds."),
        (FINDINGS[2:], PROOFS[:1], "The perimeter does not hold."),
        ((), (), "Nothing was judged."),
    ],
)
def test_the_headline_is_the_worst_of_findings_and_claims(findings, proofs, words):
    assert words in Page(render_html(sample(findings, proofs))).all("h1")[0][1]


def test_every_category_has_one_row_for_each_control():
    for category in CATEGORIES:
        assert f"category-{category.lower()}" in page().ids
    for control in registry():
        assert control.title in text_of(f"control-{control.slug}")


def test_every_control_stands_in_the_picture():
    assert {slug for part in PARTS for slug, _ in part.controls} == {control.slug for control in registry()}


def test_a_part_of_the_picture_is_as_good_as_its_worst_control():
    drawn = {
        box.title: box
        for box in picture({"guardrail-pinned": Status.PASS, "guardrail-filters-content": Status.FAIL}).boxes
    }
    assert drawn["Guardrail"].status is Status.FAIL
    assert "pinned version: Pass" in drawn["Guardrail"].words


def test_nothing_of_the_picture_lies_outside_of_it():
    drawn = picture({})
    for item in (*drawn.boxes, *drawn.lanes):
        assert item.x >= 0
        assert item.x + item.width <= drawn.width
        assert item.y >= 0
        assert item.y + item.height <= drawn.height


def test_every_finding_is_there_with_its_verdict_in_words():
    for index, item in enumerate(FINDINGS, start=1):
        card = text_of(f"finding-{index}")
        for part in (item.resource, item.severity, item.confidence, item.control, item.region):
            assert part in card
        assert {"FAIL": "Fail", "UNKNOWN": "Unknown", "PASS": "Pass", "NOT_APPLICABLE": "Not applicable"}[
            item.status
        ] in card
        if item.remediation:
            assert all(command in card for command in item.remediation.commands)


def test_failures_come_by_severity_before_what_passed():
    order = [found["id"] for found, _ in page().all("section", class_="group")]
    assert order == ["severity-critical", "severity-high", "status-pass", "status-na"]


def test_every_evidence_digest_leads_to_a_response():
    for index, item in enumerate(FINDINGS, start=1):
        card = re.search(rf'<article[^>]* id="finding-{index}".*?</article>', html(), re.DOTALL)
        assert card is not None
        for digest in item.evidence:
            place = "response-" + digest.replace(":", "-")
            assert f'href="#{place}"' in card[0]
            assert place in page().ids


def test_a_response_says_where_it_came_from():
    shown = text_of("response-" + GUARDRAIL.digest.replace(":", "-"))
    for part in (
        "GetGuardrail",
        "us-east-1",
        "role/Auditor",
        "request-GetGuardrail",
        "2026-03-01 12:00:00 UTC",
        GUARDRAIL.digest,
    ):
        assert part in shown


def test_every_response_is_shown_once_the_cited_ones_first():
    shown = [found["id"] for found, _ in page().all("details", class_="response")]
    digests = [GUARDRAIL.digest, LARGE.digest, LOST, UNUSED.digest]
    assert shown == ["response-" + digest.replace(":", "-") for digest in digests]
    assert set(RESPONSES) < set(digests)


def test_a_large_response_is_cut_and_says_where_the_whole_is():
    shown = text_of("response-" + LARGE.digest.replace(":", "-"))
    assert len(shown) < SHOWN + 2_000
    assert f"responses/{LARGE.digest.replace(':', '-')}.json" in shown
    assert "guardrail 8999" not in html()


def test_a_response_of_another_run_is_said_to_be_missing():
    assert "This run did not record it" in text_of("response-" + LOST.replace(":", "-"))


def test_a_violated_claim_shows_the_request_that_gets_through():
    shown = text_of("claim-guardrail-always-pinned")
    for part in (
        "Violated",
        "role/Team is allowed bedrock:InvokeModel",
        "over the public network",
        '"principal"',
        "AllowAll",
    ):
        assert part in shown
    assert "role/ServiceOnly" in shown.split("Exempt")[1]


def test_a_proved_claim_shows_what_it_rests_on():
    shown = text_of("claim-only-declared-models")
    for part in (
        "Proved",
        "DenyOtherModels",
        "service control policy",
        "any identity policy",
        "vpc-endpoint-keys",
    ):
        assert part in shown
    assert "axiom-vpc-endpoint-keys" in page().ids


def test_an_undecided_claim_says_what_stopped_it():
    shown = text_of("claim-only-declared-regions")
    assert "Undecided" in shown
    assert "Out of time" in shown
    assert BREAKOUT in shown


def test_only_so_many_counterexamples_are_shown_and_the_rest_is_named():
    exposures = tuple(PROOFS[0].answer.exposures * 12)
    many = proved(
        "guardrail-always-pinned", "guardrail-cannot-be-bypassed", Answer("violated"), exposures=exposures
    )
    assert render_html(sample(proofs=(many,))).count("Counterexample: ") == 10


def test_what_could_not_be_read_is_listed():
    section = text_of("evidence")
    assert "KeyPolicy" in section
    assert "AccessDenied" in section


def test_the_crosswalk_certifies_nothing():
    section = text_of("crosswalk")
    assert "crosswalk, not a certification" in section
    assert "CC6.1" in section
    assert "compliant" not in html().lower()


def test_programs_of_aws_are_dated():
    section = text_of("crosswalk")
    for program in programs():
        assert program.program in section
        assert program.as_of.isoformat() in section


# -- hostile content -----------------------------------------------------------------------------------------------


def test_nothing_from_the_account_becomes_markup():
    assert [found for found, _ in page().all("script")] == [{}]
    assert page().all("img") == []
    assert not any(name.startswith("on") for _, found, _ in page().elements for name in found)
    assert not any("style" in found for _, found, _ in page().elements)


def test_hostile_names_are_shown_as_they_are():
    assert f"key/{SCRIPT}{BREAKOUT}" in text_of("finding-2")
    assert PROMPT in text_of("finding-2")
    assert SCRIPT in text_of("response-" + GUARDRAIL.digest.replace(":", "-"))


def test_characters_that_mislead_are_shown_as_escapes():
    assert "role/\\u202enimdA\\u202c" in text_of("finding-1")
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", html())


def test_the_page_is_text_that_can_be_written():
    assert html().encode("utf-8").decode("utf-8") == html()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\x00b", "a\\u0000b"),
        ("a\u200bb", "a\\u200bb"),
        ("Zürich, 東京", "Zürich, 東京"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


# -- self-contained ------------------------------------------------------------------------------------------------


def test_nothing_is_loaded_from_anywhere():
    assert page().all("link") == []
    assert page().all("iframe") == []
    assert not any("src" in found or "srcset" in found for _, found, _ in page().elements)
    assert "@import" not in html()
    assert re.findall(r"url\((?!#)", page().all("style")[0][1]) == []
    outside = {link for link in page().links if not link.startswith("#")}
    ours = {axiom.source for axiom in AXIOMS.values()} | {program.source for program in programs()}
    assert outside <= ours


def test_the_policy_admits_exactly_this_style_and_script():
    policy = page().all("meta", **{"http-equiv": "Content-Security-Policy"})[0][0]["content"]
    for directive, element in (("style-src", "style"), ("script-src", "script")):
        [(_, content)] = page().all(element)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_the_same_audit_gives_the_same_page():
    assert render_html(sample()) == html()


def test_many_findings_stay_one_reasonable_page():
    many = tuple(
        finding("keys-effective", Status.FAIL, f"key/{index}", "no", evidence=(LARGE.digest,))
        for index in range(1_000)
    )
    assert len(render_html(sample(many))) < 3_000_000


# -- to be seen ----------------------------------------------------------------------------------------------------


def palette(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})\b", css))


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_has_contrast(scheme):
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text; 1.4.11: 3 to 1 for lines that mean something."""
    css = files("ringwall.audit").joinpath("templates", "report.css").read_text(encoding="utf-8")
    before_dark, dark = css.split("@media (prefers-color-scheme: dark)")
    colours = {
        "light": palette(before_dark),
        "dark": palette(dark.split("@media")[0]),
        "print": palette(css.split("@media print")[1]),
    }[scheme]
    grounds = ("paper", "sheet", "sunk", "pass-tint", "fail-tint", "unknown-tint", "na-tint")
    for ink in ("ink", "quiet", "link"):
        assert {
            ground: contrast(colours[ink], colours[ground])
            for ground in grounds
            if contrast(colours[ink], colours[ground]) < 4.5
        } == {}
    for ink in ("pass", "fail", "unknown", "na"):
        for ground in ("paper", "sheet", "sunk", f"{ink}-tint"):
            assert contrast(colours[ink], colours[ground]) >= 4.5
    for ground in ("paper", "sheet", "sunk"):
        assert contrast(colours["edge"], colours[ground]) >= 3


def test_colour_is_never_the_only_carrier():
    shapes = {found["id"] for found, _ in page().all("symbol")}
    assert shapes == {"shape-pass", "shape-fail", "shape-unknown", "shape-na"}
    for found, text in page().all("span"):
        if (found.get("class") or "").startswith("badge"):
            assert text.strip()


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 byte"), (999, "999 bytes"), (3_922_279, "3.9 MB"), (8_190, "8.2 kB")]
)
def test_sizes(count, words):
    assert size(count) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-03-01T12:00:00.25+00:00", "2026-03-01 12:00:00 UTC"),
        ("2026-03-01T12:00:00Z", "2026-03-01 12:00:00 UTC"),
        ("", ""),
    ],
)
def test_moments(text, words):
    assert moment(text) == words


@pytest.mark.parametrize(
    ("controls", "claims", "words"),
    [
        ({Status.PASS: 15}, {"holds": 34}, "All 15 controls pass. All 34 claims are proved."),
        (
            {Status.PASS: 13, Status.FAIL: 1, Status.UNKNOWN: 1},
            {"holds": 33, "violated": 1},
            "Of 15 controls, 1 fails, 1 is undecided, 13 pass. 33 of 34 claims are proved; 1 violated.",
        ),
        ({Status.FAIL: 1}, {"holds": 1}, "Of 1 control, 1 fails. 1 of 1 claim is proved."),
        ({}, {}, "No control was judged. No claim was put to the prover."),
    ],
)
def test_the_explanation_counts(controls, claims, words):
    assert explanation(controls, claims) == words


# -- in a browser --------------------------------------------------------------------------------------------------

PROBE = """
<script>
const typed = (key, target = document) => target.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const seen = () => [...document.querySelectorAll("article.finding:not([hidden])")].map((card) => card.id).join(" ");
const report = {};
report.first = seen();
typed("/");
const search = document.getElementById("search");
report.focused = document.activeElement === search;
search.value = "KMS:getkeypolicy grant";
search.dispatchEvent(new Event("input"));
report.found = seen();
report.groups = document.querySelectorAll(".group:not([hidden])").length;
typed("Escape", search);
report.cleared = seen();
document.querySelector("input[value=fail]").click();
report.unfailed = seen();
location.hash = "#finding-1";
setTimeout(() => {
  report.revealed = seen();
  dispatchEvent(new Event("beforeprint"));
  report.closed = document.querySelectorAll("details:not([open])").length;
  dispatchEvent(new Event("afterprint"));
  report.again = document.querySelectorAll("details:not([open])").length > 0;
  report.pwned = document.querySelectorAll("img, [onload], [onerror]").length;
  document.title = "REPORT " + JSON.stringify(report);
}, 50);
</script></body>"""


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: the page was not tried in a browser")
def test_search_filter_and_print_work_in_a_browser(tmp_path):
    probe = re.search(r"<script>(.*)</script>", PROBE, re.DOTALL)
    assert probe is not None
    digest = base64.b64encode(hashlib.sha256(probe[1].encode()).digest()).decode()
    text = (
        html().replace("script-src ", f"script-src &#39;sha256-{digest}&#39; ", 1).replace("</body>", PROBE)
    )
    found = in_browser(tmp_path, text, "--dump-dom", "--virtual-time-budget=3000")
    title = re.search(r"<title>REPORT (.*?)</title>", found)
    assert title is not None
    assert title[1] == (
        '{"first":"finding-1 finding-2 finding-3 finding-4","focused":true,"found":"finding-2","groups":1,'
        '"cleared":"finding-1 finding-2 finding-3 finding-4","unfailed":"finding-2 finding-3 finding-4",'
        '"revealed":"finding-1 finding-2 finding-3 finding-4","closed":0,"again":true,"pwned":0}'
    )


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed: the page was not drawn")
@pytest.mark.parametrize("scheme", ["0", "1"])
def test_the_page_is_drawn(tmp_path, scheme):
    in_browser(
        tmp_path,
        html(),
        f"--screenshot={tmp_path / 'page.png'}",
        "--window-size=1200,1600",
        f"--blink-settings=preferredColorScheme={scheme}",
    )
    assert (tmp_path / "page.png").stat().st_size > 50_000


def in_browser(folder, text: str, *options: str) -> str:
    (folder / "page.html").write_text(text, encoding="utf-8")
    run = subprocess.run(
        [
            str(CHROMIUM),
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-dev-shm-usage",
            f"--user-data-dir={folder / 'profile'}",
            *options,
            f"file://{folder / 'page.html'}",
        ],
        capture_output=True,
        timeout=60,
        check=True,
        text=True,
    )
    return run.stdout


def test_the_security_group_has_a_verdict_of_its_own():
    endpoint = finding("vpc-endpoint-effective", Status.PASS, "vpce-1", "private")
    group = finding("vpc-endpoint-effective", Status.FAIL, "sg-1", "open", details={"part": "security group"})
    found = (endpoint, group)
    drawn = picture({"vpc-endpoint-effective": Status.FAIL}, part_verdicts(found))
    verdicts = {box.title: {label.slug: label.status for label in box.labels} for box in drawn.boxes}
    assert verdicts["Security group"]["vpc-endpoint-effective"] is Status.FAIL
    assert verdicts["VPC endpoint"]["vpc-endpoint-effective"] is Status.PASS
