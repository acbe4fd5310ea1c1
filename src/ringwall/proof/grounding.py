"""Values to try for policy variables that nothing determines.

The prover takes a test with such a variable for a free choice. A proof is sound all the same; a request may not be one.
With the variable's key fixed to a value the test is an ordinary one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringwall.iam.codec import make_request
from ringwall.proof.language import fixed_text
from ringwall.proof.search import KEY
from ringwall.proof.theory import Holds, Some, Test, is_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from ringwall.proof.setting import Setting

_MOST: Final = 8
"""Sets of values that are tried."""


def groundings(setting: Setting, among: AbstractSet[str] | None = None) -> Iterable[Mapping[str, str | None]]:
    """Values to try for the keys of policy variables that nothing determines.

    Args:
        setting: of a question whose formula was built.
        among: look at these keys only; ``None`` = all.
    """
    keys = sorted(setting.keys.undetermined if among is None else setting.keys.undetermined & among)
    if not keys:
        return []
    choices = {key: _values_named(setting, key) for key in keys}
    rounds = min(_MOST, max(map(len, choices.values())))
    return [
        {key: values[min(index, len(values) - 1)] for key, values in choices.items()}
        for index in range(rounds)
    ]


def _values_named(setting: Setting, key: str) -> list[str | None]:
    """What the principal's own requests have, texts that policies compare the key with, one that they do not, absence."""
    principal = setting.question.principal
    own = make_request(principal, "any:Action", "*", None, {}).context.get(key, ()) if principal else ()
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
    return [*dict.fromkeys([*own, "unlisted", *named]), None]
