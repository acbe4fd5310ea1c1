"""Why: what decided, in each case that fits, and changes that the evaluator confirms."""

from __future__ import annotations

import json

import pytest

from ringwall.access.asked import of_denial
from ringwall.access.denial import parse_denial
from ringwall.access.event import UnreadableEventError, occurrence_of
from ringwall.access.scenario import explain_document
from ringwall.access.why import explain_occurrence
from ringwall.access.words import explanation_to_json, in_words, verdict
from ringwall.catalog import load

CATALOG = load()
ACCOUNT = "111122223333"
APP = f"arn:aws:sts::{ACCOUNT}:assumed-role/quickstart-app/s"
OPERATOR = f"arn:aws:sts::{ACCOUNT}:assumed-role/quickstart-operator/s"
PROFILE = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:inference-profile/us.amazon.nova-pro-v1:0"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"
OTHER_MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-express-v1"
ADMINISTRATORS = (f"arn:aws:iam::{ACCOUNT}:user/SandboxAdministrator",)


def message(principal, action, resource, rest=""):
    return f"User: {principal} is not authorized to perform: {action} on resource: {resource} {rest}"


def explained(access, text):
    (found,) = explain_occurrence(
        of_denial(parse_denial(text)), access, CATALOG, administrators=ADMINISTRATORS
    )
    return found


def decided_by(explanation):
    return {item.statement.label for case in explanation.cases for item in case.deciding}


SCP = "with an explicit deny in a service control policy"
NO_IDENTITY = "because no identity-based policy allows the {} action"


@pytest.mark.parametrize(
    ("principal", "action", "resource", "rest", "statements"),
    [
        (APP, "bedrock:InvokeModel", PROFILE, SCP, {"RequirePinnedGuardrail", "RuntimeOnlyThroughEndpoint"}),
        (OPERATOR, "bedrock:InvokeModel", OTHER_MODEL, SCP, {"OnlyDeclaredModels"}),
        (OPERATOR, "bedrock:PutModelInvocationLoggingConfiguration", "*", SCP, {"ProtectSettings"}),
        (OPERATOR, "bedrock:CallWithBearerToken", "*", SCP, {"NoUseOfKeys"}),
        (
            APP,
            "bedrock:InvokeInlineAgent",
            "*",
            "with an explicit deny in an identity-based policy",
            {"NoSideDoors"},
        ),
    ],
)
def test_deciding_statements_are_named(quickstart, principal, action, resource, rest, statements):
    found = explained(quickstart, message(principal, action, resource, rest))
    assert found.outcome == "denied"
    assert found.fits
    assert statements <= decided_by(found)


def test_each_possibility_is_answered_not_guessed(quickstart, runtime_endpoint, guardrail):
    found = explained(quickstart, message(APP, "bedrock:InvokeModel", PROFILE))
    assert set(found.open) == {"route", "bedrock:guardrailidentifier"}
    by_changes = {
        tuple(key for key, _ in case.instead.sets): {item.statement.label for item in case.deciding}
        for case in found.cases
    }
    assert by_changes[("bedrock:guardrailidentifier",)] == {
        "RequirePinnedGuardrail",
        "DenyWithoutPinnedGuardrail",
    }
    assert by_changes[("route",)] == {"RuntimeOnlyThroughEndpoint"}
    both = next(case for case in found.cases if len(case.instead.sets) == 2)
    labels = dict(both.instead.sets)
    assert runtime_endpoint in labels["route"]
    assert labels["bedrock:guardrailidentifier"] == f"{guardrail}:*"


def test_owner_of_a_service_control_policy(quickstart):
    found = explained(quickstart, message(OPERATOR, "bedrock:InvokeModel", OTHER_MODEL, SCP))
    owners = [
        item.owner for case in found.cases for item in case.deciding if item.policy.policy_type == "scp"
    ]
    assert {owner.account for owner in owners} == {"999988887777"}
    assert all(ADMINISTRATORS[0] in owner.words for owner in owners)
    targets = {item.policy.target for case in found.cases for item in case.deciding if item.policy.target}
    assert targets == {ACCOUNT}


