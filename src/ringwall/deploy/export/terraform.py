"""The Estate as one Terraform configuration in JSON syntax.

Organization policies go through a second provider that assumes the management role, so one run makes both sides. What
holds data or decrypts it carries ``prevent_destroy``. Inline policies and attachments of roles are exclusive, as they are
for ``apply``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ringwall.deploy.export.gaps import Gap, beforehand, gap
from ringwall.deploy.export.terraform_parts import SEVERAL, Block
from ringwall.deploy.export.terraform_tables import ADDRESSES, SIMPLE, Table
from ringwall.deploy.export.tokens import SELF, spelled, with_tokens
from ringwall.errors import RingwallError
from ringwall.estate.kind import Kind
from ringwall.estate.model import Ref, Resource, references

PROVIDER = "~> 5.100"
"""The provider that the tables are made against; the next major version may read the same words otherwise."""
MANAGEMENT = "aws.management"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration and what it lacks.

    Attributes:
        body: ready to be written as ``main.tf.json``.
        gaps: what the provider cannot express: whole resources, or single properties.
    """

    body: Mapping[str, Any]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Where:
    """What the providers are told.

    Attributes:
        perimeter: name of the declaration.
        account: the workload account; Terraform refuses to run in another.
        region: home Region.
        management_role: ARN of the role that organization policies are made with.
    """

    perimeter: str
    account: str
    region: str
    management_role: str


def configuration(resources: Iterable[Resource], where: Where, kinds: Mapping[str, Kind]) -> Configuration:
    """The configuration of an Estate.

    Args:
        resources: desired, in dependency order.
        where: accounts and Region.
        kinds: resource kinds by type.

    Raises:
        RingwallError: a reference names an attribute that Terraform has no word for.
    """
    writer = _Writer(tuple(resources), where, kinds)
    made: dict[str, dict[str, Any]] = {}
    for item in writer.resources:
        for block in writer.blocks(item):
            made.setdefault(block.type, {})[writer.label(item, block)] = writer.body(item, block)
    writer.gaps.extend(beforehand(writer.resources))
    aliases = writer.aliases()
    note = {
        "generated": "by `ringwall export terraform` from the declaration; edit that",
        "perimeter": where.perimeter,
        "not_expressible": [item.to_json() for item in writer.gaps],
    }
    body = {
        "//": note,
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": PROVIDER}}},
        "provider": {"aws": [{"region": where.region, "allowed_account_ids": [where.account]}, *aliases]},
        "resource": made,
    }
    return Configuration(body, tuple(writer.gaps))


