"""Estates for the tests of the controls: the quickstart, and what becomes of it when something is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from ringwall import catalog
from ringwall.access import Access
from ringwall.controls.compile import compile_estate
from ringwall.controls.context import CheckContext
from ringwall.controls.judging import judge
from ringwall.controls.proving import prove_declared
from ringwall.estate.model import Account, Estate, Resource, Unknown
from ringwall.estate.references import bind, placeholders
from ringwall.perimeter import Perimeter, load

if TYPE_CHECKING:
    from ringwall.controls.findings import Finding

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"
ACCOUNT = "111122223333"


def declaration(**changes: Any) -> Perimeter:
    """The quickstart, with top-level sections replaced."""
    data = YAML(typ="safe").load(QUICKSTART.read_text())
    return Perimeter.model_validate({**data, **changes})


@cache
def quickstart() -> Perimeter:
    return declaration()


@cache
def desired() -> Estate:
    """The quickstart's desired Estate without references."""
    estate = compile_estate(quickstart())
    return bind(estate, placeholders(estate))


Change = Callable[[Resource], Resource | None]


def changed(resource_id: str, change: Change, estate: Estate | None = None) -> Estate:
    """The Estate with one resource replaced, or removed where ``change`` gives ``None``."""
    base = estate or desired()
    assert base.find(resource_id) is not None, resource_id
    found = (change(item) if item.id == resource_id else item for item in base)
    return base.with_resources(item for item in found if item is not None)


def gone(resource: Resource) -> Resource | None:
    del resource
    return None


def setting(**properties: Any) -> Change:
    """Change that sets properties."""
    return lambda resource: replace(resource, properties={**resource.properties, **properties})


def without(*names: str) -> Change:
    """Change that removes properties."""
    return lambda resource: replace(
        resource, properties={key: value for key, value in resource.properties.items() if key not in names}
    )


def unreadable(name: str, reason: str = "AccessDenied: needs some:Permission") -> Change:
    """Change that makes a property unknown."""

    def change(resource: Resource) -> Resource:
        left = {key: value for key, value in resource.properties.items() if key != name}
        return replace(resource, properties=left, unknown=(Unknown(name, reason),))

    return change


def unlisted(resource_type: str, reason: str = "AccessDenied: needs some:List") -> Estate:
    """The Estate where resources of a type could not be listed."""
    base = desired()
    gap = Resource(resource_type, ACCOUNT, "us-east-1", "?", unknown=(Unknown("*", reason),))
    return base.with_resources([*(item for item in base if item.type != resource_type), gap])


def context(observed: Estate | None = None, *, proofs: bool = False) -> CheckContext:
    """The quickstart's context over an Estate; with proofs only where asked for, since they take a moment."""
    perimeter, estate = quickstart(), observed or desired()
    access = Access(estate)
    found: Mapping[str, Any] = {}
    if proofs:
        attributes = placeholders(compile_estate(perimeter))
        answers = prove_declared(perimeter, estate, attributes, catalog.load(), access=access)
        found = {item.declared.name: item.answer for item in answers}
    return CheckContext(perimeter, estate, desired(), access, found)


def verdicts(observed: Estate | None, *slugs: str, proofs: bool = False) -> tuple[Finding, ...]:
    """Findings of some controls over an Estate."""
    return judge(context(observed, proofs=proofs), frozenset(slugs) or None)


def bare(*resources: Resource, account: Account | None = None) -> CheckContext:
    """A context without a declaration over an observed Estate made of these resources."""
    estate = Estate("observed", (account or Account(ACCOUNT),), resources)
    return CheckContext(None, estate, Estate("desired"), Access(estate))


COMPLETE = QUICKSTART.parents[1] / "complete" / "ringwall.yaml"


@cache
def complete() -> Perimeter:
    """The example that declares everything."""
    return load(COMPLETE)


def compiled(perimeter: Perimeter) -> Estate:
    """A declaration's desired Estate without references."""
    estate = compile_estate(perimeter)
    return bind(estate, placeholders(estate))


@cache
def compiled_complete() -> Estate:
    return compiled(complete())


def context_of(perimeter: Perimeter, observed: Estate | None = None, *, proofs: bool = False) -> CheckContext:
    """The context of any declaration over an Estate; default: what it compiles to."""
    wanted = compiled(perimeter)
    estate = observed or wanted
    access = Access(estate)
    found: Mapping[str, Any] = {}
    if proofs:
        attributes = placeholders(compile_estate(perimeter))
        answers = prove_declared(perimeter, estate, attributes, catalog.load(), access=access)
        found = {item.declared.name: item.answer for item in answers}
    return CheckContext(perimeter, estate, wanted, access, found)
