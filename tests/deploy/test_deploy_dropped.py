"""What a declaration drops goes: the plan says so, apply removes it, AWS has it no more, and nothing is left to do.

Most of it carries no tag, so only the manifest knows that it is ours.
"""

from __future__ import annotations

import pytest
from ruamel.yaml import YAML

from deploy.deploy_sweep import QUICKSTART, Deployment
from ringwall import catalog
from ringwall.controls.compile import compile_estate
from ringwall.demo.world import environment
from ringwall.deploy.drift import find_drift
from ringwall.deploy.manifest import read_listed
from ringwall.deploy.order import dependencies, ordered
from ringwall.estate.kinds import registry
from ringwall.perimeter import Perimeter
from ringwall.sandbox import Sandbox

TRAIL = "company-trail"
KEPT = (
    "bucket/invocation-logs",
    "role/app",
    "guardrail/",
    "guardrail-version/",
    "resource-policy/",
    "enforced-guardrail/",
    "trail-selectors/",
    "data-retention/",
    "log-group/",
    "scp/retention",
    "scp/regions",
)
"""What the tests are about; the rest of the perimeter would only take time."""


def narrow(estate):
    """The part of an Estate that the tests are about, with what it refers to."""
    below = {}
    for item in ordered(estate):
        needs = (below[name] for name in dependencies(item))
        below[item.id] = frozenset({item.id}).union(*needs)
    wanted = frozenset().union(*(ids for name, ids in below.items() if name.startswith(KEPT)))
    return estate.with_resources(item for item in estate if item.id in wanted)


def declared(**changes):
    """The quickstart with everything in it that can be dropped again; ``None`` drops a section."""
    data = YAML(typ="safe").load(QUICKSTART.read_text())
    data["guardrail"] |= {"tier": "standard", "profile": "us.guardrail.v1:0"}
    data["uses"] = {"app": data["uses"]["app"]}
    data["enforcement"] = {"account": True}
    data["logging"] |= {"trail": TRAIL}
    for path, value in changes.items():
        *sections, name = path.split("__")
        inner = data
        for section in sections:
            inner = inner[section]
        if value is None:
            del inner[name]
        else:
            inner[name] = value
    return Perimeter.model_validate(data)


class Account(Deployment):
    """A deployment that takes one declaration after the other."""

    def take(self, **changes):
        """Declare this from now on."""
        self.perimeter = declared(**changes)
        self.desired = narrow(compile_estate(self.perimeter))

    def observe(self, types=None):
        observed = super().observe(types)
        return read_listed((self.aws,), observed, self.listed(observed), registry())

    def dropped(self):
        """Plan, look for drift, apply; the plan's changes by id, once nothing is left to do."""
        observed = self.observe()
        plan = self.plan(observed)
        found = find_drift(
            self.desired,
            observed,
            registry(),
            catalog.load(),
            perimeter=self.perimeter.name,
            listed=self.listed(observed),
        )
        gone = [item.id for item in plan.todo if item.action == "delete"]
        assert [item.id for item in found.leftover] == gone
        applied = self.apply(plan)
        assert [(item.change.id, str(item.error)) for item in applied.failed] == []
        assert applied.complete
        again = self.plan()
        assert [(item.action, item.id) for item in again.todo] == []
        return {item.id: item for item in plan.todo}

    def deleted(self):
        """Types of what is removed in one go, as often as they are."""
        changes = self.dropped().values()
        return sorted(item.resource.type.split("::", 1)[1] for item in changes if item.action == "delete")


@pytest.fixture(scope="module")
def standing():
    with Sandbox() as sandbox, environment(sandbox.environment()):
        account = Account.connected(narrow)
        bucket = {"Bucket": "company-trail-bucket"}
        account.aws.call("s3", "CreateBucket", **bucket)
        arns = ["arn:aws:s3:::company-trail-bucket", "arn:aws:s3:::company-trail-bucket/*"]
        actions = ["s3:GetBucketAcl", "s3:PutObject"]
        allow = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
        document = {"Version": "2012-10-17", "Statement": [{**allow, "Action": actions, "Resource": arns}]}
        account.aws.call("s3", "PutBucketPolicy", **bucket, Policy=_json(document))
        account.aws.call("cloudtrail", "CreateTrail", Name=TRAIL, S3BucketName=bucket["Bucket"])
        account.take()
        assert account.apply(account.plan()).complete
        yield account


@pytest.fixture
def account(standing):
    """Everything declared; put back after the test dropped some of it."""
    yield standing
    standing.take()
    assert standing.apply(standing.plan()).complete
    assert standing.plan().empty


def _json(value):
    import json

    return json.dumps(value)