def test_implicit_denial_gets_the_smallest_statement(quickstart):
    action = "bedrock:ListFoundationModels"
    found = explained(quickstart, message(APP, action, "*", NO_IDENTITY.format(action)))
    (case,) = found.cases
    assert case.case.decision.missing == ("identity",)
    (change,) = case.changes
    assert (change.policy_type, change.policy, change.replaces) == ("identity", "invoke", None)
    assert change.statement == {"Effect": "Allow", "Action": action, "Resource": "*"}


def test_nearest_statement_is_the_one_that_fails_by_least(quickstart):
    found = explained(
        quickstart,
        message(APP, "bedrock:GetGuardrail", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/other"),
    )
    nearest = {(item.trace.label, item.trace.failed) for case in found.cases for item in case.nearest}
    assert ("UseGuardrail", ("resource",)) in nearest


def test_a_message_that_policies_contradict_is_said_to(quickstart):
    found = explained(
        quickstart, message(APP, "bedrock:ListGuardrails", "*", NO_IDENTITY.format("bedrock:ListGuardrails"))
    )
    assert found.fits is False
    assert verdict([found], denied=True) != "denied"


def test_principals_that_nobody_knows_have_no_policies(quickstart):
    stranger = f"arn:aws:iam::{ACCOUNT}:role/Stranger"
    found = explained(quickstart, message(stranger, "bedrock:ListGuardrails", "*"))
    assert found.outcome == "denied"
    assert {case.case.decision.missing for case in found.cases} <= {
        ("identity",),
        ("identity", "vpc_endpoint"),
    }


def event(**changes):
    record = {
        "eventVersion": "1.11",
        "eventTime": "2026-11-23T09:00:00Z",
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "Converse",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.9",
        "userAgent": "[Boto3/1.44]",
        "errorCode": "AccessDenied",
        "errorMessage": message(APP, "bedrock:InvokeModel", PROFILE, SCP),
        "requestParameters": {"modelId": "us.amazon.nova-pro-v1:0"},
        "recipientAccountId": ACCOUNT,
        "tlsDetails": {"tlsVersion": "TLSv1.3"},
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:s",
            "arn": APP,
            "accountId": ACCOUNT,
            "sessionContext": {
                "sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/quickstart-app"},
                "attributes": {"creationDate": "2026-11-23T08:59:00Z", "mfaAuthenticated": "false"},
            },
        },
    }
    return {**record, **changes}


def test_event_tells_the_way_in(quickstart, runtime_endpoint, guardrail):
    parameters = {
        "modelId": "us.amazon.nova-pro-v1:0",
        "guardrailConfig": {"guardrailIdentifier": guardrail, "guardrailVersion": "1"},
    }
    (public,) = explain_occurrence(occurrence_of(event(requestParameters=parameters)), quickstart, CATALOG)
    assert decided_by(public) == {"RuntimeOnlyThroughEndpoint"}
    assert len(public.cases) == 1
    inside = event(requestParameters=parameters, vpcEndpointId=runtime_endpoint, sourceIPAddress="10.0.1.9")
    (through,) = explain_occurrence(occurrence_of(inside), quickstart, CATALOG)
    assert through.outcome == "allowed"
    assert verdict([through], denied=True) == "allowed"


def test_event_of_an_endpoint_leaves_only_the_guardrail_open(quickstart, runtime_endpoint):
    (found,) = explain_occurrence(
        occurrence_of(event(vpcEndpointId=runtime_endpoint, sourceIPAddress="10.0.1.9")), quickstart, CATALOG
    )
    assert found.open == ("bedrock:guardrailidentifier",)
    assert decided_by(found) == {"RequirePinnedGuardrail", "DenyWithoutPinnedGuardrail"}


