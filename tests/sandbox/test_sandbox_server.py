"""The server's manners: TLS, large, slow and odd requests, many callers."""

import http.client
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor

import pytest


def connection(world, timeout=10):
    port = int(world.sandbox.endpoint_url.rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    return http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_modern_tls(world, version):
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    context.minimum_version = context.maximum_version = version
    port = int(world.sandbox.endpoint_url.rsplit(":", 1)[1])
    with (
        socket.create_connection(("127.0.0.1", port)) as raw,
        context.wrap_socket(raw, server_hostname="bedrock-runtime.us-east-1.amazonaws.com") as wrapped,
    ):
        assert (
            wrapped.version()
            == {ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version]
        )


def test_large_bodies_are_refused(world):
    link = connection(world)
    link.request(
        "POST",
        "/model/x/converse",
        headers={"Content-Length": str(40 * 2**20)},
        body=(b"x" * 2**20 for _ in range(27)),
        encode_chunked=False,
    )
    assert link.getresponse().status == 413
    link.close()


def test_slow_and_half_closed_requests_do_not_stall_others(world):
    port = int(world.sandbox.endpoint_url.rsplit(":", 1)[1])
    context = ssl.create_default_context(cafile=world.sandbox.ca_bundle)
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    half = []
    for _ in range(5):
        wrapped = context.wrap_socket(
            socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1"
        )
        wrapped.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc")
        half.append(wrapped)
    assert world.client("sts").get_caller_identity()["Account"] == "111122223333"
    for item in (*idle, *half):
        item.close()


@pytest.mark.parametrize("path", ["/%ff%fe", "/" + "a" * 5000, "/..//../x", "/?%zz&&=&a=b=c"])
def test_odd_paths_are_answered(world, path):
    link = connection(world)
    link.putrequest("GET", path, skip_accept_encoding=True)
    link.endheaders()
    assert 400 <= link.getresponse().status < 500
    link.close()


def test_many_callers_at_once(world, helpers):
    runtime = world.client("bedrock-runtime", max_pool_connections=32)
    kms = world.client("kms", max_pool_connections=32)

    def ask(number):
        if number % 2:
            return len(kms.list_keys()["Keys"]) >= 0
        return runtime.converse(modelId=helpers.MODEL, messages=helpers.MESSAGES)["stopReason"] == "end_turn"

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(120)))
