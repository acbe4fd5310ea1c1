"""``ringwall sandbox``: the sandbox in the foreground, or around one command."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ringwall.errors import RingwallError
from ringwall.sandbox.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType

_FOREIGN = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_BEARER_TOKEN_BEDROCK",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
)
"""Variables of the caller's that would lead a client past the sandbox."""


PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")


def run_foreground(
    port: int = 0,
    state: Path | None = None,
    env_file: str | os.PathLike[str] | None = None,
    command: Sequence[str] = (),
    *,
    reset: bool = False,
    insecure_http: bool = False,
) -> int:
    """Run a sandbox until SIGINT or SIGTERM, or as long as a command runs.

    Args:
        port: port of the public listener; 0 = any free one.
        state: directory to keep state in between runs.
        reset: forget what the state directory holds.
        env_file: where to write the settings as shell assignments.
        command: program and arguments to run against a fresh sandbox, with the settings in its environment.
        insecure_http: serve the public listener over plain HTTP.

    Returns:
        The exit code: the command's, or 0.

    Raises:
        RingwallError: the sandbox or the command cannot start.
    """
    for name in PROFILES:  # moto makes SDK sessions of its own, which would look for the user's profile
        os.environ.pop(name, None)
    with Sandbox(port, state, reset=reset, insecure_http=insecure_http) as sandbox:
        settings = sandbox.environment()
        if command:
            if env_file is not None:
                _write(Path(env_file), settings)
            return _run(command, settings)
        stopped = threading.Event()
        # Whoever has read the settings may stop us at once: the handlers come first.
        with _handlers(lambda *_: stopped.set()):
            if env_file is not None:
                _write(Path(env_file), settings)
            print(assignments(settings), end="", flush=True)  # noqa: T201 - this command's output
            # Waiting without a timeout would keep Python from running signal handlers on some platforms.
            while not stopped.wait(0.5):
                pass
        return 0


def assignments(settings: Mapping[str, str]) -> str:
    """Settings as shell assignments, one a line."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in settings.items())


def _write(path: Path, settings: Mapping[str, str]) -> None:
    # Whoever waits for the file must never read half of it; it holds a secret key.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch(mode=0o600)
        draft.write_text(assignments(settings), encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise RingwallError(f"the environment file {path} cannot be written: {error}") from error


def _run(command: Sequence[str], settings: Mapping[str, str]) -> int:
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    environment = {
        name: value for name, value in environment.items() if not name.startswith("AWS_ENDPOINT_URL")
    }
    environment.update(settings)
    try:
        process = subprocess.Popen(list(command), env=environment)  # noqa: S603 - the user's own command
    except OSError as error:
        raise RingwallError(f"{command[0]} cannot be run: {error}") from error
    with _forwarding(process):
        code = process.wait()
    return 128 - code if code < 0 else code


@contextmanager
def _forwarding(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hand SIGTERM and SIGINT to the command, and go on waiting for it."""

    def forward(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    with _handlers(forward):
        yield


@contextmanager
def _handlers(handler: object) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handler) for number in numbers}  # type: ignore[arg-type]
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
