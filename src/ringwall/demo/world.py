"""The stage: a sandbox, the quickstart's declaration, and clients of different people at different places."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from ringwall.catalog import load as load_catalog
from ringwall.controls.compile import compile_estate
from ringwall.estate.aws import Aws
from ringwall.estate.collect import collect
from ringwall.estate.connection import connect
from ringwall.estate.located import located
from ringwall.estate.model import Estate
from ringwall.estate.sessions import new_session
from ringwall.perimeter import Perimeter, load
from ringwall.sandbox import Sandbox

BEARER_TOKEN = "AWS_BEARER_TOKEN_BEDROCK"  # noqa: S105 - the variable's name
INHERITED = (
    "AWS_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    BEARER_TOKEN,
)
"""Variables that would make the SDK look elsewhere than at the sandbox."""


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """The process's environment with these variables, and without what could lead elsewhere."""
    before = dict(os.environ)
    hidden = [
        name
        for name in os.environ
        if name in INHERITED or name.startswith("AWS_ENDPOINT_URL") or name.lower() == "https_proxy"
    ]
    try:
        for name in hidden:
            del os.environ[name]
        os.environ.update(
            {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, **values}
        )
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass
class World:
    """Everything that the parts of the story share.

    Attributes:
        sandbox: running.
        file: the declaration.
        report: where the HTML report goes.
        seen: what one part leaves for a later one (request ids, a witness).
    """

    sandbox: Sandbox
    file: Path
    report: Path
    seen: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def perimeter(self) -> Perimeter:
        """The declaration."""
        return load(self.file)

    @cached_property
    def catalog(self) -> Any:
        """Actions and keys."""
        return load_catalog()

    @cached_property
    def desired(self) -> Estate:
        """What the declaration compiles to."""
        return compile_estate(self.perimeter)

    @cached_property
    def aws(self) -> Aws:
        """The administrator's connection, by the ordinary credential chain."""
        return connect(self.perimeter.name, region=self.perimeter.regions.source)

    @cached_property
    def management(self) -> Aws:
        """The management account, through the role that the declaration names."""
        return self.aws.elsewhere(role=self.perimeter.organization.management_role)

    def observe(self) -> Estate:
        """What is there now."""
        return collect(self.aws, management=self.management, desired=self.desired)

    @property
    def attributes(self) -> Mapping[str, Mapping[str, str]]:
        """What references to declared things resolve to; read once after deployment."""
        if "attributes" not in self.seen:
            self.learn(self.observe())
        attributes: Mapping[str, Mapping[str, str]] = self.seen["attributes"]
        return attributes

    def learn(self, observed: Estate) -> None:
        """Remember what references resolve to in what was read."""
        self.seen["attributes"] = located(self.desired, observed)

    def guardrail(self, name: str) -> dict[str, str]:
        """A declared guardrail with its numbered version, as Converse takes it."""
        return {
            "guardrailIdentifier": self.attributes[f"guardrail/{name}"]["Arn"],
            "guardrailVersion": self.attributes[f"guardrail-version/{name}"]["Version"],
        }

    # -- people ----------------------------------------------------------------------------------------------------

    @cached_property
    def _session(self) -> boto3.Session:
        """The administrator's session."""
        return new_session()

    def credentials(self, use: str) -> boto3.Session:
        """A plain boto3 session with the credentials of a declared use's role."""
        sts = self.administrator("sts")
        keys = sts.assume_role(RoleArn=self.perimeter.role_arn(use), RoleSessionName="demo")["Credentials"]
        return new_session(region=self.perimeter.regions.source, keys=keys)

    # -- places ----------------------------------------------------------------------------------------------------

    def inside(self, session: boto3.Session, service: str, region: str | None = None) -> Any:
        """A plain client in the VPC's first subnet, using AWS's real host names."""
        config = Config(
            proxies={"https": self.sandbox.proxy_url},
            ignore_configured_endpoint_urls=True,
            retries={"total_max_attempts": 1},
        )
        return session.client(service, region_name=region, config=config, verify=str(self.sandbox.ca_bundle))

    def outside(self, session: boto3.Session, service: str, region: str | None = None) -> Any:
        """A plain client on the internet."""
        config = Config(retries={"total_max_attempts": 1})
        return session.client(
            service,
            region_name=region,
            endpoint_url=self.sandbox.endpoint_url,
            config=config,
            verify=str(self.sandbox.ca_bundle),
        )

    def administrator(self, service: str, region: str | None = None) -> Any:
        """The administrator's client."""
        return self._session.client(service, region_name=region or self.perimeter.regions.source)
