"""The gateway: every request is authenticated, resolved, authorized, checked, executed and recorded, in that order."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ringwall.catalog.operations import Authorization
from ringwall.sandbox import authenticate, chance, eventstream, faults, models, places, serialize
from ringwall.sandbox import context as keys
from ringwall.sandbox.alarms import Alarms
from ringwall.sandbox.authorize import Asking, Authorizer, Views, anonymous_or
from ringwall.sandbox.call import AwsError, Call, Context, Output
from ringwall.sandbox.credentials import Caller, Credentials
from ringwall.sandbox.decisions import DecisionLog
from ringwall.sandbox.history import changes_state
from ringwall.sandbox.hooks import Table
from ringwall.sandbox.internal import Insider, internal_turn
from ringwall.sandbox.notices import Notices
from ringwall.sandbox.parse import MalformedRequestError, parse
from ringwall.sandbox.rooms import ROOMS
from ringwall.sandbox.sigv4 import SignatureError
from ringwall.sandbox.sts import Sts
from ringwall.sandbox.turn import Turn
from ringwall.sandbox.wire import HttpResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
    from concurrent.futures import Executor

    from ringwall.access import Access
    from ringwall.sandbox.archive import Archive
    from ringwall.sandbox.backend import Moto
    from ringwall.sandbox.call import Plane
    from ringwall.sandbox.history import History
    from ringwall.sandbox.resolve import Resolution
    from ringwall.sandbox.trail import Trail
    from ringwall.sandbox.wire import HttpRequest

_READS = ("Get", "List", "Describe", "Head", "Lookup", "Simulate", "Generate", "BatchGet", "Select")
_POLICY_SERVICES = frozenset({"iam", "organizations", "ec2", "kms", "sns"})
# What services publish of their own accord needs nobody's permission.
_SERVICES_OWN = frozenset({("cloudwatch", "PutMetricData")})
_S3_CHANGES = frozenset({"PutBucketPolicy", "DeleteBucketPolicy", "CreateBucket", "DeleteBucket"})
_KMS_READS = frozenset({"Encrypt", "Decrypt", "ReEncrypt", "Sign", "Verify"})


@dataclass
class Exchange:
    """One request while it is answered; holds what the error path and the trail need."""

    request: HttpRequest
    arrival: keys.Arrival
    request_id: str
    time: datetime
    service: str | None = None
    protocol: str = "json"
    resolution: Resolution | None = None
    turn: Turn | None = None


class Gateway:
    """The pipeline, and the :class:`~ringwall.sandbox.call.Platform` that planes build on."""

    def __init__(
        self,
        moto: Moto,
        archive: Archive,
        *,
        pool: Executor,
        wait_for: Callable[[str], None],
        ec2_ready: Callable[[], bool],
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.moto = moto
        self.archive = archive
        self.credentials = Credentials(moto)
        self.views = Views(moto, ec2_ready)
        self.log = DecisionLog()
        self.authorizer = Authorizer(moto, self.views, self.log)
        self.planes: dict[str, Plane] = {}
        self.trail: Trail | None = None
        self.history: History | None = None
        self.notices = Notices(self)
        self.alarms = Alarms(moto, self.notices, self.now)
        self.endpoint_service: Callable[[str], str | None] = lambda _: None
        self.network_changed: Callable[[], None] = lambda: None
        self._sts = Sts(moto, self.credentials)
        self._hooks = Table(ROOMS)
        self._pool = pool
        self._wait_for = wait_for
        self._clock = clock or (lambda: datetime.now(UTC))
        self._asking: dict[str, Asking] = {}

    # -- answering requests ----------------------------------------------------------------------------------------

    async def respond(self, request: HttpRequest, arrival: keys.Arrival) -> HttpResponse:
        """Answer one request. Never raises for what a client sends."""
        exchange = Exchange(request, arrival, chance.passing(), self.now())
        loop = asyncio.get_running_loop()
        try:
            answer = await loop.run_in_executor(self._pool, self._answer, exchange)
            if isinstance(answer, HttpResponse):
                return answer
            output = await answer
            response = self._written(exchange, output)
        except AwsError as error:
            return await loop.run_in_executor(self._pool, self._refused, exchange, error)
        finally:
            self._asking.pop(exchange.request_id, None)
        await loop.run_in_executor(self._pool, self._record, exchange, output, None)
        return response

    def _answer(self, exchange: Exchange) -> HttpResponse | Awaitable[Output]:
        """The whole answer, made and recorded in one thread; or what the event loop has to wait for."""
        try:
            turn = self._admit(exchange)
            exchange.turn = turn
            self._asking[exchange.request_id] = turn.asking
            output = self.perform(turn)
            if not isinstance(output, Output):
                return output
            response = self._written(exchange, output)
        except AwsError as error:
            return self._refused(exchange, error)
        self._record(exchange, output, None)
        return response

    def _admit(self, exchange: Exchange) -> Turn:
        """Authenticate and read a request."""
        arrival = exchange.arrival
        behind = self.endpoint_service(arrival.endpoint) if arrival.endpoint else None
        try:
            target = authenticate.aim(exchange.request, (behind, arrival.region) if behind else None)
            exchange.service, exchange.protocol = target.service, target.protocol
            exchange.resolution = target.resolution
            caller, request = authenticate.identify(target, self.credentials, exchange.time)
        except SignatureError as error:
            raise authenticate.refusal(error, exchange.service) from error
        if target.resolution is None:
            raise faults.fault("unknown-operation", target.service, target.problem or None)
        try:
            parameters = parse(request, target.resolution)
        except MalformedRequestError as error:
            raise faults.fault("malformed", target.service, str(error)) from error
        return self._turn(exchange, target.resolution, caller, target.region, parameters)

    def _turn(
        self,
        exchange: Exchange,
        resolution: Resolution,
        caller: Caller | None,
        region: str,
        parameters: dict[str, Any],
    ) -> Turn:
        request, arrival = exchange.request, exchange.arrival
        account = caller.account if caller else places.MEMBER
        context = self.caller_context(caller, region, parameters, exchange.time)
        context.update(keys.network(arrival))
        agent = request.headers.get("user-agent", "")
        if agent:
            context["aws:useragent"] = (agent,)
        if "referer" in request.headers:
            context["aws:referer"] = (request.headers["referer"],)
        asking = Asking(
            caller,
            anonymous_or(caller),
            context,
            exchange.request_id,
            exchange.time,
            resolution.service,
            resolution.operation,
            account,
            region,
            arrival.endpoint,
        )
        call = Call(
            resolution.service,
            resolution.operation,
            parameters,
            account,
            region,
            asking.principal,
            context,
            exchange.request_id,
            arrival.source_ip,
            agent,
            exchange.time,
            caller.session_name if caller else None,
            arrival.endpoint,
            request.headers,
            caller.access_key if caller else None,
        )
        return Turn(self, call, caller, asking, dict(parameters))

    def caller_context(
        self, caller: Caller | None, region: str, parameters: Mapping[str, Any], now: datetime
    ) -> keys.Values:
        """Condition keys of a caller, the clock and the parameters."""
        view = self.views.now()
        role_arn = None
        if caller is not None and caller.kind == "AssumedRole":
            entry = view.access.principal(caller.arn)
            role_arn = entry.arn if entry else None
        return {
            **keys.moment(now),
            **keys.principal(caller, view.estate, role_arn),
            **keys.authentication(caller, now),
            **keys.request_tags(parameters),
            "aws:requestedregion": (region,),
        }

    # -- performing calls ------------------------------------------------------------------------------------------

    def perform(self, turn: Turn) -> Output | Awaitable[Output]:
        """Authorize and execute a call, a client's or an internal one.

        Raises:
            AwsError: it is refused, or fails.
        """
        service = turn.call.service
        self._wait_for(service)
        if service == "sts":
            self._sts.check(turn)
        self._hooks.prepare(turn)
        if service in self.planes:
            turn.changes.update(self.planes[service].named(turn.call))
        if service == "s3":
            self._require_bucket(turn)
        own = (
            turn.caller is None and turn.owner is not None and (service, turn.call.operation) in _SERVICES_OWN
        )
        if not own:
            self.authorizer.call(turn.asking, turn.asked)
        if service == "ec2" and turn.parameters.get("DryRun"):
            raise AwsError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        # A session that a service opens inside of here is nobody's to use later.
        changes = changes_state(service, turn.call.operation) and not (turn.insider and service == "sts")
        if self.history is not None and changes:
            return self.history.call(turn, lambda: self._carry_out(turn))
        return self._carry_out(turn)

    def _carry_out(self, turn: Turn) -> Output | Awaitable[Output]:
        self._hooks.before(turn)
        return self._execute(turn)

    def repeat(self, turn: Turn) -> None:
        """Make a call of the past again: it was authorized when it was made.

        Raises:
            AwsError: it fails, as it did then.
        """
        self._wait_for(turn.call.service)
        self._asking[turn.call.request_id] = turn.asking
        try:
            self._hooks.prepare(turn)
            self._carry_out(turn)
        finally:
            del self._asking[turn.call.request_id]

    def _require_bucket(self, turn: Turn) -> None:
        # S3 says that a bucket does not exist before it looks at policies.
        bucket = turn.parameters.get("Bucket")
        if bucket and turn.call.operation != "CreateBucket" and self.moto.bucket_owner(bucket) is None:
            raise AwsError("NoSuchBucket", "The specified bucket does not exist", 404, {"BucketName": bucket})

    def _execute(self, turn: Turn) -> Output | Awaitable[Output]:
        service = turn.call.service
        instead = self._hooks.instead(turn)
        if instead is not None:
            output: Output | Awaitable[Output] = instead(turn)
        elif service == "sts":
            output = self._sts.handle(turn)
        elif service in self.planes:
            output = self.planes[service].handle(turn.call)
        else:
            output = self._moto(turn)
        if _changes_policies(turn.call):
            self.views.changed()
        if service == "cloudtrail" and self.trail is not None and not turn.call.operation.startswith(_READS):
            self.trail.changed()
        return output

    def _moto(self, turn: Turn) -> Output:
        account = turn.account
        reply = self.moto.execute(
            turn.call.service, turn.call.operation, turn.parameters, account, turn.call.region
        )
        self._hooks.after(turn, reply)
        default = int(
            models.operation_model(turn.call.service, turn.call.operation).http.get("responseCode", 200)
        )
        return Output(reply.parameters, status=reply.status if reply.status != default else None)

    # -- writing answers -------------------------------------------------------------------------------------------

    def _written(self, exchange: Exchange, output: Output) -> HttpResponse:
        resolution = exchange.resolution
        assert resolution is not None
        response = serialize.serialize(resolution, output.parameters or {}, exchange.request_id)
        if output.status is not None:
            response.status = output.status
        if output.stream is not None or output.events is not None:
            response.stream = output.stream
            if output.events is not None:
                response.stream = _framed(eventstream.stream_shape(resolution.model), output.events)
            response.headers["Content-Type"] = "application/vnd.amazon.eventstream"
            response.body = b""
        response.headers.update(output.headers)
        return response

    def _refused(self, exchange: Exchange, error: AwsError) -> HttpResponse:
        self._record(exchange, None, error)
        path = exchange.request.path
        response = faults.write(
            error, exchange.service, exchange.protocol, exchange.request_id, resource=path
        )
        if exchange.request.method == "HEAD":
            response.body = b""
        return response

    def _record(self, exchange: Exchange, output: Output | None, error: AwsError | None) -> None:
        turn = exchange.turn
        if self.trail is None or turn is None:
            return
        if error is not None and turn.call.service in self.planes:
            # Failed calls keep their prompts out of the trail too.
            output = Output(trail=self.planes[turn.call.service].trail(turn.call))
        self.trail.record(turn, output, error)

    # -- what planes may ask (call.Platform) -----------------------------------------------------------------------

    def call_as(
        self,
        principal: str,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        account: str,
        region: str,
        context: Context | None = None,
    ) -> dict[str, Any]:
        """See :meth:`ringwall.sandbox.call.Platform.call_as`."""
        who = Insider(principal, account, region, context or {})
        turn = internal_turn(self, who, service, operation, parameters)
        error: AwsError | None = None
        try:
            output = self.perform(turn)
        except AwsError as refused:
            error = refused
            raise
        finally:
            if self.trail is not None:
                self.trail.record(turn, None, error)
        assert isinstance(output, Output)
        return dict(output.parameters or {})

    def peek(
        self, service: str, operation: str, parameters: Mapping[str, Any], account: str, region: str
    ) -> dict[str, Any]:
        """See :meth:`ringwall.sandbox.call.Platform.peek`."""
        self._wait_for(service)

        def reply() -> dict[str, Any]:
            if (service, operation) in _SERVICES_OWN:
                self.moto.put_metrics(parameters, account, region)
                self.alarms.observe(parameters, account, region)
                return {}
            return self.moto.execute(service, operation, parameters, account, region).parameters

        if self.history is not None and changes_state(service, operation):
            return self.history.peek(service, operation, parameters, (account, region), reply)
        return reply()

    def authorize(self, call: Call, action: str, resource: str, context: Context | None = None) -> None:
        """See :meth:`ringwall.sandbox.call.Platform.authorize`."""
        asking = self._asking.get(call.request_id)
        if asking is None:
            who = Insider(call.principal, call.account, call.region, call.context)
            turn = internal_turn(self, who, call.service, call.operation, {})
            asking = replace(turn.asking, endpoint=call.vpc_endpoint_id, request_id=call.request_id)
        self.authorizer.one(asking, Authorization(action, resource, dict(context or {})))

    def access(self) -> Access:
        """See :meth:`ringwall.sandbox.call.Platform.access`."""
        return self.views.now().access

    def effective_policy(self, type_: str, account: str) -> dict[str, Any] | None:
        """See :meth:`ringwall.sandbox.call.Platform.effective_policy`."""
        return self.views.now().effective_policy(type_, account)

    def now(self) -> datetime:
        """See :meth:`ringwall.sandbox.call.Platform.now`."""
        return chance.moment() or self._clock()

    def record_event(
        self,
        *,
        event_source: str,
        event_name: str,
        account: str,
        region: str,
        identity: Mapping[str, Any],
        detail: Mapping[str, Any],
        category: str = "Management",
    ) -> None:
        """See :meth:`ringwall.sandbox.call.Platform.record_event`."""
        if self.trail is not None:
            self.trail.record_service_event(
                event_source=event_source,
                event_name=event_name,
                account=account,
                region=region,
                identity=identity,
                detail=detail,
                category=category,
            )

    def changed(self) -> None:
        """See :meth:`ringwall.sandbox.call.Platform.changed`."""
        self.views.changed()


def _changes_policies(call: Call) -> bool:
    if call.service == "s3":
        return call.operation in _S3_CHANGES
    if call.service not in _POLICY_SERVICES or call.operation.startswith(_READS):
        return False
    return not (call.service == "kms" and call.operation in _KMS_READS)


async def _framed(shape: Any, events: AsyncIterator[Mapping[str, Any]]) -> AsyncIterator[bytes]:
    try:
        async for event in events:
            yield eventstream.encode_event(shape, event)
    except AwsError as error:
        yield eventstream.encode_error(error.code, error.message)
