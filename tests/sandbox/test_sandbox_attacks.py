"""What somebody would send who wants to get past the gateway, or to bring it down: refused, and it goes on."""

import dataclasses
import gzip
import http.client
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ringwall.sandbox import sigv4
from ringwall.sandbox.sigv4 import SignatureError
from ringwall.sandbox.wire import HttpRequest

HOST = b"Host: 127.0.0.1\r\nConnection: close\r\n"
CHUNKED = b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"


def posted(*lines, body=b"abc"):
    return b"POST / HTTP/1.1\r\n" + HOST + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + body


def got(target, *lines, version=b"1.1", method=b"GET"):
    head = method + b" " + target + b" HTTP/" + version + b"\r\n" + HOST
    return head + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


RAW = {
    "two lengths": posted(b"Content-Length: 3", b"Content-Length: 40", body=b"abcGET /x HTTP/1.1\r\n\r\n"),
    "one length twice": posted(b"Content-Length: 3", b"Content-Length: 3"),
    "a list of lengths": posted(b"Content-Length: 3, 3"),
    "a signed length": posted(b"Content-Length: +3"),
    "a negative length": posted(b"Content-Length: -3"),
    "an endless length": posted(b"Content-Length: 99999999999999999999"),
    "length and chunks": posted(
        b"Content-Length: 3", b"Transfer-Encoding: chunked", body=b"0\r\n\r\nGET /x HTTP/1.1\r\n\r\n"
    ),
    "another encoding": posted(b"Transfer-Encoding: xchunked"),
    "a space before the colon": posted(b"Transfer-Encoding : chunked"),
    "bare line feeds": b"POST / HTTP/1.1\nHost: x\nContent-Length: 3\n\nabc",
    "a chunk of no size": CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n",
    "a chunk of a negative size": CHUNKED + b"-1\r\nabc\r\n0\r\n\r\n",
    "a chunk of an endless size": CHUNKED + b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    "a large header": got(b"/", b"X-A: " + b"a" * 100_000),
    "many headers": got(b"/", *(b"X%d: a" % number for number in range(20_000))),
    "a long path": got(b"/" + b"a" * 100_000),
    "a folded header": got(b"/", b"X-A: a", b" b"),
    "a header with a NUL": got(b"/", b"X-A: a\0b"),
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": got(b"/", b"Host: iam.amazonaws.com"),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no HTTP": bytes(range(256)) * 10 + b"\r\n\r\n",
    "an absolute URI": got(b"http://169.254.169.254/latest/meta-data"),
    "an absolute URI of moto": got(b"http://127.0.0.1/moto-api/data.json"),
    "moto's page": got(b"/moto-api/data.json"),
    "moto's reset": got(b"/moto-api/reset", b"Content-Length: 0", method=b"POST"),
    "moto's account": got(b"/", b"x-moto-account-id: 999988887777"),
    "CONNECT to the metadata service": got(b"169.254.169.254:80", method=b"CONNECT"),
    "CONNECT to AWS": got(b"iam.amazonaws.com:443", method=b"CONNECT"),
    "OPTIONS of everything": got(b"*", method=b"OPTIONS"),
    "TRACE": got(b"/", method=b"TRACE"),
    "another protocol": got(b"/", b"Upgrade: websocket", b"Sec-WebSocket-Key: x"),
    "decisions without a signature": got(b"/_ringwall/decisions"),
    "decisions by a detour": got(b"/x/../_ringwall/decisions"),
    "decisions, encoded": got(b"/%5fringwall/decisions"),
}


