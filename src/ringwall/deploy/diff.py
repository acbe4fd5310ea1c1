"""Property differences: only what the declaration declares, policies statement by statement.

Both sides come normalised by their kind. A mapping is compared key by key over the declared keys; a list of named
things (``PolicyName``, ``Type``, ``Key``, ...) member by member, so that a report names the member; a policy document by
statement. Lists are compared whole in the sense that members which nobody declared are differences too: an extra inline
policy on our role is what drift exists to find. Tags are the exception, other teams may add theirs. Some properties are
compared whole at every depth (``WHOLE``): there a field that nobody declared changes what the declared ones do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ringwall.deploy.changes import Difference
from ringwall.deploy.strength import ABSENT, effect
from ringwall.estate.model import canonical_json

NAMES = (
    "PolicyName",
    "Sid",
    "GrantId",
    "Key",
    "Name",
    "Type",
    "Text",
    "FilterName",
    "Endpoint",
    "Id",
    "Field",
)
"""Properties that may name a member of a list, tried in this order."""
SHARED = frozenset({"Tags"})
"""Lists that others may add to."""
WHOLE = frozenset(
    {
        "AdvancedEventSelectors",  # one more condition, and fewer calls are recorded
        "EventPattern",  # likewise, and nobody is told
        "LifecycleConfiguration",  # an expiration in a rule that had none removes records
        "LoggingConfig",  # a second destination is a copy of every prompt
        "Targets",  # a constant input in place of the event
    }
)
"""Properties in which AWS fills nothing in and what is there besides the declared matters. Flags are left out: Bedrock may
come to log a further modality without having been asked."""
_STATEMENT_LISTS = ("Action", "NotAction", "Resource", "NotResource")


def differences(declared: Mapping[str, Any], observed: Mapping[str, Any]) -> tuple[Difference, ...]:
    """What differs between declared and observed properties, both normalised, in the declared order."""
    return tuple(_mapping("", observed, declared))


def is_policy(value: Any) -> bool:
    """Whether a property value is a policy document."""
    return isinstance(value, Mapping) and "Statement" in value


def _compare(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if is_policy(after) and (before is None or is_policy(before)):
        yield from _policy(path, before or {}, after)
    elif isinstance(after, Mapping) and isinstance(before, Mapping):
        yield from _mapping(path, before, after)
    elif _is_list(after) and _is_list(before) and (name := _name_of(before, after)):
        yield from _named(path, name, before, after)
    elif _is_list(after) and _is_list(before) and _alone(before) and _alone(after):
        yield from _compare(f"{path}[0]", before[0], after[0])
        yield from _undeclared(f"{path}[0]", before[0], after[0])
    elif _plain(before) != _plain(after):
        yield _difference(path, before, after)


def _mapping(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key, value in after.items():
        yield from _compare(f"{path}.{key}" if path else key, before.get(key), value)
    if re.split(r"[.\[]", path, maxsplit=1)[0] in WHOLE:
        yield from _undeclared(path, before, after)


def _undeclared(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """What is there under names that are not declared at all."""
    for key, value in before.items():
        if key not in after and value not in ABSENT and not isinstance(value, bool):
            yield _difference(f"{path}.{key}", value, None)


def _alone(items: Sequence[Any]) -> bool:
    """Whether a list is one mapping and nothing else: what differs in it can be named then."""
    return len(items) == 1 and isinstance(items[0], Mapping)


def _named(path: str, name: str, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Difference]:
    old = {str(item[name]): item for item in before}
    new = {str(item[name]): item for item in after}
    for key, item in new.items():
        if key in old:
            yield from _compare(f"{path}[{key}]", old[key], item)
        else:
            yield _difference(f"{path}[{key}]", None, item)
    if path.rsplit(".", 1)[-1] not in SHARED:
        yield from (_difference(f"{path}[{key}]", old[key], None) for key in old if key not in new)


def _name_of(before: Sequence[Any], after: Sequence[Any]) -> str | None:
    """The property that names every member of both lists, each once; ``None`` if there is no such property."""
    members = [*before, *after]
    if not members or not all(isinstance(item, Mapping) for item in members):
        return None
    for name in NAMES:
        if all(isinstance(item.get(name), str) for item in members) and all(
            len({item[name] for item in side}) == len(side) for side in (before, after)
        ):
            return name
    return None


def _policy(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    """Statement by statement, the order being without meaning."""
    if "Version" in after and before.get("Version", "2008-10-17") != after["Version"]:
        yield _difference(f"{path}.Version", before.get("Version"), after["Version"])
    old, new = _statements(before), _statements(after)
    for label, statement in new.items():
        if label not in old:
            yield _difference(f"{path}.Statement[{label}]", None, statement)
        elif old[label] != statement:
            yield _difference(f"{path}.Statement[{label}]", old[label], statement)
    for label, statement in old.items():
        if label not in new:
            yield _difference(f"{path}.Statement[{label}]", statement, None)


def _statements(document: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Statements by Sid; nameless ones by their content, so that equal ones meet whatever their place."""
    raw = document.get("Statement", [])
    found: dict[str, Mapping[str, Any]] = {}
    for item in [raw] if isinstance(raw, Mapping) else raw:
        statement = canonical_statement(item)
        label = str(item.get("Sid") or canonical_json(statement))
        while label in found and found[label] != statement:
            label += "'"  # a Sid may repeat in a resource policy
        found[label] = statement
    return found


def canonical_statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement in one spelling: lists sorted, single values as lists, ``{"AWS": "*"}`` kept apart from ``"*"``."""
    result: dict[str, Any] = {}
    for key, value in statement.items():
        if key in _STATEMENT_LISTS:
            result[key] = _sorted(value)
        elif key in ("Principal", "NotPrincipal") and isinstance(value, Mapping):
            result[key] = {kind: _sorted(names) for kind, names in value.items()}
        elif key == "Condition":
            result[key] = {
                operator: {name: _sorted(values) for name, values in tests.items()}
                for operator, tests in value.items()
            }
        else:
            result[key] = value
    return result


def _sorted(value: Any) -> list[str]:
    items = value if _is_list(value) else [value]
    return sorted({_text(item) for item in items})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def _plain(value: Any) -> Any:
    """Lists and tuples alike; policies nested deeper in one spelling."""
    if is_policy(value):
        return [value.get("Version"), sorted(map(canonical_json, _statements(value).values()))]
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if _is_list(value) else value


def _difference(path: str, before: Any, after: Any) -> Difference:
    return Difference(path, before, after, effect(path, before, after))
