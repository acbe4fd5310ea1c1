"""The evidence bundle: a folder that stands on its own.

    manifest.json             what is in it, in order, each entry chained to the one before
    declaration.json          what was judged by
    estate.json               the observed Estate
    findings.json             the verdicts
    responses/sha256-....json each API response: operation, parameters, account, Region, caller, request id, time, body

A response's name is the SHA-256 of its body. Each manifest entry's ``chain`` is the SHA-256 of the previous entry's chain,
the entry's name and its content's digest, and ``head`` is the last one, so that a changed, removed or reordered file is
found.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ringwall.audit.run import Audit
from ringwall.errors import RingwallError
from ringwall.estate import codec
from ringwall.estate.recording import Recorded

START = "0" * 64


def write_bundle(audit: Audit, folder: Path) -> Path:
    """Write the bundle into a folder that does not exist yet, or is empty. Returns it.

    Raises:
        RingwallError: the folder holds something already, or cannot be written.
    """
    require_empty(folder)
    try:
        (folder / "responses").mkdir(parents=True)
        entries = []
        chain = START
        for name, text in _files(audit):
            content = text.encode("utf-8", "backslashreplace")  # half a surrogate pair as JSON escapes it
            (folder / name).write_bytes(content)
            digest = _sha256(content)
            chain = _link(chain, name, digest)
            entries.append({"name": name, "sha256": digest, "chain": chain})
        manifest = {
            "version": 1,
            "taken_at": audit.taken_at,
            "caller": audit.caller,
            "account": audit.account,
            "files": entries,
            "head": chain,
        }
        (folder / "manifest.json").write_bytes(_pretty(manifest).encode("utf-8"))
    except OSError as error:
        msg = f"{folder} cannot be written: {error.strerror}"
        raise RingwallError(msg) from error
    return folder


def require_empty(folder: Path) -> None:
    """Refuse a folder that a bundle cannot be written into; asked before an audit, it spares its minutes.

    Raises:
        RingwallError: it holds something already, or is no folder.
    """
    try:
        filled = folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise RingwallError(f"{folder} cannot be written: {error.strerror}") from error
    if filled:
        msg = f"{folder} is not empty: name another folder with --out"
        raise RingwallError(msg)


def verify_manifest(folder: Path) -> tuple[str, ...]:
    """What is wrong with a bundle's files, in words; empty when every digest and the chain hold."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        entries = [(str(item["name"]), str(item["sha256"]), str(item["chain"])) for item in manifest["files"]]
        head = str(manifest["head"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        return (f"manifest.json cannot be read: {error}",)
    return tuple(_wrong(folder, entries, head))


def _wrong(folder: Path, entries: list[tuple[str, str, str]], head: str) -> Iterator[str]:
    chain = START
    for name, digest, expected in entries:
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif _sha256(path.read_bytes()) != digest:
            yield f"{name} was changed"
        chain = _link(chain, name, digest)
        if chain != expected:
            yield f"{name} breaks the chain"
    if chain != head:
        yield "manifest.json does not list every file that was written"
    listed = {name for name, _, _ in entries} | {"manifest.json"}
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        if str(path.relative_to(folder)) not in listed:
            yield f"{path.relative_to(folder)} is not in the manifest"


def _files(audit: Audit) -> Iterator[tuple[str, str]]:
    if audit.perimeter is not None:
        yield "declaration.json", _pretty(audit.perimeter.to_json())
    yield "estate.json", codec.dumps(audit.observed)
    yield "findings.json", _pretty([finding.to_json() for finding in audit.findings])
    for digest, response in sorted(audit.responses.items()):
        yield f"responses/{digest.replace(':', '-')}.json", _pretty(response_json(response))


def response_json(response: Recorded) -> dict[str, Any]:
    """One response with where it came from."""
    return {
        "digest": response.digest,
        "service": response.service,
        "operation": response.operation,
        "parameters": response.parameters,
        "account": response.account,
        "region": response.region,
        "caller": response.caller,
        "request_id": response.request_id,
        "time": response.time,
        "body": json.loads(response.body),
    }


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _link(chain: str, name: str, digest: str) -> str:
    return _sha256(f"{chain}\n{name}\n{digest}".encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
