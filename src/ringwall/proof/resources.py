"""The resource of the symbolic request: ``*``, or an ARN of six fields."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from ringwall.iam.arn import is_account_id, owner_of
from ringwall.proof.formula import FALSE, TRUE, Formula
from ringwall.proof.globs import rows
from ringwall.proof.language import ANY, DIGIT, STAR, Tokens, accepts, literal, wild
from ringwall.proof.samples import REGIONS
from ringwall.proof.theory import Free, Holds, Variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringwall.iam.vocabulary import Vocabulary

WHOLE: Final = "*"
_FIELD_NAMES: Final = ("arn", "partition", "service", "region", "account", "resource")
VARIABLES: Final = tuple(f"resource {name}" for name in _FIELD_NAMES)
REGION: Final = VARIABLES[3]
ACCOUNT: Final = VARIABLES[4]
_STAR_FORM: Final = Free("resource *")
_LOWER: Final = "abcdefghijklmnopqrstuvwxyz0123456789-"
ACCOUNT_ID: Final = (DIGIT,) * 12
_ACCOUNT_FIELD: Final = 4
_OWNERS: Final = (ACCOUNT_ID, literal("aws"), literal("amazon"))


def shapes_of(vocabulary: Vocabulary, action: str) -> tuple[str, ...]:
    """The forms of resources that a request for the action can be about; none = only ``*``."""
    patterns = tuple(vocabulary.resource_patterns(action))
    return (*patterns, WHOLE) if patterns and vocabulary.takes_star(action) else patterns


class ResourceChoice(Protocol):
    """The choice of a resource."""

    def matches(self, tokens: Tokens) -> int:
        """The literal that the resource matches a pattern."""

    def same_account(self, account: str | None, resource_account: str | None) -> int:
        """The literal that the resource belongs to the account."""


@lru_cache(maxsize=16384)
def _misspelled(tokens: Tokens, alphabet: str) -> bool:
    """Whether a pattern needs a character that the field's values do not have."""
    return any(token[0] == "=" and token[1] not in alphabet for token in tokens)


@lru_cache(maxsize=4096)
def _fields_of(shape: str) -> tuple[tuple[int, tuple[Tokens, ...]], ...]:
    """What a shape asks of an ARN's fields: the field's number, and the patterns of which one is to match."""
    fields = shape.split(":", 5)
    if len(fields) != len(VARIABLES):
        return ()
    found: list[tuple[int, tuple[Tokens, ...]]] = []
    for index, field in enumerate(fields):
        if index == _ACCOUNT_FIELD and field == "*":
            found.append((index, _OWNERS))
            continue
        tokens = wild(field)
        if index == len(fields) - 1 and tokens and tokens[-1] == STAR:
            # An identifier is never empty.
            tokens = (*tokens[:-1], ANY, STAR)
        found.append((index, (tokens,)))
    return tuple(found)


class ThisResource:
    """A resource that is known."""

    def __init__(self, text: str) -> None:
        self.text = text

    def matches(self, tokens: Tokens) -> int:
        """See :class:`ResourceChoice`."""
        return TRUE if accepts(tokens, self.text) else FALSE

    def same_account(self, account: str | None, resource_account: str | None) -> int:
        """See :class:`ResourceChoice`."""
        owner = resource_account or owner_of(self.text) or account
        return TRUE if account is not None and owner == account else FALSE


class AnyResource:
    """Any ARN, or ``*``.

    Args:
        formula: the arena.
        accounts: accounts to prefer in witnesses.
        partitions: partitions that the ARN can be of, the preferred one first.
    """

    def __init__(self, formula: Formula, accounts: Sequence[str], partitions: Sequence[str]) -> None:
        self._formula = formula
        self._matched: dict[Tokens, int] = {}
        self._shaped: dict[str, int] = {}
        self.is_whole = formula.atom(_STAR_FORM)
        self.variables = {
            VARIABLES[1]: Variable(samples=tuple(partitions), closed=True),
            VARIABLES[2]: Variable(samples=("bedrock", "s3"), alphabet=_LOWER, shape=(((ANY, STAR),),)),
            REGION: Variable(samples=REGIONS, alphabet=_LOWER),
            ACCOUNT: Variable(
                samples=(*accounts, "", "444455556666"),
                alphabet=_LOWER,
                shape=((*_OWNERS, ()),),
            ),
            VARIABLES[5]: Variable(shape=(((ANY, STAR),),)),
        }

    def field(self, index: int, tokens: Tokens) -> int:
        """The literal that a field of the ARN matches."""
        if tokens == (STAR,):
            return TRUE
        if index == 0:
            return TRUE if accepts(tokens, "arn") else FALSE
        variable = self.variables[VARIABLES[index]]
        if variable.closed:
            accepted = [accepts(tokens, text) for text in variable.samples]
            if all(accepted) or not any(accepted):
                return TRUE if accepted[0] else FALSE
        if variable.alphabet is not None and _misspelled(tokens, variable.alphabet):
            return FALSE
        return self._formula.atom(Holds(VARIABLES[index], tokens), cost=1)

    def matches(self, tokens: Tokens) -> int:
        """See :class:`ResourceChoice`."""
        if tokens == (STAR,):
            return TRUE
        if tokens not in self._matched:
            self._matched[tokens] = self._match(tokens)
        return self._matched[tokens]

    def _match(self, tokens: Tokens) -> int:
        whole = self.is_whole if accepts(tokens, WHOLE) else FALSE
        as_arn = self._formula.disj(
            [
                self._formula.conj([self.field(index, part) for index, part in enumerate(row)])
                for row in rows(tokens)
            ]
        )
        return self._formula.disj((whole, self._formula.conj((-self.is_whole, as_arn))))

    def has_shape(self, patterns: Iterable[str]) -> int:
        """The literal that the resource has one of the shapes, or is ``*`` where there are none."""
        shapes = tuple(patterns)
        if not shapes:
            return self.is_whole
        as_arn = self._formula.disj([self._shape(shape) for shape in shapes])
        whole = self.is_whole if WHOLE in shapes else FALSE
        return self._formula.disj((whole, self._formula.conj((-self.is_whole, as_arn))))

    def _shape(self, shape: str) -> int:
        if shape not in self._shaped:
            self._shaped[shape] = self._formula.conj(
                [
                    self.field(index, choices[0])
                    if len(choices) == 1
                    else self._formula.disj([self.field(index, tokens) for tokens in choices])
                    for index, choices in _fields_of(shape)
                ]
            )
        return self._shaped[shape]

    def same_account(self, account: str | None, resource_account: str | None) -> int:
        """See :class:`ResourceChoice`."""
        if account is None:
            return FALSE
        if resource_account is not None:
            return TRUE if resource_account == account else FALSE
        assert is_account_id(account)
        named = self.field(4, ACCOUNT_ID)
        return self._formula.disj((self.is_whole, -named, self.field(4, literal(account))))
