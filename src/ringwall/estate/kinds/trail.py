"""``AWS::CloudTrail::Trail``: where it delivers, what it selects, whether it is logging.

Follows https://docs.aws.amazon.com/awscloudtrail/latest/userguide/filtering-data-events.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import (
    BaseKind,
    Field,
    Reading,
    allowing,
    from_api,
    from_tags,
    missing_tags,
    ownership,
    partition_of,
    remembered,
    tag_list,
    to_api,
)
from ringwall.estate.kinds.documents import unique
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

GONE = "TrailNotFoundException"
READ_FIELDS = (
    Field("S3BucketName", "S3BucketName"),
    Field("S3KeyPrefix", "S3KeyPrefix"),
    Field("SnsTopicName", "SnsTopicName"),
    Field("IncludeGlobalServiceEvents", "IncludeGlobalServiceEvents"),
    Field("IsMultiRegionTrail", "IsMultiRegionTrail"),
    Field("IsOrganizationTrail", "IsOrganizationTrail"),
    Field("EnableLogFileValidation", "LogFileValidationEnabled"),
    Field("CloudWatchLogsLogGroupArn", "CloudWatchLogsLogGroupArn"),
    Field("CloudWatchLogsRoleArn", "CloudWatchLogsRoleArn"),
    Field("KMSKeyId", "KmsKeyId"),
    Field("Arn", "TrailARN"),
)
WRITE_FIELDS = (
    *(field for field in READ_FIELDS if field.name not in ("EnableLogFileValidation", "Arn", "SnsTopicName")),
    Field("SnsTopicName", "SnsTopicName"),
    Field("EnableLogFileValidation", "EnableLogFileValidation"),
)
OPERATORS = ("Equals", "StartsWith", "EndsWith", "NotEquals", "NotStartsWith", "NotEndsWith")
BASIC_TYPES = ("AWS::S3::Object", "AWS::Lambda::Function", "AWS::DynamoDB::Table")
MOST_VALUES = 500


def trails(aws: Aws) -> list[dict[str, Any]]:
    """Trails that record this Region, asked once between two writes."""
    return remembered(aws, "cloudtrail:DescribeTrails", lambda: _trails(aws))


def _trails(aws: Aws) -> list[dict[str, Any]]:
    return list(aws.call("cloudtrail", "DescribeTrails", includeShadowTrails=True).get("trailList") or ())


def event_selectors(aws: Aws, arn: str) -> dict[str, Any]:
    """A trail's answer of GetEventSelectors, asked once between two writes."""

    def ask() -> dict[str, Any]:
        return aws.call("cloudtrail", "GetEventSelectors", TrailName=arn)

    return remembered(aws, f"cloudtrail:GetEventSelectors {arn}", ask)


