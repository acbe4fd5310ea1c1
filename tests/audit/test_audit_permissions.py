"""Take away one permission after the other: nothing that rested on its answers passes any more, and the report says which.

The account is read once; then each operation in turn is refused, offline, as AWS refuses it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from demo.quickstart_account import deployed
from ringwall.access import Access
from ringwall.access.bearing import BEARING_TYPES
from ringwall.audit.bundle import open_bundle, write_bundle
from ringwall.audit.replayed import Key, Replayed, by_key
from ringwall.audit.run import Audit, Reading, run_audit
from ringwall.audit.run import judge as in_full
from ringwall.catalog import load
from ringwall.controls import names
from ringwall.controls.compile import compile_estate
from ringwall.controls.context import CheckContext
from ringwall.controls.findings import Finding, Status
from ringwall.controls.judging import judge
from ringwall.controls.model_access import declared_models
from ringwall.deploy.permissions import Place, audit_policy, management_audit_policy
from ringwall.estate.collect import collect
from ringwall.estate.connection import connect, permission_of
from ringwall.estate.kinds import registry, surveyed
from ringwall.estate.located import located
from ringwall.estate.model import Estate, canonical_json
from ringwall.estate.recording import Recorded, digest_of
from ringwall.estate.references import bind
from ringwall.iam.codec import request_from_json
from ringwall.iam.evaluate import decide

REFUSED = canonical_json({"Error": {"Code": "AccessDenied", "Message": "not today"}})
TAGS = frozenset({"ListTags", "ListTagsForResource", "GetBucketTagging"})
BESIDE = {
    # Answers that stand beside the one that decides, as evidence of the same resource: by operation, the controls.
    "GetEventSelectors": {"keys-effective"},
    "GetTrailStatus": {"keys-effective"},
    "GetBucketOwnershipControls": {"keys-effective", "invocation-logging-delivers"},
    "GetBucketVersioning": {"keys-effective", "invocation-logging-delivers"},
    "GetBucketLifecycleConfiguration": {"keys-effective", "invocation-logging-delivers"},
    "GetBucketReplication": {"keys-effective", "invocation-logging-delivers"},
    "GetDataProtectionPolicy": {"keys-effective"},
    "GetPublicAccessBlock": {"keys-effective", "invocation-logging-delivers"},
}
IDENTITY = ("GetCallerIdentity", "AssumeRole")
"""Without these there is no audit."""


@cache
def quickstart() -> Audit:
    """One audit of the deployed quickstart, with its recording."""
    with tempfile.TemporaryDirectory() as folder, deployed(Path(folder)) as world:
        aws = connect(
            world.perimeter.name, region=world.perimeter.regions.source
        )  # with a recording of its own
        management = aws.elsewhere(role=world.perimeter.organization.management_role)
        found = run_audit(aws, management, world.perimeter, load())
        bundle = open_bundle(write_bundle(found, Path(folder) / "bundle"))
        return replace(found, reading=bundle.reading)


def operations() -> list[tuple[str, str]]:
    calls = quickstart().reading.calls
    return sorted({(item.service, item.operation) for item in calls if item.operation not in IDENTITY})


def without(service: str, operation: str) -> Mapping[Key, Recorded]:
    """The recording with one operation refused."""
    refused = {"body": REFUSED, "digest": digest_of(REFUSED), "failed": True}
    return by_key(
        replace(item, **refused) if (item.service, item.operation) == (service, operation) else item
        for item in quickstart().reading.calls
    )


def observed(calls: Mapping[Key, Recorded], reading: Reading) -> Estate:
    aws = Replayed(calls, reading.account, reading.region)
    management = Replayed(calls, str(reading.management), reading.region)
    perimeter = quickstart().perimeter
    assert perimeter is not None
    return collect(aws, management=management, survey=True, models=declared_models(perimeter))


def judged(estate: Estate) -> tuple[Finding, ...]:
    """The verdicts. Proofs are made again only where policies may have changed; else they are those of the whole audit."""
    audit = quickstart()
    assert audit.perimeter is not None
    wanted = compile_estate(audit.perimeter)
    context = CheckContext(
        perimeter=audit.perimeter,
        observed=estate,
        desired=bind(wanted, located(wanted, estate)),
        access=Access(estate),
        proofs={item.declared.name: item.answer for item in audit.proofs},
    )
    return judge(context)


def bearing(estate: Estate) -> set[object]:
    return {(item.type, item.id, item.unknown) for item in estate if item.type in BEARING_TYPES}


def test_each_permission_that_is_taken_away_shows() -> None:
    audit = quickstart()
    assert audit.clean
    silent = []
    for service, operation in operations():
        lost = {
            item.digest
            for item in audit.reading.calls
            if (item.service, item.operation) == (service, operation) and not item.failed
        }
        estate = observed(without(service, operation), audit.reading)
        unknown = [item.reason for resource in estate for item in resource.unknown]
        permission = permission_of(service, operation, {}, account=audit.account, region="us-east-1")
        if lost and not any("AccessDenied" in reason for reason in unknown):
            silent.append(f"{service}:{operation} was refused and nothing is unknown")
        if bearing(estate) != bearing(audit.observed):
            continue  # the proofs speak of other policies then: judged in full by the test below
        rested = {
            (item.control, item.resource)
            for item in audit.findings
            if item.status is Status.PASS and lost & set(item.evidence) and item.confidence != "proved"
        }
        rested = {
            name for name in rested if operation not in TAGS and name[0] not in BESIDE.get(operation, ())
        }
        passed = {(item.control, item.resource) for item in judged(estate) if item.status is Status.PASS}
        silent += [f"{permission} was refused, and {name} still passes" for name in sorted(rested & passed)]
    assert not silent, "\n".join(silent)


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("iam", "GetAccountAuthorizationDetails"),
        ("organizations", "ListPolicies"),
        ("organizations", "DescribePolicy"),
    ],
)
def test_without_policies_nothing_is_proved(service: str, operation: str) -> None:
    audit = quickstart()
    estate = observed(without(service, operation), audit.reading)
    found = in_full(audit.perimeter, estate, load(), reading=audit.reading, timeout=5.0)
    passed = {
        item.control for item in found.findings if item.status is Status.PASS and item.confidence == "proved"
    }
    assert passed == set()
    assert found.verdicts["guardrail-cannot-be-bypassed"] is Status.UNKNOWN


def test_the_policy_for_auditing_holds_every_call_that_an_audit_makes() -> None:
    """It is made from the same tables as the calls; here from the calls themselves."""
    audit = quickstart()
    place = Place(audit.account, "us-east-1", "aws", "arn:aws:iam::999988887777:role/RingwallManagement")
    kinds = {**registry(), **surveyed()}
    allowed = {
        action
        for policy in (audit_policy(kinds, place), management_audit_policy(kinds))
        for statement in policy["Statement"]
        for action in statement["Action"]
    }
    made = {
        permission_of(call.service, call.operation, call.parameters, account=call.account, region=call.region)
        for call in audit.reading.calls
    }
    assert made - allowed == {"sts:GetCallerIdentity"}  # which nobody can be refused


def test_the_declared_auditor_may_make_every_call_of_an_audit() -> None:
    audit = quickstart()
    assert audit.perimeter is not None
    role = audit.perimeter.role_arn("auditor")
    access = Access(audit.observed)
    place = Place(audit.account, "us-east-1", "aws", "arn:aws:iam::999988887777:role/RingwallManagement")
    reading = audit_policy({**registry(), **surveyed()}, place)["Statement"][0]["Action"]
    bucket = names.bucket_arn(audit.perimeter, names.INVOCATION_LOGS)
    refused = []
    for action in reading:
        resource = bucket if action == "s3:ListBucket" else "*"
        asked = {
            "principal": role,
            "action": action,
            "resource": resource,
            "resource_account": audit.account,
            "context": {"aws:RequestedRegion": "us-east-1", "aws:SecureTransport": "true"},
        }
        policies = access.policies(role, resource=resource, action=action)
        if not decide(request_from_json(asked), policies).allowed:
            refused.append(action)
    assert refused == []
