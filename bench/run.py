"""Timed claims, side by side with peers in one run: ``make bench``. Name parts to run only these.

A ratio is the peer's median over ours: above 1 we are quicker. A peer that is not installed is said to be so.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module

from timing import print_table

PARTS = {
    # what can be named: module and title
    "decisions": ("decisions", "One decision"),
    "proofs": ("proofs", "Proofs (target: the time-out)"),
    "startup": ("startup", "Start-up"),
    "client": ("client", "The secure client"),
    "account": ("account", "The sandbox and the quickstart"),
    "load": ("load", "The sandbox under load"),
    "replay": ("replay", "The sandbox, started again"),
    "audit": ("audit", "Auditing"),
}


def main(names: list[str]) -> int:
    """Run the named parts, or all."""
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"there is no part {unknown[0]}; parts are {', '.join(PARTS)}", file=sys.stderr)
        return 1
    started = time.perf_counter()
    for name in names or PARTS:
        module, title = PARTS[name]
        for _ in print_table(title, import_module(module).rows()):
            pass
    print(f"\n{time.perf_counter() - started:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