class Trail(BaseKind):
    """Trails, and shadows of multi-Region trails whose home is elsewhere (with that Region as theirs)."""

    type = "AWS::CloudTrail::Trail"
    names = ("TrailName",)
    create_only = ("TrailName",)
    defaults: Mapping[str, Any] = {
        "IsLogging": True,
        "IsMultiRegionTrail": False,
        "EnableLogFileValidation": False,
    }
    read_only = ("Arn", "LatestDeliveryError", "HasInsightSelectors")
    permissions = Permissions(
        (
            "cloudtrail:DescribeTrails",
            "cloudtrail:GetTrailStatus",
            "cloudtrail:GetEventSelectors",
            "cloudtrail:ListTags",
        ),
        (
            "cloudtrail:CreateTrail",
            "cloudtrail:UpdateTrail",
            "cloudtrail:PutEventSelectors",
            "cloudtrail:StartLogging",
            "cloudtrail:StopLogging",
            "cloudtrail:AddTags",
            "cloudtrail:DeleteTrail",
            "iam:PassRole",
        ),
    )
    limits = (
        Limit(
            "TrailName",
            required=True,
            pattern=r"(?!.*[._-]{2})[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]",
            shortest=3,
            longest=128,
        ),
        Limit("S3BucketName", required=True),
        Limit("S3KeyPrefix", longest=200),
        Limit("AdvancedEventSelectors", longest=500),
        Limit("AdvancedEventSelectors[].Name", longest=1000),
        Limit("AdvancedEventSelectors[].FieldSelectors", required=True, shortest=1),
        Limit("EventSelectors", longest=5),
        Limit("EventSelectors[].DataResources[].Type", choices=BASIC_TYPES),
    )

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and the rules of advanced selectors."""
        found = list(super().validate(properties))
        selectors = properties.get("AdvancedEventSelectors") or ()
        if selectors and properties.get("EventSelectors"):
            found.append("AdvancedEventSelectors: a trail has either these or EventSelectors")
        values = 0
        for index, selector in enumerate(selectors):
            fields = selector.get("FieldSelectors") or ()
            values += sum(len(item.get(name) or ()) for item in fields for name in OPERATORS)
            found += [f"AdvancedEventSelectors[{index}]: {problem}" for problem in _selector_problems(fields)]
        if values > MOST_VALUES:
            found.append(f"AdvancedEventSelectors: {values} values; a trail takes {MOST_VALUES}")
        return tuple(found)

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every trail that records this Region."""
        listed = trails(aws)
        shared = aws.evidence()
        for item in listed:
            arn = item["TrailARN"]
            reading = Reading(aws)
            reading.set(TrailName=item["Name"], **from_api(item, READ_FIELDS))
            reading.take(
                ("IsLogging", "LatestDeliveryError"),
                ("cloudtrail", "GetTrailStatus", {"Name": arn}),
                lambda answer: {
                    "IsLogging": answer["IsLogging"],
                    "LatestDeliveryError": answer.get("LatestDeliveryError") or None,
                },
                (GONE,),
            )
            reading.found(
                ("EventSelectors", "AdvancedEventSelectors"), partial(event_selectors, aws, arn), (GONE,)
            )
            home = item.get("HomeRegion") or aws.region
            if home == aws.region and arn.split(":")[4] == aws.account:
                reading.take(
                    "Tags",
                    ("cloudtrail", "ListTags", {"ResourceIdList": [arn]}),
                    lambda answer: from_tags(answer["ResourceTagList"][0].get("TagsList")),
                    (GONE,),
                )
            yield self.seen(aws, item["Name"], reading.properties, reading.unknown, shared, region=home)

    def normalise(self, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        """Advanced selectors take the place of basic ones, so with them there are none: those that are there go."""
        basic: dict[str, Any] = {"EventSelectors": []} if properties.get("AdvancedEventSelectors") else {}
        return super().normalise({**basic, **properties})

    def canonical(self, name: str, value: Any) -> Any:
        """Selectors as sets."""
        if name == "AdvancedEventSelectors" and isinstance(value, list | tuple):
            return unique(map(_canonical_selector, value))
        if name == "EventSelectors" and isinstance(value, list | tuple):
            return unique(value)
        return super().canonical(name, value)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Create it, select, and start it: a new trail is off until told."""
        wanted, tags = desired.properties, ownership(aws, desired)
        name = wanted["TrailName"]
        made = aws.call(
            "cloudtrail", "CreateTrail", Name=name, TagsList=tag_list(tags), **to_api(wanted, WRITE_FIELDS)
        )
        self._select(aws, name, wanted)
        if wanted.get("IsLogging", True):
            aws.call("cloudtrail", "StartLogging", Name=name)
        return self.written(aws, desired, name, tags, Arn=made["TrailARN"])

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Change what differs; logging last, so that it starts with the right selection."""
        name, wanted = observed.id, desired.properties
        changed = {
            field.api: wanted[field.name]
            for field in WRITE_FIELDS
            if self.differs(observed, desired, field.name) and field.name in wanted
        }
        if changed:
            aws.call("cloudtrail", "UpdateTrail", Name=name, **changed)
        if self.differs(observed, desired, "AdvancedEventSelectors", "EventSelectors"):
            self._select(aws, name, wanted)
        if self.differs(observed, desired, "IsLogging"):
            on = wanted.get("IsLogging", True)
            aws.call("cloudtrail", "StartLogging" if on else "StopLogging", Name=name)
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("cloudtrail", "AddTags", ResourceId=observed.get("Arn"), TagsList=tag_list(tags))
        return self.written(aws, desired, name, ownership(aws, desired), Arn=observed.get("Arn"))

    @staticmethod
    def _select(aws: Aws, name: str, wanted: Mapping[str, Any]) -> None:
        for member in ("AdvancedEventSelectors", "EventSelectors"):
            if wanted.get(member):
                aws.call("cloudtrail", "PutEventSelectors", TrailName=name, **{member: list(wanted[member])})
                return

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove the trail; what it delivered stays in its bucket."""
        with allowing(GONE):
            aws.call("cloudtrail", "DeleteTrail", Name=observed.id)

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Name and ARN."""
        where = f"{resource.region}:{resource.account}"
        arn = f"arn:{partition_of(resource.region)}:cloudtrail:{where}:trail/{physical_id}"
        return {"Id": physical_id, "Name": physical_id, "Arn": str(resource.properties.get("Arn", arn))}


def _canonical_selector(selector: Any) -> Any:
    if not isinstance(selector, Mapping):
        return selector
    fields = [
        {"Field": item.get("Field"), **{name: unique(item[name]) for name in OPERATORS if item.get(name)}}
        for item in selector.get("FieldSelectors") or ()
    ]
    named = {"Name": selector["Name"]} if selector.get("Name") else {}
    return {**named, "FieldSelectors": unique(fields)}


def _selector_problems(fields: Any) -> Iterator[str]:
    by_name = {item.get("Field"): item for item in fields}
    category = (by_name.get("eventCategory") or {}).get("Equals") or [None]
    if category[0] not in ("Management", "Data", "NetworkActivity"):
        yield "eventCategory must equal Management, Data or NetworkActivity"
    if category[0] == "Data":
        kinds = (by_name.get("resources.type") or {}).get("Equals") or []
        if len(kinds) != 1:
            yield "a selector of data events needs resources.type that equals exactly one type"
    if category[0] == "NetworkActivity" and not (by_name.get("eventSource") or {}).get("Equals"):
        yield "a selector of network activity events needs eventSource"
    for name in ("eventCategory", "resources.type"):
        if set(by_name.get(name) or ()) & set(OPERATORS[1:]):
            yield f"{name} takes only Equals"
