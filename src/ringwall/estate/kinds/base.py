"""What the resource kinds have in common: names, tags, comparison, patient calls."""

from __future__ import annotations

import hashlib
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ringwall.catalog.partitions import partition_of as partition_of  # noqa: PLC0414 -- for every kind
from ringwall.errors import DENIED, AwsCallError
from ringwall.estate.kind import Permissions, Retention, Scope
from ringwall.estate.kinds.documents import as_list, canonical_policy, document, unique
from ringwall.estate.kinds.limits import Limit, problems
from ringwall.estate.members import own_id
from ringwall.estate.model import Ref, Resource, Unknown, canonical_json
from ringwall.estate.remembering import Remembers

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

PERIMETER_TAG = "ringwall:perimeter"
ID_TAG = "ringwall:id"
TAG_LIMITS = (
    Limit("Tags", longest=50),
    Limit("Tags[].Key", required=True, pattern=r"(?!aws:)[\w\s.:/=+\-@]+", longest=128),
    Limit("Tags[].Value", pattern=r"[\w\s.:/=+\-@]*", longest=256),
)
MISSING = object()
_DENY = re.compile(r"with an explicit deny in an? [a-z -]+")
_Value = TypeVar("_Value")


# -- time ------------------------------------------------------------------------------------------------------------


class Clock(Protocol):
    """Time, so that waiting can be tested without waiting."""

    def monotonic(self) -> float:
        """Seconds, only ever growing."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's time."""

    def monotonic(self) -> float:
        """Seconds, only ever growing."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


SYSTEM_CLOCK = SystemClock()


def until(clock: Clock, probe: Callable[[], bool], *, timeout: float, late: Callable[[], Exception]) -> None:
    """Ask ``probe`` again and again, ever less often, until it is true; raise ``late()`` after ``timeout`` seconds."""
    end = clock.monotonic() + timeout
    pause = 0.1
    while not probe():
        if clock.monotonic() >= end:
            raise late()
        clock.sleep(pause)
        pause = min(pause * 1.6, 5.0)


# -- calls that may fail ---------------------------------------------------------------------------------------------


def reason(error: AwsCallError) -> str:
    """Why something is unknown, in one line: ``AccessDenied: needs bedrock:ListGuardrails``.

    Where a policy says no (``with an explicit deny in a service control policy``), its kind is told: no permission helps then.
    """
    if error.permission and any(code in error.code for code in DENIED):
        said = _DENY.search(error.aws_message)
        return f"AccessDenied: needs {error.permission}" + (f", {said[0]}" if said else "")
    return f"{error.code}: {error.service}:{error.operation}: {error.aws_message}"


@contextmanager
def allowing(*codes: str) -> Iterator[None]:
    """Let errors with these codes pass, as when what is deleted is gone already."""
    try:
        yield
    except AwsCallError as error:
        if error.code not in codes:
            raise


def optional(aws: Aws, service: str, operation: str, absent: tuple[str, ...], /, **parameters: Any) -> Any:
    """The response of a call, or ``None`` where AWS says by one of the codes ``absent`` that there is nothing."""
    try:
        return aws.call(service, operation, **parameters)
    except AwsCallError as error:
        if error.code in absent:
            return None
        raise


def remembered(aws: Aws, name: str, compute: Callable[[], _Value]) -> _Value:
    """What several kinds ask for, or one asks for several resources: computed once between two writes."""
    if not isinstance(aws, Remembers):
        return compute()
    value: _Value = aws.remember(name, compute)
    return value


class Reading:
    """Properties of one resource while they are read: what fails becomes unknown, never absent."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws
        self.properties: dict[str, Any] = {}
        self.unknown: list[Unknown] = []

    def set(self, **properties: Any) -> None:
        """Add properties that are there (``None`` is left out)."""
        self.properties.update({key: value for key, value in properties.items() if value is not None})

    def take(
        self,
        properties: str | tuple[str, ...],
        call: tuple[str, str, Mapping[str, Any]],
        convert: Callable[[dict[str, Any]], Any],
        absent: tuple[str, ...] = (),
    ) -> None:
        """Add what a call tells.

        Args:
            properties: the property that the call tells, or all of them.
            call: service, operation, parameters.
            convert: response to the property's value; for several properties, to a mapping of them.
            absent: error codes which say that there is nothing.
        """
        service, operation, parameters = call
        names = (properties,) if isinstance(properties, str) else properties
        with self._attempt(names, absent):
            value = convert(self.aws.call(service, operation, **parameters))
            self.set(**({properties: value} if isinstance(properties, str) else value))

    def found(
        self, properties: tuple[str, ...], find: Callable[[], Mapping[str, Any]], absent: tuple[str, ...] = ()
    ) -> None:
        """Add those properties that ``find`` tells of under their own names; empty ones count as not there."""
        with self._attempt(properties, absent):
            told = find()
            self.set(**{name: told.get(name) or None for name in properties})

    def take_all(
        self,
        name: str,
        call: tuple[str, str, Mapping[str, Any]],
        key: str,
        convert: Callable[[list[Any]], Any],
        absent: tuple[str, ...] = (),
    ) -> None:
        """Add what all pages of a listing tell together; ``convert`` gets the items under ``key``."""
        service, operation, parameters = call
        with self._attempt((name,), absent):
            self.set(**{name: convert(self.aws.pages(service, operation, key, **parameters))})

    @contextmanager
    def _attempt(self, names: tuple[str, ...], absent: tuple[str, ...]) -> Iterator[None]:
        try:
            yield
        except AwsCallError as error:
            if error.code not in absent:
                self.unknown.extend(Unknown(name, reason(error)) for name in names)


