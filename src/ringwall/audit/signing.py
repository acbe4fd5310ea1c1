"""A bundle's signature: made by a KMS key over the manifest, checked offline with the public key that lies beside it.

    signature.json   the key's ARN, the algorithm, the digest of ``manifest.json``, the signature, and the public key

What is signed is the line that :func:`statement` makes of the manifest's SHA-256; the manifest chains every file, so the
signature covers them all. Without one, whoever can write the folder can write another
bundle that is just as whole. A public key that lies in the bundle proves only that nothing changed since *somebody* signed:
who that is, is told by the key's fingerprint, which its owner knows, or by ``--public-key`` with the key itself.

AWS sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html and
https://docs.aws.amazon.com/kms/latest/developerguide/offline-public-key.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ringwall.errors import RingwallError

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

SIGNATURE = "signature.json"
MANIFEST = "manifest.json"
PREFERRED = (
    "ECDSA_SHA_256",
    "ECDSA_SHA_384",
    "ECDSA_SHA_512",
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
)
"""Algorithms of KMS that are used, the first that a key has. PKCS #1 v1.5 and SM2 are not."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What signed a bundle.

    Attributes:
        key: ARN of the KMS key, as the bundle says.
        algorithm: KMS's name of it.
        fingerprint: ``sha256:...`` of the public key, DER encoded.
    """

    key: str
    algorithm: str
    fingerprint: str


def sign(folder: Path, key: str, aws: Aws) -> Signature:
    """Sign a bundle that is whole, with a key of KMS.

    Args:
        folder: the bundle.
        key: ARN of an asymmetric key for SIGN_VERIFY.
        aws: connection to the key's Region.

    Raises:
        AwsCallError: KMS refuses; needs ``kms:Sign`` and ``kms:GetPublicKey``.
        RingwallError: the key signs by none of the algorithms, or the folder cannot be written.
    """
    told = aws.call("kms", "GetPublicKey", KeyId=key)
    offered = told.get("SigningAlgorithms") or ()
    algorithm = next((name for name in PREFERRED if name in offered), None)
    if algorithm is None:
        raise RingwallError(
            f"{key} signs by {', '.join(offered) or 'nothing'}; a bundle needs {', '.join(PREFERRED)}"
        )
    digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    answer = aws.call(
        "kms", "Sign", KeyId=key, Message=statement(digest), MessageType="RAW", SigningAlgorithm=algorithm
    )
    public = bytes(told["PublicKey"])
    name = str(told.get("KeyId", ""))  # of an alias, the key behind it
    document = {
        "version": 1,
        "key": name if name.startswith("arn:") else key,
        "algorithm": algorithm,
        "manifest": f"sha256:{digest}",
        "signature": base64.b64encode(bytes(answer["Signature"])).decode("ascii"),
        "public_key": base64.b64encode(public).decode("ascii"),
    }
    try:
        (folder / SIGNATURE).write_bytes(_written(document))
    except OSError as error:
        raise RingwallError(f"{folder / SIGNATURE} cannot be written: {error.strerror}") from error
    return Signature(str(document["key"]), algorithm, _fingerprint(public))


def statement(digest: str) -> bytes:
    """What is signed: the manifest's SHA-256 in hexadecimal, and what it is of."""
    return f"ringwall audit bundle, {MANIFEST} sha256:{digest}\n".encode()


def signature_of(folder: Path) -> Signature | None:
    """What the bundle says of its signature, unchecked; ``None`` = it is not signed."""
    try:
        document = json.loads((folder / SIGNATURE).read_bytes())
        public = base64.b64decode(document["public_key"], validate=True)
        return Signature(str(document["key"]), str(document["algorithm"]), _fingerprint(public))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def verify_signature(folder: Path, trusted: bytes | None = None) -> Iterator[str]:
    """What is wrong with a bundle's signature, in words; nothing for a bundle that is not signed and need not be.

    Args:
        folder: the bundle.
        trusted: the public key that must have signed it, DER or PEM; ``None`` = whichever lies in the bundle.

    Raises:
        RingwallError: checking needs the extra ``sign``, or ``trusted`` is no public key.
    """
    path = folder / SIGNATURE
    if not path.exists():
        if trusted is not None:
            yield f"{SIGNATURE} is missing: the bundle is not signed"
        return
    try:
        content = path.read_bytes()
        document = json.loads(content)
        public = base64.b64decode(document["public_key"], validate=True)
        signature = base64.b64decode(document["signature"], validate=True)
        algorithm, told = str(document["algorithm"]), str(document["manifest"])
        whole = content == _written(document)
    except (OSError, ValueError, KeyError, TypeError, binascii.Error) as error:
        yield f"{SIGNATURE} cannot be read: {error}"
        return
    if algorithm not in PREFERRED:
        yield f"{SIGNATURE} names the algorithm {algorithm}, which is not known"
        return
    digest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
    if not whole or told != f"sha256:{digest}":
        yield f"{SIGNATURE} was made over another {MANIFEST}, or was changed"
    if trusted is not None and _der(trusted) != public:
        yield f"{SIGNATURE} was made by another key: {_fingerprint(public)}"
    if not _holds(public, signature, statement(digest), algorithm):
        yield f"{SIGNATURE} does not hold: the key that lies beside it did not sign this {MANIFEST}"


def _written(document: Mapping[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()


def _fingerprint(public: bytes) -> str:
    return "sha256:" + hashlib.sha256(public).hexdigest()


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"cryptography.{name}")
    except ImportError as error:
        raise RingwallError("checking a signature needs the extra: pip install 'ringwall[sign]'") from error


def _der(key: bytes) -> bytes:
    """A public key, DER or PEM, as DER."""
    serialization = _module("hazmat.primitives.serialization")
    try:
        loaded = (
            serialization.load_pem_public_key(key)
            if key.lstrip().startswith(b"-----")
            else serialization.load_der_public_key(key)
        )
    except (ValueError, TypeError) as error:
        raise RingwallError(f"that is no public key: {error}") from error
    found: bytes = loaded.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def _holds(public: bytes, signature: bytes, message: bytes, algorithm: str) -> bool:
    """Whether the key signed the message."""
    serialization = _module("hazmat.primitives.serialization")
    ec, padding = (_module(f"hazmat.primitives.asymmetric.{name}") for name in ("ec", "padding"))
    digest = getattr(_module("hazmat.primitives.hashes"), f"SHA{algorithm[-3:]}")()
    invalid = _module("exceptions").InvalidSignature
    try:
        key = serialization.load_der_public_key(public)
        if algorithm.startswith("ECDSA"):
            key.verify(signature, message, ec.ECDSA(digest))
        else:
            pss = padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
            key.verify(signature, message, pss, digest)
    except (invalid, ValueError, TypeError, AttributeError):
        return False
    return True
