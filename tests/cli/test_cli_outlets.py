"""Readers that go away, outputs that were never there, disks that are full."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from cli.command_line import ringwall
from ringwall.cli import outlets

LINES = '{"id": "1", "request": {}, "policies": {}}\n' * 20_000


@pytest.fixture
def abandoned():
    """A pipe whose reader is gone."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield stream


def test_what_nobody_reads_is_dropped_and_the_rest_goes_on(abandoned, monkeypatch):
    monkeypatch.setattr(sys, "stdout", abandoned)
    outlets.write(abandoned, ("x" * 1_000_000, "more"))
    outlets.write(abandoned, ("more",))
    outlets.flush()


def test_what_is_still_held_is_dropped_at_the_end(abandoned, monkeypatch):
    monkeypatch.setattr(sys, "stdout", abandoned)
    abandoned.write("little")
    outlets.flush()


def test_a_full_disk_is_said_once(monkeypatch):
    class Full(io.StringIO):
        def flush(self):
            raise OSError(28, "No space left on device")

        def fileno(self):
            return os.open(os.devnull, os.O_WRONLY)

    monkeypatch.setattr(sys, "stdout", Full())
    with pytest.raises(OSError, match="No space left"):
        outlets.flush()


def command(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ringwall", *arguments], text=True, timeout=60, check=False, **options
    )


def test_a_reader_who_leaves_is_no_failure(abandoned):
    done = command("schema", "estate", stdout=abandoned, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")
    done = command("decide", "-", "--json", input=LINES, stdout=abandoned, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_an_output_the_exit_code_still_tells():
    done = command("schema", "estate", stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
    assert (done.returncode, done.stderr) == (0, "")
    done = command("schema", "nothing", stdout=subprocess.PIPE, preexec_fn=lambda: os.close(2))
    assert (done.returncode, done.stdout) == (1, "")


def test_a_full_disk_is_an_error_in_one_line(monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(outlets, "flush", full)
    done = ringwall("schema", "estate")
    assert (done.code, done.err.splitlines()) == (1, ["ringwall: [Errno 28] No space left on device"])
