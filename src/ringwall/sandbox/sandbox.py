"""The sandbox itself: start it, point any AWS client at it, stop it."""

from __future__ import annotations

import gc
import importlib
import ipaddress
import itertools
import json
import secrets
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ringwall.errors import RingwallError
from ringwall.estate.frugal import nothing_collected
from ringwall.sandbox import bootstrap, places
from ringwall.sandbox.archive import Archive
from ringwall.sandbox.authenticate import aim, identify
from ringwall.sandbox.backend import Moto
from ringwall.sandbox.context import Arrival
from ringwall.sandbox.gateway import Gateway
from ringwall.sandbox.history import History
from ringwall.sandbox.journal import Journal
from ringwall.sandbox.later import Later
from ringwall.sandbox.models import SERVICES
from ringwall.sandbox.network import Network
from ringwall.sandbox.places import Workload
from ringwall.sandbox.proxy import Proxy
from ringwall.sandbox.server import Listener, Server
from ringwall.sandbox.sigv4 import SignatureError
from ringwall.sandbox.tls import Certificates
from ringwall.sandbox.trail import Trail
from ringwall.sandbox.wire import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from ringwall.sandbox.bedrock.plane import BedrockPlane
    from ringwall.sandbox.network import Way
    from ringwall.sandbox.wire import HttpRequest

_DECISIONS = "/_ringwall/decisions"
_running = threading.Lock()
# Answers are work for the processor, and more threads than it can serve only take turns; a model upstream is waited for.
_WORKING, _WAITING = 4, 32
_PAUSE = 0.02
_BEDROCK = frozenset((*SERVICES["bedrock"], *SERVICES["bedrock-agentcore"]))
_LIKELY = ("s3", "logs", "kms", "cloudwatch", "sns", "events", "cloudtrail")
"""Services of moto's that a perimeter is made of, in the order of their weight."""


