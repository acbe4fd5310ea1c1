"""What an API call asks of the authorizer, and the parts from which resolvers build it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ringwall.errors import RingwallError

Context = Mapping[str, tuple[str, ...]]
PathResolver = Callable[[str, str], str]

# Services with one endpoint per partition, and its Region (https://docs.aws.amazon.com/general/latest/gr/rande.html).
GLOBAL_SERVICES = frozenset({"iam", "organizations"})
GLOBAL_ENDPOINTS = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-northwest-1"}


@dataclass(frozen=True, slots=True)
class Authorization:
    """One authorization that an API call needs.

    Attributes:
        action: ``service:Name`` in the reference's spelling.
        resource: resource ARN; ``*`` for actions without resources.
        context: what the operation itself determines, by lower-cased condition key. A single-valued key has one value.
        resource_account: owner of the resource where the call says so, else ``None``.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    resource_account: str | None = None


class ProfileResolver(Protocol):
    """Knows what names of an account stand for; the sandbox and the live account each have one."""

    def models(self, arn: str, region: str) -> tuple[str, ...] | None:
        """What an ARN stands for when a call in ``region`` names it as its model.

        * inference profile, application inference profile: ARNs of the foundation models in every destination Region,
          as ``GetInferenceProfile`` lists them (``arn:aws:bedrock:::foundation-model/...`` for global routing);
        * prompt: the model identifier of its variant, in any form that a call may name;
        * prompt router: the identifiers of the models that it routes to;
        * guardrail: ARNs of its guardrail profile in every destination Region, if it has one.

        ``None`` if it is unknown here.
        """


class UnknownOperationError(RingwallError):
    """No service of the catalog has the operation."""


class UnresolvedModelError(RingwallError):
    """A call names something that stands for models which nobody here knows."""


@dataclass(frozen=True, slots=True)
class Call:
    """An API call that is being resolved.

    Attributes:
        service: botocore service name, such as ``bedrock-runtime``.
        operation: API operation in AWS's spelling, such as ``ConverseStream``.
        prefix: IAM prefix of the service.
        parameters: boto3's parameters.
        account: twelve-digit account of the caller.
        region: Region of the endpoint that is called.
        partition: ``aws``, ``aws-us-gov``, ...
        profiles: resolver for names that only an account knows.
        paths: path of an IAM entity by kind (``role``) and name, such as ``/service/``.
    """

    service: str
    operation: str
    prefix: str
    parameters: Mapping[str, Any]
    account: str
    region: str
    partition: str = "aws"
    profiles: ProfileResolver | None = None
    paths: PathResolver | None = None

    @property
    def requested_region(self) -> str:
        """Value of ``aws:RequestedRegion``: of global services, the Region of their endpoint."""
        if self.prefix in GLOBAL_SERVICES:
            return GLOBAL_ENDPOINTS.get(self.partition, self.region)
        return self.region

    def path_of(self, kind: str, name: str) -> str:
        """Path of an IAM entity; ``/`` where nobody knows better."""
        return self.paths(kind, name) if self.paths else "/"

    def arn(
        self,
        resource: str,
        *,
        service: str | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> str:
        """ARN of a resource of the caller's account and Region, unless said otherwise."""
        where = self.region if region is None else region
        owner = self.account if account is None else account
        return f"arn:{self.partition}:{service or self.prefix}:{where}:{owner}:{resource}"

    def value(self, *path: str) -> Any:
        """Parameter at a path of member names; ``None`` if any part of it is absent."""
        found: Any = self.parameters
        for name in path:
            if not isinstance(found, Mapping):
                return None
            found = found.get(name)
        return found

    def text(self, *path: str) -> str:
        """String parameter at a path; empty if absent."""
        found = self.value(*path)
        return found if isinstance(found, str) else ""


def is_arn(text: str) -> bool:
    """Whether the text has the six fields of an ARN."""
    return text.startswith("arn:") and text.count(":") >= 5


def account_of(arn: str) -> str | None:
    """Account in an ARN; ``None`` where it has none, is AWS's (``aws``, of managed policies), or the text is no ARN."""
    fields = arn.split(":", 5)
    return fields[4] if len(fields) == 6 and fields[4].isdigit() else None


def region_of(arn: str) -> str:
    """Region field of an ARN; empty where it has none."""
    fields = arn.split(":", 5)
    return fields[3] if len(fields) == 6 else ""
