"""Progress: lines in a pipe, a bar on a terminal that leaves nothing behind."""

from __future__ import annotations

from io import StringIO

from ringwall.cli.terminal import Steps


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: StringIO) -> str:
    steps = Steps(stream)
    steps("reading the account")
    for done in (1, 2, 3):
        steps.part(done, 3)
    steps("judging")
    return stream.getvalue()


def test_a_pipe_gets_a_line_a_step() -> None:
    assert told(StringIO()) == "reading the account\njudging\n"


def test_a_terminal_gets_a_bar_that_is_gone_in_the_end() -> None:
    written = told(Terminal())
    assert "[########................] 1 of 3" in written
    assert "[################........] 2 of 3" in written
    assert "3 of 3" not in written
    assert written.endswith(Steps.CLEAR + "judging\n")


def test_nothing_to_do_is_no_error() -> None:
    stream = Terminal()
    Steps(stream).part(0, 0)
    assert stream.getvalue() == Steps.CLEAR
