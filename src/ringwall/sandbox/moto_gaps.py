"""What moto lacks or does needlessly, put right in moto's own classes as a service comes into use."""

from __future__ import annotations

import importlib
import json
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.effective import BEDROCK

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASYMMETRIC = ("RSA", "ECC", "SM2", "ML")
_ARN = "arn:{0}:organizations::{1}:policy/{2}/bedrock_policy/{3}"


class _NoNetwork:
    """In the place of ``requests``."""

    @staticmethod
    def post(*_: Any, **__: Any) -> None:
        """Send nothing."""


def forgetful() -> None:
    """Let moto forget what is gone: it keeps a list of every object that it ever made, for a page that nobody sees."""
    model = importlib.import_module("moto.core.common_models").BaseModel
    model.__new__ = lambda cls, *_, **__: object.__new__(cls)


def fill(service: str) -> None:
    """Put right what a service needs."""
    _with_known_methods(importlib.import_module("moto.core.responses"))
    if service == "iam":
        _with_policies_read_once(importlib.import_module("moto.iam.models"))
    if service == "s3":
        _without_bucket_policies(importlib.import_module("moto.s3.models"))
    if service == "kms":
        _without_needless_keys(importlib.import_module("moto.kms.models"))
    if service == "organizations":
        _with_bedrock_policies(importlib.import_module("moto.organizations.models"))
    if service == "sns":
        _without_network(importlib.import_module("moto.sns.models"))


def _with_known_methods(responses: Any) -> None:
    """Let moto look for the operations of a response class once, not with every call: a sixth of a call's time."""
    look = responses.method_names_from_class
    if not hasattr(look, "cache_info"):
        responses.method_names_from_class = cache(look)


class _Written:
    """The document of a policy's version: written down when it is first asked for."""

    def __get__(self, version: Any, _: Any = None) -> Any:
        document = vars(version)["document"]
        if not isinstance(document, str):
            document = vars(version)["document"] = json.dumps(document)
        return document

    def __set__(self, version: Any, document: Any) -> None:
        vars(version)["document"] = document


@cache
def _aws_policies() -> Mapping[str, Mapping[str, Any]]:
    """What AWS's managed policies are made of, by name; every account has all of them."""
    known: dict[str, dict[str, Any]] = json.loads(
        importlib.import_module("moto.iam.aws_managed_policies").aws_managed_policies_data
    )
    return {
        name: {
            "default_version_id": data.get("DefaultVersionId"),
            "path": data.get("Path"),
            "document": data.get("Document"),
            "create_date": datetime.fromisoformat(data["CreateDate"]),
            "update_date": datetime.fromisoformat(data["UpdateDate"]),
        }
        for name, data in known.items()
    }


def _with_policies_read_once(iam: Any) -> None:
    """Read AWS's managed policies once, and not for each account; write down those alone that somebody looks at."""
    backend = iam.IAMBackend
    load = backend._init_aws_policies  # noqa: SLF001 - moto has no other way
    if load.__module__ == __name__:
        return

    def init(self: Any) -> list[Any]:
        if not iam.load_iam_aws_managed_policies():
            return []
        make = iam.AWSManagedPolicy
        return [
            make(name, account_id=self.account_id, region=self.region_name, **data)
            for name, data in _aws_policies().items()
        ]

    backend._init_aws_policies = init  # noqa: SLF001
    iam.PolicyVersion.document = _Written()


def _without_bucket_policies(s3: Any) -> None:
    """Judge no bucket policies in moto: it does so without their conditions, and the gateway has judged them with."""
    neutral = importlib.import_module("moto.iam.access_control").PermissionResult.NEUTRAL
    s3.FakeBucket.get_permission = lambda *_: neutral


def _without_network(sns: Any) -> None:
    """Messages to subscribers over HTTP stay here."""
    sns.requests = _NoNetwork


def _without_needless_keys(kms: Any) -> None:
    """Spare symmetric KMS keys the RSA key that moto makes for each of them, in a tenth of a second."""
    make = kms.generate_private_key
    if make.__module__ == __name__:
        return

    def for_spec(spec: str) -> Any:
        return make(spec) if spec.startswith(_ASYMMETRIC) else None

    kms.generate_private_key = for_spec


def _with_bedrock_policies(organizations: Any) -> None:
    """Let moto keep Bedrock policies, a type of policy that it does not know."""
    policy, root = organizations.FakePolicy, organizations.FakeRoot
    if BEDROCK in policy.SUPPORTED_POLICY_TYPES:
        return
    make = policy.__init__

    def init(self: Any, organization: Any, **given: Any) -> None:
        known = given.get("Type") != BEDROCK
        make(self, organization, **(given if known else {**given, "Type": "TAG_POLICY"}))
        if not known:
            self.type, self._arn_format = BEDROCK, _ARN

    policy.__init__ = init
    policy.SUPPORTED_POLICY_TYPES.append(BEDROCK)
    root.SUPPORTED_POLICY_TYPES.append(BEDROCK)
