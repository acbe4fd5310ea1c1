"""The guarded session: a ``boto3.Session`` whose Bedrock clients stay inside the perimeter."""

from __future__ import annotations

import getpass
import logging
import platform
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session as BotocoreSession

from ringwall.client import narrowing
from ringwall.client.classes import pin
from ringwall.client.credentials import Role, RoleCredentials
from ringwall.client.credentials import use as use_credentials
from ringwall.client.discovery import find_guardrail
from ringwall.client.explain import explain
from ringwall.client.guard import OTHERS, Guard, OnOutcome
from ringwall.client.operations import SERVICES
from ringwall.client.residency import narrowed
from ringwall.client.rules import NO_GUARDRAIL, UNGUARDED_KINDS, PinnedGuardrail, Rules, rules_of
from ringwall.client.transport import AGENT, ENFORCED, FORWARDED, UNVERIFIED, configuration, hosts, parts_of
from ringwall.client.violation import NOWHERE, PerimeterViolation, Place
from ringwall.errors import RingwallError
from ringwall.estate.model import Estate
from ringwall.estate.sessions import base_session
from ringwall.perimeter import Perimeter, load

LOGGER = logging.getLogger("ringwall.client")
OnIntervention = Literal["return", "raise"]
READ_TIMEOUT = 3600
"""Seconds. A generation may take this long; giving up earlier pays for an answer that nobody reads."""


MARGIN = 60
"""Seconds beyond the read timeout that a whole call may take, if nobody says how many."""


