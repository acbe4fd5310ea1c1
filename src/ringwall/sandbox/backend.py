"""moto behind one door: state and behaviour of IAM, Organizations, EC2, KMS, S3, Logs, CloudWatch, CloudTrail, SNS, EventBridge.

moto runs in this process and is called without HTTP: a call's parameters are written by botocore's serializers, handed
to moto's response classes, and its answer is read by botocore's parsers. Nothing of the client's request reaches moto
but its parameters, so moto's own switches (``x-moto-account-id``, ``/moto-api``) are out of reach.

moto's state is global to the process, so one sandbox runs per process.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import sys
import threading
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import botocore.parsers
import botocore.serialize
import botocore.utils
import urllib3.exceptions
from botocore.awsrequest import HeadersDict

from ringwall.estate.sessions import boto3_session, data_loader
from ringwall.sandbox import (
    models,
    moto_chance,
    moto_gaps,
    moto_models,
    moto_offerings,
    moto_quick,
    moto_spill,
)
from ringwall.sandbox.call import AwsError, not_carried_out
from ringwall.sandbox.resting import lent, rest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from ringwall.sandbox.archive import Archive
    from ringwall.sandbox.history import Beginning

SERVICES = frozenset(
    {"iam", "organizations", "ec2", "kms", "s3", "logs", "cloudwatch", "cloudtrail", "sns", "events"}
)
"""What moto keeps for us. STS and the Bedrock family are the sandbox's own."""

