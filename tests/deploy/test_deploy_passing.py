"""What is skipped without being decided is denied: an AWS service passes by a resource's own policy, and where that names it."""

from __future__ import annotations

import json

import pytest

from ringwall import catalog
from ringwall.deploy.passing import allowing_service
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide
from ringwall.iam.parser import parse_policy
from ringwall.iam.policy import PolicySet

ACCOUNT, KEY = "111122223333", "arn:aws:kms:us-east-1:111122223333:key/0a11ce00"
SERVICES = ("logs.us-east-1.amazonaws.com", "logs.amazonaws.com", "cloudtrail.amazonaws.com")
ELEMENTS = {
    "everybody": ({"Principal": "*"}, SERVICES),
    "everybody as AWS": ({"Principal": {"AWS": "*"}}, SERVICES),
    "itself": ({"Principal": {"Service": "logs.us-east-1.amazonaws.com"}}, SERVICES[:2]),
    "one of several": ({"Principal": {"Service": ["sns.amazonaws.com", "cloudtrail.amazonaws.com"]}}, SERVICES[2:]),
    "all but somebody": ({"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, SERVICES),
    "the account": ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}, ()),
    "another service": ({"Principal": {"Service": "events.amazonaws.com"}}, ()),
    "somebody federated": ({"Principal": {"Federated": "cognito-identity.amazonaws.com"}}, ()),
}  # fmt: skip


def policy(element, effect="Allow", action="kms:*"):
    statement = {"Sid": "S", "Effect": effect, **element, "Action": action, "Resource": "*"}
    return parse_policy(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), name="key")


@pytest.mark.parametrize("name", ELEMENTS)
@pytest.mark.parametrize("service", SERVICES)
def test_who_may_pass_is_asked_about(name, service):
    element, expected = ELEMENTS[name]
    could = allowing_service([policy(element)], "kms:Decrypt", service)
    assert could is (service in expected)
    request = {
        "principal": service,
        "action": "kms:Decrypt",
        "resource": KEY,
        "resource_account": ACCOUNT,
        "context": {},
    }
    allowed = decide(request_from_json(request), PolicySet(resource=policy(element)), catalog.load()).allowed
    assert could or not allowed


@pytest.mark.parametrize(("effect", "action"), [("Deny", "kms:*"), ("Allow", "kms:Encrypt")])
def test_what_cannot_allow_it_is_not_enough(effect, action):
    everybody, _ = ELEMENTS["everybody"]
    assert not allowing_service([policy(everybody, effect, action)], "kms:Decrypt", SERVICES[0])
