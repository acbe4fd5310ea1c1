"""In which order resources are made: by what they refer to, and by phase.

References and ``depends_on`` decide first. Among what they leave open, phases keep a half-done deployment harmless:
keys before the data that they encrypt, logging before what is to be logged, and service control policies last, when
everything that they require (guardrail, endpoints, roles) is there. Destroying goes the other way round, so that the
deployer is not locked out by a policy that outlives what it refers to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ringwall.deploy.changes import Change, PlanRefusedError
from ringwall.estate.model import Resource, references

PHASES: tuple[tuple[str, ...], ...] = (
    ("AWS::KMS::Key", "AWS::KMS::Alias"),
    ("AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::S3::BucketPolicy"),
    ("AWS::IAM::ManagedPolicy", "AWS::IAM::Role", "AWS::IAM::RolePolicy", "AWS::IAM::User"),
    (
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SNS::Subscription",
        "AWS::Logs::MetricFilter",
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Events::Rule",
        "AWS::CloudTrail::Trail",
        "Ringwall::Bedrock::InvocationLogging",
        "Ringwall::Bedrock::DataRetention",
    ),
    ("AWS::Bedrock::Guardrail", "AWS::Bedrock::GuardrailVersion", "AWS::Bedrock::ResourcePolicy"),
    ("AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::VPCEndpoint"),
    ("AWS::Bedrock::EnforcedGuardrailConfiguration",),
    ("AWS::Organizations::Policy",),
)
LAST = len(PHASES) - 1
_PHASE = {name: number for number, names in enumerate(PHASES) for name in names}
CLOSING = _PHASE["AWS::Bedrock::EnforcedGuardrailConfiguration"]
_UNLISTED = 3
"""A type without a phase of its own goes with monitoring: after keys, stores and roles, before the perimeter closes."""


def phase(resource_type: str) -> int:
    """Number of the phase in which resources of a type are made."""
    return _PHASE.get(resource_type, _UNLISTED)


def after_policies(resource: Resource) -> bool:
    """Whether a setting is made only when everything else is, removals too: what the old policies refuse anybody.

    The policy that keeps prompts from being retained goes, or changes, after everything that it protects; only then may
    the setting say otherwise.
    """
    return resource.type == "Ringwall::Bedrock::DataRetention" and resource.get("Mode") != "none"


def closes(change: Change) -> bool:
    """Whether a change takes something from somebody: an enforced guardrail, a service control policy, a removal.

    It waits until everything that it relies on reads back as declared.
    """
    return (
        change.action == "delete" or phase(change.resource.type) >= CLOSING or after_policies(change.resource)
    )


def dependencies(resource: Resource) -> frozenset[str]:
    """Desired ids that must exist before the resource."""
    return frozenset(ref.target for ref in references(resource.properties)) | frozenset(resource.depends_on)


def levels(resources: Iterable[Resource]) -> Mapping[str, int]:
    """Level of each desired id: its phase, or its deepest dependency's level if that is later.

    Everything of a lower level is finished before a level starts; within one, only references order.
    """
    found: dict[str, int] = {}
    for resource in ordered(resources):
        needs = (found[target] for target in dependencies(resource) if target in found)
        found[resource.id] = max(phase(resource.type), *needs, 0)
    return found


def ordered(resources: Iterable[Resource]) -> tuple[Resource, ...]:
    """The resources so that each comes after what it depends on; ties by phase, then by id.

    Raises:
        PlanRefusedError: something refers to a resource that is not there, twice the same id, or a cycle.
    """
    by_id: dict[str, Resource] = {}
    problems: list[str] = []
    for resource in resources:
        if resource.id in by_id:
            problems.append(f"{resource.id} is declared twice")
        by_id[resource.id] = resource
    waiting = {name: set(dependencies(resource)) for name, resource in by_id.items()}
    problems += [
        f"{name} refers to {target}, which nothing declares"
        for name, targets in sorted(waiting.items())
        for target in sorted(targets - by_id.keys())
    ]
    if problems:
        raise PlanRefusedError(problems[0], details=tuple(problems[1:]))
    result: list[Resource] = []
    while waiting:
        ready = [name for name, targets in waiting.items() if not targets]
        if not ready:
            names = ", ".join(sorted(waiting))
            raise PlanRefusedError(f"these resources wait for each other in a circle: {names}")
        first = min(ready, key=lambda name: (phase(by_id[name].type), name))
        result.append(by_id[first])
        del waiting[first]
        for targets in waiting.values():
            targets.discard(first)
    return tuple(result)
