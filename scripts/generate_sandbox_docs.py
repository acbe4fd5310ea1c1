"""Write ``docs/sandbox.md``: run the contract with AWS on a sandbox and say how it went.

It takes about a minute, so it is no part of ``generate_docs.py``; a test fails if the page is stale.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
os.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1,localhost"}

from ringwall.sandbox import Sandbox  # noqa: E402
from sandbox.conftest import World  # noqa: E402 - found through the path above
from sandbox_contract import contract  # noqa: E402
from sandbox_contract.scene import set_scene  # noqa: E402


def main() -> int:
    """Run the contract and write the page."""
    with Sandbox() as sandbox:
        scene = set_scene(World(sandbox))
        runs = {
            "operations": list(contract.run_operations(scene)),
            "rejections": list(contract.run_rejections(scene)),
            "authorizations": list(contract.run_authorizations(scene)),
        }
    wrong = [*contract.wrong(runs["rejections"]), *contract.wrong(runs["authorizations"])]
    for row in wrong:
        print(*row, sep=" | ", file=sys.stderr)
    (ROOT / "docs" / "sandbox.md").write_text(contract.page(**runs), encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
