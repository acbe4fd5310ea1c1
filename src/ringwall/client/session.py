"""The guarded session: a ``boto3.Session`` whose Bedrock clients stay inside the perimeter."""

from __future__ import annotations

import getpass
import platform
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.session import Session as BotocoreSession

from ringwall.client.credentials import assume
from ringwall.client.discovery import find_guardrail
from ringwall.client.guard import Guard, OnOutcome
from ringwall.client.operations import SERVICES
from ringwall.client.rules import PinnedGuardrail, Rules, rules_of
from ringwall.client.violation import PerimeterViolation
from ringwall.errors import RingwallError
from ringwall.perimeter import Perimeter, load

OnIntervention = Literal["return", "raise"]
READ_TIMEOUT = 3600
"""Seconds. A generation may take this long; giving up earlier pays for an answer that nobody reads."""
ENFORCED: Mapping[str, Any] = {
    "auth_scheme_preference": "sigv4",
    "ignore_configured_endpoint_urls": True,
}


class GuardedSession(boto3.Session):
    """A ``boto3.Session`` whose Bedrock clients are guarded; clients of other services are plain.

    Make one with :func:`session`. Types, methods, responses, waiters and paginators are boto3's.

    Attributes:
        models: what the use may invoke, by declared name.
    """

    def __init__(
        self,
        botocore_session: BotocoreSession,
        region: str,
        guard: Guard,
        rules: Callable[[], Rules],
        models: Mapping[str, str],
        *,
        defaults: Config,
        verify: Any,
        endpoint_urls: Mapping[str, str],
    ) -> None:
        super().__init__(botocore_session=botocore_session, region_name=region)
        self.models = dict(models)
        self._rules = rules
        self._defaults = defaults
        self._verify = verify
        self._endpoint_urls = dict(endpoint_urls)
        guard.attach(botocore_session.get_component("event_emitter"))

    @property
    def rules(self) -> Rules:
        """The rules that calls are held to; the first use looks the guardrail up."""
        return self._rules()

    def client(self, service_name: str, region_name: str | None = None, **options: Any) -> Any:
        """A client, as ``boto3.Session.client``. For Bedrock services whatever would lead outside is refused.

        Raises:
            PerimeterViolation: an undeclared Region or endpoint, other credentials, no TLS, or no verification of it.
        """
        if service_name not in SERVICES:
            return super().client(service_name, region_name=region_name, **options)
        region = region_name or str(self.region_name)
        self._refuse(service_name, region, options)
        given = options.pop("config", None)
        config = self._defaults if given is None else self._defaults.merge(given)
        endpoint = options.pop("endpoint_url", None) or self._endpoint_urls.get(service_name)
        options.setdefault("verify", self._verify)
        if options["verify"] is None:
            options["verify"] = self._verify
        return super().client(
            service_name,
            region_name=region,
            config=config.merge(Config(**ENFORCED)),
            endpoint_url=endpoint,
            **options,
        )

    def _refuse(self, service: str, region: str, options: Mapping[str, Any]) -> None:
        if region != self.region_name:
            raise PerimeterViolation("region-not-declared", f"{region} is not {self.region_name}", "CreateClient")
        if options.get("verify") is False or options.get("use_ssl") is False:
            raise PerimeterViolation("tls-required", "TLS and its verification cannot be switched off", "CreateClient")
        if any(options.get(name) for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")):
            raise PerimeterViolation(
                "credentials-not-declared", "the session's own credentials are used, no others", "CreateClient"
            )
        endpoint = options.get("endpoint_url")
        if endpoint is not None and endpoint != self._endpoint_urls.get(service):
            raise PerimeterViolation(
                "endpoint-not-declared", f"{urlsplit(str(endpoint)).hostname} is not a declared endpoint", "CreateClient"
            )


def session(
    declaration: str | Path = "ringwall.yaml",
    *,
    use: str,
    profile: str | None = None,
    session_name: str | None = None,
    source_identity: str | None = None,
    tags: Mapping[str, str] | None = None,
    endpoint_urls: Mapping[str, str] | None = None,
    on_outcome: OnOutcome | None = None,
    on_intervention: OnIntervention = "return",
    read_timeout: float = READ_TIMEOUT,
    unsafe_allow_draft: bool = False,
) -> GuardedSession:
    """A guarded session of one declared use.

    Args:
        declaration: ``ringwall.yaml``.
        use: name under ``uses``.
        profile: profile of the AWS configuration whose credentials assume the use's role.
        session_name: name of the role session, to which CloudTrail and logs attribute calls. Default: user and host.
        source_identity: who is behind it, if the role's trust policy lets it be set.
        tags: session tags.
        endpoint_urls: by service, the URL of a VPC endpoint to call instead of the regional host.
        on_outcome: told what came of every call, without content.
        on_intervention: ``raise`` to get :class:`GuardrailIntervened` instead of a blocked answer.
        read_timeout: seconds to wait for a generation.
        unsafe_allow_draft: let calls carry the guardrail's DRAFT, which anybody with UpdateGuardrail can change.

    Raises:
        DeclarationError: the declaration is wrong.
        RingwallError: it has no such use.
    """
    path = Path(declaration)
    perimeter = load(path)
    if use not in perimeter.uses:
        msg = f"{path} declares no use {use!r}; it has {', '.join(perimeter.uses) or 'none'}"
        raise RingwallError(msg)
    return guarded(
        perimeter,
        use,
        file=path,
        profile=profile,
        session_name=session_name or _who(),
        source_identity=source_identity,
        tags=tags,
        endpoint_urls=endpoint_urls or {},
        on_outcome=on_outcome,
        raise_interventions=on_intervention == "raise",
        read_timeout=read_timeout,
        allow_draft=unsafe_allow_draft,
    )


def guarded(
    perimeter: Perimeter,
    use: str,
    *,
    file: Path | None,
    profile: str | None,
    session_name: str,
    source_identity: str | None,
    tags: Mapping[str, str] | None,
    endpoint_urls: Mapping[str, str],
    on_outcome: OnOutcome | None,
    raise_interventions: bool,
    read_timeout: float,
    allow_draft: bool,
) -> GuardedSession:
    """Put a guarded session together from a declaration."""
    region = perimeter.regions.source
    trusted = perimeter.client.trust_environment
    defaults, verify = transport(trust_environment=trusted, read_timeout=read_timeout)
    base, own, plain = (BotocoreSession(profile=profile) for _ in range(3))
    for botocore_session in (own, plain):
        assume(
            botocore_session,
            base,
            perimeter.role_arn(use),
            session_name=session_name,
            region=region,
            config=defaults.merge(Config(ignore_configured_endpoint_urls=True)),
            verify=verify,
            external_id=perimeter.uses[use].external_id,
            source_identity=source_identity,
            tags=tags,
        )

    def discover() -> Rules:
        control = plain.create_client(
            "bedrock",
            region_name=region,
            config=defaults.merge(Config(**ENFORCED)),
            verify=verify,
            endpoint_url=endpoint_urls.get("bedrock"),
        )
        pinned = find_guardrail(control, perimeter)
        return rules_of(perimeter, perimeter.uses[use], pinned, file=file, allow_draft=allow_draft)

    rules = once(discover)
    guard = Guard(
        rules, hosts(region, endpoint_urls), on_outcome=on_outcome, raise_interventions=raise_interventions
    )
    models = {name: perimeter.models[name] for name in perimeter.uses[use].models}
    return GuardedSession(
        own, region, guard, rules, models, defaults=defaults, verify=verify, endpoint_urls=endpoint_urls
    )


def of_guardrail(
    region: str,
    guardrail: PinnedGuardrail,
    models: Mapping[str, str],
    *,
    account: str | None = None,
    role_arn: str | None = None,
    external_id: str | None = None,
    trust_environment: bool = False,
    endpoint_urls: Mapping[str, str] | None = None,
    on_outcome: OnOutcome | None = None,
    on_intervention: OnIntervention = "return",
    read_timeout: float = READ_TIMEOUT,
    allow_draft: bool = False,
) -> GuardedSession:
    """A guarded session without a declaration: the guardrail, models and Region are given by hand."""
    defaults, verify = transport(trust_environment=trust_environment, read_timeout=read_timeout)
    own = BotocoreSession()
    if role_arn:
        assume(
            own, BotocoreSession(), role_arn, session_name=_who(), region=region, verify=verify,
            config=defaults.merge(Config(ignore_configured_endpoint_urls=True)), external_id=external_id,
        )  # fmt: skip
    rules = Rules(
        regions=(region,), models=dict(models), guardrail=guardrail, account=account, allow_draft=allow_draft
    )
    urls = dict(endpoint_urls or {})
    guard = Guard(
        lambda: rules, hosts(region, urls), on_outcome=on_outcome, raise_interventions=on_intervention == "raise"
    )
    return GuardedSession(
        own, region, guard, lambda: rules, models, defaults=defaults, verify=verify, endpoint_urls=urls
    )


def transport(*, trust_environment: bool, read_timeout: float) -> tuple[Config, Any]:
    """Client configuration, and boto3's ``verify``.

    Without ``trust_environment`` proxies and CA bundles of the environment are left aside: an empty mapping means "no
    proxy" to botocore, and ``True`` the built-in CAs.
    """
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=5,
        read_timeout=read_timeout,
        tcp_keepalive=True,
        proxies=None if trust_environment else {},
        user_agent_extra="ringwall",
    )
    return config, None if trust_environment else True


def hosts(region: str, endpoint_urls: Mapping[str, str]) -> frozenset[str]:
    """Host names that Bedrock clients may call: the regional ones, or the declared endpoint in their place."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    found = {
        urlsplit(endpoint_urls[service]).hostname if service in endpoint_urls else f"{service}.{region}.{suffix}"
        for service in SERVICES
    }
    return frozenset(host.lower() for host in found if host)


def once(compute: Callable[[], Rules]) -> Callable[[], Rules]:
    """Compute at the first call, once for all threads; a failure is not kept."""
    lock = threading.Lock()
    found: list[Rules] = []

    def get() -> Rules:
        if not found:
            with lock:
                if not found:
                    found.append(compute())
        return found[0]

    return get


def _who() -> str:
    """Name of a role session: user and host, in the characters that STS takes."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return re.sub(r"[^\w+=,.@-]", "-", f"{user}@{platform.node() or 'host'}")[:64]
