"""The last step before the network: TLS, keep-alive, and a check of the request that is about to leave.

botocore gives a client's HTTP session no public seam, so ``client._endpoint.http_session`` is replaced by a subclass with
the same settings. No event handler stands behind it.
"""

from __future__ import annotations

import math
import re
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, HTTPClientError
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.httpsession import URLLib3Session
from urllib3 import Timeout

from ringwall.client.call import Call, call_of
from ringwall.client.deadline import DeadlineExceeded, DeadlineSocket, current, now
from ringwall.client.violation import PerimeterViolation

Check = Callable[[Any, Call | None], None]
"""Given botocore's prepared request and its call, raises to keep it from leaving."""
AGENT = "ringwall"
"""In the user agent, which CloudTrail records."""
UNVERIFIED = "TLS and its verification cannot be switched off"
FORWARDED = "a forwarding proxy would read the calls"
REMEMBERED = 512
"""URLs whose pools are kept; one use calls few models."""
MINIMUM_TLS = ssl.TLSVersion.TLSv1_2
KEEP_ALIVE: tuple[tuple[str, int], ...] = (
    ("TCP_KEEPIDLE", 60),
    ("TCP_KEEPALIVE", 60),
    ("TCP_KEEPINTVL", 30),
    ("TCP_KEEPCNT", 4),
)
"""Seconds and counts. NAT gateways, load balancers and PrivateLink forget a connection after 350 idle seconds, and a
long generation is idle until its first byte. ``TCP_KEEPALIVE`` is what macOS calls ``TCP_KEEPIDLE``."""
ENFORCED: Mapping[str, Any] = {
    "auth_scheme_preference": "sigv4",
    "signature_version": "v4",
    "ignore_configured_endpoint_urls": True,
}
"""Configuration that nothing overrides: no bearer token, no endpoint from environment or profile."""


class HardenedSession(URLLib3Session):
    """botocore's HTTP session with TLS 1.2 at least, tuned keep-alive, and a check of every request.

    Args:
        check: see :data:`Check`.
        settings: what :class:`URLLib3Session` takes.
    """

    def __init__(self, check: Check, **settings: Any) -> None:
        self._check = check
        super().__init__(**settings)
        self._pools = Pools(self._manager)
        self._own_steps = _steps(self._timeout)

    def send(self, request: Any) -> Any:
        """Check, then send within the deadline of the call.

        Raises:
            DeadlineExceeded: the deadline has passed, before or on the way.
            ConnectionClosedError: the answer ended before its announced length.
        """
        call = call_of(getattr(request, "context", None))
        self._check(request, call)
        until = current.until = None if call is None else call.until
        if until is not None and now() >= until:
            raise DeadlineExceeded(endpoint_url=request.url)
        try:
            response = super().send(request)
        except (HTTPClientError, BotocoreConnectionError) as error:
            if until is None or now() < until:
                raise
            raise DeadlineExceeded(endpoint_url=request.url, error=error) from error
        finally:
            current.until = None
        # botocore takes an answer for whole that ended before its announced length, and half a JSON text for none
        if not request.stream_output and getattr(response.raw, "length_remaining", None):
            raise ConnectionClosedError(endpoint_url=request.url)
        return response

    def _get_connection_manager(self, url: str, proxy_url: str | None = None) -> Any:
        return super()._get_connection_manager(url, proxy_url) if proxy_url else self._pools

    def _get_request_timeout(self, request: Any) -> Any:
        """The steps' own timeouts, unless less than those of a connection is left."""
        connect, read = self._own_steps
        left = math.inf if current.until is None else current.until - now()
        if left >= (connect or math.inf):
            return super()._get_request_timeout(request)
        left = max(left, 0.001)
        return Timeout(connect=left, read=left if read is None else min(read, left))

    def _get_ssl_context(self) -> ssl.SSLContext:
        context: ssl.SSLContext = super()._get_ssl_context()
        context.minimum_version = max(context.minimum_version, MINIMUM_TLS)
        # SSLKEYLOGFILE would write the keys of every connection to a file.
        context.keylog_filename = None  # type: ignore[assignment]
        context.sslsocket_class = DeadlineSocket
        return context


