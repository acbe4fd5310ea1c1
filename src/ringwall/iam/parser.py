"""Policy documents: JSON text or value -> :class:`~ringwall.iam.policy.Policy`, strictly.

Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html. What AWS stores is accepted
(one statement instead of a list, empty lists, operators in any case); everything else is refused with its position.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from ringwall.iam.conditions import OPERATORS
from ringwall.iam.locate import Path, first_duplicate, line_and_column, locate, token_at
from ringwall.iam.policy import ConditionTest, Effect, Policy, PrincipalElement, Qualifier, Statement
from ringwall.iam.text import is_text, shown

MAX_CHARACTERS = 8 * 1024 * 1024
"""Longest document that is read; AWS's own limits are far below it."""

MAX_DEPTH = 24
"""Deepest nesting that is read; a policy needs seven levels."""

_LONGEST_NUMBER = 400

VERSIONS = ("2012-10-17", "2008-10-17")
_POLICY_ELEMENTS = ("Version", "Id", "Statement")
_STATEMENT_ELEMENTS = (
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
)  # fmt: skip
_PRINCIPAL_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")
_Operator = tuple[Qualifier | None, str, bool]  # qualifier, name, whether with IfExists
_OPERATOR_NAMES = {name.lower(): name for name in OPERATORS}
_QUALIFIERS: Mapping[str, Qualifier] = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)  # an unterminated string is read once


class PolicySyntaxError(ValueError):
    """A policy document is malformed.

    Attributes:
        message: what is wrong and what to write instead.
        line, column: position in the text, from 1; ``None`` if the document was not given as text.
        path: keys and indexes that lead to the place (``("Statement", 0, "Effect")``).
    """

    def __init__(
        self, message: str, line: int | None = None, column: int | None = None, *, path: Path = ()
    ) -> None:
        self.message = message
        self.line = line
        self.column = column
        self.path = path
        where = f"line {line}, column {column}: " if line is not None else ""
        super().__init__(f"{where}{message}")


class _Misplaced(Exception):  # noqa: N818 - internal signal, turned into PolicySyntaxError with a position
    def __init__(self, path: Path, message: str) -> None:
        self.path = path
        self.message = message
        super().__init__(message)


class _DuplicateKey(Exception):  # noqa: N818 - internal signal, as above
    pass


def parse_policy(document: str | Mapping[str, Any], *, name: str = "policy") -> Policy:
    """Parse a policy document.

    Args:
        document: JSON text, or the decoded JSON object.
        name: how decisions and findings call the policy.

    Raises:
        PolicySyntaxError: the document is not valid JSON or not a policy.
    """
    if isinstance(document, str):
        value = _decode(document)
        try:
            return _policy(value, name)
        except _Misplaced as problem:
            line, column = line_and_column(document, locate(document, problem.path))
            raise PolicySyntaxError(problem.message, line, column, path=problem.path) from None
    try:
        return _policy(document, name)
    except _Misplaced as problem:
        where = _path_text(problem.path)
        raise PolicySyntaxError(
            f"{where}: {problem.message}" if where else problem.message, path=problem.path
        ) from None


def _path_text(path: Path) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def _decode(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise PolicySyntaxError(
            f"the document has {len(text)} characters; at most {MAX_CHARACTERS} are read", 1, 1
        )
    _check_depth(text)
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_Number, parse_float=_Number
        )
    except json.JSONDecodeError as error:
        raise PolicySyntaxError(f"not valid JSON: {error.msg}", error.lineno, error.colno) from None
    except _DuplicateKey as error:
        offset = first_duplicate(text)
        message = f"the key {shown(error.args[0])} stands twice in one object; keep one"
        raise PolicySyntaxError(message, *line_and_column(text, offset)) from None
    except _Misplaced as problem:
        offset = token_at(text, problem.message)
        message = f"{problem.message} is not a JSON value"
        raise PolicySyntaxError(message, *line_and_column(text, offset)) from None


class _Number(str):
    """A JSON number, kept as it was written."""

    __slots__ = ()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _DuplicateKey(key)
            seen.add(key)
    return result


def _constant(text: str) -> NoReturn:
    raise _Misplaced((), text)


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _BRACKETS.finditer(text):
        found = match.group()
        if found in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                position = line_and_column(text, match.start())
                raise PolicySyntaxError(f"nested more than {MAX_DEPTH} levels deep", *position)
        elif found in "]}":
            depth -= 1


