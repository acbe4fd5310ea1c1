"""Asymmetric KMS keys at work: Sign, Verify, and Encrypt and Decrypt with RSA.

https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from ringwall.sandbox.call import AwsError, Output

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LONGEST = 4096
_HASHES = {"SHA_256": "sha256", "SHA_384": "sha384", "SHA_512": "sha512"}
_OAEP = {"RSAES_OAEP_SHA_1": "sha1", "RSAES_OAEP_SHA_256": "sha256"}
_OVERHEAD = 2


def is_asymmetric(key: Any) -> bool:
    """Whether a key of moto's is a pair of keys."""
    return key is not None and not key.key_spec.startswith(("SYMMETRIC", "HMAC"))


def _usage(key: Any, operation: str) -> AwsError:
    return AwsError(
        "InvalidKeyUsageException",
        f"{key.arn} key usage is {key.key_usage} which is not valid for {operation}.",
    )


def _algorithm(key: Any, given: Any, allowed: list[str] | None, operation: str) -> str:
    if allowed is None:
        raise _usage(key, operation)
    if given not in allowed:
        raise AwsError(
            "InvalidKeyUsageException",
            f"Algorithm {given} is incompatible with key spec {key.key_spec}.",
        )
    return str(given)


def _hash(name: str) -> Any:
    known: Mapping[str, Callable[[], Any]] = {
        "sha1": hashes.SHA1,
        "sha256": hashes.SHA256,
        "sha384": hashes.SHA384,
        "sha512": hashes.SHA512,
    }
    return known[name]()


def _digest(parameters: Mapping[str, Any], algorithm: str) -> tuple[bytes, str]:
    """What is signed, hashed, and the hash's name."""
    message, name = bytes(parameters["Message"]), _HASHES[algorithm[-7:]]
    if parameters.get("MessageType", "RAW") == "DIGEST":
        if len(message) != hashlib.new(name).digest_size:
            raise AwsError("ValidationException", f"Digest is invalid length for algorithm {algorithm}.")
        return message, name
    if not 1 <= len(message) <= _LONGEST:
        raise AwsError(
            "ValidationException",
            "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length "
            f"between 1 and {_LONGEST}",
        )
    return hashlib.new(name, message).digest(), name


def _signature(algorithm: str, name: str) -> tuple[Any, ...]:
    """How cryptography names an algorithm, for a digest. The salt of PSS is as long as the digest, as KMS's is."""
    done = Prehashed(_hash(name))
    if algorithm.startswith("ECDSA"):
        return (ec.ECDSA(done),)
    if algorithm.startswith("RSASSA_PSS"):
        return padding.PSS(padding.MGF1(_hash(name)), padding.PSS.DIGEST_LENGTH), done
    return padding.PKCS1v15(), done


def sign(key: Any, parameters: Mapping[str, Any]) -> Output:
    """Sign.

    Raises:
        AwsError: the key, the algorithm or the message does not fit.
    """
    algorithm = _algorithm(key, parameters["SigningAlgorithm"], key.signing_algorithms, "Sign")
    digest, name = _digest(parameters, algorithm)
    signature = key.private_key.private_key.sign(digest, *_signature(algorithm, name))
    return Output({"KeyId": key.arn, "Signature": signature, "SigningAlgorithm": algorithm})


def verify(key: Any, parameters: Mapping[str, Any]) -> Output:
    """Verify.

    Raises:
        AwsError: likewise, or ``KMSInvalidSignatureException``.
    """
    algorithm = _algorithm(key, parameters["SigningAlgorithm"], key.signing_algorithms, "Verify")
    digest, name = _digest(parameters, algorithm)
    public = key.private_key.private_key.public_key()
    try:
        public.verify(bytes(parameters["Signature"]), digest, *_signature(algorithm, name))
    except InvalidSignature as error:
        raise AwsError("KMSInvalidSignatureException", "The signature is not valid.") from error
    return Output({"KeyId": key.arn, "SignatureValid": True, "SigningAlgorithm": algorithm})


def _oaep(algorithm: str) -> Any:
    name = _OAEP[algorithm]
    return padding.OAEP(padding.MGF1(_hash(name)), _hash(name), None)


def encrypt(key: Any, parameters: Mapping[str, Any]) -> Output:
    """Encrypt with an RSA key.

    Raises:
        AwsError: the key, the algorithm or the plaintext does not fit.
    """
    algorithm = _algorithm(key, parameters.get("EncryptionAlgorithm"), key.encryption_algorithms, "Encrypt")
    plaintext = bytes(parameters["Plaintext"])
    room = key.private_key.key_size // 8 - 2 * hashlib.new(_OAEP[algorithm]).digest_size - _OVERHEAD
    if len(plaintext) > room:
        raise AwsError(
            "ValidationException",
            f"Algorithm {algorithm} and key spec {key.key_spec} cannot encrypt data larger than {room} bytes.",
        )
    blob = key.private_key.private_key.public_key().encrypt(plaintext, _oaep(algorithm))
    return Output({"KeyId": key.arn, "CiphertextBlob": blob, "EncryptionAlgorithm": algorithm})


def decrypt(key: Any, parameters: Mapping[str, Any]) -> Output:
    """Decrypt with an RSA key.

    Raises:
        AwsError: the key or the algorithm does not fit, or ``InvalidCiphertextException``.
    """
    algorithm = _algorithm(key, parameters.get("EncryptionAlgorithm"), key.encryption_algorithms, "Decrypt")
    try:
        plaintext = key.private_key.private_key.decrypt(bytes(parameters["CiphertextBlob"]), _oaep(algorithm))
    except ValueError as error:
        raise AwsError("InvalidCiphertextException", "The ciphertext is not valid.") from error
    return Output({"KeyId": key.arn, "Plaintext": plaintext, "EncryptionAlgorithm": algorithm})
