"""Credentials of a use's role: the ambient ones where they are the role's already, else assumed and kept fresh."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    CredentialResolver,
    Credentials,
    DeferredRefreshableCredentials,
    ReadOnlyCredentials,
)
from botocore.exceptions import ClientError, NoCredentialsError
from botocore.session import Session

MINIMUM_DURATION = 1800
"""Seconds. botocore refreshes fifteen minutes ahead: a 900-second session would be renewed on every call."""
METHOD = "ringwall-assume-role"


@dataclass(frozen=True)
class Role:
    """A role, and what its session is to carry.

    Attributes:
        arn: the role.
        session_name: name of the role session, which CloudTrail and invocation logs attribute calls to.
        duration: seconds, at least 1800.
        external_id: external id that the trust policy asks for.
        source_identity: who is behind it, if the trust policy lets it be set.
        tags: session tags.
        policy: session policy that narrows the session further.
        policy_is_a_must: whether a session of the role that somebody else began, without it, will not do.

    Raises:
        ValueError: the duration is too short.
    """

    arn: str
    session_name: str
    duration: int = 3600
    external_id: str | None = None
    source_identity: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    policy: Mapping[str, Any] | None = None
    policy_is_a_must: bool = True

    def __post_init__(self) -> None:
        if self.duration < MINIMUM_DURATION:
            raise ValueError(f"duration must be at least {MINIMUM_DURATION} seconds, not {self.duration}")

    @property
    def parameters(self) -> dict[str, Any]:
        """Parameters of ``sts:AssumeRole`` beside the role."""
        found: dict[str, Any] = {"RoleSessionName": self.session_name, "DurationSeconds": self.duration}
        if self.external_id:
            found["ExternalId"] = self.external_id
        if self.source_identity:
            found["SourceIdentity"] = self.source_identity
        if self.tags:
            found["Tags"] = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        if self.policy:
            found["Policy"] = json.dumps(self.policy, separators=(",", ":"))
        return found

    @property
    def needs_own_session(self) -> bool:
        """Whether a session that somebody else began would lack something."""
        return bool(self.source_identity or self.tags or (self.policy and self.policy_is_a_must))

    def is_session(self, caller: str) -> bool:
        """Whether ``arn:aws:sts::ACCOUNT:assumed-role/NAME/SESSION`` is a session of this role.

        Such an ARN lacks the role's path; names are unique in an account without it.
        """
        given, own = caller.split(":", 5), self.arn.split(":", 5)
        if len(given) != 6 or given[2] != "sts" or (given[1], given[4]) != (own[1], own[4]):
            return False
        kind, _, rest = given[5].partition("/")
        return kind == "assumed-role" and rest.partition("/")[0] == own[5].rpartition("/")[2]


class Renewable(Protocol):
    """Credentials that can be had anew before their time."""

    @property
    def generation(self) -> int:
        """How often they were had anew so far."""

    def renew(self, generation: int) -> bool:
        """Have them anew unless that was done since ``generation``; ``False`` where they are not ours to renew."""


def _now() -> datetime:
    return datetime.now(UTC)


class RoleCredentials(Credentials):
    """Credentials of one role, found out when they are first needed, once for all threads.

    Args:
        base: botocore session whose own credentials begin.
        role: the role.
        sts: makes an STS client; takes keys as ``Session.create_client`` does.
        clock: the time by which they expire.
    """

    def __init__(
        self, base: Session, role: Role, sts: Callable[..., Any], *, clock: Callable[[], datetime] = _now
    ) -> None:
        self.generation = 0
        self.method = METHOD
        self._clock = clock
        self._base = base
        self._role = role
        self._sts = sts
        self._lock = threading.Lock()
        self._ambient: Credentials | None = None
        self._found: Credentials | None = None

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Keys that belong together, refreshed if they have to be.

        Raises:
            NoCredentialsError: there are none to begin with.
            ClientError: the role cannot be assumed.
        """
        return self._resolved().get_frozen_credentials()

    @property
    def access_key(self) -> str:
        """Key id, refreshed if it has to be."""
        return str(self._resolved().access_key)

    @property
    def secret_key(self) -> str:
        """Secret key."""
        return str(self._resolved().secret_key)

    @property
    def token(self) -> str | None:
        """Session token."""
        token: str | None = self._resolved().token
        return token

    @property
    def account_id(self) -> str | None:
        """Account of the keys, where it is known."""
        account: str | None = self._resolved().account_id
        return account

    def renew(self, generation: int) -> bool:
        """Assume the role anew at the next use, as AWS says that the session has ended: our clock may be wrong.

        Of many threads that were refused at once the first one does it.
        """
        with self._lock:
            if generation != self.generation:
                return True
            if not isinstance(self._found, DeferredRefreshableCredentials):
                return False
            self._found = self._assumed()
            self.generation += 1
            return True

    def _resolved(self) -> Credentials:
        if self._found is None:
            with self._lock:
                if self._found is None:
                    self._found = self._find()
        return self._found

    def _find(self) -> Credentials:
        ambient = self._base.get_credentials()
        if ambient is None:
            raise NoCredentialsError
        if not self._role.needs_own_session and self._is_role_already():
            return ambient
        self._ambient = ambient
        return self._assumed()

    def _assumed(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(
            refresh_using=self._assume, method=METHOD, time_fetcher=self._clock
        )

    def _assume(self) -> dict[str, Any]:
        """Assume the role now. A fetcher would give its last answer again for as long as it thinks it good."""
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=self._sts,
            source_credentials=self._ambient,
            role_arn=self._role.arn,
            extra_args=self._role.parameters,
        )
        found: dict[str, Any] = fetcher.fetch_credentials()
        return found

    def _is_role_already(self) -> bool:
        try:
            return self._role.is_session(str(self._sts("sts").get_caller_identity()["Arn"]))
        except ClientError:  # AssumeRole will say what is wrong with these credentials
            return False


class _Given(CredentialProvider):
    """Provides the same credentials to every session that asks, so that they are refreshed once."""

    METHOD = METHOD
    CANONICAL_NAME = METHOD

    def __init__(self, credentials: Credentials) -> None:
        super().__init__()
        self._credentials = credentials

    def load(self) -> Credentials:
        """The same object for all."""
        return self._credentials


def use(session: Session, credentials: Credentials) -> None:
    """Give a botocore session these credentials and no others."""
    session.register_component("credential_provider", CredentialResolver([_Given(credentials)]))