@dataclass(frozen=True)
class Surroundings:
    """What clients start from.

    Attributes:
        config: configuration.
        verify: boto3's ``verify``: a CA bundle, ``True`` for the built-in ones, ``None`` to ask the environment.
        endpoint_urls: by service, the URL of a VPC endpoint to call instead of the regional host.
        deadline: seconds that a whole call may take.
    """

    config: Config
    verify: str | bool | None
    endpoint_urls: Mapping[str, str]
    deadline: float


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
        surroundings: Surroundings,
        place: Place = NOWHERE,
        perimeter: Perimeter | None = None,
    ) -> None:
        super().__init__(botocore_session=botocore_session, region_name=region)
        paths = botocore_session.get_component("data_loader").search_paths
        paths[:] = dict.fromkeys(paths)  # every boto3 session adds its own to a loader that is shared
        # Client-side monitoring would tell a host of the environment which operations are called.
        botocore_session.set_config_variable("csm_enabled", False)
        self.models = dict(models)
        self._rules = rules
        self._surroundings = surroundings
        self._place = place
        self._guard = guard
        self._perimeter = perimeter
        guard.attach(botocore_session, own=True)

    @property
    def rules(self) -> Rules:
        """The rules that calls are held to; the first use looks the guardrail up."""
        return self._rules()

    def caller(self) -> str:
        """ARN of whom the calls are made as, by the regional STS.

        Raises:
            ClientError: the credentials are refused, or the role cannot be assumed.
            BotoCoreError: there are no credentials, or STS cannot be reached.
        """
        plain, region = base_session(), str(self.region_name)
        use_credentials(plain, self._session.get_credentials())
        _pin(plain, "sts", region, self._surroundings)
        sts = _plain_client(plain, "sts", region, self._surroundings)
        return str(sts.get_caller_identity()["Arn"])

    def beginning_client(self, service: str, profile: str | None = None) -> Any:
        """A guarded client of the credentials that begin, before any role is assumed: they may read what the role may not.

        Args:
            service: one of Bedrock's, as boto3 takes it.
            profile: profile of the AWS configuration.
        """
        beginning = base_session(profile)
        self.attach(beginning)
        return _plain_client(beginning, service, str(self.region_name), self._surroundings)

    def explain(self, error: ClientError, estate: Estate | None = None) -> str:
        """Why a call was refused: by which rule and line of the declaration, or by which statement of which policy.

        Args:
            error: what the call raised.
            estate: an observed Estate, as ``ringwall snapshot`` saves it; without one, what the declaration compiles to.
        """
        return explain(error, self._perimeter, estate)

    def attach(self, botocore_session: BotocoreSession) -> None:
        """Hold the clients that somebody else's botocore session makes from now on to the same rules.

        For aiobotocore, whose sessions are its own. Credentials, proxies and CA stay that session's.
        """
        self._guard.attach(botocore_session)

    def staying_in(self, residency: str) -> GuardedSession:
        """A session with the same credentials, of those models that are processed in one geography alone.

        Args:
            residency: as profile ids begin: ``us``, ``eu``, ``apac``, ``jp``, ``au``, ``ca``, ``us-gov``.

        Raises:
            PerimeterViolation: calls enter elsewhere, or no declared model stays there.
        """
        narrow = narrowed(self.rules, residency)
        own = base_session()
        use_credentials(own, self._session.get_credentials())
        return GuardedSession(
            own, str(self.region_name), self._guard.under(lambda: narrow), lambda: narrow, narrow.models,
            surroundings=self._surroundings, place=self._place, perimeter=self._perimeter,
        )  # fmt: skip

    def client(
        self,
        service_name: str,
        region_name: str | None = None,
        *,
        residency: str | None = None,
        **options: Any,
    ) -> Any:
        """A client, as ``boto3.Session.client``. For Bedrock services whatever would lead outside is refused.

        Args:
            service_name: as boto3 takes it.
            region_name: as boto3 takes it.
            residency: keep to models that are processed in one geography alone; see :meth:`staying_in`.
            options: as boto3 takes them.

        Raises:
            PerimeterViolation: an undeclared Region or endpoint, other credentials, no TLS, or no verification of it.
        """
        if residency is not None:
            return self.staying_in(residency).client(service_name, region_name, **options)
        if service_name not in SERVICES:
            return super().client(service_name, region_name=region_name, **options)
        warn_of_debug_logs()
        region = region_name or str(self.region_name)
        given = options.pop("config", None) or Config()
        self._refuse(service_name, region, options, given)
        around = self._surroundings
        endpoint = options.pop("endpoint_url", None) or around.endpoint_urls.get(service_name)
        if options.get("verify") is None:
            options["verify"] = around.verify
        return super().client(
            service_name,
            region_name=region,
            config=around.config.merge(given).merge(Config(**ENFORCED, user_agent_extra=_agents(given))),
            endpoint_url=endpoint,
            **options,
        )

    def _refuse(self, service: str, region: str, options: Mapping[str, Any], config: Config) -> None:
        """Refuse what the rules would refuse later, while the caller's line is still in sight."""
        if region != self.region_name:
            reason = f"{region} is not {self.region_name}"
            raise self._violation("region-not-declared", reason, "regions", "source")
        if any(name in options and options[name] in (False, 0, "") for name in ("verify", "use_ssl")):
            raise self._violation("tls-required", UNVERIFIED)
        if any(
            options.get(name) for name in ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        ):
            raise self._violation("credentials-not-declared", OTHERS)
        endpoint, own = options.get("endpoint_url"), self._surroundings.endpoint_urls.get(service)
        if endpoint is not None and endpoint != own:
            found = parts_of(str(endpoint))
            reason = f"{found['host'] if found else 'the given URL'} is not a declared endpoint"
            raise self._violation("endpoint-not-declared", reason)
        if own is not None and not own.startswith("https://"):
            raise self._violation("tls-required", "the declared endpoint is not HTTPS")
        self._refuse_configuration(config)

    def _refuse_configuration(self, config: Config) -> None:
        if config.signature_version not in (None, "v4"):
            raise self._violation("sigv4-only", "the configuration asks for another signature than SigV4")
        if config.auth_scheme_preference not in (None, "sigv4"):
            raise self._violation("sigv4-only", "the configuration prefers another authentication than SigV4")
        if config.use_dualstack_endpoint:
            reason = "a dual-stack host is not a declared endpoint: give its URL in endpoint_urls"
            raise self._violation("endpoint-not-declared", reason)
        if (config.proxies_config or {}).get("proxy_use_forwarding_for_https"):
            raise self._violation("tls-required", FORWARDED)

    def _violation(self, rule: str, reason: str, *path: str) -> PerimeterViolation:
        return self._place.violation(rule, reason, "CreateClient", *(path or ("client",)))


