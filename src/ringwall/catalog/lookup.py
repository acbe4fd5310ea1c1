"""Everything that the catalog knows by a name, as plain data: what ``ringwall catalog`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from ringwall.catalog import models, profiles
from ringwall.catalog.global_keys import OF_SERVICES
from ringwall.catalog.operations import UnknownOperationError, actions_of, find_operation
from ringwall.catalog.operations.names import services
from ringwall.catalog.reference import Action, Catalog, Service, load

Entry = dict[str, Any]
SHOWN = 60
"""Most entries that a part of a name finds."""


def summary() -> Entry:
    """What the catalog holds, and where it is from."""
    reference, tables = load(), models.tables()
    return {
        "services": len(reference.prefixes),
        "actions": sum(1 for _ in reference.actions()),
        "operations": sum(len(item.operations) for item in services().values()),
        "models": len(tables.models),
        "profiles": len(tables.profiles),
        "models_as_of": tables.as_of.isoformat(),
        **{f"reference_{key}": value for key, value in reference.provenance.items()},
    }


def look_up(query: str, *, region: str = "us-east-1") -> tuple[list[Entry], list[str]]:
    """What a name stands for, exact names first; if nothing, names that are near.

    Args:
        query: action, action pattern, operation, model or profile (id or ARN), condition key or service prefix.
        region: where a profile is called.
    """
    found = list(_exact(query, region)) or list(_partial(query))[:SHOWN]
    return found, [] if found else _near(query)


def _exact(query: str, region: str) -> Iterator[Entry]:
    reference = load()
    if ":" in query and ("*" in query or "?" in query):
        yield from (_brief(reference, name) for name in reference.actions_matching(query)[:SHOWN])
        return
    action = reference.action(query) if ":" in query else None
    if action is not None:
        yield _action(action)
    kind = reference.key_type(query) if ":" in query else None
    if kind is not None and action is None:
        yield _key(reference, query, kind)
    yield from _operation(query)
    yield from _model(query, region)
    service = reference.service(query)
    if service is not None:
        yield _service(service)


def _action(action: Action) -> Entry:
    return {
        "kind": "action",
        "name": str(action),
        "access_level": action.access_level,
        "resource_types": [
            {"name": one.name, "arn": one.arn, "required": one.name in action.required}
            for one in action.resource_types
        ],
        "condition_keys": sorted(action.keys),
        "rcp": load().rcp_covers(action.service),
    }


def _brief(reference: Catalog, name: str) -> Entry:
    action = reference.action(name)
    return {"kind": "action", "name": name, "access_level": action.access_level if action else None}


def _key(reference: Catalog, key: str, kind: str) -> Entry:
    prefix = key.partition(":")[0].lower()
    service = reference.service(prefix)
    carriers = [
        str(action)
        for action in (service.actions.values() if service else ())
        if reference.carries(str(action), key)
    ]
    everywhere = prefix == "aws" and key.lower() not in OF_SERVICES
    return {
        "kind": "condition key",
        "name": key,
        "type": kind,
        "multivalued": reference.is_multivalued(key),
        "actions": ["every action of every service that supplies it"] if everywhere else carriers,
    }


def _operation(query: str) -> Iterator[Entry]:
    try:
        service, operation = find_operation(query)
    except UnknownOperationError:
        return
    reference = load()
    needs = []
    for name in actions_of(service, operation):
        action = reference.action(name)
        types = [one.arn for one in action.resource_types] if action else []
        needs.append({"name": name, "on": types or ["*"]})
    further = _FURTHER.get((service, operation))
    yield {
        "kind": "operation",
        "name": f"{service}:{operation}",
        "authorizations": needs,
        "further": further,
    }


_INVOKE = (
    "through an inference profile also the action on the foundation model in every destination Region; with a guardrail "
    "also bedrock:ApplyGuardrail on it; with an API key also bedrock:CallWithBearerToken"
)
_FURTHER = {
    ("bedrock-runtime", name): _INVOKE
    for name in ("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")
}


def _model(query: str, region: str) -> Iterator[Entry]:
    identifier = query.rpartition("/")[2]
    if profiles.is_profile(query):
        yield _profile(identifier, region)
    known = models.find(
        profiles.foundation_model(identifier) if profiles.is_profile(identifier) else identifier
    )
    if known is None:
        return
    yield {
        "kind": "model",
        "name": known.id,
        "title": known.name,
        "provider": known.provider,
        "input": list(known.input),
        "output": list(known.output),
        "streaming": known.streaming,
        "converse": known.converse,
        "on_demand": known.on_demand,
        "takes_guardrail": known.takes_guardrail,
        "status": known.status(datetime.now(UTC).date()),
        "legacy": known.legacy.isoformat() if known.legacy else None,
        "end_of_life": known.end_of_life.isoformat() if known.end_of_life else None,
        "profiles": [name for name in models.tables().profiles if name.endswith(f".{known.id}")],
        "source": known.source,
        "read": known.read,
        "verified": known.verified,
    }


def _profile(identifier: str, region: str) -> Entry:
    row = models.tables().profiles.get(identifier)
    try:
        places = list(profiles.destinations(identifier, region))
        problem = None
    except ValueError as error:
        places, problem = [], str(error)
    return {
        "kind": "inference profile",
        "name": identifier,
        "model": profiles.foundation_model(identifier),
        "routing": "any commercial Region"
        if profiles.is_global(identifier)
        else profiles.geography(identifier),
        "called_in": region,
        "destinations": places,
        "problem": problem,
        "source": row.source if row else "the geography's Regions: the profile has no row of its own",
        "read": row.read if row else None,
        "verified": bool(row and row.verified),
    }


def _service(service: Service) -> Entry:
    return {
        "kind": "service",
        "name": service.prefix,
        "title": service.title,
        "actions": len(service.actions),
        "resource_types": [{"name": one.name, "arn": one.arn} for one in service.resource_types.values()],
        "condition_keys": sorted(key for key in service.key_types if key.startswith(f"{service.prefix}:")),
        "rcp": load().rcp_covers(service.prefix),
    }


def _partial(query: str) -> Iterator[Entry]:
    """Bedrock's actions first, then models, then every other action that has the text in its name."""
    text = query.lower()
    reference = load()
    names = [name for name in reference.actions() if text in name.lower()]
    names.sort(key=lambda name: not name.startswith("bedrock"))
    if len(text) > 2:
        tables = models.tables()
        yield from (
            {"kind": "model", "name": one.id, "title": one.name}
            for one in tables.models.values()
            if text in one.id or text in one.name.lower()
        )
        yield from ({"kind": "inference profile", "name": name} for name in tables.profiles if text in name)
        yield from (_brief(reference, name) for name in names)


def _near(query: str) -> list[str]:
    reference, tables = load(), models.tables()
    prefix = query.partition(":")[0].lower()
    service = reference.service(prefix)
    known = [str(one) for one in service.actions.values()] if service else list(reference.prefixes)
    known += list(service.key_types) if service else []
    known += [*tables.models, *tables.profiles]
    folded = {name.lower(): name for name in known}
    return [folded[name] for name in get_close_matches(query.lower(), folded, n=3)]