@dataclass
class _Writer:
    """One configuration under way."""

    resources: tuple[Resource, ...]
    where: Where
    kinds: Mapping[str, Kind]
    gaps: list[Gap] = field(default_factory=list)
    _by_id: dict[str, Resource] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_id = {item.id: item for item in self.resources}

    def blocks(self, item: Resource) -> Iterator[Block]:
        """The Terraform resources of one of ours; gaps are noted."""
        if item.type in SEVERAL:
            words = Resource(item.type, item.account, item.region, item.id, with_tokens(item.properties))
            found = list(SEVERAL[item.type](words))
            used = frozenset().union(*(block.uses for block in found))
            self._note(item, sorted(item.properties.keys() - used))
            yield from found
        elif item.type in SIMPLE:
            simple = SIMPLE[item.type]
            properties, missing = simple.fitting(item.properties)
            body = _converted(with_tokens(properties), simple.table, "", missing)
            self._note(item, missing)
            yield Block(simple.name, "", {**body, **(simple.fixed or {})}, frozenset())
        else:
            self.gaps.append(gap(item, "the Terraform AWS provider 5.100 has no resource for it"))

    def label(self, item: Resource, block: Block) -> str:
        """Label of a Terraform resource."""
        return _label(f"{item.id.split('/', 1)[-1]} {block.suffix}".strip())

    def body(self, item: Resource, block: Block) -> dict[str, Any]:
        """A Terraform resource, ready for JSON."""
        body = dict(spelled(block.body, self._spell))
        alias = self._alias(item)
        if alias:
            body["provider"] = alias
        after = {f"{other.type}.{self.label(item, other)}" for other in block.after}
        if not block.suffix:
            after |= {address for name in self._implied(item) for address in self._addresses(name)}
        if after:
            body["depends_on"] = sorted(after)
        return body

    def aliases(self) -> list[dict[str, Any]]:
        """Further providers: the management account, and other Regions."""
        found: dict[str, dict[str, Any]] = {}
        for item in self.resources:
            name = self._alias(item)
            if name == MANAGEMENT:
                role = [{"role_arn": self.where.management_role}]
                found[name] = {"alias": "management", "region": self.where.region, "assume_role": role}
            elif name:
                found[name] = {
                    "alias": _label(item.region),
                    "region": item.region,
                    "allowed_account_ids": [self.where.account],
                }
        return [found[name] for name in sorted(found)]

    def _alias(self, item: Resource) -> str | None:
        if self.kinds[item.type].scope == "organization":
            return MANAGEMENT
        return f"aws.{_label(item.region)}" if item.region not in (self.where.region, "global") else None

    def _note(self, item: Resource, names: Iterable[str]) -> None:
        for name in names:
            reason = f"the Terraform AWS provider 5.100 has no word for its {name}"
            self.gaps.append(gap(item, reason))

    def _addresses(self, name: str) -> Iterator[str]:
        target = self._by_id[name]
        if target.type in SEVERAL:
            words = Resource(target.type, target.account, target.region, name, with_tokens(target.properties))
            for block in SEVERAL[target.type](words):
                yield f"{block.type}.{self.label(target, block)}"
        elif target.type in SIMPLE:
            yield self._address(target)

    def _address(self, target: Resource) -> str:
        """Address of the first Terraform resource of one of ours."""
        if target.type in SIMPLE:
            return f"{SIMPLE[target.type].name}.{_label(target.id.split('/', 1)[-1])}"
        words = Resource(
            target.type, target.account, target.region, target.id, with_tokens(target.properties)
        )
        first = next(SEVERAL[target.type](words))
        return f"{first.type}.{self.label(target, first)}"

    def _spell(self, ref: Ref) -> str:
        target = self._by_id[ref.target]
        if ref.attribute.startswith(SELF):
            return f"${{{self._address(target)}.{ref.attribute[len(SELF) :]}}}"
        pattern = ADDRESSES.get((target.type, ref.attribute))
        if pattern is not None:
            return pattern.format(self._address(target))
        if any(name == target.type for name, _ in ADDRESSES):
            raise RingwallError(f"Terraform has no word for {ref.attribute} of {target.id} ({target.type})")
        return self.kinds[target.type].placeholder(target)[ref.attribute]

    def _implied(self, item: Resource) -> Iterator[str]:
        """What must exist first and does not show as an interpolation."""
        yield from item.depends_on
        for ref in references(item.properties):
            if (self._by_id[ref.target].type, ref.attribute) not in ADDRESSES:
                yield ref.target


def _converted(properties: Mapping[str, Any], table: Table, path: str, missing: list[str]) -> dict[str, Any]:
    """Properties by Terraform's names; those that the table lacks are added to ``missing``."""
    result: dict[str, Any] = {}
    for name, value in properties.items():
        row = table.get(name)
        if row is None:
            missing.append(f"{path}{name}")
            continue
        attribute, form = row
        if callable(form):
            result[attribute] = form(value)
        elif isinstance(value, list | tuple):
            result[attribute] = [_converted(item, form, f"{path}{name}[].", missing) for item in value]
        else:
            result[attribute] = _converted(value, form, f"{path}{name}.", missing)
    return result


def _label(text: str) -> str:
    """A name that Terraform takes: it begins with a letter, or with the underscore that stands before all others."""
    label = re.sub(r"[^A-Za-z0-9_-]", "_", text)
    return label if label[:1].isalpha() else f"_{label}"