def session(
    declaration: str | Path = "ringwall.yaml",
    *,
    use: str,
    environment: str | None = None,
    profile: str | None = None,
    session_name: str | None = None,
    source_identity: str | None = None,
    tags: Mapping[str, str] | None = None,
    session_policy: Mapping[str, Any] | Literal["declared"] | None = "declared",
    duration: int = 3600,
    endpoint_urls: Mapping[str, str] | None = None,
    ca_bundle: str | None = None,
    on_outcome: OnOutcome | None = None,
    on_intervention: OnIntervention = "return",
    read_timeout: float = READ_TIMEOUT,
    deadline: float | None = None,
    unsafe_allow_draft: bool = False,
) -> GuardedSession:
    """A guarded session of one declared use.

    Args:
        declaration: ``ringwall.yaml``.
        use: name under ``uses``.
        environment: name under ``environments``, laid over the rest; default: the declaration as it stands.
        profile: profile of the AWS configuration whose credentials assume the use's role.
        session_name: name of the role session, to which CloudTrail and logs attribute calls. Default: user and host.
        source_identity: who is behind it, if the role's trust policy lets it be set.
        tags: session tags.
        session_policy: policy document that narrows the role session further; ``declared`` for what the declaration
            says of the use, wherever the role has to be assumed anyway; ``None`` for no narrowing.
        duration: seconds that a role session lasts, at least 1800.
        endpoint_urls: by service (``sts`` too), the URL of a VPC endpoint to call instead of the regional host.
        ca_bundle: file of certificate authorities to trust instead of the built-in ones.
        on_outcome: told what came of every call, without content.
        on_intervention: ``raise`` to get :class:`GuardrailIntervened` instead of a blocked answer.
        read_timeout: seconds to wait for a generation's next byte.
        deadline: seconds for a whole call, retries and the end of a stream included. Default: a minute
            more than an hour, or than ``read_timeout`` if that is longer.
        unsafe_allow_draft: let calls carry the guardrail's DRAFT, which anybody with UpdateGuardrail can change.

    Raises:
        DeclarationError: the declaration is wrong.
        RingwallError: it has no such use, or no such environment.
        ValueError: the duration is too short.
    """
    path = Path(declaration)
    perimeter = load(path, environment=environment)
    if use not in perimeter.uses:
        msg = f"{path} declares no use {use!r}; it has {', '.join(perimeter.uses) or 'none'}"
        raise RingwallError(msg)
    around = surroundings(
        trust_environment=perimeter.client.trust_environment,
        read_timeout=read_timeout,
        deadline=deadline,
        endpoint_urls=endpoint_urls,
        ca_bundle=ca_bundle,
    )
    narrowed = narrowing.session_policy(perimeter, use)
    role = Role(
        perimeter.role_arn(use),
        session_name or _who(),
        duration,
        perimeter.uses[use].external_id,
        source_identity,
        dict(tags or {}),
        narrowed if isinstance(session_policy, str) else session_policy,
        policy_is_a_must=not isinstance(session_policy, str),
    )
    return _guarded(
        perimeter, Place(path, use, environment), role, around, profile=profile, on_outcome=on_outcome,
        raise_interventions=on_intervention == "raise", allow_draft=unsafe_allow_draft,
    )  # fmt: skip


def _guarded(
    perimeter: Perimeter,
    place: Place,
    role: Role,
    around: Surroundings,
    *,
    profile: str | None,
    on_outcome: OnOutcome | None,
    raise_interventions: bool,
    allow_draft: bool,
) -> GuardedSession:
    """Put a guarded session together from a declaration."""
    region, use = perimeter.regions.source, perimeter.uses[place.use]
    credentials = credentials_of(role, region, around, profile=profile)
    own, plain = base_session(profile), base_session(profile)
    for botocore_session in (own, plain):
        use_credentials(botocore_session, credentials)
    _pin(plain, "bedrock", region, around)

    def discover() -> Rules:
        if use.kind in UNGUARDED_KINDS:
            return rules_of(perimeter, use, NO_GUARDRAIL, place=place)
        control = _plain_client(plain, "bedrock", region, around)
        return rules_of(
            perimeter, use, find_guardrail(control, perimeter), place=place, allow_draft=allow_draft
        )

    rules = once(discover)
    guard = _guard(rules, region, around, on_outcome, credentials, raise_interventions=raise_interventions)
    models = {name: perimeter.models[name] for name in use.models}
    return GuardedSession(
        own, region, guard, rules, models, surroundings=around, place=place, perimeter=perimeter
    )