class Pools:
    """A pool manager of urllib3's that finds the pool of a URL once.

    To take a URL apart and to look its pool up takes urllib3 longer than all of our checks take together.

    Args:
        manager: urllib3's.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._found: dict[str, Any] = {}

    def connection_from_url(self, url: str) -> Any:
        """The pool of a URL's connections."""
        pool = self._found.get(url)
        if pool is None or pool.pool is None:  # it was closed since
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            pool = self._found[url] = self._manager.connection_from_url(url)
        return pool


def harden(client: Any, check: Check) -> None:
    """Give a client the hardened HTTP session, with the settings of its own.

    Raises:
        PerimeterViolation: they switch off the verification of TLS, or let a proxy read the calls.
    """
    settings = _settings(client._endpoint.http_session)  # noqa: SLF001 - the one seam, see above
    if not settings["verify"]:
        raise PerimeterViolation("tls-required", UNVERIFIED, "CreateClient")
    if (settings["proxies_config"] or {}).get("proxy_use_forwarding_for_https"):
        raise PerimeterViolation("tls-required", FORWARDED, "CreateClient")
    client._endpoint.http_session = HardenedSession(check, **settings)  # noqa: SLF001


def _settings(session: URLLib3Session) -> dict[str, Any]:
    certificate = (session._cert_file, session._key_file) if session._cert_file else None  # noqa: SLF001
    return {
        "verify": session._verify,  # noqa: SLF001
        "proxies": session._proxy_config._proxies,  # noqa: SLF001
        "proxies_config": session._proxy_config.settings,  # noqa: SLF001
        "timeout": _steps(session._timeout),  # noqa: SLF001
        "max_pool_connections": session._max_pool_connections,  # noqa: SLF001
        "socket_options": socket_options(session._socket_options),  # noqa: SLF001
        "client_cert": certificate,
    }


def _steps(timeout: Any) -> tuple[float | None, float | None]:
    """Connect and read timeout, of botocore's two forms."""
    if isinstance(timeout, int | float):
        return timeout, timeout
    return timeout.connect_timeout, timeout.read_timeout


def socket_options(given: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """The given options, keep-alive, and its timing where the platform lets it be set."""
    found = {(level, name): value for level, name, value in given}
    found[(socket.SOL_SOCKET, socket.SO_KEEPALIVE)] = 1
    for name, value in KEEP_ALIVE:
        if hasattr(socket, name):
            found[(socket.IPPROTO_TCP, int(getattr(socket, name)))] = value
    return [(level, name, value) for (level, name), value in found.items()]


def configuration(*, trust_environment: bool, read_timeout: float) -> Config:
    """Configuration that every client starts from.

    Without ``trust_environment``, proxies and the dual-stack switch of the environment are left aside: to botocore an
    empty mapping means "no proxy".
    """
    ignored: dict[str, Any] = {} if trust_environment else {"proxies": {}, "use_dualstack_endpoint": False}
    return Config(
        retries={"mode": "standard", "total_max_attempts": 3},
        connect_timeout=5,
        read_timeout=read_timeout,
        tcp_keepalive=True,
        user_agent_extra=AGENT,
        **ignored,
    )


def hosts(service: str, region: str, endpoint_urls: Mapping[str, str]) -> frozenset[str]:
    """``host:port`` that a service's clients may call: the declared endpoint, else the Region's own and its FIPS twin.

    A dual-stack host (``api.aws``) is another name, which a VPC endpoint's private DNS does not cover: declare it.
    """
    if service in endpoint_urls:
        return frozenset(host for host in (host_of(endpoint_urls[service]),) if host)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return frozenset(f"{service}{variant}.{region}.{suffix}:443" for variant in ("", "-fips"))


_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?P<query>\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
).fullmatch


def parts_of(url: str) -> re.Match[str] | None:
    """Scheme, host, port, path and query of a plain URL; ``None`` where parsers could differ on where it leads.

    Where a backslash and an @ stand before the path, Python's own parser sees another host than urllib3's, which makes
    the connection. What RFC 3986 does not let stand in a URL is refused, and so is user information.
    """
    return _URL(url)


def host_of(url: str) -> str | None:
    """``host:port`` of a URL, in lower case, the port filled in; ``None`` for one that is not plain."""
    found = _URL(url)
    if found is None:
        return None
    return f"{found['host'].lower()}:{found['port'] or (443 if found['scheme'] == 'https' else 80)}"