def link(world, server_name="127.0.0.1"):
    port = int(world.sandbox.endpoint_url.rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    plain = socket.create_connection(("127.0.0.1", port), timeout=20)
    return context.wrap_socket(plain, server_hostname=server_name)


def said(world, data):
    """Everything that comes back until the server closes."""
    with link(world) as connection:
        connection.sendall(data)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except OSError:  # closed before it had read everything
            return answer
    return answer


@pytest.mark.parametrize("data", RAW.values(), ids=RAW)
def test_what_is_no_request_is_refused_once(world, capfd, data):
    answer = said(world, data)
    assert len(re.findall(rb"(?m)^HTTP/", answer)) <= 1  # a second answer would be one to a smuggled request
    if answer:
        assert 400 <= int(answer.split(b" ", 2)[1]) < 500
    assert b"Traceback" not in answer
    assert "Traceback" not in capfd.readouterr().err


def test_the_gateway_went_on(world):
    assert world.client("sts").get_caller_identity()["Account"] == "111122223333"


# -- signatures --------------------------------------------------------------------------------------------------------

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
KEYS = Credentials("AKIAIOSFODNN7EXAMPLE", SECRET)
CONVERSE = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m%2Fx/converse"
OBJECT = "https://s3.us-east-1.amazonaws.com/bucket/key?a=1&b=2"


def signed(url, service, auth, *, body=b"{}", method="PUT", headers=None, **options):
    request = AWSRequest(method, url, data=body, headers=headers or {})
    auth(KEYS, service, "us-east-1", **options).add_auth(request)
    parts = urlsplit(request.url)
    found = {name.lower(): str(value) for name, value in request.headers.items()}
    query = parts.query
    if request.params:
        query = "&".join(f"{name}={value}" for name, value in request.params.items())
    return HttpRequest(method, parts.path, query, {"host": parts.netloc, **found}, body)


def converse(**more):
    return signed(CONVERSE, "bedrock", SigV4Auth, method="POST", **more)


def stored(**more):
    return signed(OBJECT, "s3", S3SigV4Auth, **more)


def presigned(expires=60):
    return signed(OBJECT.partition("?")[0], "s3", S3SigV4QueryAuth, body=b"", expires=expires)


def also(request, **headers):
    added = {name.replace("_", "-"): value for name, value in headers.items()}
    return dataclasses.replace(request, headers={**request.headers, **added})


def rescoped(request, old, new):
    header = request.headers["authorization"].replace(old, new)
    return also(request, authorization=header)


def today(shift=0):
    return f"{datetime.now(UTC) + timedelta(days=shift):%Y%m%d}"


TRICKS = {
    "nothing, to Bedrock": (converse, "accepted"),
    "nothing, to S3": (stored, "accepted"),
    "nothing, presigned": (presigned, "accepted"),
    "a session token added": (lambda: also(converse(), x_amz_security_token="t"), "signature"),
    "a target added": (lambda: also(converse(), x_amz_target="Logs_20140328.DeleteLogGroup"), "signature"),
    "a session token added, to S3": (lambda: also(stored(), x_amz_security_token="t"), "denied"),
    "an ACL added to an upload": (lambda: also(stored(), x_amz_acl="public-read"), "denied"),
    "an ACL added to a presigned URL": (lambda: also(presigned(), x_amz_acl="public-read"), "denied"),
    "a presigned upload made a copy": (lambda: also(presigned(), x_amz_copy_source="/b/secret"), "denied"),
    "the body swapped": (lambda: dataclasses.replace(converse(), body=b'{"a":1}'), "signature"),
    "the body declared unsigned": (
        lambda: dataclasses.replace(
            also(converse(), x_amz_content_sha256="UNSIGNED-PAYLOAD"), body=b'{"a":1}'
        ),
        "signature",
    ),
    "an unsigned body, signed as such": (
        lambda: converse(headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}),
        "signature",
    ),
    "an object declared unsigned": (
        lambda: also(stored(), x_amz_content_sha256="UNSIGNED-PAYLOAD"),
        "signature",
    ),
    "an object swapped": (lambda: dataclasses.replace(stored(), body=b"other"), "hash"),
    "the query in another order": (lambda: dataclasses.replace(stored(), query="b=2&a=1"), "accepted"),
    "a parameter twice": (lambda: dataclasses.replace(stored(), query="a=1&b=2&b=3"), "signature"),
    "the path encoded twice": (
        lambda: dataclasses.replace(converse(), path="/model/m%252Fx/converse"),
        "signature",
    ),
    "the path decoded": (lambda: dataclasses.replace(converse(), path="/model/m/x/converse"), "signature"),
    "dots in an object's path": (
        lambda: dataclasses.replace(stored(), path="/bucket/x/../key"),
        "signature",
    ),
    "another host": (lambda: also(converse(), host="iam.amazonaws.com"), "signature"),
    "another Region's scope": (lambda: rescoped(converse(), "us-east-1", "us-west-2"), "signature"),
    "another service's scope": (lambda: rescoped(converse(), "/bedrock/", "/iam/"), "signature"),
    "yesterday's scope": (lambda: rescoped(converse(), today(), today(-1)), "incomplete"),
    "another terminator": (lambda: rescoped(converse(), "aws4_request", "aws5_request"), "incomplete"),
    "the host left unsigned": (lambda: rescoped(converse(), "host;", ""), "signature"),
    "an URL for more than a week": (lambda: presigned(7 * 24 * 3600 + 1), "incomplete"),
    "an URL for less than no time": (lambda: presigned(-1), "incomplete"),
}