def of_guardrail(
    region: str,
    guardrail: PinnedGuardrail,
    models: Mapping[str, str],
    around: Surroundings,
    *,
    account: str | None = None,
    role_arn: str | None = None,
    external_id: str | None = None,
    on_outcome: OnOutcome | None = None,
    on_intervention: OnIntervention = "return",
    allow_draft: bool = False,
) -> GuardedSession:
    """A guarded session without a declaration: the guardrail, models and Region are given by hand."""
    own, credentials = base_session(), None
    if role_arn:
        role = Role(role_arn, _who(), external_id=external_id)
        credentials = credentials_of(role, region, around)
        use_credentials(own, credentials)
    rules = Rules(
        regions=(region,),
        models=dict(models),
        guardrail=guardrail,
        account=account,
        partition=guardrail.arn.split(":")[1],
        allow_draft=allow_draft,
    )
    raises = on_intervention == "raise"
    guard = _guard(lambda: rules, region, around, on_outcome, credentials, raise_interventions=raises)
    return GuardedSession(own, region, guard, lambda: rules, models, surroundings=around)


def surroundings(
    *,
    trust_environment: bool,
    read_timeout: float,
    deadline: float | None = None,
    endpoint_urls: Mapping[str, str] | None = None,
    ca_bundle: str | None = None,
) -> Surroundings:
    """What clients start from; without ``trust_environment`` the environment's proxies and CA bundle are left aside."""
    config = configuration(trust_environment=trust_environment, read_timeout=read_timeout)
    verify = ca_bundle or (None if trust_environment else True)
    limit = max(read_timeout, READ_TIMEOUT) + MARGIN if deadline is None else deadline
    return Surroundings(config, verify, dict(endpoint_urls or {}), limit)


def credentials_of(
    role: Role, region: str, around: Surroundings, *, profile: str | None = None
) -> RoleCredentials:
    """Credentials of a role, by the regional STS. Nothing is called before they are needed."""
    base = base_session(profile)
    base.set_config_variable("sts_regional_endpoints", "regional")
    _pin(base, "sts", region, around)

    def sts(service: str, **keys: Any) -> Any:
        return _plain_client(base, service, region, around, **keys)

    return RoleCredentials(base, role, sts)


def _guard(
    rules: Callable[[], Rules],
    region: str,
    around: Surroundings,
    on_outcome: OnOutcome | None,
    credentials: RoleCredentials | None,
    *,
    raise_interventions: bool,
) -> Guard:
    return Guard(
        rules,
        {service: hosts(service, region, around.endpoint_urls) for service in SERVICES},
        on_outcome=on_outcome,
        raise_interventions=raise_interventions,
        deadline=around.deadline,
        credentials=credentials,
    )


def _pin(botocore_session: BotocoreSession, service: str, region: str, around: Surroundings) -> None:
    def refuse(host: str) -> PerimeterViolation:
        return PerimeterViolation("endpoint-not-declared", f"{host} is not a declared endpoint", service)

    allowed = hosts(service, region, around.endpoint_urls)
    pin(botocore_session.get_component("event_emitter"), service, allowed, refuse)


def _plain_client(
    botocore_session: BotocoreSession, service: str, region: str, around: Surroundings, **keys: Any
) -> Any:
    return botocore_session.create_client(
        service,
        region_name=region,
        config=around.config.merge(Config(**ENFORCED)),
        verify=around.verify,
        endpoint_url=around.endpoint_urls.get(service),
        **keys,
    )


def warn_of_debug_logs() -> None:
    """Say so where botocore's loggers write prompts and answers down."""
    if logging.getLogger("botocore.endpoint").isEnabledFor(logging.DEBUG):
        LOGGER.warning("botocore's loggers are at DEBUG, at which they write down whole prompts and answers")


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


def _agents(config: Config) -> str:
    """What stands at the end of the user agent: a framework names itself there too."""
    return f"{config.user_agent_extra} {AGENT}" if config.user_agent_extra else AGENT


def _who() -> str:
    """Name of a role session: user and host, in the characters that STS takes."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return re.sub(r"[^\w+=,.@-]", "-", f"{user}@{platform.node() or 'host'}")[:64]
