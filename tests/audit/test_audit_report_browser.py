"""The report in a browser: contrast of every piece of text, and what the keyboard reaches."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from audit.test_audit_report import CHROMIUM, html, in_browser

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed: the page was not tried in a browser"
)
ENOUGH, ENOUGH_WHEN_LARGE = 4.5, 3.0
"""WCAG 2.2, 1.4.3: contrast of text, and of text from 24 pixels or bold from 18.66 pixels on."""

CONTRAST = """
const parse = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return n.length < 4 ? [...n, 1] : n; };
const over = (top, under) => [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3]));
const channel = (v) => (v /= 255, v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const light = (c) => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
const behind = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour[3] > 0) layers.push(colour);
    if (colour[3] === 1) break;
  }
  return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
};
document.querySelectorAll("details").forEach((item) => (item.open = true));
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let tried = 0;
const low = [];
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || element.closest("script, style, svg, template")) continue;
  const style = getComputedStyle(element);
  if (style.visibility === "hidden" || !element.getClientRects().length) continue;
  const under = behind(element);
  const text = over(parse(style.color), under);
  const [a, b] = [light(text), light(under)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  const size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  tried += 1;
  if (ratio < (large ? LARGE : SMALL)) low.push([walker.currentNode.data.trim().slice(0, 40), Math.round(ratio * 100) / 100]);
}
document.title = "REPORT " + JSON.stringify({tried, low});
""".replace("LARGE", str(ENOUGH_WHEN_LARGE)).replace("SMALL", str(ENOUGH))

KEYBOARD = """
const native = "a[href], button, input, select, textarea, summary";
const all = [...document.querySelectorAll(native + ", [tabindex], [onclick]")];
const stops = all.filter((item) => item.tabIndex >= 0 && item.getClientRects().length);
const report = {};
report.strange = stops.filter((item) => !item.matches(native) && item.tabIndex !== 0).length;
report.jumps = all.filter((item) => item.tabIndex > 0).length;
report.unnamed = stops.filter((item) => !(item.textContent.trim() || item.ariaLabel || item.title || (item.labels && item.labels.length)
  || item.querySelector("title"))).map((item) => item.outerHTML.slice(0, 80));
report.ordered = stops.every((item, index) => !index ||
  stops[index - 1].compareDocumentPosition(item) & Node.DOCUMENT_POSITION_FOLLOWING);
const invisible = [];
for (const item of stops.slice(0, 60)) {
  item.focus({focusVisible: true});
  const style = getComputedStyle(item);
  if (document.activeElement !== item) invisible.push("not focused: " + item.outerHTML.slice(0, 60));
  else if (style.outlineStyle === "none" && style.boxShadow === "none") invisible.push(item.outerHTML.slice(0, 60));
}
report.invisible = invisible;
const box = document.querySelector("input[type=checkbox]");
box.focus(); box.click();
report.filters = document.querySelectorAll("article.finding[hidden]").length > 0;
box.click();
const summary = [...document.querySelectorAll("summary")].find((item) => item.getClientRects().length);
summary.focus(); summary.click();
report.opens = summary.parentElement.open;
report.skip = stops[0].getAttribute("href");
report.wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
document.title = "REPORT " + JSON.stringify(report);
"""


def told(folder: Path, script: str, *options: str) -> Any:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text = html().replace("script-src ", f"script-src &#39;sha256-{digest}&#39; ", 1)
    text = text.replace("</body>", f"<script>{script}</script></body>")
    # Without a budget of virtual time: on a busy machine that can end before the page is parsed; the load event cannot.
    found = in_browser(folder, text, "--dump-dom", *options)
    title = re.search(r"<title>REPORT (.*?)</title>", found)
    assert title is not None
    unescaped = title[1].replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    return json.loads(unescaped.replace("&amp;", "&"))


@pytest.mark.parametrize("scheme", ["0", "1"])
@pytest.mark.parametrize("size", ["1280,900", "480,900"])
def test_every_text_has_contrast_as_it_is_drawn(tmp_path: Path, scheme: str, size: str) -> None:
    found = told(
        tmp_path,
        CONTRAST,
        f"--blink-settings=preferredColorScheme={scheme}",
        f"--window-size={size}",
    )
    assert found["low"] == []
    assert found["tried"] > 200


@pytest.mark.parametrize("size", ["1280,900", "500,900"])
def test_the_keyboard_reaches_everything_in_order_and_shows_where_it_is(tmp_path: Path, size: str) -> None:
    """Search, filters, links and details are the browser's own controls: Enter and Space work them as everywhere."""
    found = told(tmp_path, KEYBOARD, f"--window-size={size}")
    assert found == {
        "strange": 0,
        "jumps": 0,
        "unnamed": [],
        "ordered": True,
        "invisible": [],
        "filters": True,
        "opens": True,
        "skip": "#main",
        "wide": 0,
    }
