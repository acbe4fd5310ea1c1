"""Plans: matching, references, differences, deletions, refusals."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deploy.deploy_fakes import (
    ACCOUNT,
    KINDS,
    PERIMETER,
    REGION,
    FakeKind,
    deployed,
    desired_estate,
    observe,
    policy,
)
from ringwall.deploy.changes import PlanRefusedError
from ringwall.deploy.plan import make_plan
from ringwall.estate.model import Account, Estate, Ref, Resource, Unknown

TAGS = [{"Key": "ringwall:perimeter", "Value": PERIMETER}]


def plan_for(desired, observed=None, **more):
    return make_plan(desired, observed or Estate("observed"), KINDS, perimeter=PERIMETER, **more)


def only(*names):
    whole = desired_estate()
    return whole.with_resources(item for item in whole if item.id in names)


def changed(desired, name, **properties):
    return desired.with_resources(
        replace(item, properties={**item.properties, **properties}) if item.id == name else item
        for item in desired
    )


def seen(kind, physical, **properties):
    return Resource(kind, ACCOUNT, REGION, physical, properties)


def test_empty_account_creates_everything_in_dependency_order():
    plan = plan_for(desired_estate())
    ids = [change.id for change in plan.changes]
    assert {change.action for change in plan.changes} == {"create"}
    assert ids[0] == "key/logs"
    assert ids[-1] == "scp/guardrail"
    assert ids.index("bucket/logs") < ids.index("trail/main")
    assert ids.index("security-group/endpoints") < ids.index("endpoint/bedrock-runtime")
    assert plan.summary["create"] == 9
    assert not plan.empty
    assert plan.pending == {item.id for item in desired_estate()}


def test_reference_to_a_new_resource_is_known_after_apply():
    bucket = seen("AWS::S3::Bucket", "logs", BucketName="logs", KmsKey="arn:old", Tags=TAGS)
    plan = plan_for(only("key/logs", "bucket/logs"), Estate("observed", resources=(bucket,)))
    update = next(change for change in plan.changes if change.id == "bucket/logs")
    assert update.action == "update"
    assert [(item.path, item.before, item.after) for item in update.differences] == [
        ("KmsKey", "arn:old", "(known after apply: key/logs.Arn)")
    ]


def test_reference_to_an_existing_resource_is_resolved():
    marks = [*TAGS, {"Key": "ringwall:id", "Value": "key/logs"}]
    key = seen("AWS::KMS::Key", "k-1", EnableKeyRotation=True, Tags=marks)
    arn = KINDS["AWS::KMS::Key"].attributes(key)["Arn"]
    bucket = seen("AWS::S3::Bucket", "logs", BucketName="logs", KmsKey=arn, Tags=TAGS)
    plan = plan_for(only("key/logs", "bucket/logs"), Estate("observed", resources=(key, bucket)))
    assert plan.empty
    assert plan.pending == frozenset()


@pytest.mark.parametrize(
    ("observed", "path", "effect"),
    [
        (
            policy({"Sid": "Other", "Effect": "Allow", "Action": "*", "Resource": "*"}),
            "Statement[Invoke]",
            "weakens",
        ),
        (
            policy({"Sid": "Other", "Effect": "Allow", "Action": "*", "Resource": "*"}),
            "Statement[Other]",
            "strengthens",
        ),
        (
            policy({"Sid": "Invoke", "Effect": "Allow", "Action": "*", "Resource": "*"}),
            "Statement[Invoke]",
            "unclear",
        ),
    ],
)
def test_policies_differ_by_statement(observed, path, effect):
    role = Resource(
        "AWS::IAM::Role",
        ACCOUNT,
        "global",
        "quickstart-app",
        {
            "RoleName": "quickstart-app",
            "Policies": [{"PolicyName": "app", "PolicyDocument": observed}],
            "Tags": TAGS,
        },
    )
    plan = plan_for(only("role/app"), Estate("observed", resources=(role,)))
    found = {item.path: item.effect for item in plan.changes[0].differences}
    assert found[f"Policies[app].PolicyDocument.{path}"] == effect


def test_policy_spelling_is_no_difference():
    document = policy(
        {"Sid": "Invoke", "Effect": "Allow", "Action": ["bedrock:InvokeModel"], "Resource": ["*"]}
    )
    properties = {
        "RoleName": "quickstart-app",
        "Policies": [{"PolicyName": "app", "PolicyDocument": document}],
        "Tags": [*TAGS, {"Key": "team", "Value": "other people's"}],
        "MaxSessionDuration": 3600,
    }
    role = Resource("AWS::IAM::Role", ACCOUNT, "global", "quickstart-app", properties)
    assert plan_for(only("role/app"), Estate("observed", resources=(role,))).empty


def test_extra_inline_policy_is_a_difference():
    aws = deployed()
    role = next(iter(aws.items["AWS::IAM::Role"].values()))
    role["Policies"].append({"PolicyName": "sneaky", "PolicyDocument": policy()})
    plan = plan_for(desired_estate(), observe(aws))
    assert [item.path for change in plan.todo for item in change.differences] == ["Policies[sneaky]"]


def test_create_only_difference_replaces_and_dependents_wait_for_it():
    aws = deployed()
    desired = changed(desired_estate(), "security-group/endpoints", VpcId="vpc-2")
    plan = plan_for(desired, observe(aws))
    actions = {change.id: change.action for change in plan.todo}
    assert actions == {"security-group/endpoints": "replace", "endpoint/bedrock-runtime": "update"}
    endpoint = next(change for change in plan.todo if change.id == "endpoint/bedrock-runtime")
    assert endpoint.differences[0].after == ["(known after apply: security-group/endpoints.Id)"]


def test_replacing_what_holds_data_is_refused():
    kinds = {**KINDS, "AWS::S3::Bucket": replace(KINDS["AWS::S3::Bucket"], create_only=("KmsKey",))}
    bucket = seen("AWS::S3::Bucket", "logs", BucketName="logs", KmsKey="arn:old", Tags=TAGS)
    with pytest.raises(PlanRefusedError, match="KmsKey cannot be changed in place and logs holds data"):
        make_plan(
            only("key/logs", "bucket/logs"),
            Estate("observed", resources=(bucket,)),
            kinds,
            perimeter=PERIMETER,
        )


def test_what_the_declaration_dropped_is_deleted_unless_it_holds_data():
    aws = deployed()
    desired = desired_estate()
    without = desired.with_resources(
        item
        for item in desired
        if item.id not in ("log-group/invocations", "trail/main", "endpoint/bedrock-runtime")
    )
    plan = plan_for(without, observe(aws))
    assert [(change.action, change.resource.type) for change in plan.todo] == [
        ("delete", "AWS::EC2::VPCEndpoint"),
        ("delete", "AWS::CloudTrail::Trail"),
    ]
    kept = next(change for change in plan.changes if change.resource.type == "AWS::Logs::LogGroup")
    assert kept.action == "no-op"
    assert "holds data" in " ".join(kept.reasons)


def test_other_perimeters_resources_are_left_alone():
    aws = deployed()
    others = seen("AWS::EC2::SecurityGroup", "sg-9", Tags=[{"Key": "ringwall:perimeter", "Value": "other"}])
    observed = observe(aws)
    assert plan_for(desired_estate(), observed.with_resources([*observed, others])).empty


def test_resource_of_another_perimeter_under_our_name_is_refused():
    bucket = seen(
        "AWS::S3::Bucket", "logs", BucketName="logs", Tags=[{"Key": "ringwall:perimeter", "Value": "other"}]
    )
    with pytest.raises(PlanRefusedError, match="logs belongs to perimeter other"):
        plan_for(only("key/logs", "bucket/logs"), Estate("observed", resources=(bucket,)))


def test_untagged_resource_of_our_name_is_adopted():
    guardrail = seen("AWS::Bedrock::Guardrail", "g-1", Name="baseline", Strength="HIGH", Tags=[])
    plan = plan_for(only("guardrail/baseline"), Estate("observed", resources=(guardrail,)))
    (change,) = plan.todo
    assert change.action == "update"
    assert change.reasons == (
        "it exists already and nothing says that it is ours; `ringwall import` makes it so",
    )
    assert [item.path for item in change.differences] == ["Tags[ringwall:perimeter]"]


@pytest.mark.parametrize(
    ("resource", "refused"),
    [
        (
            Resource(
                "AWS::KMS::Key", ACCOUNT, REGION, "?", unknown=(Unknown("*", "kms:ListKeys: AccessDenied"),)
            ),
            True,
        ),
        (
            Resource(
                "AWS::KMS::Key",
                ACCOUNT,
                REGION,
                "k-9",
                unknown=(Unknown("Tags", "kms:ListResourceTags: AccessDenied"),),
            ),
            True,
        ),
        (
            Resource("AWS::SNS::Topic", ACCOUNT, REGION, "?", unknown=(Unknown("*", "sns:ListTopics: no"),)),
            False,
        ),
    ],
)
def test_unread_parts_that_decide_refuse_the_plan(resource, refused):
    observed = Estate("observed", resources=(resource,))
    if not refused:
        assert plan_for(only("key/logs"), observed).summary["create"] == 1
        return
    with pytest.raises(PlanRefusedError, match=r"could not read AWS::KMS::Key.*fake:List") as caught:
        plan_for(only("key/logs"), observed)
    assert "AccessDenied" in str(caught.value)
    assert plan_for(only("key/logs"), observed, accept_unread=frozenset({resource.id})).summary["create"] == 1


def test_unread_property_of_a_matched_resource_refuses():
    guardrail = replace(
        seen("AWS::Bedrock::Guardrail", "g-1", Name="baseline", Tags=TAGS),
        unknown=(Unknown("Strength", "bedrock:GetGuardrail: AccessDeniedException"),),
    )
    with pytest.raises(
        PlanRefusedError, match=rf"g-1, Strength \({ACCOUNT} {REGION}\): bedrock:GetGuardrail"
    ):
        plan_for(only("guardrail/baseline"), Estate("observed", resources=(guardrail,)))


def test_a_region_that_knows_no_credentials_may_not_be_enabled():
    reason = (
        "UnrecognizedClientException: kms:ListKeys: The security token included in the request is invalid."
    )
    there = Resource("AWS::KMS::Key", ACCOUNT, REGION, "?", unknown=(Unknown("*", reason),))
    with pytest.raises(PlanRefusedError, match="this one is not enabled for the account"):
        plan_for(only("key/logs"), Estate("observed", resources=(there,)))


def test_all_refusals_come_at_once():
    desired = changed(changed(desired_estate(), "key/logs", Bad=True), "role/app", Bad=True)
    with pytest.raises(PlanRefusedError) as caught:
        plan_for(desired)
    assert len((str(caught.value), *caught.value.details)) == 2


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (
            (Resource("AWS::KMS::Key", ACCOUNT, REGION, "a", {"X": Ref("b", "Arn")}),),
            "a refers to b, which nothing",
        ),
        (
            (
                Resource("AWS::KMS::Key", ACCOUNT, REGION, "a", {"X": Ref("b", "Arn")}),
                Resource("AWS::KMS::Key", ACCOUNT, REGION, "b", depends_on=("a",)),
            ),
            "in a circle: a, b",
        ),
        ((Resource("AWS::KMS::Key", ACCOUNT, REGION, "a"),) * 2, "a is declared twice"),
        (
            (
                Resource("AWS::KMS::Key", ACCOUNT, REGION, "a"),
                Resource("AWS::S3::Bucket", ACCOUNT, REGION, "b", {"BucketName": "b", "X": Ref("a", "Nope")}),
            ),
            "its attributes are: Arn, Id",
        ),
        ((Resource("AWS::Made::Up", ACCOUNT, REGION, "a"),), "no resource kind implements AWS::Made::Up"),
    ],
)
def test_declarations_that_cannot_be_deployed_are_refused(resources, message):
    with pytest.raises(PlanRefusedError, match=message):
        plan_for(Estate("desired", resources=resources))


def test_digest_follows_the_observed_state_that_matters():
    aws = deployed()
    before = plan_for(desired_estate(), observe(aws)).digest
    assert plan_for(desired_estate(), observe(aws)).digest == before
    next(iter(aws.items["AWS::KMS::Key"].values()))["EnableKeyRotation"] = False
    assert plan_for(desired_estate(), observe(aws)).digest != before


MANAGED = Resource(
    "AWS::IAM::ManagedPolicy", ACCOUNT, "global", "theirs", {"PolicyDocument": {"Statement": []}}
)
MOVES = {
    # what happens between a plan and its application -> whether the plan is stale
    "a managed policy that somebody's role has says something else": (
        lambda estate: estate.with_resources([*(item for item in estate if item != MANAGED), replace(MANAGED, properties={"PolicyDocument": {"Statement": [1]}})]),
        True,
    ),
    "a user appears": (lambda estate: estate.with_resources([*estate, seen("AWS::IAM::User", "mallory", UserName="mallory")]), True),
    "a managed policy cannot be read any more": (
        lambda estate: estate.with_resources([*(item for item in estate if item != MANAGED), replace(MANAGED, unknown=(Unknown("PolicyDocument", "AccessDenied"),))]),
        True,
    ),
    "the account moves to another unit": (
        lambda estate: replace(estate, accounts=(Account(ACCOUNT, "o-a", levels=("r-a", "ou-b", ACCOUNT)),)),
        True,
    ),
    "a subnet appears": (lambda estate: estate.with_resources([*estate, seen("AWS::EC2::Subnet", "subnet-1", SubnetId="subnet-1")]), False),
    "it is read at another time, in another order": (
        lambda estate: replace(estate.with_resources(reversed(estate.resources)), taken_at="2030-01-01T00:00:00+00:00"),
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MOVES)
def test_a_saved_plan_is_stale_where_what_it_said_may_not_hold(name):
    move, stale = MOVES[name]
    there = observe(deployed())
    there = replace(
        there.with_resources([*there, MANAGED]),
        accounts=(Account(ACCOUNT, "o-a", levels=("r-a", "ou-a", ACCOUNT)),),
    )
    before, after = (plan_for(desired_estate(), estate).digest for estate in (there, move(there)))
    assert (before != after) == stale


def test_alias_named_after_the_perimeter_goes_with_its_declaration():
    alias = FakeKind("AWS::KMS::Alias", named="AliasName")
    kinds = {**KINDS, alias.type: alias}
    there = Estate(
        "observed",
        resources=tuple(
            seen(alias.type, name, AliasName=name)
            for name in ("alias/ringwall/quickstart/old", "alias/ringwall/other/old", "alias/theirs")
        ),
    )
    plan = make_plan(only("key/logs"), there, kinds, perimeter=PERIMETER)
    assert [change.id for change in plan.todo if change.action == "delete"] == [
        "alias/ringwall/quickstart/old"
    ]