AT_ONCE = 4
"""Resources of a kind that are read at the same time, each by a few calls of its own."""
_Item = TypeVar("_Item")


def side_by_side(
    aws: Aws, read: Callable[[_Item], Resource | None], listed: Iterable[_Item]
) -> Iterator[Resource]:
    """What is read of each item of a listing, in the listing's order; ``None`` is left out.

    Evidence belongs to the thread that received it, so ``read`` makes its resource with all of its own; none is left over from
    the item before.

    Raises:
        AwsCallError: what the first item that could not be read raised.
    """
    items = tuple(listed)

    def one(item: _Item) -> Resource | None:
        aws.evidence()
        return read(item)

    if len(items) < 2:
        found = map(one, items)
        yield from (item for item in found if item is not None)
        return
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="read") as pool:
        yield from (item for item in pool.map(one, items) if item is not None)


# -- tags ------------------------------------------------------------------------------------------------------------


def tags_of(properties: Mapping[str, Any]) -> dict[str, str]:
    """Tags of a resource in CloudFormation's form, as a mapping."""
    return {str(tag["Key"]): str(tag.get("Value", "")) for tag in properties.get("Tags") or ()}


def tag_list(
    tags: Mapping[str, str] | Iterable[Mapping[str, str]], key: str = "Key", value: str = "Value"
) -> list[Any]:
    """A mapping of tags as a list of pairs, named as the service names them."""
    return (
        [{key: name, value: tags[name]} for name in sorted(tags)] if isinstance(tags, Mapping) else list(tags)
    )


def from_tags(raw: Any) -> list[dict[str, str]]:
    """Tags as CloudFormation has them, from any service's form."""
    if isinstance(raw, Mapping):
        return [{"Key": str(key), "Value": str(raw[key])} for key in sorted(raw)]
    pairs = {}
    for tag in raw or ():
        lowered = {str(name).lower(): item for name, item in tag.items()}
        pairs[str(lowered.get("key", lowered.get("tagkey")))] = str(
            lowered.get("value", lowered.get("tagvalue", ""))
        )
    return [{"Key": key, "Value": pairs[key]} for key in sorted(pairs)]


def ownership(aws: Aws, desired: Resource) -> dict[str, str]:
    """The tags that a resource of ours must have: its declared ones and the two that say whose it is."""
    marks = {PERIMETER_TAG: aws.perimeter} if aws.perimeter else {}
    return {**tags_of(desired.properties), **marks, ID_TAG: own_id(desired.id)}