_GLOBAL = frozenset({"iam", "s3", "organizations"})
_SETTINGS = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
_PROFILE = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
_PROTOCOLS = {"cloudwatch": "query"}
_HOSTS = {"iam": "iam.amazonaws.com", "cloudwatch": "monitoring.{region}.amazonaws.com"}
_CREDENTIAL = (
    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/{region}/{service}/aws4_request, "
    "SignedHeaders=host, Signature=0"
)
_DECRYPTED = 64
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|[+-]\d\d:\d\d)")
_RESTING = ("boto3", "botocore.session", "requests", "charset_normalizer", "werkzeug")
_NOBODY = "123456789012"  # whose the requests of unknown keys are in moto; ours all name an account
# What moto's handlers raise when a request meets a case that they do not foresee.
_CRASHES = (KeyError, AttributeError, TypeError, ValueError, IndexError, AssertionError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Reply:
    """What moto answered: the output in boto3's spelling, and the HTTP status."""

    parameters: dict[str, Any]
    status: int


def _moto(module: str) -> Any:
    """A module of moto's, loaded when a sandbox starts and not before."""
    return importlib.import_module(f"moto.{module}")


@contextmanager
def _without_profile() -> Iterator[None]:
    """The user's profile is nothing to moto, whose sessions would look for it and fail where there is none."""
    hidden = {name: os.environ.pop(name) for name in _PROFILE if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _http_exception() -> type[Exception]:
    error: type[Exception] = importlib.import_module("werkzeug.exceptions").HTTPException
    return error


class Moto:
    """moto's services, one call at a time."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._settings_before: dict[str, str | None] = {}
        self._urls: dict[str, list[tuple[re.Pattern[str], Any]]] = {}
        self._beginning: Beginning | None = None
        self._served: dict[str, Any] = {}
        self._decrypted: dict[tuple[Any, ...], tuple[Any, bytes]] = {}

    def locked(self) -> AbstractContextManager[object]:
        """Keep other calls out while state is read through :meth:`store`."""
        return self._lock

    def load(self, module: str) -> None:
        """Import a module of moto's that makes boto3 sessions while it is imported: they share our loader.

        Each session would parse the Regions of all services, and the largest service models, for itself.
        """
        sessions: Any = importlib.import_module("botocore.session")
        original = sessions.create_loader
        sessions.create_loader = data_loader
        try:
            with _without_profile(), moto_offerings.read_when_asked():
                _moto(module)
        finally:
            sessions.create_loader = original

    def start(self, archive: Archive, beginning: Beginning | None = None) -> None:
        """Begin with nothing, under the sandbox's settings of moto.

        Args:
            archive: where log events and bodies of objects are kept.
            beginning: what everything that moto makes of its own follows from; ``None`` = chance.
        """
        self._beginning = beginning
        _load()
        moto_gaps.forgetful()
        moto_spill.lead(archive)
        self._settings_before = {name: os.environ.get(name) for name in _SETTINGS}
        _moto("core.base_backend").AccountSpecificBackend.get_session = cache(_own_session)
        self._forget()
        os.environ.update(_SETTINGS)
        self._backends("iam")  # every service of moto's looks into it

    def stop(self) -> None:
        """Forget everything, and leave moto's settings to whoever else uses it in this process."""
        # moto makes every backend anew before it drops it; a thousand managed policies are not missed then.
        os.environ.update(dict.fromkeys(_SETTINGS, "false"))
        self._forget()
        self._served.clear()
        self._decrypted.clear()
        moto_spill.leave()
        for name, value in self._settings_before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    def _forget(self) -> None:
        with self._lock:
            _moto("core.base_backend").BackendDict.reset()
            for service, attribute in (("s3", "bucket_accounts"), ("organizations", "master_accounts")):
                if f"moto.{service}.models" in sys.modules:
                    getattr(self._backends(service), attribute).clear()

    def _backends(self, service: str) -> Any:
        served = self._served.get(service)
        if served is None:
            served = _moto("backends").get_backend(service)
            moto_chance.lead(service)
            moto_gaps.fill(service)
            moto_spill.fill(service)
            self._served[service] = served
        return served

    def store(self, service: str, account: str, region: str = "us-east-1") -> Any:
        """The objects that moto keeps of a service, for reading under :meth:`locked`."""
        regional = self._backends(service)[account]
        place = region if region in regional and service not in _GLOBAL else "aws"
        if self._beginning is None or place in regional.keys():  # noqa: SIM118 - moto's "in" asks for Regions
            return regional[place]
        with self._lock, self._beginning.of(service, account, place):
            moto_chance.seed()
            return regional[place]

    def warm(self, service: str) -> None:
        """Load a service and its model, change nothing of its state, and keep nobody waiting."""
        for part in ("models", "urls"):
            _moto(f"{service}.{part}")
        models.service_model(service)
        _moto("core.utils").get_service_model(service)
        with self._lock:
            self._backends(service)

    def accounts(self, service: str) -> tuple[str, ...]:
        """Accounts that a service has state for."""
        # What nobody has used yet has no state, and is not loaded to say so.
        return tuple(self._backends(service)) if service in self._served else ()

    def regions(self, service: str, account: str) -> tuple[str, ...]:
        """Regions that a service has state in."""
        return tuple(self._backends(service)[account])

    def streams(self) -> tuple[str, ...]:
        """Identities of the log streams that there are."""
        with self._lock:
            return tuple(
                stream.events.identity
                for account in self.accounts("logs")
                for region in self.regions("logs", account)
                for group in self.store("logs", account, region).groups.values()
                for stream in group.streams.values()
            )

    def bucket_owner(self, bucket: str) -> str | None:
        """Account that owns a bucket; ``None`` if there is no such bucket."""
        if "s3" not in self._served:
            return None
        owner = self._backends("s3").bucket_accounts.get(bucket)
        return str(owner[1]) if owner else None

    def execute(
        self, service: str, operation: str, parameters: Mapping[str, Any], account: str, region: str
    ) -> Reply:
        """Run an operation.

        Raises:
            AwsError: what the service answers; 501 for what moto lacks.
        """
        model = models.operation_model(service, operation)
        protocol = _PROTOCOLS.get(service, models.protocol(service))
        request = _serializer(protocol).serialize_to_request(dict(parameters), model)
        with self._lock:
            if self._beginning is not None:
                self.store(service, account, region)
                moto_chance.seed()
            status, headers, body = self._send(service, operation, request, account, region)
        return self._read(model, protocol, status, headers, body)

    def decrypt(self, parameters: Mapping[str, Any], account: str, region: str) -> dict[str, Any]:
        """Decrypt with a symmetric key, as KMS's Decrypt does and without its way over the wire.

        Every use of a guardrail with a key of its own decrypts the same data key: the newest plaintexts are kept, each
        as long as the key is that decrypted it. What fails is tried again over the wire, which words it.

        Raises:
            AwsError: what KMS answers.
        """
        blob, pairs = parameters["CiphertextBlob"], parameters.get("EncryptionContext") or {}
        given = (account, region, parameters.get("KeyId"), blob, *sorted(pairs.items()))
        with self._lock:
            store = self.store("kms", account, region)
            key, plaintext = self._decrypted.get(given, (None, b""))
            if key is None or store.keys.get(key.id) is not key:
                try:
                    plaintext, arn = store.decrypt(blob, pairs, parameters.get("KeyId"))
                except _http_exception():
                    return self.execute("kms", "Decrypt", parameters, account, region).parameters
                key = store.keys[arn.rpartition("/")[2]]
                if len(self._decrypted) >= _DECRYPTED:
                    self._decrypted.clear()
                self._decrypted[given] = (key, plaintext)
        return {"KeyId": key.arn, "Plaintext": plaintext, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}

    def put_metrics(self, parameters: Mapping[str, Any], account: str, region: str) -> None:
        """Keep metric data of the services' own, as PutMetricData does and without its way over the wire.

        Each inference call makes some twenty data; written and read as a form they would cost more than the call.
        """
        with self._lock:
            store = self.store("cloudwatch", account, region)
            data = [  # moto's own times are naive, in UTC
                {**condensed(datum), "Timestamp": datum["Timestamp"].astimezone(UTC).replace(tzinfo=None)}
                for datum in parameters["MetricData"]
            ]
            store.put_metric_data(parameters["Namespace"], data)

    def _send(
        self, service: str, operation: str, request: dict[str, Any], account: str, region: str
    ) -> tuple[int, Mapping[str, Any], bytes]:
        url = self._url(service, request, region)
        message = _moto("core.request").Request.from_primitives(
            request["method"], url, self._headers(service, request, account, region), _body(request["body"])
        )
        handler = self._handler(service, account, url)
        try:
            status, headers, body = handler(message, message.raw_url, message.headers)
        except _http_exception() as error:
            known: Any = error
            return known.code or 500, dict(known.get_headers()), _encoded(known.get_body())
        except NotImplementedError as error:
            raise not_carried_out(service, operation, str(error)) from error
        except _CRASHES as error:
            # A client would try a 500 again, in vain.
            why = f"with these parameters: {type(error).__name__}: {error}"
            raise not_carried_out(service, operation, why) from error
        return int(status), headers, _encoded(body)

    @staticmethod
    def _url(service: str, request: dict[str, Any], region: str) -> str:
        host = _HOSTS.get(service, f"{service}.{{region}}.amazonaws.com").format(region=region)
        query = request["query_string"]
        text = query if isinstance(query, str) else urlencode(query, doseq=True)
        # botocore leaves fixed query parameters (?policy) in the path.
        path = request["url_path"]
        if text:
            path += ("&" if "?" in path else "?") + text
        return f"https://{host}{path}"

    @staticmethod
    def _headers(service: str, request: dict[str, Any], account: str, region: str) -> dict[str, str]:
        headers = {str(name): str(value) for name, value in request["headers"].items()}
        if isinstance(request["body"], dict):
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        headers["x-moto-account-id"] = account
        headers["Authorization"] = _CREDENTIAL.format(region=region, service=models.SIGNING_NAMES[service])
        return headers

    def _handler(self, service: str, account: str, url: str) -> Any:
        if service not in self._urls:
            patterns = self.store(service, account).urls
            self._urls[service] = [(re.compile(pattern), handler) for pattern, handler in patterns.items()]
        path = url.split("?", 1)[0]
        for pattern, handler in self._urls[service]:
            if pattern.match(path):
                return handler
        raise AwsError("NotImplementedException", f"The sandbox does not serve {path}", 501)

    @staticmethod
    def _read(model: Any, protocol: str, status: int, headers: Mapping[str, Any], body: bytes) -> Reply:
        parser = _parser(protocol)
        message = {
            "status_code": status,
            "headers": HeadersDict({str(name).lower(): str(value) for name, value in headers.items()}),
            # botocore takes bytes for text; a payload that may be anything is handed over as something else
            "body": bytearray(body) if model.has_streaming_output and status < 300 else body,
            "context": {"operation_name": model.name},
        }
        try:
            parsed: dict[str, Any] = parser.parse(message, model.output_shape)
        except botocore.parsers.ResponseParserError as error:
            raise not_carried_out(model.service_model.service_name, model.name) from error
        parsed.pop("ResponseMetadata", None)
        fault = parsed.pop("Error", None)
        if status >= 301 and status != 304:
            raise _error(fault or {}, status, parsed)
        return Reply(
            {name: bytes(item) if isinstance(item, bytearray) else item for name, item in parsed.items()},
            status,
        )


def condensed(datum: Mapping[str, Any]) -> dict[str, Any]:
    """A datum of many values as the statistics of them; moto would keep each value as often as it is counted."""
    values = datum.get("Values")
    if not values:
        return dict(datum)
    counts = datum.get("Counts") or [1.0] * len(values)
    pairs = list(zip(values, counts, strict=False))
    statistics = {
        "SampleCount": float(sum(count for _, count in pairs)),
        "Sum": float(sum(value * count for value, count in pairs)),
        "Minimum": float(min(values)),
        "Maximum": float(max(values)),
    }
    kept = {name: item for name, item in datum.items() if name not in {"Values", "Counts"}}
    return {**kept, "StatisticValues": statistics}


@cache
def _serializer(protocol: str) -> Any:
    return botocore.serialize.create_serializer(protocol, False)


@cache
def _parser(protocol: str) -> Any:
    parsers = botocore.parsers.ResponseParserFactory()
    parsers.set_parser_defaults(timestamp_parser=_moment)
    return parsers.create_parser(protocol)


def _moment(value: Any) -> datetime:
    """A time in an answer of moto's; the form that it has nearly always is read in a fiftieth of botocore's time."""
    if isinstance(value, str) and _ISO.fullmatch(value):
        return datetime.fromisoformat(value)
    moment: datetime = botocore.utils.parse_timestamp(value)
    return moment


def _load() -> None:
    """Load what every service of moto's builds on, and no more of moto, boto3 and requests than that."""
    rest("moto")
    rest("moto.core", DEFAULT_ACCOUNT_ID=_NOBODY)
    for name in _RESTING:
        rest(name)
    # As requests itself does when it runs: its submodules find no SOCKS and would have everybody know.
    warnings.simplefilter("ignore", urllib3.exceptions.DependencyWarning)
    with lent("boto3", Session=_late("boto3")), lent("botocore.session", Session=_late("botocore.session")):
        _moto("core.base_backend")
        _moto("iam.models")
    moto_models.share()
    moto_quick.hasten()


def _late(module: str) -> Any:
    """A module's ``Session``, for who imports it long before making one."""
    return lambda *given, **named: importlib.import_module(module).Session(*given, **named)


def _own_session() -> Any:
    """A boto3 session for moto that shares our loader and looks at no profile of the user's."""
    base = importlib.import_module("botocore.session").Session(
        session_vars={"profile": (None, None, None, None)}
    )
    base.register_component("data_loader", data_loader())
    return boto3_session(base)


def _error(fault: Mapping[str, Any], status: int, extra: Mapping[str, Any]) -> AwsError:
    known = {name: value for name, value in extra.items() if name.lower() not in {"message", "code"}}
    return AwsError(str(fault.get("Code") or status), str(fault.get("Message") or ""), status, known)


def _body(body: Any) -> bytes:
    if isinstance(body, dict):
        return urlencode(body).encode()
    if hasattr(body, "read"):
        return bytes(body.read())
    return _encoded(body)


def _encoded(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    if isinstance(body, dict):
        return json.dumps(body).encode()
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    return b"" if body is None else b"".join(body)
