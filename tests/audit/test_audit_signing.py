"""A signed bundle: signed by KMS in the sandbox, checked offline, and every way to forge it is found."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from audit.audit_samples import sample
from ringwall.audit.bundle import verify_manifest, write_bundle
from ringwall.audit.signing import Signature, sign, signature_of, statement, verify_signature
from ringwall.demo.world import environment
from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.connection import connect
from ringwall.sandbox import Sandbox

REGION = "us-east-1"


@pytest.fixture(scope="module")
def aws() -> Iterator[Any]:
    with Sandbox() as sandbox, environment(sandbox.environment()):
        yield connect("", region=REGION)


def key(aws: Any, spec: str) -> str:
    made = aws.call("kms", "CreateKey", KeySpec=spec, KeyUsage="SIGN_VERIFY")
    return str(made["KeyMetadata"]["Arn"])


def signed(aws: Any, folder: Path, spec: str = "ECC_NIST_P256") -> tuple[Path, Signature]:
    place = write_bundle(sample(), folder / "bundle")
    return place, sign(place, key(aws, spec), aws)


def problems(folder: Path, trusted: bytes | None = None) -> list[str]:
    return [*verify_manifest(folder), *verify_signature(folder, trusted)]


@pytest.mark.parametrize(
    ("spec", "algorithm"),
    [
        ("ECC_NIST_P256", "ECDSA_SHA_256"),
        ("ECC_NIST_P384", "ECDSA_SHA_384"),
        ("RSA_2048", "RSASSA_PSS_SHA_256"),
    ],
)
def test_a_bundle_is_signed_and_says_by_what(aws: Any, tmp_path: Path, spec: str, algorithm: str) -> None:
    place, made = signed(aws, tmp_path, spec)
    assert made.algorithm == algorithm
    assert made.key.startswith("arn:aws:kms:us-east-1:111122223333:key/")
    assert problems(place) == []
    assert signature_of(place) == made


def rewrite(folder: Path, **changes: str) -> None:
    path = folder / "signature.json"
    document = {**json.loads(path.read_text("utf-8")), **changes}
    path.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def another_audit(folder: Path) -> None:
    """Somebody writes another bundle over it, just as whole."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.name != "signature.json" and path.is_file():
            path.unlink()
        elif path.is_dir():
            path.rmdir()
    kept = (folder / "signature.json").read_bytes()
    (folder / "signature.json").unlink()
    write_bundle(sample(()), folder)
    (folder / "signature.json").write_bytes(kept)


def another_key(folder: Path) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    public = other.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    rewrite(folder, public_key=base64.b64encode(public).decode())


def another_algorithm(folder: Path) -> None:
    rewrite(folder, algorithm="RSASSA_PKCS1_V1_5_SHA_256")


def another_digest(folder: Path) -> None:
    rewrite(folder, manifest="00" * 32)


def one_bit_of_the_signature(folder: Path) -> None:
    path = folder / "signature.json"
    document = json.loads(path.read_text("utf-8"))
    raw = bytearray(base64.b64decode(document["signature"]))
    raw[-1] ^= 1
    rewrite(folder, signature=base64.b64encode(bytes(raw)).decode())


def a_space(folder: Path) -> None:
    path = folder / "signature.json"
    path.write_bytes(path.read_bytes() + b" ")


def no_json(folder: Path) -> None:
    (folder / "signature.json").write_bytes(b"signed, honestly")


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (another_audit, "was made over another manifest.json"),
        (another_key, "does not hold"),
        (another_algorithm, "which is not known"),
        (another_digest, "was made over another manifest.json"),
        (one_bit_of_the_signature, "does not hold"),
        (a_space, "or was changed"),
        (no_json, "cannot be read"),
    ],
)
def test_forgeries_are_found(aws: Any, tmp_path: Path, tamper: Callable[[Path], None], told: str) -> None:
    place, _ = signed(aws, tmp_path)
    tamper(place)
    assert any(told in problem for problem in problems(place))


def test_whoever_signs_again_with_a_key_of_their_own_is_found_by_the_owners_key(
    aws: Any, tmp_path: Path
) -> None:
    """The bundle with its signature is whole again: only who knows the key can tell."""
    place, made = signed(aws, tmp_path)
    trusted = bytes(aws.call("kms", "GetPublicKey", KeyId=made.key)["PublicKey"])
    assert problems(place, trusted) == []
    other = ec.generate_private_key(ec.SECP256R1())
    public = other.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    digest = hashlib.sha256((place / "manifest.json").read_bytes()).hexdigest()
    again = other.sign(statement(digest), ec.ECDSA(hashes.SHA256()))
    rewrite(place, public_key=base64.b64encode(public).decode(), signature=base64.b64encode(again).decode())
    assert problems(place) == []
    assert any("made by another key" in problem for problem in problems(place, trusted))
    pem = serialization.load_der_public_key(trusted).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert any("made by another key" in problem for problem in problems(place, pem))


def test_a_signature_that_was_taken_off_is_missed_by_who_asks_for_it(aws: Any, tmp_path: Path) -> None:
    place, made = signed(aws, tmp_path)
    trusted = bytes(aws.call("kms", "GetPublicKey", KeyId=made.key)["PublicKey"])
    (place / "signature.json").unlink()
    assert problems(place) == []
    assert problems(place, trusted) == ["signature.json is missing: the bundle is not signed"]
    again, _ = signed(aws, tmp_path / "again")
    with pytest.raises(RingwallError, match="no public key"):
        problems(again, b"not a key")


def test_a_key_for_encryption_signs_nothing(aws: Any, tmp_path: Path) -> None:
    place = write_bundle(sample(), tmp_path / "bundle")
    symmetric = str(aws.call("kms", "CreateKey")["KeyMetadata"]["Arn"])
    with pytest.raises((AwsCallError, RingwallError)):
        sign(place, symmetric, aws)
    assert not (place / "signature.json").exists()
