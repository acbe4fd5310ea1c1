"""Everything that the catalog knows by a name, as plain data: what ``ringwall catalog`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

from ringwall.catalog import models, profiles
from ringwall.catalog.bedrock import PREFIXES
from ringwall.catalog.global_keys import OF_SERVICES
from ringwall.catalog.operations import UnknownOperationError, actions_of, find_operation
from ringwall.catalog.operations.authorization import is_arn
from ringwall.catalog.operations.exceptions import UNLISTED
from ringwall.catalog.operations.names import fold, services
from ringwall.catalog.reference import Action, Catalog, ResourceType, Service, load
from ringwall.iam.patterns import glob_matches

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
        query: action, action pattern, operation, model or profile (id or ARN), condition key, resource type (name or
            ARN) or service prefix.
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
    yield from (_resource_type(kind) for kind in _types(reference, query))
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
        "condition_keys": _spelled(load().service(action.service), action.keys),
        "rcp": load().rcp_covers(action.service),
    }


def _own_keys(service: Service) -> Iterator[str]:
    return (key for key in service.key_types if key.startswith(f"{service.prefix}:"))


def _spelled(service: Service | None, keys: Iterable[str]) -> list[str]:
    """Keys of a service in AWS's spelling, sorted."""
    names = service.key_names if service else {}
    return sorted(names.get(key, key) for key in keys)


def _types(reference: Catalog, query: str) -> Iterator[ResourceType]:
    """Resource types by name (``guardrail``, ``bedrock:guardrail``; those of Bedrock without a prefix) or by ARN."""
    if is_arn(query):
        service = reference.service(query.split(":")[2])
        kinds = service.resource_types.values() if service else ()
        yield from (kind for kind in kinds if glob_matches(kind.pattern, query))
        return
    prefix, separator, name = query.rpartition(":")
    for one in (prefix,) if separator else PREFIXES:
        service = reference.service(one)
        if service is not None and name.lower() in service.resource_types:
            yield service.resource_types[name.lower()]


def _resource_type(kind: ResourceType) -> Entry:
    service = load().service(kind.service)
    actions = service.actions.values() if service else ()
    return {
        "kind": "resource type",
        "name": f"{kind.service}:{kind.name}",
        "arn": kind.arn,
        "condition_keys": _spelled(service, kind.keys),
        "actions": [str(action) for action in actions if kind in action.resource_types],
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
        "name": service.key_names.get(key.lower(), key) if service else key,
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
    if operation in UNLISTED.get(service, ()):
        further = "the reference does not list this action yet: it is taken to be asked for on every resource"
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
_RAG = (
    "also bedrock:Retrieve on the knowledge base, bedrock:InvokeModel on the model (through an inference profile in every "
    "destination Region, and bedrock:GetInferenceProfile), and with a guardrail bedrock:ApplyGuardrail on it"
)
_FURTHER = {
    **{
        ("bedrock-runtime", name): _INVOKE
        for name in ("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")
    },
    ("bedrock-agent-runtime", "RetrieveAndGenerate"): _RAG,
    ("bedrock-agent-runtime", "RetrieveAndGenerateStream"): _RAG,
    ("bedrock-agent-runtime", "Rerank"): "also bedrock:InvokeModel on the reranking model",
    ("bedrock-agent-runtime", "InvokeInlineAgent"): (
        "also bedrock:InvokeModel on the model, bedrock:Retrieve on its knowledge bases, bedrock:ApplyGuardrail on its "
        "guardrail"
    ),
    ("bedrock", "CreateModelInvocationJob"): "also on the model, and iam:PassRole for the role",
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
        "near": [] if row else _near_profiles(identifier),
    }


def _near_profiles(identifier: str) -> list[str]:
    known = models.tables().profiles
    return [name for name in known if name.startswith(identifier)] or _close(identifier, known, 3, 0.8)


def _service(service: Service) -> Entry:
    return {
        "kind": "service",
        "name": service.prefix,
        "title": service.title,
        "actions": len(service.actions),
        "resource_types": [{"name": one.name, "arn": one.arn} for one in service.resource_types.values()],
        "condition_keys": _spelled(service, _own_keys(service)),
        "rcp": load().rcp_covers(service.prefix),
    }


def _partial(query: str) -> Iterator[Entry]:
    """Models, profiles and Bedrock's operations first, then every action that has the text in its name."""
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
        yield from (
            {"kind": "operation", "name": f"{service}:{name}"}
            for service, item in services().items()
            for folded, name in item.operations.items()
            if item.prefix in PREFIXES and fold(query) in folded
        )
        yield from (_brief(reference, name) for name in names)


def _near(query: str) -> list[str]:
    """Names that are near: of the prefix's actions, keys and resource types, of models, profiles and operations."""
    reference, tables = load(), models.tables()
    service = reference.service(query.partition(":")[0].lower())
    if service is not None:
        keys = _spelled(service, _own_keys(service))
        types = [f"{service.prefix}:{name}" for name in service.resource_types]
        return [
            *_close(query, [str(one) for one in service.actions.values()], 2, 0.6),
            *_close(query, keys, 2, 0.5),
            *_close(query, types, 1, 0.7),
        ]
    known = [*tables.models, *tables.profiles, *reference.prefixes]
    known += [name for item in services().values() for name in item.operations.values()]
    return _close(query.rpartition("/")[2], known, 3, 0.6)


def _close(query: str, known: Iterable[str], count: int, cutoff: float) -> list[str]:
    folded = {name.lower(): name for name in known}
    return [folded[name] for name in get_close_matches(query.lower(), folded, n=count, cutoff=cutoff)]
