"""Values to try for policy variables that nothing determines.

The prover takes a test with such a variable for a free choice. A proof is sound all the same; a request may not be one.
With the variable's key fixed to a value the test is an ordinary one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ringwall.iam.codec import make_request
from ringwall.proof import axioms
from ringwall.proof.language import fixed_text
from ringwall.proof.search import KEY
from ringwall.proof.setting import carries
from ringwall.proof.theory import Holds, Some, Test, is_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from ringwall.iam.request import Request
    from ringwall.iam.vocabulary import Vocabulary
    from ringwall.proof.question import Question
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


def can_be_sent(
    question: Question,
    fixed: Mapping[str, str | None],
    requests: Iterable[Request],
    vocabulary: Vocabulary,
) -> bool:
    """Whether requests of the actions found can carry the keys to which values were given only to try them."""
    if question.context_model == "any" or axioms.KEYS_PER_ACTION in question.disabled_axioms:
        return True
    given = [key for key, value in fixed.items() if value is not None]
    return all(carries(vocabulary, request.action, key) for request in requests for key in given)


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
