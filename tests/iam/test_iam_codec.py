"""Requests, policy sets, decisions and traces as the command line reads and writes them."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys

import pytest

import ringwall.iam
from ringwall.iam.codec import (
    RequestError,
    decision_to_json,
    policies_from_json,
    policies_to_json,
    request_from_json,
    request_to_json,
)
from ringwall.iam.evaluate import decide, explain
from ringwall.iam.parser import PolicySyntaxError

ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/m"
REQUEST = {"principal": ROLE, "action": "bedrock:InvokeModel", "resource": MODEL}
DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "Invoke", "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "*",
         "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}},
        {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*", "Condition": {"Bool": {"aws:ViaAWSService": "true"}}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (
            ROLE,
            {"aws:principalarn": ROLE, "aws:principaltype": "AssumedRole", "aws:principalaccount": ACCOUNT},
        ),
        (
            f"arn:aws:sts::{ACCOUNT}:assumed-role/App/s",
            {"aws:principalarn": ROLE, "aws:principaltype": "AssumedRole"},
        ),
        (f"arn:aws:iam::{ACCOUNT}:user/a/ann", {"aws:principaltype": "User", "aws:username": "ann"}),
        (
            f"arn:aws:sts::{ACCOUNT}:federated-user/bob",
            {"aws:principaltype": "FederatedUser", "aws:userid": f"{ACCOUNT}:bob"},
        ),
        (f"arn:aws:iam::{ACCOUNT}:root", {"aws:principaltype": "Account", "aws:userid": ACCOUNT}),
        (ACCOUNT, {"aws:principalarn": f"arn:aws:iam::{ACCOUNT}:root"}),
        (
            "ec2.amazonaws.com",
            {"aws:principalisawsservice": "true", "aws:principalservicename": "ec2.amazonaws.com"},
        ),
        (
            "*",
            {
                "aws:principaltype": "Anonymous",
                "aws:userid": "anonymous",
                "aws:principalaccount": "anonymous",
            },
        ),
    ],
)
def test_what_the_principal_determines(principal, expected):
    context = request_from_json({**REQUEST, "principal": principal}).context
    assert {key: context[key][0] for key in expected} == expected


def test_what_nobody_determines_stays_absent():
    context = request_from_json({**REQUEST, "principal": "*"}).context
    assert not {"aws:principalarn", "aws:username", "aws:resourceaccount"} & set(context)


@pytest.mark.parametrize("principal", ["*", "accounts.google.com", f"arn:aws:iam::{ACCOUNT}:saml-provider/p"])
def test_unsigned_requests_do_not_tell_whether_a_service_makes_them(principal):
    assert "aws:principalisawsservice" not in request_from_json({**REQUEST, "principal": principal}).context


@pytest.mark.parametrize(
    ("extra", "owner"),
    [
        ({}, ACCOUNT),
        ({"resource": "arn:aws:sns:us-east-1:999988887777:t"}, "999988887777"),
        ({"resource_account": "444455556666"}, "444455556666"),
        ({"context": {"AWS:ResourceAccount": "123456789012"}}, "123456789012"),
    ],
)
def test_resource_account(extra, owner):
    assert request_from_json({**REQUEST, **extra}).context["aws:resourceaccount"] == (owner,)


def test_context_values():
    given = {"A:B": "x", "a:c": 5, "a:d": 2.5, "a:e": True, "a:f": ["1", 2, False], "a:g": []}
    context = request_from_json({**REQUEST, "context": given}).context
    assert [context[f"a:{key}"] for key in "bcdefg"] == [
        ("x",),
        ("5",),
        ("2.5",),
        ("true",),
        ("1", "2", "false"),
        (),
    ]


def test_an_absent_principal_is_anonymous():
    made = request_from_json({"action": "a:B", "resource": "*"})
    assert (made.principal, made.resource) == ("*", "*")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "must be an object"),
        ({}, "no action"),
        ({"action": "Get"}, "service:Name"),
        ({"action": 7}, "action must be a string"),
        ({**REQUEST, "resource": 7}, "resource must be a string"),
        ({**REQUEST, "resource_account": 7}, "resource_account must be a string"),
        ({**REQUEST, "principal": "me"}, "not a principal"),
        ({**REQUEST, "ressource": "x"}, "did you mean resource"),
        ({**REQUEST, "context": [1]}, "must be an object"),
        ({**REQUEST, "context": {"a": None}}, "context.a must be"),
        ({**REQUEST, "context": {"a": {"b": 1}}}, "context.a must be"),
        ({**REQUEST, "context": {"a": float("nan")}}, "context.a must be"),
        ({**REQUEST, "context": {"a": "1", "A": "2"}}, "twice"),
        ({**REQUEST, "context": {"a": 10**5000}}, "too many digits"),
        ({**REQUEST, "context": {"a": "\ud800"}}, "context.a holds half of a surrogate pair"),
        ({**REQUEST, "context": {"a": ["x", "\udfff"]}}, "context.a holds half of a surrogate pair"),
        ({**REQUEST, "context": {"\ud800": "x"}}, r"the key '\\ud800', which is no text"),
        ({**REQUEST, "context": {1: "x"}}, "the key 1, which is no text"),
        ({**REQUEST, "resource": "arn:aws:s3:::\ud800"}, "resource holds half of a surrogate pair"),
        *(({**REQUEST, "context": wrong}, "context must be an object") for wrong in ([], "", 0, False, "x")),
        *(
            ({**REQUEST, "principal": wrong}, "principal must be a string")
            for wrong in ("", 0, False, [], {}, 7)
        ),
        *(({**REQUEST, "resource": wrong}, "resource must be a string") for wrong in ("", 0, False, [])),
        *(
            ({**REQUEST, "action": wrong}, "one action, service:Name")
            for wrong in (
                "s3:",
                ":Get",
                "s3:*",
                "*:*",
                "s3:Get?",
                "s3:a:b",
                "s3:Get Object",
                " s3:Get",
                "s3:Get\n",
            )
        ),
        *(
            ({**REQUEST, "resource_account": wrong}, "resource_account must be twelve digits")
            for wrong in ("1", "11112222333", "1111222233334", "aws", "11112222333a")
        ),
    ],
)
def test_malformed_requests(value, message):
    with pytest.raises(RequestError, match=message):
        request_from_json(value)


def test_null_is_absent():
    absent = {"principal": None, "resource": None, "resource_account": None, "context": None}
    assert request_from_json({"action": "a:B", **absent}) == request_from_json({"action": "a:B"})


def test_messages_quote_little():
    for value in (
        {**REQUEST, "principal": "x" * 10**6},
        {**REQUEST, "action": "x" * 10**6},
        {"x" * 10**6: 1},
    ):
        with pytest.raises(RequestError) as caught:
            request_from_json(value)
        assert len(str(caught.value)) < 600


def test_requests_round_trip():
    made = request_from_json({**REQUEST, "resource_account": ACCOUNT, "context": {"aws:TagKeys": ["a", "b"]}})
    assert request_from_json(json.loads(json.dumps(request_to_json(made)))) == made


POLICIES = {
    "identity": [{"name": "app", "document": DOCUMENT}],
    "permissions_boundary": [],
    "session": [{"name": "s", "document": json.dumps(DOCUMENT)}],
    "resource": {"name": "r", "document": DOCUMENT},
    "scp": [
        {"target": "r-root", "policies": [{"name": "p", "document": DOCUMENT}]},
        {"target": ACCOUNT, "policies": []},
    ],
    "rcp": [{"target": "r-root", "policies": []}],
    "vpc_endpoint": [{"name": "v", "document": DOCUMENT}],
}


def test_policy_sets_round_trip():
    made = policies_from_json(POLICIES)
    again = policies_to_json(made)
    assert again == {**POLICIES, "session": [{"name": "s", "document": DOCUMENT}]}
    assert policies_to_json(policies_from_json({})) == {"identity": []}
    assert policies_from_json({"scp": None}).scp is None


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "must be an object"),
        ({"identities": []}, "did you mean identity"),
        ({"identity": DOCUMENT}, "identity must be a list"),
        ({"identity": [DOCUMENT]}, r"identity\[0\] must be an object"),
        ({"identity": [{"name": 1, "document": DOCUMENT}]}, r"identity\[0\].name must be a string"),
        ({"identity": [{"document": DOCUMENT, "nmae": ""}]}, "did you mean name"),
        ({"resource": [DOCUMENT]}, "resource must be an object"),
        ({"scp": []}, "root first, at least one"),
        ({"scp": [{"policies": []}]}, r"scp\[0\] must be an object"),
        ({"rcp": [{"target": "r", "policies": [1]}]}, r"rcp\[0\].policies\[0\] must be"),
        ({"rcp": [{"target": "r", "policies": [], "x": 1}]}, "no field 'x'"),
    ],
)
def test_malformed_policy_sets(value, message):
    with pytest.raises(RequestError, match=message):
        policies_from_json(value)


def test_a_malformed_document_is_named():
    with pytest.raises(
        PolicySyntaxError, match=r"identity\[0\] \(app\): the statement has no Effect"
    ) as caught:
        policies_from_json({"identity": [{"name": "app", "document": '{"Statement": {}}'}]})
    assert (caught.value.line, caught.value.column) == (1, 2)


def test_decisions_as_json():
    policies = policies_from_json({"identity": POLICIES["identity"]})
    allowed = request_from_json({**REQUEST, "context": {"aws:RequestedRegion": "us-east-1"}})
    denied = request_from_json(
        {**REQUEST, "context": {"aws:RequestedRegion": "us-east-1", "aws:ViaAWSService": True}}
    )
    reason = {"policy_type": "identity", "policy": "app"}
    assert decision_to_json(decide(allowed, policies)) == {
        "decision": "allow",
        "because": [{**reason, "statement": "Invoke", "effect": "Allow"}],
        "missing": [],
    }
    assert decision_to_json(decide(denied, policies)) == {
        "decision": "explicit_deny",
        "because": [{**reason, "statement": "1", "effect": "Deny"}],
        "missing": [],
    }
    assert decision_to_json(decide(request_from_json(REQUEST), policies)) == {
        "decision": "implicit_deny",
        "because": [],
        "missing": ["identity"],
    }


def test_a_trace_reads_well():
    policies = policies_from_json({"identity": POLICIES["identity"], "scp": POLICIES["scp"]})
    trace = explain(request_from_json({**REQUEST, "context": {"aws:RequestedRegion": "eu-west-1"}}), policies)
    assert str(trace).splitlines() == [
        f"implicit_deny: {ROLE} bedrock:InvokeModel {MODEL}",
        "  nothing allows in: identity, scp",
        "  identity app",
        "    Allow Invoke: no match: condition aws:RequestedRegion",
        "      StringEquals aws:RequestedRegion ['us-east-1']: fails, the request has eu-west-1",
        "    Deny 1: no match: condition aws:ViaAWSService",
        "      Bool aws:ViaAWSService ['true']: fails, the request has absent",
        "  scp p at r-root",
        "    Allow Invoke: no match: condition aws:RequestedRegion",
        "      StringEquals aws:RequestedRegion ['us-east-1']: fails, the request has eu-west-1",
        "    Deny 1: no match: condition aws:ViaAWSService",
        "      Bool aws:ViaAWSService ['true']: fails, the request has absent",
    ]


def test_types_that_do_not_bind_the_caller_are_marked():
    policies = policies_from_json({"scp": POLICIES["scp"]})
    linked = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/X"
    trace = explain(request_from_json({**REQUEST, "principal": linked}), policies)
    assert [policy.applies for policy in trace.policies] == [False]
    assert "(does not apply)" in str(trace)


def test_policy_sets_survive_pickling_after_use():
    policies = policies_from_json({"identity": POLICIES["identity"]})
    request = request_from_json({**REQUEST, "context": {"aws:RequestedRegion": "us-east-1"}})
    decide(request, policies)
    copy = pickle.loads(pickle.dumps(policies))
    assert decide(request, copy) == decide(request, policies)


def test_the_package_offers_its_names_and_imports_nothing_else():
    for name in ringwall.iam.__all__:
        assert getattr(ringwall.iam, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ringwall.iam.nothing
    loaded = (
        "import sys, ringwall.iam; print([name for name in sys.modules if name.startswith('ringwall.iam.')])"
    )
    assert (
        subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )
