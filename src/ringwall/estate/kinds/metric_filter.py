"""``AWS::Logs::MetricFilter``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import BaseKind, Field, allowing, from_api, to_api
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

TRANSFORMATION = (
    Field("MetricName", "metricName"),
    Field("MetricNamespace", "metricNamespace"),
    Field("MetricValue", "metricValue"),
    Field("DefaultValue", "defaultValue"),
    Field("Unit", "unit"),
)


class MetricFilter(BaseKind):
    """Metric filters, known by log group and name."""

    type = "AWS::Logs::MetricFilter"
    names = ("LogGroupName", "FilterName")
    create_only = ("LogGroupName", "FilterName")
    taggable = False
    permissions = Permissions(
        ("logs:DescribeMetricFilters",), ("logs:PutMetricFilter", "logs:DeleteMetricFilter")
    )
    limits = (
        Limit("LogGroupName", required=True, pattern=r"[.\-_/#A-Za-z0-9]+", longest=512),
        Limit("FilterName", required=True, pattern=r"[^:*]*", longest=512),
        Limit("FilterPattern", longest=1024),
        Limit("MetricTransformations", required=True, shortest=1, longest=1),
        Limit("MetricTransformations[].MetricName", required=True, pattern=r"[^:*$]*", longest=255),
        Limit("MetricTransformations[].MetricNamespace", required=True, pattern=r"[^:*$]*", longest=255),
        Limit("MetricTransformations[].MetricValue", required=True, longest=100),
        Limit("MetricTransformations[].Dimensions", longest=3),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every metric filter of the Region."""
        listed = aws.pages("logs", "DescribeMetricFilters", "metricFilters")
        shared = aws.evidence()
        for item in listed:
            properties = {
                "LogGroupName": item["logGroupName"],
                "FilterName": item["filterName"],
                "FilterPattern": item.get("filterPattern", ""),
                "MetricTransformations": [
                    _from_api(part) for part in item.get("metricTransformations") or ()
                ],
            }
            yield self.seen(aws, f"{item['logGroupName']}|{item['filterName']}", properties, evidence=shared)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set it."""
        wanted = desired.properties
        aws.call(
            "logs",
            "PutMetricFilter",
            logGroupName=wanted["LogGroupName"],
            filterName=wanted["FilterName"],
            filterPattern=wanted.get("FilterPattern", ""),
            metricTransformations=[_to_api(part) for part in wanted["MetricTransformations"]],
        )
        return self.written(aws, desired, self.physical_id(desired))

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace it."""
        if self.differs(observed, desired, "FilterPattern", "MetricTransformations"):
            return self.create(aws, desired)
        return self.written(aws, desired, observed.id)

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it."""
        with allowing("ResourceNotFoundException"):
            aws.call(
                "logs",
                "DeleteMetricFilter",
                logGroupName=observed.properties["LogGroupName"],
                filterName=observed.properties["FilterName"],
            )

    def physical_id(self, desired: Resource) -> str:
        """Log group and name."""
        return f"{desired.properties.get('LogGroupName')}|{desired.properties.get('FilterName')}"


def _from_api(part: Mapping[str, Any]) -> dict[str, Any]:
    result = from_api(part, TRANSFORMATION)
    if part.get("dimensions"):
        result["Dimensions"] = [
            {"Key": key, "Value": part["dimensions"][key]} for key in sorted(part["dimensions"])
        ]
    return result


def _to_api(part: Mapping[str, Any]) -> dict[str, Any]:
    result = to_api(part, TRANSFORMATION)
    if part.get("Dimensions"):
        result["dimensions"] = {item["Key"]: item["Value"] for item in part["Dimensions"]}
    return result
