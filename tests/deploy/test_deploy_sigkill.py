"""``ringwall apply`` killed by the operating system, as it is: no handler runs, no connection is closed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from deploy.deploy_sweep import QUICKSTART, Deployment
from ringwall.demo.world import environment
from ringwall.estate.repeating import is_repeatable
from ringwall.sandbox import Sandbox
from ringwall.sandbox.authenticate import aim

LIVES = (1, 33, 38)
"""After which write each run is killed: a key without alias, half a bucket or role, half an organization policy."""


class DeadlySandbox(Sandbox):
    """Kills its victim between carrying out a write and answering it."""

    victim = None
    life = 0

    async def _on_public(self, request):
        response = await super()._on_public(request)
        resolution = aim(request).resolution
        if self.victim is not None and not is_repeatable(resolution.operation):
            self.life -= 1
            if self.life == 0:
                self.victim.send_signal(signal.SIGKILL)
        return response


def test_killed_by_the_system_the_next_run_goes_on():
    with DeadlySandbox() as sandbox, environment(sandbox.environment()):
        codes = [run(sandbox, life) for life in (*LIVES, 0)]
        assert codes == [-signal.SIGKILL] * len(LIVES) + [0]
        deployment = Deployment.connected()
        observed = deployment.observe()
        assert deployment.plan(observed).empty
        made = [
            tag["Value"] for item in observed for tag in item.get("Tags") or () if tag["Key"] == "ringwall:id"
        ]
        assert len(made) == len(set(made)), "nothing was made twice"
        assert set(made) <= {item.id for item in deployment.desired}, "nothing is left over"


def run(sandbox, life):
    """Exit code of an apply that is killed after that many writes; 0 = never."""
    command = [
        sys.executable,
        "-m",
        "ringwall",
        "apply",
        "--yes",
        "--allow-widening",
        "--file",
        str(QUICKSTART),
    ]
    process = subprocess.Popen(
        command, env=os.environ.copy(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    sandbox.victim, sandbox.life = process, life
    return process.wait()
