"""System-defined inference profiles: which foundation model each stands for, and where its requests may go.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html; the rows stand in
``data/models.json`` with their dates and sources. An account's own answer (``GetInferenceProfile``) is better than
these tables: pass it as a :class:`ringwall.catalog.operations.ProfileResolver` where there is one.
"""

from __future__ import annotations

from ringwall.catalog.models import Geography, tables

GLOBAL = "global"


def profile_id(identifier: str) -> str:
    """Profile id of an id or an ARN (``arn:...:inference-profile/us.x`` -> ``us.x``)."""
    return identifier.rpartition("/")[2]


def geography(identifier: str) -> str:
    """Prefix of a profile id or ARN (``us``, ``eu``, ``apac``, ``global``, ...); empty if it has none."""
    head, dot, rest = profile_id(identifier).partition(".")
    known = head == GLOBAL or head in tables().geographies
    return head if dot and known and "." in rest else ""


def geographies() -> tuple[str, ...]:
    """Every known prefix of profile ids, ``global`` last."""
    return (*tables().geographies, GLOBAL)


def providers() -> frozenset[str]:
    """First parts of the known foundation models' ids, such as ``anthropic``."""
    return frozenset(name.partition(".")[0] for name in tables().models)


def is_profile(identifier: str) -> bool:
    """Whether an identifier names a system-defined inference profile, by id or by ARN."""
    if identifier.startswith("arn:") and ":inference-profile/" not in identifier:
        return False
    return bool(geography(identifier))


def is_global(identifier: str) -> bool:
    """Whether the profile may send requests to any commercial Region of the world."""
    return geography(identifier) == GLOBAL


def foundation_model(identifier: str) -> str:
    """Foundation model id behind a profile id or ARN (``us.amazon.nova-pro-v1:0`` -> ``amazon.nova-pro-v1:0``).

    Raises:
        ValueError: the identifier names no system-defined profile.
    """
    prefix = geography(identifier)
    if not prefix:
        raise ValueError(
            f"{identifier!r} is not a system-defined inference profile; their ids start with a geography, such as "
            f"us. or global."
        )
    return profile_id(identifier)[len(prefix) + 1 :]


def destinations(identifier: str, source_region: str) -> tuple[str, ...]:
    """Regions that may process a request which enters a profile in ``source_region``, that Region first if it is one.

    A global profile gives the source Region alone: its other destinations are not enumerable, AWS authorizes them
    together as Region ``unspecified`` (see :func:`models`). A profile without a row of its own takes those of its
    geography (see :func:`is_listed`).

    Raises:
        ValueError: the identifier names no system-defined profile, or the profile cannot be called in that Region.
    """
    model = foundation_model(identifier)
    if is_global(identifier):
        return (source_region,)
    name = profile_id(identifier)
    profile = tables().profiles.get(name)
    if profile is not None and profile.destinations:
        regions = profile.destinations.get(source_region, ())
        entered = tuple(profile.destinations)
    else:
        place: Geography = tables().geographies[geography(identifier)]
        regions, entered = place.destinations(source_region), place.sources
    if not regions:
        raise ValueError(
            f"{name} (of {model}) cannot be called in {source_region}, only in {', '.join(entered)}, as far as the "
            f"tables know"
        )
    first = (source_region,) if source_region in regions else ()
    return (*first, *(region for region in regions if region != source_region))


def is_listed(identifier: str) -> bool:
    """Whether the destinations of a profile are known, rather than taken from its geography."""
    profile = tables().profiles.get(profile_id(identifier))
    return is_global(identifier) or (profile is not None and bool(profile.destinations))


def models(identifier: str, source_region: str, *, partition: str = "aws") -> tuple[str, ...]:
    """ARNs of the foundation models that a profile may run, as ``GetInferenceProfile`` lists them.

    Of a global profile: the model in the source Region and the one without a Region.
    """
    model = foundation_model(identifier)
    regions = destinations(identifier, source_region)
    if is_global(identifier):
        regions = (*regions, "")
    return tuple(f"arn:{partition}:bedrock:{region}::foundation-model/{model}" for region in regions)
