"""Asymmetric keys sign and encrypt as KMS's do: what cryptography verifies with the public key alone."""

import hashlib
from functools import partial

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding

RSA = [f"RSASSA_{pad}_SHA_{size}" for pad in ("PSS", "PKCS1_V1_5") for size in (256, 384, 512)]
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
MESSAGE = b"what is signed"


@pytest.fixture(scope="module")
def kms(world):
    return world.client("kms")


@pytest.fixture(scope="module")
def keys(kms):
    """A key of each spec and use, by name."""
    wanted = {
        "RSA_2048": "SIGN_VERIFY",
        "ECC_NIST_P256": "SIGN_VERIFY",
        "ECC_NIST_P384": "SIGN_VERIFY",
        "HMAC_256": "GENERATE_VERIFY_MAC",
        "SYMMETRIC_DEFAULT": "ENCRYPT_DECRYPT",
    }
    made = {
        spec: kms.create_key(KeySpec=spec, KeyUsage=use)["KeyMetadata"]["Arn"] for spec, use in wanted.items()
    }
    made["sealing"] = kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyMetadata"]["Arn"]
    return made


def public(kms, key):
    return serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])


@pytest.mark.parametrize("algorithm", RSA)
@pytest.mark.parametrize("kind", ["RAW", "DIGEST"])
def test_rsa_signatures_are_anybodys_to_verify(kms, keys, algorithm, kind):
    size = algorithm[-3:]
    message = MESSAGE if kind == "RAW" else hashlib.new(f"sha{size}", MESSAGE).digest()
    asked = {
        "KeyId": keys["RSA_2048"],
        "Message": message,
        "MessageType": kind,
        "SigningAlgorithm": algorithm,
    }
    signature = kms.sign(**asked)["Signature"]
    # KMS's salt is as long as the digest.
    pss = padding.PSS(padding.MGF1(HASHES[size]), HASHES[size].digest_size)
    scheme = pss if "PSS" in algorithm else padding.PKCS1v15()
    public(kms, keys["RSA_2048"]).verify(signature, MESSAGE, scheme, HASHES[size])
    assert kms.verify(**asked, Signature=signature)["SignatureValid"] is True


@pytest.mark.parametrize("size", ["256", "384"])
def test_curve_signatures_are_anybodys_to_verify(kms, keys, size):
    key = keys[f"ECC_NIST_P{size}"]
    asked = {"KeyId": key, "Message": MESSAGE, "SigningAlgorithm": f"ECDSA_SHA_{size}"}
    signature = kms.sign(**asked)["Signature"]
    public(kms, key).verify(signature, MESSAGE, ec.ECDSA(HASHES[size]))
    assert kms.verify(**asked, Signature=signature)["SignatureValid"] is True


@pytest.mark.parametrize("algorithm", ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"])
def test_rsa_encrypts(kms, keys, algorithm):
    asked = {"KeyId": keys["sealing"], "EncryptionAlgorithm": algorithm}
    sealed = kms.encrypt(**asked, Plaintext=b"secret")["CiphertextBlob"]
    assert len(sealed) == 256
    assert kms.decrypt(**asked, CiphertextBlob=sealed)["Plaintext"] == b"secret"


def test_macs(kms, keys):
    asked = {"KeyId": keys["HMAC_256"], "Message": MESSAGE, "MacAlgorithm": "HMAC_SHA_256"}
    mac = kms.generate_mac(**asked)["Mac"]
    assert len(mac) == 32
    assert kms.verify_mac(**asked, Mac=mac)["MacValid"] is True
    with pytest.raises(ClientError, match="KMSInvalidMacException"):
        kms.verify_mac(**asked, Mac=mac[:-1] + bytes([mac[-1] ^ 1]))


PKCS = {"Message": MESSAGE, "SigningAlgorithm": RSA[-1]}


@pytest.mark.parametrize(
    ("operation", "key", "parameters", "code"),
    [
        ("sign", "sealing", PKCS, "InvalidKeyUsageException"),
        ("sign", "HMAC_256", PKCS, "InvalidKeyUsageException"),
        ("sign", "SYMMETRIC_DEFAULT", PKCS, "InvalidKeyUsageException"),
        ("sign", "ECC_NIST_P256", PKCS, "InvalidKeyUsageException"),
        ("sign", "RSA_2048", {**PKCS, "Message": b"x" * 4097}, "ValidationException"),
        ("sign", "RSA_2048", {**PKCS, "MessageType": "DIGEST"}, "ValidationException"),
        ("verify", "RSA_2048", {**PKCS, "Signature": b"x" * 256}, "KMSInvalidSignatureException"),
        ("encrypt", "RSA_2048", {"Plaintext": b"x"}, "InvalidKeyUsageException"),
        (
            "encrypt",
            "sealing",
            {"Plaintext": b"x" * 191, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
            "ValidationException",
        ),
        (
            "decrypt",
            "sealing",
            {"CiphertextBlob": b"x" * 256, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"},
            "InvalidCiphertextException",
        ),
        (
            "generate_mac",
            "RSA_2048",
            {"Message": b"x", "MacAlgorithm": "HMAC_SHA_256"},
            "InvalidKeyUsageException",
        ),
    ],
)
def test_what_does_not_fit_is_refused(kms, keys, helpers, operation, key, parameters, code):
    assert helpers.code_of(partial(getattr(kms, operation), KeyId=keys[key], **parameters)) == code


@pytest.mark.parametrize("spec", ["ML_DSA_65", "SM2"])
def test_specs_that_are_lacking_say_so(kms, helpers, spec):
    code = helpers.code_of(kms.create_key, KeySpec=spec, KeyUsage="SIGN_VERIFY")
    assert code == "NotImplementedException"
