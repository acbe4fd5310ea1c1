"""What moto lacks or does needlessly, put right in moto's own classes as a service comes into use."""

from __future__ import annotations

import importlib
from typing import Any

from ringwall.sandbox import moto_policies
from ringwall.sandbox.effective import BEDROCK

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
    _without_needless_judges(importlib.import_module("moto.core.authorization"))
    if service == "iam":
        moto_policies.make_when_asked(importlib.import_module("moto.iam.models"))
    if service == "s3":
        _without_bucket_policies(importlib.import_module("moto.s3.models"))
    if service == "kms":
        _without_needless_keys(importlib.import_module("moto.kms.models"))
    if service == "organizations":
        _with_bedrock_policies(importlib.import_module("moto.organizations.models"))
    if service == "sns":
        _without_network(importlib.import_module("moto.sns.models"))


def _without_needless_judges(authorization: Any) -> None:
    """Load moto's own authorization, and the three services that it is built on, where somebody has turned it on."""
    mixin, settings = authorization.ActionAuthenticatorMixin, authorization.settings
    judge = mixin._authenticate_and_authorize_normal_action  # noqa: SLF001 - moto has no other way
    if judge.__module__ == __name__:
        return

    def judged(self: Any, resource: str = "*") -> None:
        if mixin.request_count >= settings.INITIAL_NO_AUTH_ACTION_COUNT:
            judge(self, resource)
        else:
            mixin.request_count += 1

    mixin._authenticate_and_authorize_normal_action = judged  # noqa: SLF001


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
