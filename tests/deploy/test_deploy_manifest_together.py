"""The manifest is written before what it lists is made, and once for all who wait meanwhile."""

from __future__ import annotations

import threading

import pytest

from ringwall.deploy.manifest import Book, Entry, loads
from ringwall.deploy.retry import Backoff
from ringwall.errors import AwsCallError

PATIENCE = 30
PERIMETER = "q"


def one(name):
    return Entry("AWS::SNS::Subscription", "111122223333", "us-east-1", name, {"Endpoint": name})


class Store:
    """S3 that takes its time over the first object."""

    def __init__(self, fail=False):
        self.written = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self._fail = fail

    def call(self, service, operation, **parameters):
        assert (service, operation) == ("s3", "PutObject")
        if not self.begun.is_set():
            self.begun.set()
            assert self.go_on.wait(PATIENCE)
        if self._fail:
            raise AwsCallError(service, operation, "AccessDenied", "no")
        self.written.append({item.declared for item in loads(parameters["Body"], PERIMETER)})
        return {}


def waiting(book, count):
    """Whether so many entries are in the book."""
    return len(book._entries) == count


def test_who_waits_is_written_together_and_nobody_goes_on_unlisted():
    store = Store()
    book = Book(store, PERIMETER, (), Backoff())
    seen, lock = {}, threading.Lock()

    def note(name):
        book.note("bucket", one(name))
        with lock:
            seen[name] = name in set().union(*store.written)

    threads = [threading.Thread(target=note, args=(f"n{index}",)) for index in range(6)]
    threads[0].start()
    assert store.begun.wait(PATIENCE)
    for thread in threads[1:]:
        thread.start()
    turn = threading.Event()
    for _ in range(3000):
        if waiting(book, 6):
            break
        turn.wait(0.01)
    store.go_on.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert seen == dict.fromkeys((f"n{index}" for index in range(6)), True)
    assert len(store.written) == 2, store.written
    assert store.written[-1] == {f"n{index}" for index in range(6)}


def test_what_could_not_be_listed_is_said_to_each_who_waits():
    store = Store(fail=True)
    store.go_on.set()
    book = Book(store, PERIMETER, (), Backoff())
    for name in ("a", "b"):
        with pytest.raises(AwsCallError, match="AccessDenied"):
            book.note("bucket", one(name))
