"""The evidence bundle: a folder that stands on its own.

    manifest.json              who read what, where and when, with which version; every file, each chained to the one before
    declaration.json           what was judged by; absent = the built-in baseline
    waivers.json               failures that somebody answers for; absent = none
    ingested.json              what other tools said, shown beside; absent = nothing
    estate.json                the observed Estate
    findings.json              the verdicts
    proofs.json                the claims over the Estate, each with its verdict and witness
    calls.jsonl                every API call: operation, parameters, account, Region, caller, request id, time, and the
                               digest of its answer; what was redacted before digesting; whether it failed
    responses/sha256-....json  each answer once, canonical, named by its own SHA-256 (``sha256sum`` agrees)

    signature.json             a KMS key's signature over the manifest (:mod:`ringwall.audit.signing`); absent = not signed

Each manifest entry's ``chain`` is the SHA-256 of the previous entry's chain, the entry's name and its content's digest,
and ``head`` is the last one, so that a changed, removed or reordered file is found. ``seal`` is the digest of the rest of the
manifest, so that who, where and when are found changed as well. An audit of a saved Estate holds no calls, and says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ringwall import __version__
from ringwall.audit.run import Audit, Reading
from ringwall.audit.signing import SIGNATURE
from ringwall.audit.waivers import load_waivers, to_json
from ringwall.controls.findings import Waiver
from ringwall.errors import RingwallError
from ringwall.estate import codec
from ringwall.estate.journal import JOURNAL
from ringwall.estate.model import canonical_json, utf8
from ringwall.estate.recording import Recorded
from ringwall.perimeter import Perimeter, loads

START = "0" * 64
VERSION = 3
MANIFEST = "manifest.json"
DECLARATION = "declaration.json"
ESTATE = "estate.json"
FINDINGS = "findings.json"
PROOFS = "proofs.json"
WAIVERS = "waivers.json"
INGESTED = "ingested.json"
CALLS = "calls.jsonl"
RESPONSES = "responses"
UNFINISHED = frozenset({JOURNAL, DECLARATION, ESTATE, FINDINGS, PROOFS, WAIVERS, INGESTED, CALLS, RESPONSES})
"""What there may be in the folder of an audit that was interrupted."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as it was opened.

    Attributes:
        folder: where it is.
        manifest: who, where, when, with which version.
        perimeter: the declaration; ``None`` = the baseline.
        reading: how the Estate was read, with every call.
        verdicts: estate, findings and proofs as they stand in their files, by file name.
        waivers: failures that somebody answers for.
    """

    folder: Path
    manifest: Mapping[str, Any]
    perimeter: Perimeter | None
    reading: Reading
    verdicts: Mapping[str, bytes]
    waivers: tuple[Waiver, ...] = ()


def write_bundle(audit: Audit, folder: Path) -> Path:
    """Write the bundle into a folder that does not exist yet, or is empty. Returns it.

    Raises:
        RingwallError: the folder holds something already, or cannot be written.
    """
    require_empty(folder)
    try:
        _clear(folder)
        (folder / RESPONSES).mkdir(parents=True)
        entries = []
        chain = START
        for name, content in _files(audit):
            (folder / name).write_bytes(content)
            digest = _sha256(content)
            chain = _link(chain, name, digest)
            entries.append({"name": name, "sha256": digest, "chain": chain})
        manifest = {
            "version": VERSION,
            "ringwall": __version__,
            "taken_at": audit.taken_at,
            "caller": audit.caller,
            "account": audit.account,
            "region": audit.reading.region,
            "read_account": audit.reading.account,
            "management": audit.reading.management,
            "timeout": audit.timeout,
            "candidates": list(audit.reading.candidates),
            "saved": audit.reading.saved,
            "files": entries,
            "head": chain,
        }
        (folder / MANIFEST).write_bytes(_pretty({**manifest, "seal": _seal(manifest)}))
        (folder / JOURNAL).unlink(missing_ok=True)
    except OSError as error:
        msg = f"{folder} cannot be written: {error.strerror}"
        raise RingwallError(msg) from error
    return folder


def require_empty(folder: Path) -> None:
    """Refuse a folder that a bundle cannot be written into; asked before an audit, it spares its minutes.

    What an audit left that was interrupted is no hindrance: its journal, and what there is of a bundle without a manifest.

    Raises:
        RingwallError: it holds something already, or is no folder.
    """
    try:
        there = {item.name for item in folder.iterdir()} if folder.exists() else set()
        filled = bool(there - UNFINISHED if JOURNAL in there else there)
    except OSError as error:
        raise RingwallError(f"{folder} cannot be written: {error.strerror}") from error
    if filled:
        msg = f"{folder} is not empty: name another folder with --out"
        raise RingwallError(msg)


def _clear(folder: Path) -> None:
    """Remove what an interrupted audit wrote beside its journal."""
    for path in folder.glob(f"{RESPONSES}/*"):
        path.unlink()
    for name in UNFINISHED - {JOURNAL, RESPONSES}:
        (folder / name).unlink(missing_ok=True)
    if (folder / RESPONSES).exists():
        (folder / RESPONSES).rmdir()


def verify_manifest(folder: Path) -> tuple[str, ...]:
    """What is wrong with a bundle's files, in words; empty when every digest and the chain hold.

    Raises:
        RingwallError: there is no such folder, or nothing of a bundle in it.
    """
    if not any((folder / name).exists() for name in (MANIFEST, CALLS, FINDINGS, ESTATE)):
        raise RingwallError(f"{folder} is no evidence bundle: it holds no {MANIFEST}")
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = json.loads(content)
        entries = [(str(item["name"]), str(item["sha256"]), str(item["chain"])) for item in manifest["files"]]
        head = str(manifest["head"])
        bare = {name: value for name, value in manifest.items() if name != "seal"}
        sealed = manifest.get("seal") == _seal(bare) and content == _pretty(manifest)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return (f"{MANIFEST} cannot be read: {error}",)
    found = list(_wrong(folder, entries, head))
    if not sealed and manifest.get("version") == VERSION:
        found.append(f"{MANIFEST} was changed")
    return tuple(found)


def open_bundle(folder: Path) -> Bundle:
    """Open a bundle whose manifest holds (:func:`verify_manifest`).

    Raises:
        RingwallError: a file is missing, or is not what a bundle holds there.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["version"] != VERSION:
            raise RingwallError(
                f"{folder} is a bundle of version {manifest['version']}; this Ringwall reads version {VERSION}"
            )
        declaration, waivers = folder / DECLARATION, folder / WAIVERS
        return Bundle(
            folder,
            manifest,
            loads(declaration.read_text(encoding="utf-8"), file=str(declaration))
            if declaration.exists()
            else None,
            Reading(
                account=str(manifest["read_account"]),
                region=str(manifest["region"]),
                caller=str(manifest["caller"]),
                management=manifest["management"],
                calls=tuple(_calls(folder)),
                candidates=tuple(manifest["candidates"]),
                saved=bool(manifest["saved"]),
            ),
            {name: (folder / name).read_bytes() for name in (ESTATE, FINDINGS, PROOFS)},
            load_waivers(waivers) if waivers.exists() else (),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RingwallError(f"{folder} is no evidence bundle: {error}") from error


def verdicts(audit: Audit) -> Mapping[str, bytes]:
    """What a bundle holds of the verdicts, by file name: a function of declaration, answers and catalog alone."""
    return {
        ESTATE: utf8(codec.dumps(audit.observed)),
        FINDINGS: _pretty([finding.to_json() for finding in audit.findings]),
        PROOFS: _pretty([item.to_json() for item in audit.proofs]),
    }


def file_of(digest: str) -> str:
    """The file that holds an answer."""
    return f"{RESPONSES}/{digest.replace(':', '-')}.json"


def _calls(folder: Path) -> Iterator[Recorded]:
    for line in (folder / CALLS).read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        body = (folder / file_of(entry["digest"])).read_text(encoding="utf-8")
        yield Recorded(**{**entry, "redacted": tuple(entry["redacted"])}, body=body)


def _wrong(folder: Path, entries: list[tuple[str, str, str]], head: str) -> Iterator[str]:
    chain = START
    for name, digest, expected in entries:
        path = folder / name
        if not path.is_file():
            yield f"{name} is missing"
        elif _sha256(path.read_bytes()) != digest:
            yield f"{name} was changed"
        if name.startswith("responses/") and name != file_of(f"sha256:{digest}"):
            yield f"{name} is not named by its content"
        chain = _link(chain, name, digest)
        if chain != expected:
            yield f"{name} breaks the chain"
    if chain != head:
        yield f"{MANIFEST} does not list every file that was written"
    listed = {name for name, _, _ in entries} | {MANIFEST, SIGNATURE}
    for path in sorted(item for item in folder.rglob("*") if item.is_file()):
        if path.relative_to(folder).as_posix() not in listed:
            yield f"{path.relative_to(folder).as_posix()} is not in the manifest"


def _files(audit: Audit) -> Iterator[tuple[str, bytes]]:
    if audit.perimeter is not None:
        # In the declaration's own order, which is the order of claims and findings.
        yield DECLARATION, _pretty(audit.perimeter.to_json(), sort_keys=False)
    if audit.waivers:
        yield WAIVERS, _pretty(to_json(audit.waivers), sort_keys=False)
    if audit.ingested:
        yield INGESTED, _pretty([item.to_json() for item in audit.ingested])
    yield from verdicts(audit).items()
    yield CALLS, utf8("".join(f"{_line(item)}\n" for item in audit.reading.calls))
    for digest, response in sorted(audit.responses.items()):
        yield file_of(digest), utf8(response.body)


def _line(call: Recorded) -> str:
    entry = {item.name: getattr(call, item.name) for item in fields(call) if item.name != "body"}
    return json.dumps(entry, sort_keys=True)


def _pretty(value: Any, *, sort_keys: bool = True) -> bytes:
    return utf8(json.dumps(value, indent=1, sort_keys=sort_keys, ensure_ascii=False) + "\n")


def _seal(manifest: Mapping[str, Any]) -> str:
    """Digest of a manifest without its seal."""
    return _sha256(utf8(canonical_json(manifest)))


def _link(chain: str, name: str, digest: str) -> str:
    return _sha256(f"{chain}\n{name}\n{digest}".encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