def _policy(value: Any, name: str) -> Policy:
    document = _mapping(value, (), "a policy document")
    _known_elements(document, _POLICY_ELEMENTS, (), "policy")
    version = document.get("Version", "2008-10-17")
    if version not in VERSIONS or isinstance(version, _Number):
        raise _Misplaced(("Version",), f"Version must be one of {', '.join(VERSIONS)}")
    if "Statement" not in document:
        raise _Misplaced((), "the policy has no Statement element")
    listed = document["Statement"]
    path: Path = ("Statement",)
    statements: tuple[Statement, ...]
    if isinstance(listed, Mapping):
        statements = (_statement(listed, path, 0),)
    elif isinstance(listed, list | tuple):
        statements = tuple(_statement(item, (*path, index), index) for index, item in enumerate(listed))
    else:
        raise _Misplaced(path, f"Statement must be an object or a list of objects, not {_kind(listed)}")
    identifier = _string(document["Id"], ("Id",), "Id") if "Id" in document else None
    return Policy(name, version, statements, identifier, _plain(document))


def _plain(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document with JSON numbers as numbers again; they occur in conditions alone."""
    return {key: _plain_value(value) for key, value in document.items()}


def _plain_value(value: Any) -> Any:
    if type(value) is str:
        return value
    if isinstance(value, _Number):
        return _as_number(value)
    if isinstance(value, Mapping):
        return {key: _plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    return value


def _as_number(text: str) -> int | float | str:
    """The number, or its text where a number would be written otherwise, and so be another condition value."""
    if len(text) > _LONGEST_NUMBER:
        return str(text)
    number = int(text) if text.removeprefix("-").isdigit() else float(text)
    return number if str(number) == text else str(text)


def _statement(value: Any, path: Path, index: int) -> Statement:
    statement = _mapping(value, path, "a statement")
    _known_elements(statement, _STATEMENT_ELEMENTS, path, "statement")
    for one, other in (("Principal", "NotPrincipal"), ("Action", "NotAction"), ("Resource", "NotResource")):
        if one in statement and other in statement:
            raise _Misplaced((*path, other), f"a statement cannot hold both {one} and {other}; keep one")
    if "Effect" not in statement:
        raise _Misplaced(path, "the statement has no Effect; write Allow or Deny")
    effect = statement["Effect"]
    if not isinstance(effect, str) or effect not in ("Allow", "Deny"):
        raise _Misplaced((*path, "Effect"), "Effect must be Allow or Deny, spelled like that")
    if "Action" not in statement and "NotAction" not in statement:
        raise _Misplaced(path, "the statement has neither Action nor NotAction")
    return Statement(
        index=index,
        sid=_string(statement["Sid"], (*path, "Sid"), "Sid") if "Sid" in statement else None,
        effect=Effect(effect),
        principal=_principal(statement, "Principal", path),
        not_principal=_principal(statement, "NotPrincipal", path),
        actions=_actions(statement, "Action", path),
        not_actions=_actions(statement, "NotAction", path),
        resources=_strings(statement, "Resource", path),
        not_resources=_strings(statement, "NotResource", path),
        conditions=_conditions(statement["Condition"], (*path, "Condition"))
        if "Condition" in statement
        else (),
    )


def _actions(statement: Mapping[str, Any], element: str, path: Path) -> tuple[str, ...] | None:
    actions = _strings(statement, element, path)
    for index, action in enumerate(actions or ()):
        if action and not action.strip("*"):
            continue
        vendor, colon, name = action.partition(":")
        where = (*path, element, index) if isinstance(statement[element], list | tuple) else (*path, element)
        if not colon or not vendor or not name:
            raise _Misplaced(
                where, f"the action {shown(action)} must be service:Name, such as s3:GetObject, or *"
            )
        if ("*" in vendor or "?" in vendor) and (vendor, name.strip("*")) != ("*", ""):
            raise _Misplaced(where, f"the service of the action {shown(action)} cannot hold wildcards")
    return actions


def _strings(statement: Mapping[str, Any], element: str, path: Path) -> tuple[str, ...] | None:
    if element not in statement:
        return None
    return _string_list(statement[element], (*path, element), element)


def _string_list(value: Any, path: Path, what: str) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(_string(item, (*path, index), what) for index, item in enumerate(value))
    return (_string(value, path, what),)


def _string(value: Any, path: Path, what: str) -> str:
    if not isinstance(value, str) or isinstance(value, _Number):
        raise _Misplaced(path, f"{what} must be a string, not {_kind(value)}")
    if not value.isascii():
        _check_surrogates(value, path, what)
    return value


def _check_surrogates(value: str, path: Path, what: str) -> None:
    if not is_text(value):
        raise _Misplaced(path, f"{what} holds half of a surrogate pair, which is no character")


def _principal(statement: Mapping[str, Any], element: str, path: Path) -> PrincipalElement | None:
    if element not in statement:
        return None
    value, where = statement[element], (*path, element)
    if isinstance(value, str) and not isinstance(value, _Number):
        if value != "*":
            raise _Misplaced(where, f'{element} must be "*" or an object such as {{"AWS": "111122223333"}}')
        return PrincipalElement(anyone=True)
    kinds = _mapping(value, where, element)
    _known_elements(kinds, _PRINCIPAL_KINDS, where, element)
    lists = {kind: _string_list(kinds[kind], (*where, kind), f"{element}.{kind}") for kind in kinds}
    return PrincipalElement(
        aws=lists.get("AWS", ()),
        service=lists.get("Service", ()),
        federated=lists.get("Federated", ()),
        canonical_user=lists.get("CanonicalUser", ()),
    )


def _conditions(value: Any, path: Path) -> tuple[ConditionTest, ...]:
    """The tests, those of one operator together: an operator may stand twice, in different case."""
    tests: dict[_Operator, dict[str, ConditionTest]] = {}
    for written, keys in _mapping(value, path, "Condition").items():
        where = (*path, written)
        found = _operator(written, where)
        qualifier, operator, if_exists = found
        of_operator = tests.setdefault(found, {})
        for key, listed in _mapping(keys, where, f"the operator {shown(written)}").items():
            _string(key, (*where, key), "a condition key")
            if key in of_operator:
                raise _Misplaced((*where, key), f"{operator} tests {shown(key)} twice; keep one")
            values = _values(listed, (*where, key))
            of_operator[key] = ConditionTest(operator, qualifier, if_exists, key, values)
    return tuple(test for of_operator in tests.values() for test in of_operator.values())


def _operator(written: str, path: Path) -> _Operator:
    prefix, colon, rest = written.partition(":")
    qualifier = _QUALIFIERS.get(prefix.lower()) if colon else None
    base = (rest if qualifier else written).lower()
    if base in _OPERATOR_NAMES:
        return qualifier, _OPERATOR_NAMES[base], False
    stripped = base.removesuffix("ifexists")
    if stripped in _OPERATOR_NAMES and stripped not in (base, "null"):
        return qualifier, _OPERATOR_NAMES[stripped], True
    if stripped == "null":
        raise _Misplaced(path, "Null cannot take IfExists; it tests for existence itself")
    raise _Misplaced(path, f"{shown(written)} is no condition operator{_suggest(stripped, _OPERATOR_NAMES)}")


def _values(value: Any, path: Path) -> tuple[str, ...]:
    if isinstance(value, list | tuple):
        return tuple(_value(item, (*path, index)) for index, item in enumerate(value))
    return (_value(value, path),)


def _value(value: Any, path: Path) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return _number_text(value, path)
    return _string(value, path, "a condition value")


def _number_text(value: float, path: Path) -> str:
    try:
        return str(value)
    except ValueError:
        raise _Misplaced(path, "the number has too many digits") from None


def _mapping(value: Any, path: Path, what: str) -> Mapping[str, Any]:
    if type(value) is not dict and not isinstance(value, Mapping):
        raise _Misplaced(path, f"{what} must be an object, not {_kind(value)}")
    for key in value:
        if not isinstance(key, str):
            raise _Misplaced(path, f"{what} has a key that is not a string")
        if not key.isascii():
            _check_surrogates(key, path, "a key")
    return value


def _known_elements(found: Iterable[str], known: tuple[str, ...], path: Path, what: str) -> None:
    for element in found:
        if element not in known:
            hint = _suggest(element.lower(), {name.lower(): name for name in known})
            raise _Misplaced((*path, element), f"{what} has no element {shown(element)}{hint}")


def _suggest(word: str, known: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(word[:64], list(known), n=1)
    return f"; did you mean {known[close[0]]}?" if close else f"; known are {', '.join(known.values())}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, _Number | int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, Mapping):
        return "an object"
    return "a list" if isinstance(value, list | tuple) else type(value).__name__
