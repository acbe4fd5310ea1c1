"""The Service Authorization Reference: every AWS action, resource type and condition key, read on demand.

Follows https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html. The data file
``data/reference.zip`` is written by ``scripts/generate_catalog.py`` and holds

* ``index.json``: provenance, global condition keys with types, prefixes that resource control policies cover, and the
  services whose members hold the keys of identity providers (``saml:aud`` is described with ``sts``);
* ``names.json``: prefix -> action names, separated by blanks;
* one member per prefix: ``keys`` (names), ``types`` (of the keys, in the same order), ``resources`` (name -> ARN
  template, key numbers) and ``actions`` (name -> access level letter, rows of [resource number, required, further key
  numbers], key numbers).

A service is read when it is first asked about, so loading costs milliseconds and a question about Bedrock never
reads EC2.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ringwall.catalog import global_keys
from ringwall.iam.vocabulary import KeyType

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DATA = Path(__file__).parent / "data"
ACCESS_LEVELS = {"L": "List", "R": "Read", "W": "Write", "P": "Permissions management", "T": "Tagging"}

_KEY_TYPES = frozenset(get_args(KeyType))
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|<[^>]*>|(?<=/)tag-key\Z")


@dataclass(frozen=True, slots=True)
class ResourceType:
    """A resource type of a service.

    Attributes:
        service: IAM prefix.
        name: name in the reference, such as ``guardrail``.
        arn: ARN template, such as ``arn:${Partition}:bedrock:${Region}:${Account}:guardrail/${GuardrailId}``.
        keys: lower-cased condition keys of the type.
    """

    service: str
    name: str
    arn: str
    keys: frozenset[str]

    @property
    def pattern(self) -> str:
        """The ARN template as an IAM pattern: every free part is ``*``."""
        return _PLACEHOLDER.sub("*", self.arn)


@dataclass(frozen=True, slots=True)
class Action:
    """An action.

    Attributes:
        service: IAM prefix.
        name: name in the reference's spelling, such as ``InvokeModel``.
        access_level: ``List``, ``Read``, ``Write``, ``Permissions management`` or ``Tagging``.
        resource_types: types that the action authorizes.
        required: names of the types that every request for the action names.
        keys: lower-cased condition keys that the reference lists for the action or its resource types.
        own_keys: those that the reference lists for the action itself.
        keys_of_type: those that it lists for the action on one type, by the type's name.
    """

    service: str
    name: str
    access_level: str
    resource_types: tuple[ResourceType, ...]
    required: frozenset[str]
    keys: frozenset[str]
    own_keys: frozenset[str]
    keys_of_type: Mapping[str, frozenset[str]]

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"


@dataclass(frozen=True, slots=True)
class Service:
    """A service prefix with its actions (by lower-cased name), resource types (by name) and keys.

    ``key_types`` and ``key_names`` go by :func:`canonical_key`; the latter holds AWS's spelling.
    """

    prefix: str
    title: str
    actions: Mapping[str, Action]
    resource_types: Mapping[str, ResourceType]
    key_types: Mapping[str, str]
    key_names: Mapping[str, str]


def canonical_key(key: str) -> str:
    """Lower-cased key; one with a free part is cut before it: ``aws:ResourceTag/${TagKey}`` -> ``aws:resourcetag/``."""
    return _PLACEHOLDER.split(key, maxsplit=1)[0].lower()


class _Actions(Mapping[str, Action]):
    """A service's actions by lower-cased name. A service has hundreds: each is decoded when it is asked for."""

    def __init__(
        self, prefix: str, document: Mapping[str, Any], keys: list[str], types: tuple[ResourceType, ...]
    ) -> None:
        self._prefix = prefix
        self._rows = {name.lower(): (name, row) for name, row in document.items()}
        self._keys = keys
        self._types = types
        self._decoded: dict[str, Action] = {}

    def __getitem__(self, lowered: str) -> Action:
        found = self._decoded.get(lowered)
        if found is None:
            found = self._decoded[lowered] = self._decode(*self._rows[lowered])
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _decode(self, name: str, row: tuple[str, list[list[Any]], list[int]]) -> Action:
        level, of_types, numbers = row
        kinds = [self._types[one[0]] for one in of_types]
        own = self._named(numbers)
        of_type = {
            kind.name: self._named(one[2] if len(one) > 2 else ())
            for kind, one in zip(kinds, of_types, strict=True)
        }
        return Action(
            service=self._prefix,
            name=name,
            access_level=ACCESS_LEVELS[level],
            resource_types=tuple(kinds),
            required=frozenset(kind.name for kind, one in zip(kinds, of_types, strict=True) if one[1]),
            keys=own.union(*of_type.values(), *(kind.keys for kind in kinds)),
            own_keys=own,
            keys_of_type=of_type,
        )

    def _named(self, numbers: Iterable[int]) -> frozenset[str]:
        return frozenset(self._keys[number] for number in numbers)


