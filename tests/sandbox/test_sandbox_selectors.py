"""Event selectors: what CloudTrail rejects, and which events a trail records."""

import pytest

from ringwall.sandbox import selectors

MANAGEMENT_READ = {"eventCategory": "Management", "readOnly": True, "eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel", "eventType": "AwsApiCall", "userIdentity": {"arn": "arn:aws:iam::1:user/u"}}  # fmt: skip
MANAGEMENT_WRITE = {**MANAGEMENT_READ, "readOnly": False, "eventName": "DeleteGuardrail"}
KMS_READ = {**MANAGEMENT_READ, "eventSource": "kms.amazonaws.com", "eventName": "Decrypt"}
DATA = {**MANAGEMENT_READ, "eventCategory": "Data", "eventName": "ApplyGuardrail", "resources": [{"type": "AWS::Bedrock::Guardrail", "ARN": "arn:aws:bedrock:us-east-1:1:guardrail/g"}]}  # fmt: skip
OBJECT = {**MANAGEMENT_READ, "eventCategory": "Data", "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/k"}]}  # fmt: skip
DENIED = {"eventCategory": "NetworkActivity", "readOnly": True, "eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel", "errorCode": "VpceAccessDenied", "vpcEndpointId": "vpce-1", "userIdentity": {}}  # fmt: skip


def fields(**wanted):
    return {
        "FieldSelectors": [
            {"Field": name.replace("_", "."), "Equals": values} for name, values in wanted.items()
        ]
    }


BASIC = [
    ({}, MANAGEMENT_READ, True),
    ({}, DATA, False),
    ({"ReadWriteType": "WriteOnly"}, MANAGEMENT_READ, False),
    ({"ReadWriteType": "WriteOnly"}, MANAGEMENT_WRITE, True),
    ({"ReadWriteType": "ReadOnly"}, MANAGEMENT_READ, True),
    ({"ReadWriteType": "ReadOnly"}, MANAGEMENT_WRITE, False),
    ({"IncludeManagementEvents": False}, MANAGEMENT_READ, False),
    ({"ExcludeManagementEventSources": ["kms.amazonaws.com"]}, KMS_READ, False),
    ({"ExcludeManagementEventSources": ["kms.amazonaws.com"]}, MANAGEMENT_READ, True),
    ({"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}, OBJECT, True),
    ({"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b/"]}]}, OBJECT, True),
    ({"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::other/"]}]}, OBJECT, False),
]


@pytest.mark.parametrize(("selector", "record", "expected"), BASIC)
def test_basic_selectors(selector, record, expected):
    assert selectors.selects([selector], [], record) is expected


ADVANCED = [
    (fields(eventCategory=["Management"]), MANAGEMENT_READ, True),
    (fields(eventCategory=["Management"]), DATA, False),
    (fields(eventCategory=["Management"], readOnly=["false"]), MANAGEMENT_READ, False),
    (fields(eventCategory=["Data"], resources_type=["AWS::Bedrock::Guardrail"]), DATA, True),
    (fields(eventCategory=["Data"], resources_type=["AWS::S3::Object"]), DATA, False),
    (fields(eventCategory=["NetworkActivity"], eventSource=["bedrock.amazonaws.com"], errorCode=["VpceAccessDenied"]), DENIED, True),
    ({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]}, KMS_READ, False),
    ({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "eventName", "StartsWith": ["Invoke"]}]}, MANAGEMENT_READ, True),
    ({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "eventName", "NotEndsWith": ["Model"]}]}, MANAGEMENT_READ, False),
]  # fmt: skip


@pytest.mark.parametrize(("selector", "record", "expected"), ADVANCED)
def test_advanced_selectors(selector, record, expected):
    assert selectors.selects([], [selector], record) is expected


REJECTED = [
    ([{"ReadWriteType": "Nope"}], []),
    ([{"DataResources": [{"Type": "AWS::Bedrock::Guardrail", "Values": ["arn:aws:bedrock"]}]}], []),
    ([{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b/*"]}]}], []),
    ([{}], [fields(eventCategory=["Management"])]),
    ([{}] * 6, []),
    ([], []),
    ([], [fields(eventName=["x"])]),
    ([], [fields(eventCategory=["Data"])]),
    ([], [fields(eventCategory=["Data"], resources_type=["AWS::Nope::Thing"])]),
    ([], [fields(eventCategory=["Data"], resources_type=["AWS::S3::Object"], nope=["x"])]),
    ([], [fields(eventCategory=["Management"], resources_type=["AWS::S3::Object"])]),
    ([], [fields(eventCategory=["Management"], readOnly=["maybe"])]),
    ([], [fields(eventCategory=["NetworkActivity"])]),
    (
        [],
        [
            fields(
                eventCategory=["NetworkActivity"],
                eventSource=["kms.amazonaws.com"],
                errorCode=["AccessDenied"],
            )
        ],
    ),
    ([], [fields(eventCategory=["Data"], resources_type=["AWS::S3::Object"], resources_ARN=["a"] * 501)]),
]


@pytest.mark.parametrize(("basic", "advanced"), REJECTED)
def test_selectors_that_cloudtrail_rejects(basic, advanced):
    assert list(selectors.problems(basic, advanced))


def test_selectors_for_all_of_bedrock_are_accepted():
    types = (
        "Guardrail",
        "AgentAlias",
        "InlineAgent",
        "KnowledgeBase",
        "FlowAlias",
        "Model",
        "AsyncInvoke",
        "PromptVersion",
    )
    chosen = [fields(eventCategory=["Data"], resources_type=[f"AWS::Bedrock::{name}"]) for name in types]
    assert list(selectors.problems([], [fields(eventCategory=["Management"]), *chosen])) == []
