"""CSV, for spreadsheets: a row a finding. A cell that a spreadsheet would take for a formula is quoted as text."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from ringwall.audit.formats.common import advice, requirements, uid

if TYPE_CHECKING:
    from ringwall.audit.run import Audit

COLUMNS = (
    "id", "control", "status", "severity", "confidence", "account", "region", "resource", "summary", "remediation",
    "requirements", "evidence", "taken_at",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(audit: Audit) -> str:
    """A header and the rows, RFC 4180."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for item in audit.findings:
        row = (
            uid(item), item.control, str(item.status), item.severity, item.confidence, item.account, item.region,
            item.resource, item.summary, advice(item), "; ".join(requirements(item)), " ".join(item.evidence),
            audit.taken_at,
        )  # fmt: skip
        writer.writerow([_as_text(cell) for cell in row])
    return text.getvalue().encode("utf-8", "backslashreplace").decode()


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