def test_event_without_parameters_is_read_from_its_message(quickstart):
    (asked,) = occurrence_of(event(requestParameters=None)).authorizations
    assert (asked.action, asked.resource, asked.endpoint) == ("bedrock:InvokeModel", PROFILE, "")
    assert asked.context["aws:sourceip"] == ("203.0.113.9",)
    assert asked.context["aws:requestedregion"] == ("us-east-1",)


def test_event_without_message_is_all_its_authorizations(quickstart):
    occurrence = occurrence_of(event(errorMessage=None, errorCode=None))
    assert not occurrence.denied
    assert len(occurrence.authorizations) == 4
    assert {item.action for item in occurrence.authorizations} == {"bedrock:InvokeModel"}


@pytest.mark.parametrize(
    "wrapped",
    [
        {"detail": event()},
        {"Records": [event()]},
        {"CloudTrailEvent": json.dumps(event()), "EventName": "Converse"},
    ],
)
def test_events_are_taken_out_of_their_envelopes(wrapped):
    assert occurrence_of(wrapped).operation == "Converse"


@pytest.mark.parametrize("document", [{}, {"eventName": "X"}, {"Records": []}, {"userIdentity": 1}])
def test_what_is_no_event_is_refused(document):
    with pytest.raises(UnreadableEventError):
        occurrence_of(document)


def test_document_with_its_own_policies():
    document = {
        "request": {
            "principal": f"arn:aws:iam::{ACCOUNT}:role/App",
            "action": "bedrock:InvokeModel",
            "resource": MODEL,
            "context": {"aws:SourceIp": "203.0.113.9"},
        },
        "policies": {
            "identity": [
                {
                    "name": "own",
                    "document": {
                        "Version": "2012-10-17",
                        "Statement": {
                            "Sid": "FromOffice",
                            "Effect": "Allow",
                            "Action": "bedrock:InvokeModel",
                            "Resource": "*",
                            "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
                        },
                    },
                }
            ]
        },
    }
    (found,) = explain_document(document, CATALOG)
    (case,) = found.cases
    assert case.nearest[0].trace.failed == ("condition aws:SourceIp",)
    assert case.instead.sets == (("aws:sourceip", "in 10.0.0.0/8"),)
    assert case.changes[0].statement == {
        "Effect": "Allow",
        "Action": "bedrock:InvokeModel",
        "Resource": MODEL,
    }


def test_operation_over_the_estate_is_complete(quickstart, runtime_endpoint, guardrail):
    request = {
        "principal": APP,
        "operation": "Converse",
        "parameters": {
            "modelId": "us.amazon.nova-pro-v1:0",
            "guardrailConfig": {"guardrailIdentifier": guardrail, "guardrailVersion": "1"},
        },
        "context": {"aws:RequestedRegion": "us-east-1", "aws:SourceVpce": runtime_endpoint},
    }
    found = explain_document({"request": request}, CATALOG, access=quickstart)
    assert len(found) == 5
    assert {item.outcome for item in found} == {"allowed"}
    del request["parameters"]["guardrailConfig"]
    denied = explain_document({"request": request}, CATALOG, access=quickstart)
    assert {item.outcome for item in denied} == {"denied"}


def test_words_and_json_say_the_same(quickstart):
    occurrence = of_denial(parse_denial(message(OPERATOR, "bedrock:InvokeModel", OTHER_MODEL, SCP)))
    found = explain_occurrence(occurrence, quickstart, CATALOG)
    outcome = verdict(found, denied=True)
    text = "\n".join(in_words(found, outcome, occurrence))
    document = json.loads(json.dumps(explanation_to_json(found, outcome, occurrence)))
    assert outcome == document["outcome"] == "denied"
    for case in document["authorizations"][0]["cases"]:
        for one in case["deciding"]:
            assert f"{one['policy']}, attached to {one['target']}, statement {one['statement']}" in text or (
                f"{one['policy']}, statement {one['statement']}" in text
            )
