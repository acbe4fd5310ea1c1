"""``AWS::CloudWatch::Alarm``: metric alarms. CloudFormation and the API use the same names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    side_by_side,
    tag_list,
    to_api,
)
from ringwall.estate.kinds.documents import unique
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.model import Resource, canonical_json

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

FIELDS = tuple(
    Field(name, name)
    for name in (
        "AlarmName",
        "AlarmDescription",
        "ActionsEnabled",
        "AlarmActions",
        "OKActions",
        "InsufficientDataActions",
        "MetricName",
        "Namespace",
        "Statistic",
        "ExtendedStatistic",
        "Dimensions",
        "Period",
        "Unit",
        "EvaluationPeriods",
        "DatapointsToAlarm",
        "Threshold",
        "ThresholdMetricId",
        "ComparisonOperator",
        "TreatMissingData",
        "EvaluateLowSampleCountPercentile",
        "Metrics",
    )
)
NAMES_AT_ONCE = 100
"""As many names as DescribeAlarms takes."""
OPERATORS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
)


class Alarm(BaseKind):
    """Metric alarms. Tags are read for alarms that speak of Bedrock or of Ringwall."""

    type = "AWS::CloudWatch::Alarm"
    names = ("AlarmName",)
    create_only = ("AlarmName",)
    defaults: Mapping[str, Any] = {
        "ActionsEnabled": True,
        "TreatMissingData": "missing",
        "AlarmActions": [],
        "OKActions": [],
        "InsufficientDataActions": [],
        "Dimensions": [],
    }
    read_only = ("Arn", "StateValue")
    unordered = ("AlarmActions", "OKActions", "InsufficientDataActions", "Dimensions")
    permissions = Permissions(
        ("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"),
        ("cloudwatch:PutMetricAlarm", "cloudwatch:TagResource", "cloudwatch:DeleteAlarms"),
    )
    limits = (
        Limit("AlarmName", required=True, longest=255),
        Limit("AlarmDescription", longest=1024),
        Limit("ComparisonOperator", required=True, choices=OPERATORS),
        Limit("EvaluationPeriods", required=True, least=1),
        Limit("DatapointsToAlarm", least=1),
        Limit("Period", least=10),
        Limit("Statistic", choices=("SampleCount", "Average", "Sum", "Minimum", "Maximum")),
        Limit("TreatMissingData", choices=("breaching", "notBreaching", "ignore", "missing")),
        Limit("AlarmActions", longest=5),
        Limit("OKActions", longest=5),
        Limit("InsufficientDataActions", longest=5),
        Limit("Dimensions", longest=30),
        Limit("Metrics", longest=20),
    )

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and what belongs together."""
        found = super().validate(properties)
        period = properties.get("Period")
        if isinstance(period, int) and period not in (10, 20, 30) and period % 60:
            found += (f"Period: must be 10, 20, 30 or a multiple of 60 seconds, not {period}",)
        if bool(properties.get("MetricName")) == bool(properties.get("Metrics")):
            found += ("MetricName: an alarm watches either MetricName or Metrics",)
        if properties.get("MetricName") and not (
            properties.get("Statistic") or properties.get("ExtendedStatistic")
        ):
            found += ("Statistic: is required with MetricName",)
        if properties.get("Threshold") is None and not properties.get("ThresholdMetricId"):
            found += ("Threshold: is required",)
        return found

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every metric alarm."""
        yield from self._read_some(aws)

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those alarms, as many in one request as CloudWatch takes."""
        for start in range(0, len(ids), NAMES_AT_ONCE):
            yield from self._read_some(aws, AlarmNames=list(ids[start : start + NAMES_AT_ONCE]))

    def _read_some(self, aws: Aws, **which: Any) -> Iterator[Resource]:
        listed = aws.pages(
            "cloudwatch", "DescribeAlarms", "MetricAlarms", AlarmTypes=["MetricAlarm"], **which
        )
        yield from side_by_side(aws, partial(self._read_one, aws, aws.evidence()), listed)

    def _read_one(self, aws: Aws, shared: tuple[str, ...], item: Mapping[str, Any]) -> Resource:
        reading = Reading(aws)
        reading.set(
            **{key: value for key, value in from_api(item, FIELDS).items() if value != []},
            Arn=item["AlarmArn"],
        )
        words = canonical_json(reading.properties).lower()
        if "bedrock" in words or "ringwall" in words:
            reading.take(
                "Tags",
                ("cloudwatch", "ListTagsForResource", {"ResourceARN": item["AlarmArn"]}),
                lambda answer: from_tags(answer.get("Tags")),
                ("ResourceNotFoundException", "ResourceNotFound"),
            )
        return self.seen(aws, item["AlarmName"], reading.properties, reading.unknown, shared)

    def canonical(self, name: str, value: Any) -> Any:
        """Metric queries with what CloudWatch fills in."""
        if name == "Metrics" and isinstance(value, list | tuple):
            return unique(map(_canonical_query, value))
        return super().canonical(name, value)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set it, with tags."""
        tags = ownership(aws, desired)
        name = desired.properties["AlarmName"]
        aws.call("cloudwatch", "PutMetricAlarm", Tags=tag_list(tags), **to_api(desired.properties, FIELDS))
        return self.written(aws, desired, name, tags, Arn=self._arn(aws, name))

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace it; an existing alarm takes tags by a call of their own."""
        name = desired.properties["AlarmName"]
        if self.differs(observed, desired, *(field.name for field in FIELDS)):
            aws.call("cloudwatch", "PutMetricAlarm", **to_api(desired.properties, FIELDS))
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("cloudwatch", "TagResource", ResourceARN=self._arn(aws, name), Tags=tag_list(tags))
        return self.written(aws, desired, name, ownership(aws, desired), Arn=self._arn(aws, name))

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it."""
        with allowing("ResourceNotFound", "ResourceNotFoundException"):
            aws.call("cloudwatch", "DeleteAlarms", AlarmNames=[observed.id])

    @staticmethod
    def _arn(aws: Aws, name: str) -> str:
        return f"arn:{aws.partition}:cloudwatch:{aws.region}:{aws.account}:alarm:{name}"

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Name and ARN."""
        where = f"{resource.region}:{resource.account}"
        arn = f"arn:{partition_of(resource.region)}:cloudwatch:{where}:alarm:{physical_id}"
        return {"Id": physical_id, "Name": physical_id, "Arn": arn}


def _canonical_query(query: Any) -> Any:
    if not isinstance(query, Mapping):
        return query
    result = {"ReturnData": True, **{key: item for key, item in query.items() if item is not None}}
    stat = result.get("MetricStat")
    if isinstance(stat, Mapping) and isinstance(stat.get("Metric"), Mapping):
        metric = {**stat["Metric"], "Dimensions": unique(stat["Metric"].get("Dimensions") or ())}
        result["MetricStat"] = {**stat, "Metric": metric}
    return result