def test_enforcement_and_the_guardrails_own_policy(account):
    account.take(enforcement=None)
    assert account.deleted() == ["Bedrock::EnforcedGuardrailConfiguration", "Bedrock::ResourcePolicy"]
    assert account.aws.call("bedrock", "ListEnforcedGuardrailsConfiguration")["guardrailsConfig"] == []
    assert account.observe(["AWS::Bedrock::ResourcePolicy"]).resources == ()


def test_selectors_on_somebody_elses_trail(account):
    account.take(logging__trail=None)
    account.desired = account.desired.with_resources(
        item for item in account.desired if item.type != "AWS::CloudTrail::Trail"
    )
    assert account.deleted() == ["CloudTrail::EventSelectors"]
    there = account.aws.call("cloudtrail", "GetEventSelectors", TrailName=TRAIL)["AdvancedEventSelectors"]
    assert [item["Name"] for item in there] == ["Management events"], "what was theirs"


def test_a_guardrail_with_all_of_its_versions(account):
    account.take(other_guardrails=None)
    assert account.deleted() == ["Bedrock::Guardrail", "Bedrock::GuardrailVersion"]
    names = [item["name"] for item in account.aws.pages("bedrock", "ListGuardrails", "guardrails")]
    assert names == ["baseline"]


@pytest.mark.parametrize("part", ["pii", "words", "topics"])
def test_a_policy_of_a_guardrail(account, part):
    """Seen in the draft, and fixed in a version of its own."""
    account.take(**{f"guardrail__{part}": None})
    changes = account.dropped()
    paths = {difference.path.split(".")[0] for difference in changes["guardrail/baseline"].differences}
    assert len(paths) == 1
    assert changes["guardrail-version/baseline"].action in ("create", "replace")
    (guardrail,) = [
        item for item in account.observe(["AWS::Bedrock::Guardrail"]) if item.get("Name") == "baseline"
    ]
    assert paths.isdisjoint(guardrail.properties) or part == "words", "profanity stays among the words"


def test_a_guardrails_profile(account):
    account.take(guardrail__profile=None, guardrail__tier="classic")
    changes = account.dropped()
    paths = [difference.path for difference in changes["guardrail/baseline"].differences]
    assert "CrossRegionConfig.GuardrailProfileArn" in paths
    observed = account.observe(["AWS::Bedrock::Guardrail"])
    assert [item.get("CrossRegionConfig") for item in observed] == [None, None]


def test_what_the_log_group_masks(account):
    account.take(logging__mask=[])
    changes = account.dropped()
    assert {item.path.split(".")[0] for item in changes["log-group/invocations"].differences} == {
        "DataProtectionPolicy"
    }
    (group,) = account.observe(["AWS::Logs::LogGroup"])
    assert "DataProtectionPolicy" not in group.properties


def test_no_retention(account):
    """The policy that refuses everybody another mode goes first, in the same run."""
    account.take(data_retention="default")
    changes = account.dropped()
    assert {item.action for name, item in changes.items() if name.startswith("data-retention/")} == {"update"}
    modes = [
        account.aws.elsewhere(region=region).call("bedrock", "GetAccountDataRetention")["mode"]
        for region in account.perimeter.regions.processing
    ]
    assert modes == ["default"] * 3
    kept = {item.get("Name") for item in account.observe(["AWS::Organizations::Policy"])}
    assert "quickstart-retention" not in kept


def test_a_region_keeps_its_retention_until_everything_goes(account):
    """The policy about Regions lets nobody set it there; the manifest knows of it until `destroy`."""
    account.take(
        regions__destinations=["us-east-2"],
        regions__residency="global",
        models={"nova": "amazon.nova-pro-v1:0"},
        uses={},
    )
    plan = account.plan(account.observe())
    (change,) = [item for item in plan.changes if item.resource.region == "us-west-2"]
    assert change.action == "no-op"
    assert change.reasons[1].startswith("it stays")
    assert account.apply(plan).complete
    assert account.plan(account.observe()).empty
    removed = [item.resource.region for item in account.destruction(account.observe()).removals]
    assert "us-west-2" in removed


def test_the_organizations_enforcement_is_not_ours_to_drop():
    kind = registry()["AWS::Bedrock::EnforcedGuardrailConfiguration"]
    (there,) = _observed_enforcement("ORGANIZATION")
    assert not kind.removable(there)
    (ours,) = _observed_enforcement("ACCOUNT")
    assert kind.removable(ours)


def _observed_enforcement(owner):
    class Aws:
        account, region, partition, caller, perimeter = "111122223333", "us-east-1", "aws", "", "q"

        def pages(self, *_args, **_parameters):
            return [{"configId": "c", "guardrailArn": "arn", "guardrailVersion": "1", "owner": owner}]

        def evidence(self):
            return ()

    return registry()["AWS::Bedrock::EnforcedGuardrailConfiguration"].read(Aws())
