"""``AWS::Events::Rule``: rules of the default event bus, where AWS services report, with their targets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
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
    tag_list,
    to_api,
)
from ringwall.estate.kinds.documents import text, unique
from ringwall.estate.kinds.limits import Limit

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

GONE = "ResourceNotFoundException"
BUS = "default"
FIELDS = tuple(
    Field(name, name)
    for name in ("Name", "EventBusName", "ScheduleExpression", "State", "Description", "RoleArn")
)
STATES = ("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")


class Rule(BaseKind):
    """Rules with their targets; targets that are not declared are differences."""

    type = "AWS::Events::Rule"
    names = ("EventBusName", "Name")
    create_only = ("Name", "EventBusName")
    defaults: Mapping[str, Any] = {"EventBusName": BUS, "State": "ENABLED", "Targets": []}
    read_only = ("Arn", "ManagedBy")
    unordered = ("Targets",)
    permissions = Permissions(
        ("events:ListRules", "events:ListTargetsByRule", "events:ListTagsForResource"),
        (
            "events:PutRule",
            "events:PutTargets",
            "events:RemoveTargets",
            "events:TagResource",
            "events:DeleteRule",
            "iam:PassRole",
        ),
    )
    limits = (
        Limit("Name", required=True, pattern=r"[.\-_A-Za-z0-9]+", longest=64),
        Limit("Description", longest=512),
        Limit("State", choices=STATES),
        Limit("EventPattern", size=4096),
        Limit("Targets", longest=5),
        Limit("Targets[].Id", required=True, pattern=r"[.\-_A-Za-z0-9]+", longest=64),
        Limit("Targets[].Arn", required=True, longest=1600),
    )

    def validate(self, properties: Mapping[str, Any]) -> tuple[str, ...]:
        """Limits, and that it reacts to something."""
        found = super().validate(properties)
        if not properties.get("EventPattern") and not properties.get("ScheduleExpression"):
            found += ("EventPattern: a rule needs EventPattern or ScheduleExpression",)
        return found

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every rule of the default bus."""
        yield from self._read_some(aws)

    def read_again(self, aws: Aws, ids: Sequence[str]) -> Iterator[Resource]:
        """Those rules, and others whose names go on from theirs."""
        for name in ids:
            yield from self._read_some(aws, NamePrefix=name)

    def _read_some(self, aws: Aws, **which: Any) -> Iterator[Resource]:
        listed = aws.pages("events", "ListRules", "Rules", **which)
        shared = aws.evidence()
        for item in listed:
            reading = Reading(aws)
            reading.set(**from_api(item, FIELDS), Arn=item["Arn"], ManagedBy=item.get("ManagedBy"))
            if item.get("EventPattern"):
                reading.set(EventPattern=json.loads(item["EventPattern"]))
            reading.take_all(
                "Targets", ("events", "ListTargetsByRule", {"Rule": item["Name"]}), "Targets", list, (GONE,)
            )
            reading.take(
                "Tags",
                ("events", "ListTagsForResource", {"ResourceARN": item["Arn"]}),
                lambda answer: from_tags(answer.get("Tags")),
                (GONE,),
            )
            yield self.seen(aws, item["Name"], reading.properties, reading.unknown, shared)

    def canonical(self, name: str, value: Any) -> Any:
        """Event patterns with their alternatives as sets."""
        return _canonical_pattern(value) if name == "EventPattern" else super().canonical(name, value)

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set the rule with its tags, then its targets."""
        tags = ownership(aws, desired)
        arn = self._put(aws, desired, tags)
        self._put_targets(aws, desired, desired.properties.get("Targets") or ())
        return self.written(aws, desired, desired.properties["Name"], tags, Arn=arn)

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace the rule where it differs, bring targets to what is declared."""
        if self.differs(observed, desired, "EventPattern", *(field.name for field in FIELDS)):
            self._put(aws, desired, None)
        if self.differs(observed, desired, "Targets"):
            wanted = desired.properties.get("Targets") or ()
            there = {item["Id"] for item in observed.get("Targets") or ()}
            extra = sorted(there - {item["Id"] for item in wanted})
            if extra:
                _checked("RemoveTargets", aws.call("events", "RemoveTargets", Rule=observed.id, Ids=extra))
            self._put_targets(aws, desired, wanted)
        tags = missing_tags(aws, observed, desired)
        if tags:
            aws.call("events", "TagResource", ResourceARN=observed.get("Arn"), Tags=tag_list(tags))
        return self.written(aws, desired, observed.id, ownership(aws, desired), Arn=observed.get("Arn"))

    @staticmethod
    def _put(aws: Aws, desired: Resource, tags: Mapping[str, str] | None) -> str:
        options: dict[str, Any] = to_api(desired.properties, FIELDS)
        if desired.properties.get("EventPattern"):
            options["EventPattern"] = text(desired.properties["EventPattern"])
        if tags:
            options["Tags"] = tag_list(tags)
        return str(aws.call("events", "PutRule", **options)["RuleArn"])

    @staticmethod
    def _put_targets(aws: Aws, desired: Resource, targets: Any) -> None:
        if targets:
            name = desired.properties["Name"]
            _checked("PutTargets", aws.call("events", "PutTargets", Rule=name, Targets=list(targets)))

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove targets, then the rule."""
        ids = [item["Id"] for item in observed.get("Targets") or ()]
        with allowing(GONE):
            if ids:
                aws.call("events", "RemoveTargets", Rule=observed.id, Ids=ids)
            aws.call("events", "DeleteRule", Name=observed.id)

    def physical_id(self, desired: Resource) -> str:
        """Its name."""
        return str(desired.properties.get("Name"))

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:
        """Name and ARN."""
        where = f"{resource.region}:{resource.account}"
        arn = f"arn:{partition_of(resource.region)}:events:{where}:rule/{physical_id}"
        return {"Id": physical_id, "Name": physical_id, "Arn": arn}


def _canonical_pattern(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _canonical_pattern(item) for key, item in value.items()}
    return unique(map(_canonical_pattern, value)) if isinstance(value, list | tuple) else value


def _checked(operation: str, answer: Mapping[str, Any]) -> None:
    """EventBridge reports failed entries in a successful answer."""
    for entry in answer.get("FailedEntries") or ():
        raise AwsCallError(
            "events",
            operation,
            str(entry.get("ErrorCode")),
            f"{entry.get('TargetId')}: {entry.get('ErrorMessage')}",
        )
