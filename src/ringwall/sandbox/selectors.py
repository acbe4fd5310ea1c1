"""Which events a trail selects: basic and advanced event selectors, checked and applied.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from ringwall.catalog import bedrock

Selector = Mapping[str, Any]

_READ_WRITE = frozenset({"All", "ReadOnly", "WriteOnly"})
_BASIC_LIMIT = 5
_VALUE_LIMIT = 500
_EXCLUDABLE = frozenset({"kms.amazonaws.com", "rdsdata.amazonaws.com"})
_FIELDS: Mapping[str, frozenset[str]] = {
    "Management": frozenset(
        {"eventCategory", "readOnly", "eventSource", "eventName", "eventType", "sessionCredentialFromConsole", "userIdentity.arn"}
    ),
    "Data": frozenset(
        {"eventCategory", "readOnly", "eventSource", "eventName", "resources.type", "resources.ARN", "eventType", "sessionCredentialFromConsole", "userIdentity.arn"}
    ),
    "NetworkActivity": frozenset({"eventCategory", "eventSource", "eventName", "errorCode", "vpcEndpointId"}),
}  # fmt: skip
_OTHER_TYPES = frozenset(
    {
        "AWS::S3::Object",
        "AWS::S3::AccessPoint",
        "AWS::S3Express::Object",
        "AWS::S3Tables::Table",
        "AWS::S3Tables::TableBucket",
        "AWS::Lambda::Function",
        "AWS::DynamoDB::Table",
        "AWS::DynamoDB::Stream",
        "AWS::SNS::Topic",
        "AWS::SNS::PlatformEndpoint",
        "AWS::SQS::Queue",
        "AWS::Kinesis::Stream",
        "AWS::KMS::Key",
        "AWS::SageMaker::Endpoint",
        "AWS::SSMMessages::ControlChannel",
        "AWS::StepFunctions::StateMachine",
        "AWS::CloudWatch::Metric",
        "AWS::CloudTrail::Channel",
        "AWS::Cognito::IdentityPool",
        "AWS::EC2::Snapshot",
        "AWS::GuardDuty::Detector",
        "AWS::QBusiness::Application",
        "AWS::RDS::DBCluster",
    }
)
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "Equals": lambda actual, wanted: actual == wanted,
    "StartsWith": str.startswith,
    "EndsWith": str.endswith,
}
_DEFAULT: Selector = {"ReadWriteType": "All", "IncludeManagementEvents": True}


def problems(basic: Iterable[Selector] | None, advanced: Iterable[Selector] | None) -> Iterator[str]:
    """What ``PutEventSelectors`` rejects, in words."""
    if basic and advanced:
        yield "You can't specify both EventSelectors and AdvancedEventSelectors"
    if not basic and not advanced:
        yield "Specify either EventSelectors or AdvancedEventSelectors"
    items = list(basic or ())
    if len(items) > _BASIC_LIMIT:
        yield "A trail has at most 5 event selectors"
    for selector in items:
        yield from _basic_problems(selector)
    values = 0
    for selector in advanced or ():
        yield from _advanced_problems(selector)
        values += sum(
            len(list(field.get(test) or ()))
            for field in selector.get("FieldSelectors", ())
            for test in _all_tests()
        )
    if values > _VALUE_LIMIT:
        yield "Advanced event selectors have at most 500 values"


def _all_tests() -> tuple[str, ...]:
    return (*_TESTS, *(f"Not{name}" for name in _TESTS))


def _basic_problems(selector: Selector) -> Iterator[str]:
    kind = selector.get("ReadWriteType", "All")
    if kind not in _READ_WRITE:
        yield f"The ReadWriteType {kind} is not valid; use All, ReadOnly or WriteOnly"
    for source in selector.get("ExcludeManagementEventSources") or ():
        if source not in _EXCLUDABLE:
            yield f"The event source {source} cannot be excluded"
    for resource in selector.get("DataResources") or ():
        type_ = resource.get("Type")
        if type_ not in bedrock.BASIC_SELECTOR_TYPES:
            yield f"The resource type {type_} is not valid in basic event selectors; use AdvancedEventSelectors"
        for value in resource.get("Values") or ():
            if not value.startswith("arn:"):
                yield f"Value {value} for DataResources.Values is not an ARN"
            elif "*" in value:
                yield f"Value {value} for DataResources.Values has a wildcard"


def _advanced_problems(selector: Selector) -> Iterator[str]:
    fields = {field.get("Field"): field for field in selector.get("FieldSelectors") or ()}
    category = fields.get("eventCategory", {}).get("Equals") or [None]
    allowed = _FIELDS.get(category[0])
    if len(category) != 1 or allowed is None:
        yield "Every selector needs a field eventCategory that equals Management, Data or NetworkActivity"
        return
    for name, field in fields.items():
        if name not in allowed:
            yield f"The field {name} is not valid for {category[0]} events"
        if not any(field.get(test) for test in _all_tests()):
            yield f"The field {name} has no values"
    if category[0] == "Data":
        yield from _type_problems(fields.get("resources.type", {}))
    if category[0] == "NetworkActivity" and not fields.get("eventSource", {}).get("Equals"):
        yield "NetworkActivity events need a field eventSource with Equals"
    for value in fields.get("readOnly", {}).get("Equals") or ():
        if value not in {"true", "false"}:
            yield f"readOnly equals true or false, not {value}"
    if fields.get("errorCode") and set(fields["errorCode"].get("Equals") or ()) != {"VpceAccessDenied"}:
        yield "errorCode can only equal VpceAccessDenied"


def _type_problems(field: Selector) -> Iterator[str]:
    values = list(field.get("Equals") or ())
    if len(values) != 1:
        yield "Data events need a field resources.type that equals exactly one type"
    for value in values:
        if value not in bedrock.TRAIL_RESOURCE_TYPES and value not in _OTHER_TYPES:
            yield f"The resource type {value} is not valid"


Selection = Callable[[Mapping[str, Any]], bool]
"""Whether an event is selected."""


def selects(basic: Iterable[Selector], advanced: Iterable[Selector], record: Mapping[str, Any]) -> bool:
    """Whether a trail with these selectors records an event. Without any, a trail records all management events."""
    return selection(basic, advanced)(record)


def selection(basic: Iterable[Selector], advanced: Iterable[Selector]) -> Selection:
    """The selectors of a trail, read once and asked many times."""
    fields = [list(selector.get("FieldSelectors") or ()) for selector in advanced]
    if not fields:
        chosen = list(basic) or [_DEFAULT]
        return lambda record: any(_basic_selects(selector, record) for selector in chosen)

    @cache
    def of_category(category: str) -> tuple[Selection, ...]:
        """The selectors that can select events of a category."""
        return tuple(filter(None, (_selection_within(each, category) for each in fields)))

    def selected(record: Mapping[str, Any]) -> bool:
        return any(test(record) for test in of_category(record["eventCategory"]))

    return selected


def _basic_selects(selector: Selector, record: Mapping[str, Any]) -> bool:
    kind = selector.get("ReadWriteType", "All")
    if kind != "All" and record["readOnly"] != (kind == "ReadOnly"):
        return False
    if record["eventCategory"] == "Management":
        excluded = selector.get("ExcludeManagementEventSources") or ()
        return bool(selector.get("IncludeManagementEvents", True)) and record["eventSource"] not in excluded
    return record["eventCategory"] == "Data" and any(
        found.get("type") == resource.get("Type")
        and _in_values(found.get("ARN", ""), resource.get("Values") or ())
        for resource in selector.get("DataResources") or ()
        for found in record.get("resources") or ()
    )


def _in_values(arn: str, values: Iterable[str]) -> bool:
    # arn:aws:s3 and arn:aws:lambda stand for everything.
    return any(arn.startswith(value) or value.count(":") < 5 for value in values)


def _selection_within(fields: Iterable[Selector], category: str) -> Selection | None:
    """An advanced selector for events of one category; ``None`` = it selects none of them."""
    tests: list[Selection] = []
    for field in fields:
        test = _field_selection(field)
        if field["Field"] != "eventCategory":
            tests.append(test)
        elif not test({"eventCategory": category}):
            return None
    return lambda record: all(test(record) for test in tests)


def _field_selection(field: Selector) -> Selection:
    name = field["Field"]
    wanted = [(_TESTS[test], tuple(field[test])) for test in _TESTS if field.get(test)]
    unwanted = [(_TESTS[test], tuple(field[f"Not{test}"])) for test in _TESTS if field.get(f"Not{test}")]

    def selected(record: Mapping[str, Any]) -> bool:
        actual = _actual(name, record)
        for test, items in wanted:
            if not any(test(value, item) for value in actual for item in items):
                return False
        return not any(test(value, item) for test, items in unwanted for value in actual for item in items)

    return selected


def _actual(name: str, record: Mapping[str, Any]) -> tuple[str, ...]:
    if name == "readOnly":
        return ("true" if record["readOnly"] else "false",)
    if name in {"resources.type", "resources.ARN"}:
        key = name.split(".")[1]
        return tuple(str(found[key]) for found in record.get("resources") or () if key in found)
    if name == "userIdentity.arn":
        return (str(record["userIdentity"].get("arn", "")),)
    value = record.get(name)
    return () if value is None else (str(value),)
