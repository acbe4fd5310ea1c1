"""A running sandbox for each module of live tests (one runs per process), and clients for it."""

import json
from dataclasses import dataclass, field

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from ringwall.sandbox import Sandbox

MODEL = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
MESSAGES = [{"role": "user", "content": [{"text": "hello"}]}]


def policy(*statements):
    """A policy document as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass
class World:
    """A sandbox and ways to call it. Clients have keys of their own, so one session makes all of them."""

    sandbox: Sandbox
    session: boto3.session.Session = field(default_factory=boto3.session.Session)

    def client(
        self,
        service,
        *,
        key=None,
        secret=None,
        token=None,
        region="us-east-1",
        proxy=None,
        url=None,
        **config,
    ):
        """A client: direct to the public listener, or with real host names through a workload's proxy."""
        settings = self.sandbox.environment()
        return self.session.client(
            service,
            region_name=region,
            endpoint_url=url or (None if proxy else settings["AWS_ENDPOINT_URL"]),
            aws_access_key_id=key or settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret or settings["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=token,
            verify=settings["AWS_CA_BUNDLE"],
            config=Config(retries={"max_attempts": 0}, proxies={"https": proxy} if proxy else {}, **config),
        )

    def user(self, name, *statements):
        """Make a user with an inline policy; its keys as keyword arguments of :meth:`client`."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy(*statements))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"]}

    def assume(self, role, *, by=None, **parameters):
        """Assume a role; the session's keys as keyword arguments of :meth:`client`."""
        arn = role if role.startswith("arn:") else f"arn:aws:iam::111122223333:role/{role}"
        made = self.client("sts", **(by or {})).assume_role(
            RoleArn=arn, **{"RoleSessionName": "session", **parameters}
        )["Credentials"]
        return {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"], "token": made["SessionToken"]}

    def organizations(self):
        """A client of the organization's management account."""
        return self.client(
            "organizations", **self.assume("arn:aws:iam::999988887777:role/RingwallManagement")
        )


def code_of(call, *arguments, **parameters):
    """Error code of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    return caught.value.response["Error"]["Code"]


def message_of(call, **parameters):
    """Error message of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Message"]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A sandbox with clients that see none of this machine's AWS settings."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "HTTPS_PROXY", "https_proxy", "AWS_ENDPOINT_URL"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", str(tmp_path_factory.mktemp("aws") / "config"))
        patch.setenv("NO_PROXY", "127.0.0.1,localhost")
        with Sandbox() as sandbox:
            yield World(sandbox)


@pytest.fixture(scope="session")
def helpers():
    """Helpers of this file, for test modules (which cannot import it)."""
    return Helpers


class Helpers:
    """See :func:`helpers`."""

    WORLD = World
    MODEL = MODEL
    MESSAGES = MESSAGES
    policy = staticmethod(policy)
    code_of = staticmethod(code_of)
    message_of = staticmethod(message_of)
