"""What the forms share: names of findings that stay the same from run to run, titles, moments, JSON."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ringwall.controls import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.audit.run import Audit
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Finding

PRODUCT = "Ringwall"
VENDOR = "Ringwall"
URL = "https://github.com/ringwall/ringwall"


def controls() -> Mapping[str, Control]:
    """Every control by slug."""
    return {control.slug: control for control in registry()}


def uid(finding: Finding) -> str:
    """A finding's name: the same for the same control and resource in every run."""
    parts = (finding.control, finding.account, finding.region, finding.resource)
    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:32]


def title_of(finding: Finding, known: Mapping[str, Control]) -> str:
    """The control's title."""
    return known[finding.control].title if finding.control in known else finding.control


def taken(audit: Audit) -> datetime:
    """When the account was read; the epoch for an Estate that does not say."""
    if not audit.taken_at:
        return datetime.fromtimestamp(0, UTC)
    moment = datetime.fromisoformat(audit.taken_at)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def partition(audit: Audit) -> str:
    """The partition, by who read."""
    return audit.caller.split(":")[1] if audit.caller.startswith("arn:") else "aws"


def requirements(finding: Finding) -> list[str]:
    """Requirement ids with their framework: ``SOC 2 CC6.1``."""
    return [
        f"{framework} {number}" for framework, numbers in finding.frameworks.items() for number in numbers
    ]


def advice(finding: Finding) -> str:
    """The remediation as text: words, then commands."""
    if finding.remediation is None:
        return ""
    return "\n".join((finding.remediation.text, *finding.remediation.commands))


def to_text(value: Any) -> str:
    """JSON text; half a surrogate pair stays escaped, so that the text can be written."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode() + "\n"
