"""Signatures that botocore makes are accepted; anything changed afterwards is not."""

import dataclasses
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from ringwall.sandbox import sigv4
from ringwall.sandbox.sigv4 import SignatureError
from ringwall.sandbox.wire import HttpRequest

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
CREDENTIALS = Credentials("AKIAIOSFODNN7EXAMPLE", SECRET, "token")


def signed(url, *, method="POST", body=b"{}", service="bedrock", auth=SigV4Auth, headers=None, **options):
    request = AWSRequest(method, url, data=body, headers=headers or {})
    auth(CREDENTIALS, service, "us-east-1", **options).add_auth(request)
    prepared = request.prepare()
    host, _, rest = prepared.url.removeprefix("https://").partition("/")
    path, _, query = f"/{rest}".partition("?")
    found = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in prepared.headers.items()
    }
    return HttpRequest(method, path, query, {"host": host, **found}, body or b"")


def kind_of(request, *, secret=SECRET, now=None):
    read = sigv4.read(request)
    assert read is not None
    try:
        sigv4.verify(request, read, secret, now or datetime.now(UTC))
    except SignatureError as error:
        return error.kind
    return "accepted"


URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3A%3Ax%2Fy/converse?b=2&a=%2F&empty"


def test_what_botocore_signs_is_accepted():
    assert kind_of(signed(URL)) == "accepted"


@pytest.mark.parametrize(
    "change",
    [
        lambda r: dataclasses.replace(r, body=b'{"a": 1}'),
        lambda r: dataclasses.replace(r, method="PUT"),
        lambda r: dataclasses.replace(r, path=r.path.replace("%2Fy", "%2Fz")),
        lambda r: dataclasses.replace(r, query="b=2&a=%2F&empty=1"),
        lambda r: dataclasses.replace(r, headers={**r.headers, "host": "evil.example.com"}),
        lambda r: dataclasses.replace(r, headers={**r.headers, "x-amz-security-token": "other"}),
    ],
)
def test_a_changed_request_is_refused(change):
    assert kind_of(change(signed(URL))) == "signature"


def test_another_secret_is_refused():
    assert kind_of(signed(URL), secret="x") == "signature"


@pytest.mark.parametrize(
    ("service", "shift", "expected"),
    [
        ("bedrock", timedelta(minutes=4), "accepted"),
        ("bedrock", timedelta(minutes=6), "skew"),
        ("bedrock", timedelta(minutes=-6), "skew"),
        ("s3", timedelta(minutes=14), "accepted"),
        ("s3", timedelta(minutes=16), "skew"),
    ],
)
def test_clock_skew(service, shift, expected):
    request = signed(
        "https://x.us-east-1.amazonaws.com/a",
        service=service,
        auth=S3SigV4Auth if service == "s3" else SigV4Auth,
    )
    assert kind_of(request, now=datetime.now(UTC) + shift) == expected


def test_presigned_urls_live_as_long_as_they_say():
    request = signed(
        "https://s3.us-east-1.amazonaws.com/b/k%20x",
        method="GET",
        body=b"",
        service="s3",
        auth=S3SigV4QueryAuth,
        expires=60,
    )
    assert kind_of(request) == "accepted"
    assert kind_of(request, now=datetime.now(UTC) + timedelta(seconds=90)) == "url-expired"
    assert kind_of(dataclasses.replace(request, path="/b/other")) == "signature"


def test_s3_bodies_must_match_their_hash():
    request = signed(
        "https://s3.us-east-1.amazonaws.com/b/k", method="PUT", body=b"one", service="s3", auth=S3SigV4Auth
    )
    assert kind_of(request) == "accepted"
    assert kind_of(dataclasses.replace(request, body=b"two")) == "hash"


@pytest.mark.parametrize(
    "header",
    [
        "AWS4-HMAC-SHA256 nonsense",
        "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=" + "0" * 64,
        "Basic abc",
    ],
)
def test_malformed_authorization_is_told_apart(header):
    with pytest.raises(SignatureError) as caught:
        sigv4.read(
            HttpRequest("GET", "/", "", {"authorization": header, "x-amz-date": "20261123T000000Z"}, b"")
        )
    assert caught.value.kind == "incomplete"


def test_unsigned_requests_have_no_signature():
    assert sigv4.read(HttpRequest("GET", "/", "", {}, b"")) is None


def chunked(pieces, *, trailer=False, spoil=None):
    """A signed chunked upload, made by the documented algorithm."""
    scope = sigv4.Scope("AKIAIOSFODNN7EXAMPLE", "20261123", "us-east-1", "s3")
    chain = sigv4.Chain(sigv4.signing_key(SECRET, scope), scope, "20261123T000000Z", "0" * 64)
    current, body = chain, b""
    empty = hashlib.sha256(b"").hexdigest()
    for index, piece in enumerate([*pieces, b""]):
        current = current.advance("PAYLOAD", empty, hashlib.sha256(piece).hexdigest())
        signature = "0" * 64 if index == spoil else current.signature
        body += (
            f"{len(piece):x};chunk-signature={signature}\r\n".encode() + piece + (b"\r\n" if piece else b"")
        )
    kind = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    if trailer:
        kind += "-TRAILER"
        line = "x-amz-checksum-crc32:AAAAAA=="
        last = current.advance("TRAILER", hashlib.sha256(f"{line}\n".encode()).hexdigest())
        body += f"{line}\r\nx-amz-trailer-signature:{last.signature}\r\n\r\n".encode()
    else:
        body += b"\r\n"
    size = sum(map(len, pieces))
    headers = {"x-amz-content-sha256": kind, "x-amz-decoded-content-length": str(size)}
    return HttpRequest("PUT", "/b/k", "", headers, body), chain


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=5), st.booleans())
def test_signed_chunks_are_put_together(pieces, trailer):
    request, chain = chunked(pieces, trailer=trailer)
    body, trailers = sigv4.decode_chunks(request, chain)
    assert body == b"".join(pieces)
    assert trailers == ({"x-amz-checksum-crc32": "AAAAAA=="} if trailer else {})


@pytest.mark.parametrize("spoil", [0, 1, 2])
def test_a_wrong_chunk_signature_is_refused(spoil):
    request, chain = chunked([b"one", b"two"], spoil=spoil)
    with pytest.raises(SignatureError) as caught:
        sigv4.decode_chunks(request, chain)
    assert caught.value.kind == "signature"


@pytest.mark.parametrize("body", [b"", b"5\r\nab", b"zz\r\n", b"5\r\nhello\r\n0\r\n"])
def test_broken_framing_is_refused(body):
    headers = {
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "4",
    }
    with pytest.raises(SignatureError):
        sigv4.decode_chunks(HttpRequest("PUT", "/b/k", "", headers, body), None)
