"""CloudTrail events of every kind of caller, decoded messages, and changes that are made to the Estate and asked again."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import pytest

from ringwall.access import Access
from ringwall.access.asked import of_denial
from ringwall.access.denial import UnreadableDenialError, parse_denial
from ringwall.access.event import UnreadableEventError, occurrence_of, occurrences_of
from ringwall.access.why import explain_occurrence
from ringwall.access.words import in_words, verdict
from ringwall.catalog import load
from ringwall.iam.evaluate import decide

CATALOG = load()
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/quickstart-app"
APP = f"arn:aws:sts::{ACCOUNT}:assumed-role/quickstart-app/s"
OPERATOR = f"arn:aws:sts::{ACCOUNT}:assumed-role/quickstart-operator/s"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SESSION = {
    "type": "AssumedRole",
    "principalId": "AROAEXAMPLE:s",
    "arn": APP,
    "accountId": ACCOUNT,
    "sessionContext": {
        "sessionIssuer": {"type": "Role", "arn": ROLE, "accountId": ACCOUNT, "userName": "quickstart-app"},
        "attributes": {"creationDate": "2026-11-23T08:00:00Z", "mfaAuthenticated": "false"},
    },
}
WEB = {
    "type": "WebIdentityUser",
    "principalId": f"{PROVIDER}:sts.amazonaws.com:repo:o/r:ref:refs/heads/x",
    "userName": "repo:o/r:ref:refs/heads/x",
    "identityProvider": PROVIDER,
}


def event(**changes):
    record = {
        "eventVersion": "1.11",
        "eventTime": "2026-11-23T09:00:00Z",
        "eventSource": "bedrock.amazonaws.com",
        "eventName": "Converse",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "203.0.113.9",
        "errorCode": "AccessDenied",
        "userIdentity": SESSION,
        "requestParameters": None,
        "recipientAccountId": ACCOUNT,
    }
    return {**record, **changes}


def of_kms(**changes):
    listed = [{"ARN": KEY, "accountId": ACCOUNT, "type": "AWS::KMS::Key"}]
    return event(eventSource="kms.amazonaws.com", eventName="Decrypt", resources=listed, **changes)


CALLERS = [
    (SESSION, APP),
    ({"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/a/alice", "accountId": ACCOUNT}, f"arn:aws:iam::{ACCOUNT}:user/a/alice"),
    ({"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root", "accountId": ACCOUNT}, f"arn:aws:iam::{ACCOUNT}:root"),
    ({"type": "Root", "accountId": ACCOUNT}, f"arn:aws:iam::{ACCOUNT}:root"),
    ({"type": "FederatedUser", "arn": f"arn:aws:sts::{ACCOUNT}:federated-user/bob"}, f"arn:aws:sts::{ACCOUNT}:federated-user/bob"),
    ({"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"}, "bedrock.amazonaws.com"),
    ({"type": "AWSAccount", "principalId": "", "accountId": "ANONYMOUS_PRINCIPAL"}, "*"),
    (WEB, PROVIDER),
    ({"type": "SAMLUser", "identityProvider": f"arn:aws:iam::{ACCOUNT}:saml-provider/idp"}, f"arn:aws:iam::{ACCOUNT}:saml-provider/idp"),
    ({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"type": "Role", "arn": ROLE}}}, ROLE),
]  # fmt: skip


@pytest.mark.parametrize(("identity", "principal"), CALLERS, ids=[str(i) for i in range(len(CALLERS))])
def test_every_kind_of_caller(identity, principal):
    (asked,) = occurrence_of(event(userIdentity=identity, eventName="ListFoundationModels")).authorizations
    assert asked.principal == principal


def test_a_caller_of_another_account_is_named_by_the_message_or_not_at_all():
    stranger = {"type": "AWSAccount", "principalId": "AIDAEXAMPLE", "accountId": "444455556666"}
    with pytest.raises(UnreadableEventError, match="does not name its caller, only AWSAccount 444455556666"):
        occurrence_of(event(userIdentity=stranger))
    named = "User: arn:aws:iam::444455556666:user/z is not authorized to perform: bedrock:InvokeModel"
    (asked,) = occurrence_of(event(userIdentity=stranger, errorMessage=named)).authorizations
    assert asked.principal == "arn:aws:iam::444455556666:user/z"


def test_a_service_s_own_call_is_not_made_for_somebody():
    (own,) = occurrence_of(
        of_kms(userIdentity={"type": "AWSService", "invokedBy": "bedrock.amazonaws.com"})
    ).authorizations
    (forwarded,) = occurrence_of(
        of_kms(userIdentity={**SESSION, "invokedBy": "bedrock.amazonaws.com"})
    ).authorizations
    assert own.context["aws:viaawsservice"] == ("false",)
    assert forwarded.context["aws:viaawsservice"] == ("true",)
    assert forwarded.context["aws:calledvialast"] == ("bedrock.amazonaws.com",)


def test_claims_of_a_token():
    trust = {"roleArn": ROLE, "roleSessionName": "x"}
    named = event(
        eventSource="sts.amazonaws.com",
        eventName="AssumeRoleWithWebIdentity",
        userIdentity=WEB,
        requestParameters=trust,
    )
    (asked,) = occurrence_of(named).authorizations
    assert (asked.action, asked.resource) == ("sts:AssumeRoleWithWebIdentity", ROLE)
    assert asked.context["token.actions.githubusercontent.com:aud"] == ("sts.amazonaws.com",)
    assert asked.context["token.actions.githubusercontent.com:sub"] == (WEB["userName"],)


@pytest.mark.parametrize(
    "message",
    [
        None,
        "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
        f"User: {APP} is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because no identity-based policy allows the kms:Decrypt action",
    ],
)
def test_the_resource_that_only_the_event_lists(message):
    (asked,) = occurrence_of(of_kms(errorMessage=message)).authorizations
    assert (asked.action, asked.resource, asked.vague) == ("kms:Decrypt", KEY, False)


def test_a_resource_that_nobody_tells_gets_no_change_of_policies(quickstart):
    text = f"User: {APP} is not authorized to perform: kms:Decrypt because no identity-based policy allows the kms:Decrypt action"
    occurrence = of_denial(parse_denial(text))
    (found,) = explain_occurrence(occurrence, quickstart, CATALOG)
    assert found.asked.vague
    assert not [case for case in found.cases if case.changes]
    assert any("the resource is not told" in line for line in in_words([found], "denied", occurrence))


def test_partition_of_the_region():
    other = {"type": "IAMUser", "arn": "arn:aws-us-gov:iam::111122223333:user/a", "accountId": ACCOUNT}
    record = event(
        awsRegion="us-gov-west-1", userIdentity=other, requestParameters={"modelId": "amazon.nova-pro-v1:0"}
    )
    (asked,) = occurrence_of(record).authorizations
    assert asked.resource == "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-pro-v1:0"


def test_a_network_activity_event_says_that_the_endpoint_denied(quickstart, runtime_endpoint):
    record = event(
        eventName="ListFoundationModels", eventType="AwsVpceEvent", errorCode="VpceAccessDenied",
        errorMessage="The request was denied due to a VPC endpoint policy", vpcEndpointId=runtime_endpoint,
    )  # fmt: skip
    occurrence = occurrence_of(record)
    assert (occurrence.denial.policy_type, occurrence.denial.effect) == ("vpc_endpoint", None)
    (found,) = explain_occurrence(occurrence, quickstart, CATALOG)
    assert found.fits
    assert all("vpc_endpoint" in case.case.decision.missing for case in found.cases)


def test_mantle_is_a_service_of_its_own():
    record = event(
        eventSource="bedrock-mantle.amazonaws.com",
        eventName="CreateInference",
        requestParameters={"model": "openai.gpt-oss-120b"},
    )
    (asked,) = occurrence_of(record).authorizations
    assert asked.resource == f"arn:aws:bedrock-mantle:us-east-1:{ACCOUNT}:project/default"
    assert asked.context["bedrock-mantle:model"] == ("openai.gpt-oss-120b",)


# ---- documents ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda one: one,
        lambda one: {"Records": [one]},
        lambda one: {"detail-type": "AWS API Call via CloudTrail", "detail": one},
        lambda one: {"EventId": "x", "CloudTrailEvent": json.dumps(one)},
        lambda one: {"Events": [{"EventId": "x", "CloudTrailEvent": json.dumps(one)}]},
        lambda one: [one],
    ],
)
def test_wrappings(wrapped):
    (found,) = occurrences_of(wrapped(event(eventName="ListFoundationModels")))
    assert found.operation == "ListFoundationModels"


def test_of_a_log_file_the_denied_calls_are_explained():
    fine = {key: value for key, value in event().items() if key != "errorCode"}
    log = {"Records": [fine, event(eventName="ListGuardrails"), fine, event(eventName="CreateGuardrail")]}
    assert [one.operation for one in occurrences_of(log)] == ["ListGuardrails", "CreateGuardrail"]
    with pytest.raises(UnreadableEventError, match="none of the 2 events records a denied call"):
        occurrences_of({"Records": [fine, fine]})
    with pytest.raises(UnreadableEventError, match="no JSON object"):
        occurrences_of([1])


DECODED = {
    "allowed": False,
    "explicitDeny": True,
    "matchedStatements": {"items": []},
    "failures": {"items": []},
    "context": {
        "principal": {"id": "AROAEXAMPLE:s", "name": "s", "arn": APP},
        "action": "ec2:ModifyVpcEndpoint",
        "resource": f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc-endpoint/vpce-1",
        "conditions": {
            "items": [
                {"key": "ec2:Region", "values": {"items": [{"value": "us-east-1"}]}},
                {"key": "Service", "values": {"items": [{"value": "ec2"}]}},
            ]
        },
    },
}


@pytest.mark.parametrize("document", [DECODED, {"DecodedMessage": json.dumps(DECODED)}])
def test_a_decoded_message_tells_the_context(document):
    occurrence = occurrence_of(document)
    (asked,) = occurrence.authorizations
    assert (asked.principal, asked.action) == (APP, "ec2:ModifyVpcEndpoint")
    assert asked.context == {"ec2:region": ("us-east-1",)}
    assert (occurrence.denial.effect, occurrence.denied) == ("explicit", True)


def test_a_decoded_message_that_names_nobody():
    with pytest.raises(UnreadableDenialError, match="names no principal and action"):
        occurrence_of({"explicitDeny": False, "context": {}})


# ---- what is not in the Estate --------------------------------------------------------------------------------------


def test_a_caller_of_an_account_that_the_estate_lacks_is_not_judged(quickstart):
    text = "User: arn:aws:iam::555566667777:user/z is not authorized to perform: bedrock:ListGuardrails because no identity-based policy allows the bedrock:ListGuardrails action"
    occurrence = of_denial(parse_denial(text))
    (found,) = explain_occurrence(occurrence, quickstart, CATALOG)
    assert (found.outcome, found.cases) == ("depends", ())
    assert "555566667777 is not in the Estate" in found.gaps[-1]
    told = "\n".join(in_words([found], verdict([found], denied=True), occurrence))
    assert "AWS says that no identity-based policy allows it" in told


@pytest.mark.parametrize(
    ("action", "resource", "unread"),
    [
        ("kms:Decrypt", KEY, True),
        ("s3:GetObject", "arn:aws:s3:::somebody-elses/key", True),
        ("sts:AssumeRole", "arn:aws:iam::444455556666:role/There", True),
        ("sts:AssumeRole", ROLE, False),
        ("bedrock:ApplyGuardrail", f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/other", False),
    ],
)
def test_policies_of_resources_outside_of_the_estate_are_said_to_be_unread(
    quickstart, action, resource, unread
):
    text = f"User: {APP} is not authorized to perform: {action} on resource: {resource}"
    (found,) = explain_occurrence(of_denial(parse_denial(text)), quickstart, CATALOG)
    assert any("which is not in the Estate" in gap for gap in found.gaps) is unread


# ---- changes, made to the Estate ------------------------------------------------------------------------------------

_PLACES = {
    "scp": ("AWS::Organizations::Policy", "Name", "Content"),
    "resource": ("AWS::IAM::Role", "RoleName", "AssumeRolePolicyDocument"),
}


def with_change(access, change):
    """The Estate after a change, made by hand to the resource that holds the policy."""
    holders = [
        (resource, holder)
        for resource in access.estate.resources
        for holder in [_holder(access, resource, change)]
        if holder
    ]
    (resource, document_of) = holders[0]
    properties = copy.deepcopy(dict(resource.properties))
    statements = document_of(properties)["Statement"]
    if change.replaces is None:
        statements.append(change.statement)
    else:
        (index,) = [i for i, one in enumerate(statements) if one.get("Sid", str(i)) == change.replaces]
        statements[index : index + 1] = [change.statement] if change.statement else []
    changed = replace(resource, properties=properties)
    resources = tuple(changed if one is resource else one for one in access.estate.resources)
    return Access(replace(access.estate, resources=resources))


def _holder(access, resource, change):
    if change.policy_type == "identity":
        names = (
            [one.get("PolicyName") for one in resource.get("Policies", ())]
            if resource.type == "AWS::IAM::Role"
            else []
        )
        mine = resource.get("RoleName") == "quickstart-app"
        return (
            (lambda found: found["Policies"][names.index(change.policy)]["PolicyDocument"])
            if mine and change.policy in names
            else None
        )
    if change.policy_type == "vpc_endpoint":
        return (lambda found: found["PolicyDocument"]) if resource.id == change.policy else None
    if change.policy_type == "resource" and resource.type == "AWS::KMS::Key":
        return (
            (lambda found: found["KeyPolicy"])
            if change.policy in (resource.id, access.attribute(resource, "Arn"))
            else None
        )
    kind, name, document = _PLACES[change.policy_type]
    fits = resource.type == kind and resource.get(name) == change.policy
    return (lambda found: found[document]) if fits else None


def _message(action, resource, rest=""):
    return of_denial(
        parse_denial(f"User: {APP} is not authorized to perform: {action} on resource: {resource} {rest}")
    )


DENIALS = {
    "identity lacks": lambda: _message("bedrock:ListFoundationModels", "*"),
    "unguarded endpoint": lambda: occurrence_of(event(eventSource="bedrock-mantle.amazonaws.com", eventName="CreateInference", requestParameters={"model": "m"})),
    "agent that is not declared": lambda: occurrence_of(event(eventName="InvokeAgent", requestParameters={"agentId": "A", "agentAliasId": "B"})),
    "model that is not declared": lambda: _message("bedrock:InvokeModel", "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-text-express-v1", "with an explicit deny in a service control policy"),
    "protected setting": lambda: _message("bedrock:PutModelInvocationLoggingConfiguration", "*"),
    "web identity": lambda: occurrence_of(event(eventSource="sts.amazonaws.com", eventName="AssumeRoleWithWebIdentity", userIdentity=WEB, requestParameters={"roleArn": ROLE, "roleSessionName": "x"})),
    "API key": lambda: _message("bedrock:CallWithBearerToken", "*"),
}  # fmt: skip


@pytest.mark.parametrize("name", DENIALS)
def test_changes_made_to_the_estate_allow(quickstart, name):
    (found,) = explain_occurrence(DENIALS[name](), quickstart, CATALOG)
    tried = 0
    for explained in found.cases:
        changed = quickstart
        for change in explained.changes:
            changed = with_change(changed, change)
        if not explained.changes:
            assert explained.instead is not None, "neither a change of the request nor of policies"
            continue
        request = explained.case.example.request
        endpoint = request.context.get("aws:sourcevpce", (None,))[0]
        before, after = (
            decide(
                request,
                access.policies(
                    request.principal, resource=request.resource, action=request.action, endpoint=endpoint
                ),
                CATALOG,
            )
            for access in (quickstart, changed)
        )
        assert before == explained.case.decision
        assert after.allowed
        tried += 1
    assert tried


def test_a_trust_policy_is_not_opened_to_every_token(quickstart):
    (found,) = explain_occurrence(DENIALS["web identity"](), quickstart, CATALOG)
    (change,) = found.cases[0].changes
    assert change.statement["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": WEB["userName"],
    }


def test_another_way_in_is_offered_though_the_event_tells_the_way(quickstart, runtime_endpoint, guardrail):
    record = event(requestParameters={"modelId": "us.amazon.nova-pro-v1:0"})
    found = explain_occurrence(occurrence_of(record), quickstart, CATALOG)
    for item in found[0].cases:
        labels = dict(item.instead.sets)
        assert runtime_endpoint in labels["route"]
        assert labels.get("bedrock:guardrailidentifier", f"{guardrail}:*") == f"{guardrail}:*"
