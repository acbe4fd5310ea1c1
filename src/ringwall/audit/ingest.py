"""Results of other tools beside ours: Prowler's OCSF and Security Hub's ASFF. They are shown, and change no verdict of ours.

What another tool says stands in its own words and with its own result; a result that is not told is ``UNKNOWN``.
Formats: https://schema.ocsf.io/classes/compliance_finding, https://schema.ocsf.io/classes/detection_finding and
https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ringwall.errors import RingwallError

MAX_BYTES = 200_000_000
STATUSES: Mapping[str, str] = {
    # as the formats spell it, in lower case
    "pass": "PASS", "passed": "PASS", "fail": "FAIL", "failed": "FAIL", "warning": "UNKNOWN", "manual": "UNKNOWN",
    "not_available": "NOT_APPLICABLE", "not applicable": "NOT_APPLICABLE",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ingested:
    """One finding of another tool.

    Attributes:
        tool: who says so.
        check: the tool's name of its check.
        status: ``PASS``, ``FAIL``, ``UNKNOWN`` or ``NOT_APPLICABLE``.
        severity: in the tool's words, lower case.
        account: account id; empty if it is not told.
        region: Region; empty if it is not told.
        resource: ARN or id.
        summary: what the tool says.
    """

    tool: str
    check: str
    status: str
    severity: str
    account: str
    region: str
    resource: str
    summary: str

    def to_json(self) -> dict[str, str]:
        """Plain data."""
        return asdict(self)


def load_results(path: str | Path) -> tuple[Ingested, ...]:
    """Read a file of OCSF events or ASFF findings: an array, JSON Lines, or what ``securityhub get-findings`` prints.

    Raises:
        RingwallError: it cannot be read, or holds something else.
    """
    try:
        file = Path(path)
        if file.stat().st_size > MAX_BYTES:
            raise RingwallError(f"{path} is larger than {MAX_BYTES:,} bytes")
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise RingwallError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RingwallError(f"{path} is not UTF-8 text") from error
    found = []
    for number, entry in enumerate(_entries(text, str(path)), start=1):
        item = _ingested(entry)
        if item is None:
            raise RingwallError(f"{path}: entry {number} is neither an OCSF finding nor an ASFF one")
        found.append(item)
    return tuple(found)


def _entries(text: str, path: str) -> list[Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _by_line(text, path)
    if isinstance(document, Mapping) and isinstance(document.get("Findings"), list):
        return list(document["Findings"])
    return document if isinstance(document, list) else [document]


def _by_line(text: str, path: str) -> list[Any]:
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except (ValueError, RecursionError):
                raise RingwallError(f"{path}:{number}: is not JSON") from None
    return found


def _ingested(entry: Any) -> Ingested | None:
    if not isinstance(entry, Mapping):
        return None
    if "class_uid" in entry and isinstance(entry.get("finding_info"), Mapping):
        return _ocsf(entry)
    if "SchemaVersion" in entry and "GeneratorId" in entry:
        return _asff(entry)
    return None


def _ocsf(entry: Mapping[str, Any]) -> Ingested:
    resource = _first(entry.get("resources"))
    told = _text(entry, "compliance", "status") or _text(entry, "status_code")
    return Ingested(
        tool=_text(entry, "metadata", "product", "name") or "OCSF",
        check=_text(entry, "metadata", "event_code")
        or _text(entry, "compliance", "control")
        or _text(entry, "finding_info", "uid"),
        status=STATUSES.get(told.lower(), "UNKNOWN"),
        severity=_text(entry, "severity").lower(),
        account=_text(entry, "cloud", "account", "uid"),
        region=_text(resource, "region") or _text(entry, "cloud", "region"),
        resource=_text(resource, "uid") or _text(resource, "name"),
        summary=_text(entry, "status_detail")
        or _text(entry, "message")
        or _text(entry, "finding_info", "title"),
    )


def _asff(entry: Mapping[str, Any]) -> Ingested:
    resource = _first(entry.get("Resources"))
    return Ingested(
        tool=_text(entry, "ProductName") or "ASFF",
        check=_text(entry, "Compliance", "SecurityControlId") or _text(entry, "GeneratorId"),
        status=STATUSES.get(_text(entry, "Compliance", "Status").lower(), "UNKNOWN"),
        severity=_text(entry, "Severity", "Label").lower(),
        account=_text(entry, "AwsAccountId"),
        region=_text(resource, "Region") or _text(entry, "Region"),
        resource=_text(resource, "Id"),
        summary=_text(entry, "Title") or _text(entry, "Description"),
    )


def _first(value: Any) -> Mapping[str, Any]:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], Mapping) else {}


def _text(value: Any, *path: str) -> str:
    """The text at a path; empty where there is none."""
    for part in path:
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""