class Sandbox:
    """AWS on this machine.

    Args:
        port: port of the public listener; 0 = any free one.
        state: directory to keep state in between runs; made if it is not there. ``None`` = keep nothing.
        reset: forget what the state directory holds.
        insecure_http: serve the public listener over plain HTTP (``aws:SecureTransport`` is then false).
        model_upstream: base URL of an OpenAI-compatible server that answers for the models.
        model_names: its model name by Bedrock model id.
        model_api_key: its bearer token.

    Raises:
        RingwallError: on entering, if another sandbox runs in this process, or the port is taken.
    """

    def __init__(
        self,
        port: int = 0,
        state: Path | None = None,
        *,
        reset: bool = False,
        insecure_http: bool = False,
        model_upstream: str | None = None,
        model_names: Mapping[str, str] | None = None,
        model_api_key: str | None = None,
    ) -> None:
        if reset and state is None:
            raise RingwallError("there is nothing to reset without a state directory")
        self._port = port
        self._state = state
        self._reset = reset
        self._insecure = insecure_http
        self._models: dict[str, Any] = {
            "model_upstream": model_upstream,
            "model_names": model_names,
            "model_api_key": model_api_key,
        }
        self._moto = Moto()
        self._endpoint_services: dict[str, str | None] = {}
        self._proxies: dict[tuple[str, tuple[str, ...]], tuple[Listener, str]] = {}
        self._next_address = itertools.count(10)
        self._network_lock = threading.RLock()
        self._bedrock: BedrockPlane | None = None
        self._later = {
            "bedrock": Later("Bedrock plane", self._add_bedrock),
            "ec2": Later("network", self._make_network),
        }
        self._stopping = threading.Event()
        self._requests_seen = 0

    # -- life ------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start: with a fresh organization, administrator and network, and what the state directory remembers."""
        if not _running.acquire(blocking=False):
            raise RingwallError(
                "another sandbox runs in this process; stop it first, or start a process of its own"
            )
        # Calls that are repeated from a journal do leave garbage.
        resting = nothing_collected() if self._state is None else nullcontext()
        with ExitStack() as unless_started, resting:
            unless_started.callback(_running.release)
            self._start()
            unless_started.pop_all()

    def _start(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="ringwall-sandbox-")
        self._open_state()
        self._moto.start(self._archive, self._history.beginning if self._history else None)
        with self._beginning("organization"):
            bootstrap.make_organization(self._moto)
            self._key, self._secret = bootstrap.make_administrator(self._moto)
        threads = _WAITING if self._models["model_upstream"] else _WORKING
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ringwall-sandbox")
        self._network = Network(self._moto, self._wait_for_ec2)
        self.gateway = Gateway(
            self._moto,
            self._archive,
            pool=self._pool,
            wait_for=self._wait_for,
            ec2_ready=self._later["ec2"].made,
        )
        self.gateway.endpoint_service = self._endpoint_services.get
        self.gateway.network_changed = self._refresh_network
        self._certificates = Certificates(self._state / "ca-with-key.pem" if self._state else None)
        self._certificates.write_bundle(Path(self.ca_bundle))
        self._server = Server()
        self._server.start()
        self._afterwards = threading.Thread(target=self._go_on, name="ringwall-afterwards", daemon=True)
        if self._history is not None:
            self._afterwards.start()
            self._history.repeat(self.gateway)
            self.gateway.history = self._history
            self._archive.forget_streams(self._moto.streams())
        self.gateway.trail = Trail(self.gateway)
        self._open_public()
        self._proxy = self.attach(next(iter(places.SUBNETS)), (places.APPLICATION_GROUP,))
        # What there is now stays: the collector need not look at it again and again.
        gc.freeze()
        if self._history is None:
            # What not every call needs is loaded while clients come; whoever needs it waits.
            self._afterwards.start()

    def _open_state(self) -> None:
        self._history = None
        if self._state is None:
            self._archive = Archive(Path(self._directory.name) / "archive")
            return
        try:
            self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise RingwallError(f"the state directory {self._state} cannot be made: {error}") from error
        journal = Journal(self._state / "journal")  # nobody else has the directory from here on
        if self._reset:
            journal.reset()
            for name in ("archive", "archive-wal", "archive-shm"):
                (self._state / name).unlink(missing_ok=True)
        self._archive = Archive(self._state / "archive", lasting=True)
        self._history = History(journal, self._archive)

    def _beginning(self, part: str) -> AbstractContextManager[None]:
        """What a part of the sandbox's beginning is made in: the same at each start, if there is a history."""
        return self._history.beginning.of(part) if self._history else nullcontext()

    def _go_on(self) -> None:
        """Make what is left to make, and load what is likely to be needed until somebody calls."""
        if self._history is None:
            # Threads take turns of milliseconds: whoever started us has the settings to hand out first.
            self._stopping.wait(_PAUSE)
        try:
            self._later["bedrock"].make()
        finally:
            self._later["ec2"].make()
        for service in _LIKELY:
            if self._requests_seen or self._stopping.is_set():
                break
            self._moto.warm(service)

    def _add_bedrock(self) -> None:
        plane = importlib.import_module("ringwall.sandbox.bedrock.plane").BedrockPlane
        with self._beginning("bedrock"):
            self._bedrock = made = plane(self.gateway, **self._models)
        for service in _BEDROCK:
            self.gateway.planes[service] = made
        self.gateway.authorizer.profiles = made.profiles
        self.gateway.views.sources.append(made.resources)
        self.gateway.views.changed()

    def _open_public(self) -> None:
        context = None if self._insecure else self._certificates.context
        try:
            self._public = self._server.run(self._server.listen(self._on_public, context, self._port))
        except OSError as error:
            self._abandon()
            raise RingwallError(
                f"port {self._port} of 127.0.0.1 cannot be used: {error}; choose another"
            ) from error

    def _abandon(self) -> None:
        """End what runs of a sandbox that could not start."""
        if self._history is not None:
            self._afterwards.join()
        self._end_workers()
        self._server.stop()
        self._pool.shutdown(wait=False)
        if self._history is not None:
            self._history.close()
        self._archive.close()
        self._directory.cleanup()

    def _end_workers(self) -> None:
        if self._bedrock is not None:
            self._bedrock.stop()
        assert self.gateway.trail is not None
        self.gateway.trail.stop()

    def _make_network(self) -> None:
        with self._beginning("network"):
            bootstrap.make_network(self._moto)

    def _wait_for(self, service: str) -> None:
        """Wait until what a service needs is there."""
        part = "bedrock" if service in _BEDROCK else service
        if part in self._later:
            self._later[part].wait()

    def _wait_for_ec2(self) -> None:
        self._wait_for("ec2")

    def stop(self) -> None:
        """Close every listener and forget everything."""
        self._stopping.set()
        self._afterwards.join()
        self._end_workers()
        for listener in (self._public, *(listener for listener, _ in self._proxies.values())):
            self._server.run(self._server.close(listener))
        self._server.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._moto.stop()
        if self._history is not None:
            self._history.close()
        self._archive.close()
        self._directory.cleanup()
        gc.unfreeze()
        _running.release()

    # -- what clients need -----------------------------------------------------------------------------------------

    @property
    def endpoint_url(self) -> str:
        """URL of the public listener."""
        return f"{'http' if self._insecure else 'https'}://127.0.0.1:{self._public.port}"

    @property
    def ca_bundle(self) -> str:
        """Path of the PEM file with the sandbox's CA."""
        return str((self._state or Path(self._directory.name)) / "ca.pem")

    @property
    def proxy_url(self) -> str:
        """The proxy of a workload in the first subnet with the application's security group."""
        return self._proxy

    def environment(self) -> dict[str, str]:
        """Environment variables for any AWS client."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": self._key,
            "AWS_SECRET_ACCESS_KEY": self._secret,
            "AWS_REGION": places.REGION,
            "AWS_DEFAULT_REGION": places.REGION,
            "AWS_CA_BUNDLE": self.ca_bundle,
            "HTTPS_PROXY": self.proxy_url,
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def attach(self, subnet: str, security_groups: tuple[str, ...] = ()) -> str:
        """Put a workload into a subnet.

        Args:
            subnet: its id.
            security_groups: ids of its security groups.

        Returns:
            URL of an HTTP CONNECT proxy that stands for it, serving the real AWS host names.
        """
        key = (subnet, tuple(security_groups))
        if key not in self._proxies:
            workload = self._workload(subnet, tuple(security_groups))
            proxy = Proxy(workload, self._network, self._server, self._certificates.context, self._on_subnet)
            listener = self._server.run(self._server.open(proxy.tunnel))
            self._proxies[key] = (listener, f"http://127.0.0.1:{listener.port}")
        return self._proxies[key][1]

    def _workload(self, subnet: str, security_groups: tuple[str, ...]) -> Workload:
        if subnet in places.SUBNETS:
            vpc, cidr = places.VPC, places.SUBNETS[subnet][1]
        else:
            self._wait_for_ec2()
            found = self.gateway.peek(
                "ec2", "DescribeSubnets", {"SubnetIds": [subnet]}, places.MEMBER, places.REGION
            )
            vpc, cidr = found["Subnets"][0]["VpcId"], found["Subnets"][0]["CidrBlock"]
        address = ipaddress.ip_network(cidr)[next(self._next_address) % 200 + 10]
        return Workload(vpc, subnet, security_groups, str(address))

    def decisions(self, *, trace: bool = False, **wanted: str | None) -> list[dict[str, Any]]:
        """The newest authorization decisions, oldest first.

        Args:
            trace: with an account of which part of which statement matched.
            wanted: ``principal``, ``action``, ``outcome``, ``operation`` or ``request_id`` that entries must have.
        """
        return [entry.to_json(trace=trace) for entry in self.gateway.log.entries(**wanted)]

    def flush(self) -> None:
        """Deliver what is waiting: invocation logs, metrics, CloudTrail's log files."""
        self._wait_for("bedrock")
        assert self._bedrock is not None
        self._bedrock.flush()
        assert self.gateway.trail is not None
        self.gateway.trail.flush()

    @property
    def requests_seen(self) -> int:
        """How many requests have arrived since the start, on any listener."""
        return self._requests_seen

    # -- listeners -------------------------------------------------------------------------------------------------

    async def _on_public(self, request: HttpRequest) -> HttpResponse:
        self._requests_seen += 1
        if request.path == _DECISIONS:
            return self._decisions_page(request)
        return await self.gateway.respond(request, Arrival(secure=request.secure))

    async def _on_subnet(self, workload: Workload, way: Way, request: HttpRequest) -> HttpResponse:
        """A request of a workload: through an endpoint, or by the NAT gateway to the internet."""
        self._requests_seen += 1
        arrival = Arrival(places.NAT_ADDRESS, request.secure, public=False)
        if way.endpoint is not None:
            if way.endpoint not in self._endpoint_services:
                return HttpResponse(503, {"Content-Type": "text/plain"}, b"the VPC endpoint is gone")
            arrival = Arrival(
                workload.address,
                request.secure,
                way.endpoint,
                workload.vpc,
                workload.account,
                workload.region,
                public=False,
            )
        return await self.gateway.respond(request, arrival)

    def _decisions_page(self, request: HttpRequest) -> HttpResponse:
        """The decisions as JSON, for a request that the administrator signed (for any service)."""
        try:
            target = aim(request)
            caller, _ = identify(target, self.gateway.credentials, self.gateway.now())
        except SignatureError as error:
            return HttpResponse(403, {"Content-Type": "text/plain"}, str(error).encode())
        administrator = f"arn:aws:iam::{places.MEMBER}:user/{places.ADMINISTRATOR}"
        if caller is None or not secrets.compare_digest(caller.arn, administrator):
            return HttpResponse(
                403, {"Content-Type": "text/plain"}, b"only the administrator may read decisions"
            )
        query = dict(request.query_parameters)
        trace = query.pop("trace", "") in {"1", "true"}
        wanted = {
            name: query.get(name) for name in ("principal", "action", "outcome", "operation", "request_id")
        }
        body = json.dumps({"decisions": self.decisions(trace=trace, **wanted)}).encode()
        return HttpResponse(200, {"Content-Type": "application/json"}, body)

    def _refresh_network(self) -> None:
        """Take note of new endpoints, and end the connections through deleted ones."""
        with self._network_lock:
            endpoints = self._network.endpoints()
            for gone in set(self._endpoint_services) - set(endpoints):
                del self._endpoint_services[gone]
                self._server.run(self._server.drop(gone))
            self._endpoint_services.update(
                {one.id: one.service for one in endpoints.values() if one.service is not None}
            )
