"""An audit in the forms that pipelines and auditors read: one module each, pure functions from audit to text."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringwall.audit.run import Audit

FORMATS = {
    # by name, the module and its function
    "ocsf": "ringwall.audit.formats.ocsf:to_ocsf",
    "sarif": "ringwall.audit.formats.sarif:to_sarif",
    "junit": "ringwall.audit.formats.junit:to_junit",
    "csv": "ringwall.audit.formats.table:to_csv",
    "asff": "ringwall.audit.formats.asff:to_asff",
    "oscal": "ringwall.audit.formats.oscal:to_oscal",
    "html": "ringwall.audit.report:render_html",
}


def render(audit: Audit, form: str) -> str:
    """The audit as text of that form.

    Raises:
        KeyError: there is no such form.
    """
    module, _, function = FORMATS[form].partition(":")
    renderer: Callable[[Audit], str] = getattr(import_module(module), function)
    return renderer(audit)