def kind_of(request, later=timedelta()):
    """``accepted``, or why a request is refused."""
    try:
        sigv4.verify(request, sigv4.read(request), SECRET, datetime.now(UTC) + later)
    except SignatureError as error:
        return error.kind
    return "accepted"


@pytest.mark.parametrize(("make", "expected"), TRICKS.values(), ids=TRICKS)
def test_a_signature_covers_what_is_done(make, expected):
    assert kind_of(make()) == expected


@pytest.mark.parametrize(("minutes", "expected"), [(14, "accepted"), (16, "skew"), (-16, "skew")])
def test_a_signature_of_another_time(minutes, expected):
    assert kind_of(stored(), timedelta(minutes=minutes)) == expected


# -- on the wire -------------------------------------------------------------------------------------------------------


def test_a_presigned_upload_cannot_be_made_a_copy_of_a_secret(world):
    s3 = world.client("s3", signature_version="s3v4")
    s3.create_bucket(Bucket="attacked")
    s3.put_object(Bucket="attacked", Key="secret", Body=b"secret")
    url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": "attacked", "Key": "open"}))
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    for headers, status in (({"x-amz-copy-source": "/attacked/secret"}, 403), ({}, 200)):
        connection = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=20)
        connection.request("PUT", f"{url.path}?{url.query}", body=b"", headers=headers)
        assert connection.getresponse().status == status
        connection.close()
    assert s3.get_object(Bucket="attacked", Key="open")["Body"].read() == b""


def test_the_server_name_of_tls_decides_nothing(world):
    with link(world, server_name="iam.amazonaws.com") as connection:
        connection.sendall(got(b"/_ringwall/decisions"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 403")


def test_bodies_arrive_as_they_were_sent(world):
    """Packed bodies are hashed packed: an object stays packed, and what an SDK packs for a service is unpacked by it."""
    s3, packed = world.client("s3", signature_version="s3v4"), gzip.compress(b"text" * 100)
    s3.create_bucket(Bucket="packed")
    url = urlsplit(s3.generate_presigned_url("put_object", Params={"Bucket": "packed", "Key": "k"}))
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    connection = http.client.HTTPSConnection(url.hostname, url.port, context=context, timeout=20)
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    connection.request("PUT", f"{url.path}?{url.query}", body=packed, headers=headers)
    assert connection.getresponse().status == 200
    connection.close()
    assert s3.get_object(Bucket="packed", Key="k")["Body"].read() == packed
    names = [f"metric-{number}" for number in range(200)]
    data = [
        {"MetricName": name, "Value": 1.0, "Dimensions": [{"Name": "a", "Value": name}]} for name in names
    ]
    seen = []
    cloudwatch = world.client("cloudwatch")
    cloudwatch.meta.events.register(
        "before-send", lambda request, **_: seen.append(request.headers.get("Content-Encoding"))
    )
    cloudwatch.put_metric_data(Namespace="packed", MetricData=data)
    assert seen == [b"gzip"] or seen == ["gzip"]
    pages = cloudwatch.get_paginator("list_metrics").paginate(Namespace="packed")
    assert {metric["MetricName"] for page in pages for metric in page["Metrics"]} == set(names)


def test_a_packed_body_of_too_many_bytes_is_not_unpacked(world):
    """25 KB that are 25 MB: refused as what it is, a body that is no request."""
    bomb = gzip.compress(b" " * (30 * 2**20))
    keys = world.sandbox.environment()
    credentials = Credentials(keys["AWS_ACCESS_KEY_ID"], keys["AWS_SECRET_ACCESS_KEY"])
    url = f"{world.sandbox.endpoint_url}/model/amazon.nova-pro-v1:0/converse"
    request = AWSRequest("POST", url, data=bomb, headers={"Content-Encoding": "gzip"})
    SigV4Auth(credentials, "bedrock", "us-east-1").add_auth(request)
    parts = urlsplit(url)
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    connection = http.client.HTTPSConnection(parts.hostname, parts.port, context=context, timeout=20)
    connection.request("POST", parts.path, body=bomb, headers=dict(request.headers.items()))
    assert connection.getresponse().status == 400
    connection.close()
