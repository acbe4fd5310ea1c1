"""Values to try for policy variables that nothing determines.

The prover takes a test with such a variable for a free choice. A proof is sound all the same; a request may not be one.
With the variable's key fixed to a value the test is an ordinary one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringwall.proof.language import fixed_text
from ringwall.proof.search import KEY
from ringwall.proof.theory import Holds, Some, Test, is_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringwall.proof.setting import Setting

_MOST: Final = 8
"""Sets of values that are tried."""


def groundings(setting: Setting) -> Iterable[Mapping[str, str | None]]:
    """Values to try for the keys of policy variables that nothing determines."""
    keys = sorted(setting.keys.undetermined)
    if not keys:
        return []
    choices = {key: _values_named(setting, key) for key in keys}
    rounds = min(_MOST, max(map(len, choices.values())))
    return [
        {key: values[min(index, len(values) - 1)] for key, values in choices.items()}
        for index in range(rounds)
    ]


def _values_named(setting: Setting, key: str) -> list[str | None]:
    """Texts that policies compare the key with, one that they do not, and its absence."""
    named: list[str | None] = []
    for atom in setting.formula.atoms.values():
        tests: tuple[Test, ...]
        if isinstance(atom, Holds) and atom.variable == KEY + key:
            tests = (atom.test,)
        elif isinstance(atom, Some) and atom.variable == KEY + key:
            tests = atom.tests
        else:
            continue
        named += [text for test in tests if is_pattern(test) and (text := fixed_text(test))]
    return [*dict.fromkeys(["unlisted", *named]), None]
