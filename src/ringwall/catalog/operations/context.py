"""Context keys whose values an API call's parameters determine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ringwall.catalog.operations.names import fold
from ringwall.catalog.operations.parameters import CONTEXT
from ringwall.catalog.reference import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.catalog.operations.authorization import Call, Context

_TAG_PARAMETERS = frozenset(
    {
        *("tags", "taglist", "tagslist", "tagset"),
        # Jobs of Bedrock, and the models that they make.
        *("jobtags", "modeltags", "custommodeltags", "importedmodeltags", "targetmodeltags"),
    }
)


def context_of(call: Call, action: str, resource: str = "*") -> Context:
    """What the call determines for one of its actions: requested Region, tags, and the keys that name parameters.

    Only keys that the action can carry are given, lower-cased, with their values as IAM renders them. EC2 authorizes a
    call on every resource that takes part, each with the keys of its own type: the tags of a new VPC endpoint are
    no context of the subnet that it stands in.
    """
    keys = load().condition_keys(action)
    if action.startswith("ec2:") and resource != "*":
        keys = _keys_on(action, resource)
    found: dict[str, tuple[str, ...]] = {"aws:requestedregion": (call.requested_region,)}
    for key in CONTEXT.keys() & keys:
        values = next((shown for path in CONTEXT[key] if (shown := _shown(call.value(*path.split("."))))), ())
        if values:
            found[key] = values
    if "ec2:region" in keys:
        found["ec2:region"] = (call.region,)
    if "kms:encryptioncontext:" in keys:
        found.update(_encryption_context(call))
    tags = tags_of(call)
    if tags and "aws:requesttag/" in keys:
        found.update({f"aws:requesttag/{name.lower()}": (value,) for name, value in tags.items()})
    names = tuple(tags) or _shown(call.value("tagKeys") or call.value("TagKeys"))
    if names and "aws:tagkeys" in keys:
        found["aws:tagkeys"] = names
    return dict(sorted(found.items()))


def _keys_on(action: str, resource: str) -> frozenset[str]:
    known = load().action(action)
    kind = resource.split(":", 5)[-1].partition("/")[0]
    return known.own_keys | known.keys_of_type.get(kind, frozenset()) if known else frozenset()


def tags_of(call: Call) -> dict[str, str]:
    """Tags that a call sets, whatever form its API gives them."""
    return dict(_tags(call.parameters))


def _tags(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        if fold(name) in _TAG_PARAMETERS:
            yield from _pairs(value)
        elif name == "TagSpecifications" and isinstance(value, list):
            for specification in value:
                yield from _pairs(specification.get("Tags"))
        elif name == "Tagging" and isinstance(value, Mapping):
            yield from _pairs(value.get("TagSet"))


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        yield from ((str(name), str(text)) for name, text in value.items())
    elif isinstance(value, list):
        for pair in value:
            folded = {fold(name): text for name, text in pair.items()} if isinstance(pair, Mapping) else {}
            name = folded.get("key", folded.get("tagkey"))
            if name is not None:
                yield str(name), str(folded.get("value", folded.get("tagvalue", "")))


def _encryption_context(call: Call) -> Iterator[tuple[str, tuple[str, ...]]]:
    pairs = call.value("EncryptionContext")
    if isinstance(pairs, Mapping) and pairs:
        yield from ((f"kms:encryptioncontext:{name.lower()}", (str(text),)) for name, text in pairs.items())
        yield "kms:encryptioncontextkeys", tuple(map(str, pairs))


def _shown(value: Any) -> tuple[str, ...]:
    """Values as IAM renders them: ``true`` and ``false``, numbers in decimal."""
    if value is None or isinstance(value, Mapping):
        return ()
    if isinstance(value, (list, tuple)):
        return tuple(text for one in value for text in _shown(one))
    return (str(value).lower() if isinstance(value, bool) else str(value),)