def _decode_service(prefix: str, title: str, document: Mapping[str, Any]) -> Service:
    keys = [canonical_key(key) for key in document["keys"]]
    types = {
        name: ResourceType(prefix, name, arn, frozenset(keys[number] for number in numbers))
        for name, (arn, numbers) in document["resources"].items()
    }
    actions = _Actions(prefix, document["actions"], keys, tuple(types.values()))
    key_types = dict(zip(keys, document["types"], strict=True))
    return Service(prefix, title, actions, types, key_types, dict(zip(keys, document["keys"], strict=True)))


def _is_open(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


class Catalog:
    """Knowledge of AWS's actions, resource types and condition keys; an :class:`ringwall.iam.vocabulary.Vocabulary`.

    Make one with :func:`load`. All look-ups ignore case. Everything is read-only, so one instance serves all threads.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._index = self._read("index")
        self._services: dict[str, Service | None] = {}
        self._keys_of_action: dict[str, frozenset[str]] = {}
        self._documents: dict[str, Any] = {}
        self._types_of: dict[str, Mapping[str, str]] = {}
        self._spellings: dict[str, Mapping[str, str]] = {}
        self._matching: dict[str, tuple[str, ...]] = {}
        self._types: dict[str, str | None] = {}

    def _read(self, member: str) -> Any:
        return json.loads(self._archive.read(f"{member}.json"))

    @property
    def provenance(self) -> Mapping[str, str]:
        """Source, version, date and licence of the reference data."""
        provenance: Mapping[str, str] = self._index["provenance"]
        return provenance

    @cached_property
    def _names(self) -> Mapping[str, tuple[str, ...]]:
        return {prefix: tuple(names.split()) for prefix, names in self._read("names").items()}

    @cached_property
    def _global_types(self) -> Mapping[str, str]:
        declared = {**self._index["global_keys"], **global_keys.CORRECTIONS}
        return {canonical_key(key): kind for key, kind in declared.items()}

    @cached_property
    def _carried_by_all(self) -> frozenset[str]:
        return frozenset(self._global_types) - global_keys.DECLARED_ONLY - set(global_keys.OF_SERVICES)

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        """Every service prefix."""
        return tuple(sorted(self._names))

    def service(self, prefix: str) -> Service | None:
        """The service with an IAM prefix, or ``None``."""
        prefix = prefix.lower()
        if prefix not in self._services:
            title = self._index["titles"].get(prefix)
            self._services[prefix] = (
                None if title is None else _decode_service(prefix, title, self._document(prefix))
            )
            self._documents.pop(prefix, None)
        return self._services[prefix]

    def _document(self, prefix: str) -> Any:
        """What a service's actions and keys are decoded from, kept until its actions are asked for."""
        if prefix not in self._documents:
            self._documents[prefix] = self._read(prefix)
        return self._documents[prefix]

    def _key_types(self, prefix: str) -> Mapping[str, str]:
        """Types of a service's keys. Decoding its actions takes most of the time, so they are left alone."""
        found = self._types_of.get(prefix)
        if found is None:
            decoded = self._services.get(prefix)
            if decoded is not None:
                found = decoded.key_types
            elif prefix in self._index["titles"]:
                document = self._document(prefix)
                found = dict(zip(map(canonical_key, document["keys"]), document["types"], strict=True))
            else:
                found = {}
            self._types_of[prefix] = found
        return found

    def action(self, action: str) -> Action | None:
        """The action ``service:Name``, or ``None``."""
        prefix, _, name = action.partition(":")
        service = self.service(prefix)
        return service.actions.get(name.lower()) if service else None

    def actions(self) -> Iterable[str]:
        """Every known action as ``service:Name``, sorted by prefix."""
        for prefix in self.prefixes:
            for name in self._names[prefix]:
                yield f"{prefix}:{name}"

    def actions_matching(self, pattern: str) -> tuple[str, ...]:
        """Known actions that an action pattern (``bedrock:Invoke*``, ``*``) matches."""
        if pattern not in self._matching:
            self._matching[pattern] = tuple(self._find(pattern))
        return self._matching[pattern]

    def _find(self, pattern: str) -> Iterable[str]:
        if pattern == "*":
            yield from self.actions()
            return
        prefix, _, name = pattern.lower().partition(":")
        if not _is_open(pattern):
            spelled = self._spelled(prefix).get(name)
            yield from (f"{prefix}:{spelled}",) if spelled else ()
            return
        fits_service, fits_name = _glob(prefix).fullmatch, _glob(name).fullmatch
        for candidate in self.prefixes if _is_open(prefix) else (prefix,) if prefix in self._names else ():
            if fits_service(candidate):
                yield from (f"{candidate}:{one}" for one in self._names[candidate] if fits_name(one.lower()))

    def _spelled(self, prefix: str) -> Mapping[str, str]:
        """AWS's spelling of a service's actions by lower-cased name; the service itself stays unread."""
        found = self._spellings.get(prefix)
        if found is None:
            found = self._spellings[prefix] = {name.lower(): name for name in self._names.get(prefix, ())}
        return found

    def is_action(self, action: str) -> bool:
        """Whether the action exists."""
        return self.action(action) is not None

    def condition_keys(self, action: str) -> frozenset[str]:
        """Lower-cased keys that a request for the action can carry, global keys included.

        A key with a free part is given as its prefix, ending in ``/`` or ``:`` (``aws:principaltag/``,
        ``kms:encryptioncontext:``). Of an unknown action, the global keys that every request can carry.
        """
        keys = self._keys_of_action.get(action)
        if keys is None:
            known = self.action(action)
            keys = self._carried_by_all.union(
                global_keys.carried_by(action.lower()), known.keys if known else ()
            )
            self._keys_of_action[action] = keys
        return keys

    def carries(self, action: str, key: str) -> bool:
        """Whether a request for the action can carry the key, free parts (tags, encryption context) included."""
        keys = self.condition_keys(action)
        if global_keys.provider_claim(key) and action.lower() in global_keys.PROVIDER_ACTIONS:
            return True
        return any(form in keys for form in _forms(key))

    def key_type(self, key: str) -> KeyType | None:
        """Type of a condition key; ``None`` if the key is unknown."""
        declared = self._declared_type(key)
        if declared is None:
            return None
        base = declared.removeprefix("ArrayOf")
        return base if base in _KEY_TYPES else "String"  # type: ignore[return-value]

    def is_multivalued(self, key: str) -> bool:
        """Whether a request can carry several values of the key."""
        return (self._declared_type(key) or "").startswith("ArrayOf")

    def _declared_type(self, key: str) -> str | None:
        if key not in self._types:
            self._types[key] = self._find_type(key)
        return self._types[key]

    def _find_type(self, key: str) -> str | None:
        prefix = key.partition(":")[0].lower()
        own = self._key_types(self._index["key_homes"].get(prefix, prefix))
        for form in _forms(key):
            if form in self._global_types:
                return self._global_types[form]
            if form in own:
                return own[form]
        claim = global_keys.provider_claim(key)
        if claim:
            return "ArrayOfString" if global_keys.PROVIDER_CLAIMS[claim] else "String"
        return None

    def resource_patterns(self, action: str) -> tuple[str, ...]:
        """ARN globs of the resource types that the action authorizes; empty = only ``*``."""
        known = self.action(action)
        return tuple(kind.pattern for kind in known.resource_types) if known else ()

    def takes_star(self, action: str) -> bool:
        """Whether a request for the action can be about ``*`` instead of a resource.

        So it is for actions without resource types, and for creating and listing where every type is optional
        (``bedrock:CreateGuardrail`` names a guardrail profile only if the guardrail uses one). Optional types of other
        actions, and all of Amazon S3's, are alternatives of which every request names one.
        """
        known = self.action(action)
        if known is None or not known.resource_types:
            return True
        optional = not known.required and known.service != "s3"
        return optional and known.name.startswith(("Create", "Describe", "List"))

    def rcp_covers(self, service: str) -> bool:
        """Whether resource control policies apply to the service prefix."""
        return service.lower() in self._rcp

    @cached_property
    def _rcp(self) -> frozenset[str]:
        return frozenset(self._index["rcp"])


def _forms(key: str) -> tuple[str, ...]:
    """The spellings under which the reference may know a key: as it is, or up to its free part."""
    key = canonical_key(key)
    cuts = [index + 1 for index, letter in enumerate(key) if letter in "/:"][1:]
    return (key, *(key[:cut] for cut in reversed(cuts)))


@cache
def load() -> Catalog:
    """The catalog of the installed package; the same instance every time. Costs a few milliseconds once."""
    return Catalog(zipfile.ZipFile(DATA / "reference.zip"))
