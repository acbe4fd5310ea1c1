"""HTTP/1.1, slow clients and many of them: what is read, what is refused, and when a connection ends."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.sandbox.connection import Connection, Limits
from ringwall.sandbox.http1 import BadRequestError, Phase, Reader
from ringwall.sandbox.server import Server
from ringwall.sandbox.wire import HttpResponse

HEAD = b"POST /model/a%3Ab/converse?x=1 HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-a: 2 \r\nContent-Length: 3"


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self):
        return self.now


class Wire(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self):
        super().__init__()
        self.written, self.closed, self.aborted, self.paused = b"", False, False, False

    def write(self, data):
        self.written += data

    def close(self):
        self.closed = True

    def abort(self):
        self.closed = self.aborted = True

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        self.paused = True

    def resume_reading(self):
        self.paused = False


class Peer:
    """A client and its connection, answered by what it asked for."""

    def __init__(self, server, answer=None):
        self.seen, self.wire = [], Wire()
        self.connection = Connection(server, answer or self.echo, secure=False)
        self.connection.connection_made(self.wire)

    async def echo(self, request):
        self.seen.append(request)
        return HttpResponse(200, {"Content-Type": "text/plain"}, request.body)

    async def send(self, data):
        self.connection.data_received(data)
        if self.connection.answer is not None:
            await asyncio.wait([self.connection.answer])
            await asyncio.sleep(0)


def talk(limits=None, clock=None):
    """A server that listens nowhere."""
    return Server(limits or Limits(), clock or Clock())


def run(story):
    """Run a story on an event loop of its own."""
    return asyncio.run(story)


def read(*pieces, limit=10_000):
    """The requests in what a client sends."""
    reader = Reader(1000, limit)
    for piece in pieces:
        reader.feed(piece)
    return [*reader.whole]


def read_head(head):
    """The request that has no more than a head."""
    (incoming,) = read(head + b"\r\n\r\n")
    return incoming


# -- reading -------------------------------------------------------------------------------------------------------


def test_a_head_is_kept_as_it_was_sent():
    (incoming,) = read(HEAD + b"\r\n\r\nabc")
    request = incoming.request(secure=True)
    assert (request.method, request.path, request.query) == ("POST", "/model/a%3Ab/converse", "x=1")
    assert request.headers == {"host": "h", "x-a": "1,2", "content-length": "3"}
    assert (request.body, incoming.last, incoming.chunked) == (b"abc", False, True)


@pytest.mark.parametrize(
    ("head", "last"),
    [
        (b"GET / HTTP/1.1\r\nHost: h", False),
        (b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close", True),
        (b"GET / HTTP/1.0", True),
        (b"GET / HTTP/1.0\r\nConnection: Keep-Alive", False),
    ],
)
def test_which_request_is_the_last(head, last):
    assert read_head(head).last is last


def test_the_name_in_an_absolute_target_is_dropped():
    assert read_head(b"GET http://host:80/a?b HTTP/1.1\r\nHost: h").target == "/a?b"
    assert read_head(b"GET http://host HTTP/1.1\r\nHost: h").target == "/"


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b",
        b"GET",
        b"GET /",
        b"GET / HTTP/2.0",
        b"GET /a b HTTP/1.1",
        b"G(T / HTTP/1.1",
        b"GET / HTTP/1.1\r\nHost: h\r\nno colon",
        b"GET / HTTP/1.1\r\nHost: h\r\n: x",
        b"GET / HTTP/1.1\r\nHost: h\r\nName : x",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\n folded",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: 1\nB: 2",
        b"GET / HTTP/1.1\r\nHost: h\r\nA: \0",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: -1",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: \xc2\xb2",
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked",
        b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(head):
    with pytest.raises(BadRequestError):
        read_head(head)


def chunked(*pieces, trailer=b""):
    """A request whose body comes in chunks."""
    body = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + body + b"0\r\n" + trailer + b"\r\n"


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=6), st.integers(1, 40))
def test_chunks_arrive_in_any_pieces(pieces, step):
    sent = chunked(*pieces) + HEAD + b"\r\n\r\nabc"
    found = read(*(sent[at : at + step] for at in range(0, len(sent), step)))
    assert [one.body for one in found] == [b"".join(pieces), b"abc"]


def test_what_stands_behind_the_last_chunk_is_no_header():
    """A trailer that named a header would say after the signature what the signature never saw."""
    (incoming,) = read(chunked(b"ab", trailer=b"Authorization: x\r\nHost: other\r\n"))
    assert incoming.headers == {"host": "h", "transfer-encoding": "chunked"}
    assert incoming.body == b"ab"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"x\r\n", 400),
        (b"2\r\nabc\r\n", 400),
        (b"\r\n", 400),
        (b"fffffffffffffffff\r\n", 400),
        (b"1;" + b"e" * 5000, 413),
        (b"65\r\n" + b"a" * 101, 413),
        (b"0\r\nT: " + b"e" * 2000 + b"\r\n\r\n", 431),
    ],
)
def test_bad_and_large_chunks(sent, status):
    with pytest.raises(BadRequestError) as refused:
        read(b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", sent, limit=100)
    assert refused.value.status == status


def test_nobody_speaks_anything_else_after_an_upgrade():
    asked = b"GET /1 HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    found = read(asked + b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
    assert [one.target for one in found] == ["/1", "/2"]


def test_phases_of_a_request():
    reader = Reader(1000, 1000)
    seen = []
    for piece in (b"\r\n", b"P", b"UT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n", b"\r\n", b"a"):
        reader.feed(piece)
        seen.append(reader.phase)
    assert seen == [Phase.IDLE, Phase.HEAD, Phase.HEAD, Phase.BODY, Phase.IDLE]


@given(st.integers(1, 30))
def test_requests_one_behind_the_other_in_any_pieces(step):
    async def story():
        peer = Peer(talk())
        sent = HEAD + b"\r\n\r\nabc" + b"\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
        for at in range(0, len(sent), step):
            await peer.send(sent[at : at + step])
        await peer.send(b"")
        return peer

    peer = run(story())
    assert [(one.path, one.body) for one in peer.seen] == [("/model/a%3Ab/converse", b"abc"), ("/2", b"")]
    assert peer.wire.written.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert not peer.wire.closed


def test_a_client_may_ask_whether_to_send_its_body():
    async def story():
        peer = Peer(talk())
        await peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert peer.wire.written == b"HTTP/1.1 100 Continue\r\n\r\n"
        await peer.send(b"ab")
        return peer

    assert run(story()).seen[0].body == b"ab"


def test_an_answer_that_fails_says_so_and_ends_the_connection():
    async def fails(request):
        raise ZeroDivisionError(request.path)

    async def story():
        peer = Peer(talk(), fails)
        await peer.send(b"GET /x HTTP/1.1\r\nHost: h\r\n\r\n")
        return peer.wire

    wire = run(story())
    assert wire.written.startswith(b"HTTP/1.1 500 ")
    assert json.loads(wire.written.split(b"\r\n\r\n", 1)[1])["__type"] == "InternalFailure"
    assert wire.closed


@pytest.mark.parametrize(("version", "framed"), [(b"1.1", True), (b"1.0", False)])
def test_streams_are_framed_for_those_who_read_frames(version, framed):
    async def pieces():
        for piece in (b"one", b"", b"two"):
            yield piece

    async def streams(_):
        return HttpResponse(200, {"Content-Type": "x"}, stream=pieces())

    async def story():
        peer = Peer(talk(), streams)
        await peer.send(b"GET / HTTP/" + version + b"\r\nHost: h\r\n\r\n")
        return peer.wire

    wire = run(story())
    body = wire.written.split(b"\r\n\r\n", 1)[1]
    assert body == (b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n" if framed else b"onetwo")
    assert wire.closed is not framed


def test_header_values_cannot_end_the_header():
    async def answers(_):
        return HttpResponse(200, {"X-A": "a\r\nSet-Cookie: b\u20ac"}, b"")

    async def story():
        peer = Peer(talk(), answers)
        await peer.send(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        return peer.wire.written

    assert b"X-A: a??Set-Cookie: b?\r\n" in run(story())


# -- limits --------------------------------------------------------------------------------------------------------

LIMITS = Limits(head=20, body=60, idle=75, head_size=300, body_size=1000, connections=3)


@pytest.mark.parametrize(
    ("sent", "seconds", "says"),
    [
        (b"", 75, b""),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: ", 20, b"HTTP/1.1 408 "),
        (b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", 60, b"HTTP/1.1 408 "),
        (b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na", 60, b"HTTP/1.1 408 "),
        (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 75, b"HTTP/1.1 200 "),
    ],
    ids=["silent", "half a head", "half a body", "half a chunk", "idle"],
)
def test_who_takes_too_long_is_let_go(sent, seconds, says):
    async def story():
        clock = Clock()
        server = talk(LIMITS, clock)
        peer = Peer(server)
        await peer.send(sent)
        clock.now = seconds - 0.5
        server.expire()
        assert not peer.wire.closed
        clock.now = seconds
        server.expire()
        return peer.wire

    wire = run(story())
    assert wire.closed
    assert wire.written.startswith(says)


def test_a_byte_now_and_then_buys_no_time():
    async def story():
        clock = Clock()
        server = talk(LIMITS, clock)
        peer = Peer(server)
        for byte in b"GET / HTTP/1.1\r\nHost: h\r\nA: and so on and on":
            clock.now += 1
            server.expire()
            if peer.wire.closed:
                break
            await peer.send(bytes([byte]))
        return clock.now

    assert run(story()) == 21


def test_an_answer_may_take_its_time():
    async def story():
        clock, asked = Clock(), asyncio.Event()
        server = talk(LIMITS, clock)

        async def slowly(_):
            await asked.wait()
            return HttpResponse(200, {}, b"")

        peer = Peer(server, slowly)
        peer.connection.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        clock.now = 1e6
        server.expire()
        assert not peer.wire.closed
        asked.set()
        await peer.send(b"")
        return peer.wire.written

    assert run(story()).startswith(b"HTTP/1.1 200 ")


def test_a_reader_that_stalls_is_let_go():
    async def pieces():
        while True:
            yield b"more"

    async def streams(_):
        return HttpResponse(200, {}, stream=pieces())

    async def story():
        clock = Clock()
        server = talk(LIMITS, clock)
        peer = Peer(server, streams)
        peer.connection.pause_writing()
        peer.connection.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        await asyncio.sleep(0)
        clock.now = 60
        server.expire()
        assert peer.wire.aborted
        task = peer.connection.answer
        peer.connection.connection_lost(None)
        await asyncio.wait([task])
        return task

    assert run(story()).cancelled()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"x" * 400, 431),
        (b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"x" * 400 + b"\r\n\r\n", 431),
        (b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 1001\r\n\r\n", 413),
        (b"PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, 413),
    ],
)
def test_what_is_too_large_is_refused(sent, status):
    async def story():
        peer = Peer(talk(LIMITS))
        await peer.send(sent)
        await peer.send(b"and more")
        return peer

    peer = run(story())
    assert peer.wire.written.startswith(b"HTTP/1.1 %d " % status)
    assert peer.wire.written.count(b"HTTP/1.1") == 1
    assert not peer.seen


def test_the_one_idle_longest_makes_room():
    async def story():
        server = talk(LIMITS)
        peers = [Peer(server) for _ in range(3)]
        await peers[0].send(b"GET / HTTP/1.1\r\nHost: h\r\nA: half")
        newcomer = Peer(server)
        return [one.wire.aborted for one in (*peers, newcomer)]

    assert run(story()) == [False, True, False, False]


def test_where_nobody_is_idle_the_newcomer_goes():
    async def story():
        server = talk(LIMITS)
        peers = [Peer(server) for _ in range(3)]
        for peer in peers:
            await peer.send(b"GET / HTTP/1.1\r\nHost: h\r\nA: half")
        newcomer = Peer(server)
        return [one.wire.aborted for one in (*peers, newcomer)]

    assert run(story()) == [False, False, False, True]


def test_a_half_closed_client_gets_its_answer():
    async def story():
        asked = asyncio.Event()

        async def slowly(_):
            await asked.wait()
            return HttpResponse(200, {}, b"late")

        peer = Peer(talk(LIMITS), slowly)
        peer.connection.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert peer.connection.eof_received()
        asked.set()
        await peer.send(b"")
        return peer.wire

    wire = run(story())
    assert wire.written.endswith(b"late")
    assert wire.closed


def test_a_client_that_leaves_half_a_request_is_forgotten():
    async def story():
        peer = Peer(talk(LIMITS))
        await peer.send(b"PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
        return peer.connection.eof_received(), peer.seen

    assert run(story()) == (False, [])


def test_a_client_that_sends_ahead_waits():
    async def story():
        asked = asyncio.Event()

        async def slowly(_):
            await asked.wait()
            return HttpResponse(200, {}, b"")

        peer = Peer(talk(LIMITS), slowly)
        peer.connection.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        peer.connection.data_received(b"GET /2 HTTP/1.1\r\nHost: h\r\n\r\n")
        paused = peer.wire.paused
        asked.set()
        await peer.send(b"")
        return paused, peer.wire.paused

    assert run(story()) == (True, False)
