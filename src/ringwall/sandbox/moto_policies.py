"""AWS's managed policies in moto: each is made when somebody asks for it, all of them when somebody lists them.

moto makes all of them, some 1,600, for every account as its IAM comes into use, from four megabytes of JSON. A sandbox
of its own uses one. What moto looks through otherwise (attachments, quotas, what an account's authorization details
name) are policies that the account has made or that somebody has asked for.

An id follows from the ARN: AWS's policies have the same id in every account, before a restart and after it.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import re
from datetime import datetime
from functools import cache, wraps
from typing import TYPE_CHECKING, Any

from ringwall.sandbox import moto_chance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_NAMED = tuple(
    f"{verb}_{owner}_policy" for verb in ("attach", "detach") for owner in ("role", "user", "group")
)
"""moto's operations that find the policy of an ARN by reading through all."""
_AWS = re.compile(r"arn:[^:]+:iam::aws:policy/(?:.*/)?([\w+=,.@-]+)")
_ID_LENGTH = 17


class Policies(dict[str, Any]):
    """The managed policies of an account by ARN: its own, and those of AWS's that somebody has asked for.

    Args:
        make: makes the policy of AWS's that has a name; ``None`` where there is none.
        made: the list of those of AWS's that are made.
    """

    def __init__(self, make: Callable[[str], Any], made: list[Any]) -> None:
        super().__init__()
        self._make = make
        self._made = made

    def __missing__(self, arn: str) -> Any:
        known = _AWS.fullmatch(arn)
        with moto_chance.aside():
            policy = self._make(known[1]) if known else None
        if policy is None or policy.arn != arn:
            raise KeyError(arn)
        self._keep(policy)
        return policy

    def __contains__(self, arn: object) -> bool:
        return self.get(arn) is not None

    def get(self, arn: Any, default: Any = None) -> Any:
        """The policy of an ARN, made if it is one of AWS's."""
        try:
            return self[arn]
        except KeyError:
            return default

    def make_all(self) -> None:
        """Make the rest of AWS's."""
        made = {policy.name for policy in self._made}
        if len(made) == len(_everything()):
            return
        with moto_chance.aside():
            for name in _everything():
                if name not in made:
                    self._keep(self._make(name))

    def _keep(self, policy: Any) -> None:
        self._made.append(policy)
        self[policy.arn] = policy


def make_when_asked(iam: Any) -> None:
    """Let moto's IAM make AWS's managed policies when they are asked for, and write down those that somebody reads.

    Args:
        iam: the module ``moto.iam.models``.
    """
    backend = iam.IAMBackend
    if backend._init_aws_policies.__module__ == __name__:  # noqa: SLF001 - moto has no other way
        return
    backend._init_aws_policies = lambda _: []  # noqa: SLF001
    backend._init_managed_policies = lambda store: _policies_of(store, iam)  # noqa: SLF001
    for name in _NAMED:
        setattr(backend, name, _asking(getattr(backend, name)))
    backend.list_policies = _listing(backend.list_policies)
    iam.PolicyVersion.document = _Written()


def _policies_of(store: Any, iam: Any) -> dict[str, Any]:
    if not iam.load_iam_aws_managed_policies():
        return {}

    def make(name: str) -> Any:
        data = _data(name)
        if data is None:
            return None
        policy = iam.AWSManagedPolicy(
            name,
            account_id=store.account_id,
            region=store.region_name,
            default_version_id=data.get("DefaultVersionId"),
            path=data.get("Path"),
            document=data.get("Document"),
            create_date=datetime.fromisoformat(data["CreateDate"]),
            update_date=datetime.fromisoformat(data["UpdateDate"]),
        )
        digest = hashlib.sha256(policy.arn.encode()).digest()
        policy.id = f"ANPA{base64.b32encode(digest).decode()[:_ID_LENGTH]}"
        return policy

    return Policies(make, store.aws_managed_policies)


def _asking(operation: Any) -> Any:
    @wraps(operation)
    def asked(store: Any, policy_arn: str, *given: Any, **named: Any) -> Any:
        store.managed_policies.get(policy_arn)
        return operation(store, policy_arn, *given, **named)

    return asked


def _listing(operation: Any) -> Any:
    @wraps(operation)
    def listed(store: Any, *given: Any) -> Any:
        _, _, only_attached, _, scope = given
        if scope != "Local" and not only_attached and isinstance(store.managed_policies, Policies):
            store.managed_policies.make_all()
        return operation(store, *given)

    return listed


class _Written:
    """The document of a policy's version: written down when it is first asked for."""

    def __get__(self, version: Any, _: Any = None) -> Any:
        document = vars(version)["document"]
        if not isinstance(document, str):
            document = vars(version)["document"] = json.dumps(document)
        return document

    def __set__(self, version: Any, document: Any) -> None:
        vars(version)["document"] = document


def _text() -> str:
    text: str = importlib.import_module("moto.iam.aws_managed_policies").aws_managed_policies_data
    return text


def _data(name: str) -> Mapping[str, Any] | None:
    """What a policy is made of: read from its place in moto's text, where each begins a line of its own."""
    beginning = f'\n "{name}":'
    place = _text().find(beginning)
    if place < 0:
        return _everything().get(name)
    data: dict[str, Any] = json.JSONDecoder().raw_decode(_text(), place + len(beginning))[0]
    return data


@cache
def _everything() -> Mapping[str, Mapping[str, Any]]:
    """What AWS's policies are made of, by name."""
    known: dict[str, dict[str, Any]] = json.loads(_text())
    return known