def missing_tags(aws: Aws, observed: Resource, desired: Resource) -> dict[str, str]:
    """Tags that are not there or have another value. Other people's tags are left alone."""
    there = tags_of(observed.properties)
    return {key: value for key, value in ownership(aws, desired).items() if there.get(key) != value}


# -- names and shapes ------------------------------------------------------------------------------------------------


def fresh(resource: Resource, length: int, alphabet: str = "0123456789abcdef") -> str:
    """A deterministic stand-in for an id that AWS will give: distinct for distinct resources."""
    seed = canonical_json([resource.type, resource.account, resource.region, resource.id])
    number = int.from_bytes(hashlib.sha512(seed.encode()).digest(), "big")
    letters = []
    for _ in range(length):
        number, index = divmod(number, len(alphabet))
        letters.append(alphabet[index])
    return "".join(letters)


@dataclass(frozen=True, slots=True)
class Field:
    """How one property is called in CloudFormation and in the service's API."""

    name: str
    api: str


def to_api(properties: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """The properties of a table under their API names; absent ones are left out."""
    return {item.api: properties[item.name] for item in fields if properties.get(item.name) is not None}


def from_api(response: Mapping[str, Any], fields: tuple[Field, ...]) -> dict[str, Any]:
    """The members of a response under their CloudFormation names; absent ones are left out."""
    return {item.name: response[item.api] for item in fields if response.get(item.api) is not None}


# -- the kind itself -------------------------------------------------------------------------------------------------


class BaseKind(ABC):
    """What most kinds share. Each kind says in class attributes how its properties compare.

    Attributes:
        names: properties that together are its name; empty where only the ownership tag tells which one it is.
        defaults: what AWS takes for a property that is left out and that matters: an observed value which the
            declaration does not mention is compared with it.
        read_only: properties that AWS sets, kept out of comparison.
        create_only: properties that cannot change later; a difference means replacement.
        documents: properties that hold a policy document.
        unordered: list properties whose order has no meaning.
        limits: what AWS accepts.
        taggable: whether it can carry ownership tags.
        repeatable: see :class:`~ringwall.estate.kind.Kind`.
    """

    type: str = ""
    scope: Scope = "region"
    retention: Retention = "delete"
    permissions: Permissions = Permissions((), ())
    names: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = {}
    read_only: tuple[str, ...] = ("Arn",)
    create_only: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    unordered: tuple[str, ...] = ()
    limits: tuple[Limit, ...] = ()
    taggable: bool = True
    repeatable: bool = True

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.clock = clock

    # -- reading

    @abstractmethod
    def read(self, aws: Aws) -> Iterator[Resource]:
        """See :class:`~ringwall.estate.kind.Kind`."""

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:  # noqa: ARG002 - see below
        """All of them: right where one listing tells everything, and where a type has few."""
        return self.read(aws)

    # -- comparing

    def match(self, desired: Resource, observed: tuple[Resource, ...]) -> Resource | None:
        """By name where the name is its identity, else by the ownership tag."""
        candidates = [item for item in observed if self._same_place(desired, item)]
        found = [item for item in candidates if self._same_name(desired, item)] if self.names else []
        if not self.names:
            found = [item for item in candidates if self._same_owner(desired, item)]
        return min(found, key=lambda item: item.id, default=None)

    def _same_place(self, desired: Resource, observed: Resource) -> bool:
        return (
            observed.type == self.type
            and observed.id != "?"
            and (self.scope == "organization" or observed.account == desired.account)
            and (self.scope != "region" or observed.region == desired.region)
        )

    def _same_name(self, desired: Resource, observed: Resource) -> bool:
        wanted, there = self._naming(desired), self._naming(observed)
        return all(name in wanted and wanted[name] == there.get(name) for name in self.names)

    def _naming(self, resource: Resource) -> Mapping[str, Any]:
        """The canonical form of the properties that are its name alone: matching looks at every pair."""
        named = {name: resource.properties[name] for name in self.names if name in resource.properties}
        return self.normalise(named)

    @staticmethod
    def _same_owner(desired: Resource, observed: Resource) -> bool:
        marks, ours = tags_of(observed.properties), tags_of(desired.properties)
        perimeter = ours.get(PERIMETER_TAG)
        return marks.get(ID_TAG) == own_id(desired.id) and perimeter in (None, marks.get(PERIMETER_TAG))

    def identifying(self, resource: Resource) -> Mapping[str, Any]:
        """The properties that are its name; of what has neither name nor tags, those that can never change."""
        names = self.names or (() if self.taggable else self.create_only)
        properties = self.normalise(resource.properties)
        return {name: properties[name] for name in names if name in properties}

    def normalise(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Properties in canonical form, defaults filled in, read-only ones left out."""
        merged = {**self.defaults, **{key: item for key, item in properties.items() if item is not None}}
        return {key: self.canonical(key, merged[key]) for key in sorted(merged) if key not in self.read_only}

    def canonical(self, name: str, value: Any) -> Any:
        """One property in canonical form."""
        if name in self.documents:
            return canonical_policy(value)
        if name == "Tags" and not isinstance(value, Ref):
            return [tag for tag in from_tags(value) if not tag["Key"].startswith("aws:")]
        if name in self.unordered and not isinstance(value, Ref):
            return unique(as_list(value))
        return value

    def differs(self, observed: Resource, desired: Resource, *names: str) -> bool:
        """Whether any of these properties has to change. What the declaration leaves open never has."""
        there, wanted = self.normalise(observed.properties), self.normalise(desired.properties)
        return any(name in wanted and there.get(name, MISSING) != wanted[name] for name in names)

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """What AWS would reject."""
        found = problems(properties, self.limits)
        return found + problems(properties, TAG_LIMITS) if "Tags" in properties else found

    def removable(self, observed: Resource) -> bool:  # noqa: ARG002 - what is there can be removed, mostly
        """Whether there is anything to remove."""
        return True

    # -- identity

    def attributes(self, resource: Resource) -> Mapping[str, str]:
        """Values that references to an observed resource resolve to."""
        return self.identity(resource, resource.id)

    def placeholder(self, resource: Resource) -> Mapping[str, str]:
        """Values that references to a desired resource stand for until it exists."""
        return self.identity(resource, self.physical_id(resource))

    def physical_id(self, desired: Resource) -> str:
        """The id that a desired resource has or will have; made up where AWS gives it."""
        value = desired.properties.get(self.names[0]) if self.names else None
        return value if isinstance(value, str) else fresh(desired, 16)

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Attributes of a resource by its physical id."""
        return {"Id": physical_id, "Arn": str(resource.properties.get("Arn", physical_id))}

    # -- results

    def written(
        self,
        aws: Aws,
        desired: Resource,
        physical_id: str,
        tags: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> Resource:
        """A resource as it is after a successful write: what was asked for, and what AWS added to it."""
        properties = {
            **desired.properties,
            **{key: value for key, value in extra.items() if value is not None},
        }
        if tags is not None:
            properties["Tags"] = tag_list(tags)
        return self.seen(aws, physical_id, properties)

    def seen(
        self,
        aws: Aws,
        physical_id: str,
        properties: Mapping[str, Any],
        unknown: Iterable[Unknown] = (),
        evidence: tuple[str, ...] = (),
        *,
        region: str | None = None,
    ) -> Resource:
        """An observed resource of this kind, with the evidence received since the last one."""
        return Resource(
            type=self.type,
            account=aws.account,
            region=region or (aws.region if self.scope == "region" else "global"),
            id=physical_id,
            properties=dict(properties),
            unknown=tuple(unknown),
            evidence=tuple(dict.fromkeys((*evidence, *aws.evidence()))),
        )


def parsed(value: Any) -> Any:
    """A policy document as AWS sent it, as a JSON value."""
    return document(value) if value is not None else None
