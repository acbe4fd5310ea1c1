"""Credentials of a use's role: assumed through the regional STS, refreshed before they expire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, CredentialProvider, CredentialResolver
from botocore.credentials import DeferredRefreshableCredentials as Deferred
from botocore.session import Session

MINIMUM_DURATION = 1800
"""Seconds. botocore refreshes fifteen minutes ahead: a 900-second session would be renewed on every call."""


class AssumedRole(CredentialProvider):  # type: ignore[misc]
    """A credential provider that assumes one role. STS is called when credentials are first needed."""

    METHOD = "ringwall-assume-role"
    CANONICAL_NAME = "ringwall-assume-role"

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        super().__init__()
        self._fetcher = fetcher

    def load(self) -> Deferred:
        """Credentials that refresh themselves, once for all threads."""
        return Deferred(refresh_using=self._fetcher.fetch_credentials, method=self.METHOD)


def assume(
    session: Session,
    base: Session,
    role_arn: str,
    *,
    session_name: str,
    region: str,
    config: Config,
    verify: Any = None,
    duration: int = 3600,
    external_id: str | None = None,
    source_identity: str | None = None,
    tags: Mapping[str, str] | None = None,
    policy: Mapping[str, Any] | None = None,
) -> None:
    """Give ``session`` the credentials of a role, assumed with those of ``base``.

    Args:
        session: botocore session that gets the role's credentials.
        base: botocore session whose own credentials assume it.
        role_arn: the role.
        session_name: name of the role session, which CloudTrail and invocation logs attribute calls to.
        region: Region of the STS endpoint.
        config: configuration of the STS client.
        verify: CA bundle of the STS client, as boto3's ``verify``.
        duration: seconds, at least 1800.
        external_id: external id that the trust policy asks for.
        source_identity: who is behind it, if the trust policy lets it be set.
        tags: session tags.
        policy: session policy that narrows the session further.
    """
    if duration < MINIMUM_DURATION:
        msg = f"duration must be at least {MINIMUM_DURATION} seconds, not {duration}"
        raise ValueError(msg)

    def sts(service: str, **keys: Any) -> Any:
        return base.create_client(service, region_name=region, config=config, verify=verify, **keys)

    extra: dict[str, Any] = {"RoleSessionName": session_name, "DurationSeconds": duration}
    if external_id:
        extra["ExternalId"] = external_id
    if source_identity:
        extra["SourceIdentity"] = source_identity
    if tags:
        extra["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    if policy:
        extra["Policy"] = json.dumps(policy, separators=(",", ":"))
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=sts, source_credentials=base.get_credentials(), role_arn=role_arn, extra_args=extra
    )
    session.register_component("credential_provider", CredentialResolver([AssumedRole(fetcher)]))
