"""``Ringwall::CloudTrail::EventSelectors``: our selectors on a trail that was there before and stays somebody else's.

``PutEventSelectors`` replaces the whole set, so the set is read, ours are merged into it, and it is written back; the
others' selectors stay as they are. Ours are known by their names. Advanced selectors also replace basic ones, so what
those selected is kept, spelled in advanced ones
(https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, Reading, allowing, partition_of
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.kinds.trail import GONE, Trail, event_selectors, trails

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

OWN_SELECTOR = "Ringwall "
"""How the names of our selectors begin; the perimeter's name and a colon follow."""
SELECTORS = "AdvancedEventSelectors"


class TrailSelectors(BaseKind):
    """This perimeter's selectors of every trail whose home is here; another perimeter's on the same trail are others'."""

    type = "Ringwall::CloudTrail::EventSelectors"
    names = ("TrailName",)
    create_only = ("TrailName",)
    defaults: Mapping[str, Any] = {SELECTORS: []}
    taggable = False
    permissions = Permissions(
        ("cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors"), ("cloudtrail:PutEventSelectors",)
    )
    limits = (Limit("TrailName", required=True), Limit(SELECTORS, longest=500))

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """What a trail takes of selectors; ours have names that tell them from others'."""
        found = list(super().validate(properties))
        found += Trail().validate(
            {"TrailName": "any-trail", "S3BucketName": "any", SELECTORS: properties.get(SELECTORS)}
        )
        for index, selector in enumerate(properties.get(SELECTORS) or ()):
            if not str(selector.get("Name", "")).startswith(OWN_SELECTOR):
                found.append(f"{SELECTORS}[{index}].Name: must begin with {OWN_SELECTOR!r}")
        return tuple(found)

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Our selectors of each trail that can be changed here."""
        listed = [
            item
            for item in trails(aws)
            if item.get("HomeRegion", aws.region) == aws.region
            and item["TrailARN"].split(":")[4] == aws.account
        ]
        shared = aws.evidence()
        for item in listed:
            reading = Reading(aws)
            reading.set(TrailName=item["Name"])
            reading.found((SELECTORS,), partial(self._ours, aws, item["TrailARN"]), (GONE,))
            if reading.properties.get(SELECTORS) or reading.unknown:
                yield self.seen(aws, item["Name"], reading.properties, reading.unknown, shared)

    @staticmethod
    def _ours(aws: Aws, arn: str) -> dict[str, Any]:
        there = event_selectors(aws, arn).get(SELECTORS) or ()
        return {SELECTORS: [item for item in there if _own(item, aws.perimeter)]}

    def canonical(self, name: str, value: Any) -> Any:
        """Selectors as sets, as the trail's own kind has them."""
        return Trail().canonical(name, value)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Merge ours into what is there.

        Raises:
            AwsCallError: there is no such trail in this Region, or it is another's (``InvalidHomeRegionException``).
        """
        name = str(desired.properties["TrailName"])
        self._write(aws, name, desired.properties[SELECTORS])
        return self.written(aws, desired, name)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """The same where they differ."""
        if self.differs(observed, desired, SELECTORS):
            return self.create(aws, desired)
        return self.written(aws, desired, observed.id)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Take ours away and leave the others'. A trail must select something: then management events remain."""
        with allowing(GONE):
            self._write(aws, observed.id, ())

    @staticmethod
    def _write(aws: Aws, name: str, ours: Iterable[Mapping[str, Any]]) -> None:
        there = aws.call("cloudtrail", "GetEventSelectors", TrailName=name)
        others = [item for item in there.get(SELECTORS) or () if not _own(item, aws.perimeter)]
        if not there.get(SELECTORS):
            others = [
                advanced for basic in there.get("EventSelectors") or () for advanced in spelled_out(basic)
            ]
        merged = [*others, *ours] or [
            _selector("Management events", ("eventCategory", "Equals", ["Management"]))
        ]
        problems = Trail().validate({"TrailName": "any-trail", "S3BucketName": "any", SELECTORS: merged})
        if problems:
            raise AwsCallError("cloudtrail", "PutEventSelectors", "TooManySelectors", "; ".join(problems))
        aws.call("cloudtrail", "PutEventSelectors", TrailName=name, AdvancedEventSelectors=merged)

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """The trail's name and ARN."""
        where = f"{resource.region}:{resource.account}"
        arn = f"arn:{partition_of(resource.region)}:cloudtrail:{where}:trail/{physical_id}"
        return {"Id": physical_id, "Name": physical_id, "Arn": arn}


def own_name(perimeter: str, name: str) -> str:
    """Name of a perimeter's selector on a trail that it shares."""
    return f"{OWN_SELECTOR}{perimeter}: {name}"


def _own(selector: Mapping[str, Any], perimeter: str) -> bool:
    """Without a perimeter, whoever's of Ringwall."""
    prefix = own_name(perimeter, "") if perimeter else OWN_SELECTOR
    return str(selector.get("Name", "")).startswith(prefix)


def spelled_out(basic: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Advanced selectors that select what one basic selector does.

    A basic selector's ``DataResources`` name ARNs by their beginning, or all of a type by its bare prefix
    (``arn:aws:s3``, ``arn:aws:lambda``, ``arn:aws:dynamodb``).
    """
    kind = {"ReadOnly": ["true"], "WriteOnly": ["false"]}.get(str(basic.get("ReadWriteType", "All")))
    read_only = [("readOnly", "Equals", kind)] if kind else []
    if basic.get("IncludeManagementEvents", True):
        excluded = basic.get("ExcludeManagementEventSources")
        sources = [("eventSource", "NotEquals", list(excluded))] if excluded else []
        yield _selector(
            "Management events", ("eventCategory", "Equals", ["Management"]), *read_only, *sources
        )
    for resource in basic.get("DataResources") or ():
        values = [str(value) for value in resource.get("Values") or ()]
        if not values:
            continue
        every = any(value.count(":") < 5 or value.endswith(":::") for value in values)
        arns = [] if every else [("resources.ARN", "StartsWith", values)]
        yield _selector(
            f"Data events of {resource['Type']}",
            ("eventCategory", "Equals", ["Data"]),
            ("resources.type", "Equals", [resource["Type"]]),
            *read_only,
            *arns,
        )


def _selector(name: str, *fields: tuple[str, str, list[str]]) -> dict[str, Any]:
    return {
        "Name": name,
        "FieldSelectors": [{"Field": field, operator: values} for field, operator, values in fields],
    }
