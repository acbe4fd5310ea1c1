"""The quickstart in a sandbox, and a connection on which every single write can go wrong."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.deploy_fakes import Killed
from ringwall.controls.compile import compile_estate
from ringwall.deploy.apply import apply
from ringwall.deploy.contents import contents
from ringwall.deploy.destroy import destroy, plan_destroy
from ringwall.deploy.doors import Doors
from ringwall.deploy.manifest import read_manifest
from ringwall.deploy.order import dependencies, ordered
from ringwall.deploy.plan import make_plan
from ringwall.deploy.retry import Backoff
from ringwall.errors import AwsCallError
from ringwall.estate.collect import collect
from ringwall.estate.connection import connect
from ringwall.estate.kinds import registry
from ringwall.estate.repeating import is_repeatable
from ringwall.perimeter import load

QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "ringwall.yaml"
COMPLETE = QUICKSTART.parents[1] / "complete" / "ringwall.yaml"
SERVICES = {
    "bedrock": "Bedrock",
    "cloudtrail": "CloudTrail",
    "cloudwatch": "CloudWatch",
    "ec2": "EC2",
    "events": "Events",
    "iam": "IAM",
    "kms": "KMS",
    "logs": "Logs",
    "organizations": "Organizations",
    "s3": "S3",
    "sns": "SNS",
}
"""By the SDK's service, the service in resource types."""


@dataclass
class Faults:
    """What goes wrong with writes, over all connections of a run.

    Attributes:
        kill_after: the process dies after that many writes; 0 = never.
        fault: asked before each write with its number of tries so far; what it raises or does takes the write's place.
        seen: by write, how often it was tried.
        writes: what was carried out.
    """

    kill_after: int = 0
    fault: Callable[[Callable[[], dict], tuple[str, str], int], dict] | None = None
    seen: Counter = field(default_factory=Counter)
    writes: list[tuple[str, str]] = field(default_factory=list)
    dead: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Hazardous:
    """A connection with faults. A dead process makes no call any more."""

    def __init__(self, inner, faults):
        self.inner, self.faults = inner, faults

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def remember(self, name, compute):
        return self.inner.remember(name, compute)

    def forget(self):
        self.inner.forget()

    def elsewhere(self, **where):
        return Hazardous(self.inner.elsewhere(**where), self.faults)

    def pages(self, *args, **parameters):
        if self.faults.dead:
            raise Killed
        return self.inner.pages(*args, **parameters)

    def call(self, service, operation, /, **parameters):
        faults = self.faults
        if faults.dead:
            raise Killed
        if is_repeatable(operation):
            return self.inner.call(service, operation, **parameters)

        def carry_out():
            answer = self.inner.call(service, operation, **parameters)
            faults.writes.append((service, operation))
            return answer

        if faults.fault is not None:
            with faults.lock:
                key = (service, operation, json.dumps(parameters, sort_keys=True, default=str))
                tries = faults.seen[key]
                faults.seen[key] += 1
            return faults.fault(carry_out, (service, operation), tries)
        answer = carry_out()
        if len(faults.writes) == faults.kill_after:
            faults.dead = True
            raise Killed
        return answer


@dataclass
class Deployment:
    """The quickstart's declaration and two connections to deploy it with."""

    aws: object
    management: object
    perimeter: object
    desired: object

    @classmethod
    def connected(cls, narrow=lambda estate: estate, perimeter=None):
        """With the connections that the environment leads to; default: the quickstart's perimeter."""
        perimeter = perimeter or load(QUICKSTART)
        aws = connect(perimeter.name, region=perimeter.regions.source)
        management = aws.elsewhere(role=perimeter.organization.management_role)
        return cls(aws, management, perimeter, narrow(compile_estate(perimeter)))

    def observe(self, types=None):
        """What is there."""
        return collect(self.aws, management=self.management, types=types, desired=self.desired)

    def plan(self, observed=None):
        """What has to change."""
        observed = self.observe() if observed is None else observed
        return make_plan(
            self.desired, observed, registry(), perimeter=self.perimeter.name, listed=self.listed(observed)
        )

    def listed(self, observed):
        """What the manifest lists."""
        return read_manifest(self.aws, observed, self.perimeter.name)

    def apply(self, plan, faults=None, **more):
        """Apply it through connections with these faults."""
        faults = faults or Faults()
        return apply(
            plan,
            Hazardous(self.aws, faults),
            registry(),
            management=Hazardous(self.management, faults),
            backoff=swift(),
            listed=self.listed(plan.observed),
            **more,
        )

    def refreshed(self, observed, writes):
        """The observed Estate read again where something was written, which is all that can have changed."""
        services = {SERVICES[service] for service, _ in writes}
        types = {name for name in registry() if name.split("::")[1] in services}
        fresh = self.observe(types)
        return observed.with_resources([*(item for item in observed if item.type not in types), *fresh])

    def destruction(self, observed=None, *, purge=True):
        """What destroying everything takes."""
        return plan_destroy(
            self.plan(observed), registry(), holds_data=contents(Doors(self.aws)), purge=purge
        )

    def destroy(self, destruction, faults=None):
        """Destroy through connections with these faults."""
        faults = faults or Faults()
        return destroy(
            destruction,
            Hazardous(self.aws, faults),
            registry(),
            management=Hazardous(self.management, faults),
            backoff=swift(),
            listed=self.listed(self.observe(["AWS::S3::Bucket"])),
        )


def counts(observed):
    """How many resources of each type there are; keys that wait for their deletion do not count."""
    return Counter(item.type for item in observed if item.get("KeyState") != "PendingDeletion")


def swift():
    """As long-suffering as a user's run, in no time."""
    return Backoff(sleep=lambda _: None)


def one_of_each(estate, types=None):
    """The smallest part of an Estate that has every type of resource, or every given one, with what they refer to."""
    by_id = {item.id: item for item in estate}
    below = {}
    for item in ordered(estate):
        needs = dependencies(item)
        below[item.id] = frozenset({item.id}).union(*(below[name] for name in needs))
    chosen = set()
    for name in sorted(types or {item.type for item in estate}):
        if not any(by_id[one].type == name for one in chosen):
            chosen |= min(
                (below[item.id] for item in estate.of_type(name)),
                key=lambda ids: (len(ids - chosen), sorted(ids)),
            )
    return estate.with_resources(item for item in estate if item.id in chosen)


def lost(carry_out, call, tries):
    """Carried out, but the first answer is lost."""
    answer = carry_out()
    if tries == 0:
        raise AwsCallError(*call, "EndpointTimedOut", "Read timeout on endpoint URL")
    return answer


def timed_out(carry_out, call, tries):
    """Not carried out, which nobody can tell from an answer that was lost."""
    if tries == 0:
        raise AwsCallError(*call, "EndpointTimedOut", "Read timeout on endpoint URL")
    return carry_out()


def throttled_then_denied(carry_out, call, tries):
    """First too many requests, then no permission; the third try is carried out."""
    if tries == 0:
        raise AwsCallError(*call, "ThrottlingException", "Rate exceeded")
    if tries == 1:
        raise AwsCallError(*call, "AccessDeniedException", "not authorized", permission=":".join(call))
    return carry_out()
