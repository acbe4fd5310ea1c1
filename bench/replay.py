"""Starting again from a state directory: how long it takes to make ten thousand changes again."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from timing import Row, Timing, once

from ringwall.sandbox import Sandbox

CHANGES = 10_000
ADMINISTRATOR = "arn:aws:iam::111122223333:user/SandboxAdministrator"
PLACE = {"account": "111122223333", "region": "us-east-1"}


def _document(principal: dict[str, str] | None, action: str) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": action}
    statement |= {"Principal": principal} if principal else {"Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = _document({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")
READ = _document(None, "s3:GetObject")


def _changes(key: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Service, operation and parameters of the changes that people make most."""
    for number in range(CHANGES // 5):
        role = f"role-{number % 500}-{number // 500}"
        yield "iam", "CreateRole", {"RoleName": role, "AssumeRolePolicyDocument": TRUST}
        yield "iam", "PutRolePolicy", {"RoleName": role, "PolicyName": "own", "PolicyDocument": READ}
        yield "s3", "PutObject", {"Bucket": "bench-replay", "Key": role, "Body": b"x" * 200}
        yield "kms", "TagResource", {"KeyId": key, "Tags": [{"TagKey": "n", "TagValue": str(number)}]}
        yield "iam", "DeleteRolePolicy", {"RoleName": role, "PolicyName": "own"}


def _make(folder: Path) -> None:
    with Sandbox(state=folder) as sandbox:

        def call(service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            return sandbox.gateway.call_as(ADMINISTRATOR, service, operation, parameters, **PLACE)

        call("s3", "CreateBucket", {"Bucket": "bench-replay"})
        key = call("kms", "CreateKey", {})["KeyMetadata"]["KeyId"]
        for change in _changes(key):
            call(*change)


def _start_again(folder: Path) -> None:
    with Sandbox(state=folder):
        pass


def rows() -> Iterator[Row]:
    """What a change costs with a state directory, and what all of them cost at the next start."""
    with tempfile.TemporaryDirectory() as folder:
        making = once(lambda: _make(Path(folder)))
        each = making.median / CHANGES
        yield Row("a change, kept in a state directory", Timing(each, each))
        yield Row(f"starting again with {CHANGES:,} changes", once(lambda: _start_again(Path(folder))))
