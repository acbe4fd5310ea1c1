"""The report: one HTML file that needs nothing else, to be read by a person.

It loads nothing: style and script stand inside, and the Content-Security-Policy names their digests, so that nothing that
came from an account can run even if it got through the escaping. Everything that is printed is escaped, and characters
that would hide or reorder what is read are shown as escapes.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ringwall.audit.report_view import view
from ringwall.audit.report_words import (
    PROOF_STATUS,
    STATUS_SLUGS,
    STATUS_WORDS,
    anchor,
    number,
    sentence,
    visible,
)

if TYPE_CHECKING:
    from jinja2 import Environment

    from ringwall.audit.run import Audit


def render_html(audit: Audit) -> str:
    """An audit as one self-contained HTML document.

    The same audit gives the same text. Bodies of responses are cut at a length that can be read
    (:mod:`ringwall.audit.report_evidence`); the evidence bundle holds them whole.
    """
    from markupsafe import Markup  # noqa: PLC0415 - jinja2 is not loaded before it is needed

    style, script = _text("report.css"), _text("report.js")
    policy = (
        f"default-src 'none'; style-src '{_source(style)}'; script-src '{_source(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template("report.html.j2")
    return page.render(
        view=view(audit),
        style=Markup(style),  # noqa: S704 - the package's own file
        script=Markup(script),  # noqa: S704 - the package's own file
        policy=policy,
    )


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - see above

    environment = Environment(
        loader=PackageLoader("ringwall.audit"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals.update(
        STATUS_WORDS=STATUS_WORDS,
        STATUS_SLUGS=STATUS_SLUGS,
        PROOF_STATUS=PROOF_STATUS,
        anchor=anchor,
        number=number,
        sentence=sentence,
    )
    return environment


def _shown(value: Any) -> Any:
    """What a template prints: plain text without misleading characters, markup as it is."""
    return value if hasattr(value, "__html__") else visible(str(value))


def _text(name: str) -> str:
    return files("ringwall.audit").joinpath("templates", name).read_text(encoding="utf-8")


def _source(text: str) -> str:
    """A digest as Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
