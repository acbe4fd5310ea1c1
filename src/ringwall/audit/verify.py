"""Is a bundle whole, and do its verdicts follow from its evidence? Offline, with the bundle alone.

Three steps, each of which needs the one before: every file is as it was written; reading the account again from the
recorded answers gives the same Estate; judging that Estate by the same declaration gives the same verdicts and proofs,
byte for byte.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ringwall import __version__
from ringwall.audit.bundle import ESTATE, FINDINGS, PROOFS, Bundle, open_bundle, verdicts, verify_manifest
from ringwall.audit.replayed import Replayed, by_key
from ringwall.audit.run import Audit, judge
from ringwall.audit.signing import Signature, signature_of, verify_signature
from ringwall.controls.compile import compile_estate
from ringwall.controls.model_access import declared_models
from ringwall.estate import codec
from ringwall.estate.collect import collect
from ringwall.estate.model import Estate
from ringwall.iam.vocabulary import Vocabulary

NAMES = {ESTATE: "resource", FINDINGS: "finding", PROOFS: "claim"}


@dataclass(frozen=True, slots=True)
class Verification:
    """What verifying a bundle found.

    Attributes:
        problems: what does not hold, in words; empty = the bundle is whole and every verdict was derived again.
        audit: the audit as it was derived again; ``None`` where the files themselves do not hold.
        version: the Ringwall that wrote the bundle. Another one may rightly judge otherwise.
        signature: what signed it; ``None`` = nothing.
        saved: whether it judges a saved Estate, whose answers it does not hold.
    """

    problems: tuple[str, ...]
    audit: Audit | None = None
    version: str = ""
    signature: Signature | None = None
    saved: bool = False


def verify(folder: Path, vocabulary: Vocabulary, *, trusted: bytes | None = None) -> Verification:
    """Verify a bundle.

    Args:
        folder: the bundle.
        vocabulary: the catalog.
        trusted: the public key that must have signed it; ``None`` = a signature is checked if there is one.

    Raises:
        RingwallError: the folder is no bundle of this version, or a signature cannot be checked here.
    """
    problems = (*verify_manifest(folder), *verify_signature(folder, trusted))
    if problems:
        return Verification(problems)
    bundle = open_bundle(folder)
    audit = judge(
        bundle.perimeter,
        read_again(bundle),
        vocabulary,
        reading=bundle.reading,
        timeout=float(bundle.manifest["timeout"]),
        waivers=bundle.waivers,
    )
    version = str(bundle.manifest["ringwall"])
    found = list(_differences(bundle, audit))
    if found and version != __version__:
        found.append(
            f"the bundle was written by Ringwall {version}, this is {__version__}: rules may have changed"
        )
    return Verification(tuple(found), audit, version, signature_of(folder), bundle.reading.saved)


def read_again(bundle: Bundle) -> Estate:
    """The Estate that the recorded answers give; of a bundle without answers, the Estate that lies in it."""
    if bundle.reading.saved:
        return codec.loads(bundle.verdicts[ESTATE])
    calls, reading = by_key(bundle.reading.calls), bundle.reading
    aws = Replayed(calls, reading.account, reading.region)
    management = None if reading.management is None else Replayed(calls, reading.management, reading.region)
    taken_at = datetime.fromisoformat(str(bundle.manifest["taken_at"]))
    desired = None
    if bundle.perimeter is not None:
        aws.perimeter, desired = bundle.perimeter.name, compile_estate(bundle.perimeter)
    return collect(
        aws,
        management=management,
        survey=True,
        candidates=reading.candidates,
        desired=desired,
        models=declared_models(bundle.perimeter) if bundle.perimeter is not None else (),
        clock=lambda: taken_at,
    )


def _differences(bundle: Bundle, audit: Audit) -> Iterator[str]:
    for name, derived in verdicts(audit).items():
        if derived == bundle.verdicts[name]:
            continue
        there, again = (_entries(name, json.loads(text)) for text in (bundle.verdicts[name], derived))
        for key in sorted(there.keys() | again.keys()):
            if there.get(key) != again.get(key):
                yield f"{name}: {NAMES[name]} {key} {_how(there.get(key), again.get(key))}"
        if there == again:
            yield f"{name} is not written as this Ringwall writes it"


def _entries(name: str, document: Any) -> dict[str, Any]:
    """The parts of a file by what they are called."""
    if name == ESTATE:
        named = {
            f"{item['type']} {item['account']} {item['region']} {item['id']}": item
            for item in document["resources"]
        }
        return {**named, "(accounts)": document["accounts"]}
    if name == PROOFS:
        return {str(item["id"]): item for item in document}
    return {
        f"{item['control']} {item['account']} {item['region']} {item['resource']}": item for item in document
    }


def _how(there: Any, again: Any) -> str:
    if there is None:
        return "follows from the evidence, but is not in the bundle"
    if again is None:
        return "does not follow from the evidence"
    for member in ("status", "verdict"):
        if isinstance(there, dict) and member in there and there[member] != again[member]:
            return f"says {there[member]}, the evidence says {again[member]}"
    return "differs from what the evidence gives"
