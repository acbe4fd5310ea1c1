"""Foundation models and inference profiles that people use, with lifecycle dates: curated, dated, small.

The rows stand in ``data/models.json``; each names its source, the month in which the source stood so (``read``), and
whether it was read there (``verified``) or is general knowledge. They serve where no account can be asked (declarations, plans, tests, the sandbox); in an account
``ListFoundationModels`` and ``GetInferenceProfile`` know better. Lifecycle follows
https://docs.aws.amazon.com/bedrock/latest/userguide/model-lifecycle.html.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from ringwall.catalog.reference import DATA

if TYPE_CHECKING:
    from collections.abc import Mapping

Status = Literal["ACTIVE", "LEGACY", "EOL"]


@dataclass(frozen=True, slots=True)
class Model:
    """A foundation model.

    Attributes:
        id: model id, such as ``amazon.nova-pro-v1:0``.
        name: name for people.
        provider: provider's name.
        input: input modalities (``TEXT``, ``IMAGE``, ``VIDEO``, ``AUDIO``).
        output: output modalities (``TEXT``, ``IMAGE``, ``VIDEO``, ``EMBEDDING``, ``SCORE``).
        streaming: whether it can stream.
        converse: whether the Converse operations take it.
        on_demand: whether it can be invoked without an inference profile in at least one Region.
        legacy: date from which it is LEGACY, if announced.
        end_of_life: date from which requests fail, if announced.
        source: where the row was read.
        read: month in which the source stood so, such as ``2025-12``.
        verified: whether id and dates were read at the source; ``False`` = general knowledge. Names and modalities are
            general knowledge in either case.
    """

    id: str
    name: str
    provider: str
    input: tuple[str, ...]
    output: tuple[str, ...]
    streaming: bool
    converse: bool
    on_demand: bool
    legacy: date | None
    end_of_life: date | None
    source: str
    read: str
    verified: bool

    def status(self, on: date) -> Status:
        """Lifecycle status on a day."""
        if self.end_of_life and on >= self.end_of_life:
            return "EOL"
        return "LEGACY" if self.legacy and on >= self.legacy else "ACTIVE"

    @property
    def takes_guardrail(self) -> bool:
        """Whether a guardrail can evaluate its calls: it answers in text."""
        return "TEXT" in self.output


@dataclass(frozen=True, slots=True)
class Geography:
    """A geography of cross-Region inference, by the prefix of its profiles' ids.

    Attributes:
        prefix: ``us``, ``eu``, ...
        sources: Regions from which some of its profiles can be called.
        regions: Regions that may process what enters anywhere; a source beside them joins them for its own calls.
        source: where the row was read.
        read: month in which the source stood so.
        verified: whether read at the source; ``False`` = general knowledge.
    """

    prefix: str
    sources: tuple[str, ...]
    regions: tuple[str, ...]
    source: str
    read: str
    verified: bool

    def destinations(self, source_region: str) -> tuple[str, ...]:
        """Regions that may process what enters in ``source_region``; empty if nothing may enter there."""
        if source_region not in self.sources:
            return ()
        return tuple(dict.fromkeys((source_region, *self.regions)))


@dataclass(frozen=True, slots=True)
class Profile:
    """A system-defined inference profile.

    Attributes:
        id: profile id, such as ``us.amazon.nova-pro-v1:0``.
        destinations: destination Regions by source Region, which need not be one of them; empty of a global profile,
            and where only the id is known.
        source: where the row was read.
        read: month in which the source stood so. AWS keeps the destinations of a geographic profile as they are.
        verified: whether read there; ``False`` = general knowledge.
    """

    id: str
    destinations: Mapping[str, tuple[str, ...]]
    source: str
    read: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything in ``data/models.json``, by id or prefix."""

    as_of: date
    models: Mapping[str, Model]
    profiles: Mapping[str, Profile]
    geographies: Mapping[str, Geography]


@cache
def tables() -> Tables:
    """The curated tables; read once."""
    document = json.loads((DATA / "models.json").read_text(encoding="utf-8"))
    return Tables(
        as_of=date.fromisoformat(document["as_of"]),
        models={row["id"]: _model(row) for row in document["models"]},
        profiles={row["id"]: _profile(row) for row in document["profiles"]},
        geographies={row["prefix"]: _geography(row) for row in document["geographies"]},
    )


def find(model_id: str) -> Model | None:
    """The model with an id or foundation-model ARN, or ``None`` if the tables lack it."""
    return tables().models.get(model_id.rpartition("/")[2])


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _model(row: Mapping[str, Any]) -> Model:
    return Model(
        id=row["id"],
        name=row["name"],
        provider=row["provider"],
        input=tuple(row["input"]),
        output=tuple(row["output"]),
        streaming=row["streaming"],
        converse=row["converse"],
        on_demand=row["on_demand"],
        legacy=_day(row.get("legacy")),
        end_of_life=_day(row.get("end_of_life")),
        source=row["source"],
        read=row["read"],
        verified=row["verified"],
    )


def _profile(row: Mapping[str, Any]) -> Profile:
    regions = {source: tuple(one["to"]) for one in row.get("routes", ()) for source in one["from"]}
    return Profile(row["id"], regions, row["source"], row["read"], row["verified"])


def _geography(row: Mapping[str, Any]) -> Geography:
    sources, regions = tuple(row["sources"]), tuple(row["regions"])
    return Geography(row["prefix"], sources, regions, row["source"], row["read"], row["verified"])
