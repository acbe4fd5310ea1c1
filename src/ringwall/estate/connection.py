"""The connection to AWS: botocore behind the :class:`~ringwall.estate.aws.Aws` protocol.

Credentials, Region, proxy and CA come from the ordinary chain of the AWS SDKs. Every response is recorded as evidence,
every failure becomes an :class:`~ringwall.errors.AwsCallError` that names the permission the call needs.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError, RingwallError
from ringwall.estate.recording import Recorded, key_of, record
from ringwall.estate.remembering import Remembering
from ringwall.estate.repeating import Tokens, is_read, is_repeatable, repeated
from ringwall.estate.sessions import command_session, read_whole_models
from ringwall.estate.throttle import Buckets
from ringwall.estate.times import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.journal import Journal

CODES: Mapping[str, str] = {
    "EndpointConnectionError": "EndpointUnreachable",
    "ConnectTimeoutError": "EndpointUnreachable",
    "ReadTimeoutError": "EndpointTimedOut",
    "ConnectionClosedError": "ConnectionClosed",
    "HTTPClientError": "ConnectionClosed",
    "ResponseStreamingError": "ConnectionClosed",
    "IncompleteReadError": "ConnectionClosed",
    "ProxyConnectionError": "EndpointUnreachable",
    "SSLError": "TlsFailed",
    "NoCredentialsError": "NoCredentials",
    "PartialCredentialsError": "NoCredentials",
    "CredentialRetrievalError": "NoCredentials",
    "TokenRetrievalError": "NoCredentials",
    "SSOTokenLoadError": "NoCredentials",
    "UnauthorizedSSOTokenError": "NoCredentials",
    "ParamValidationError": "InvalidParameters",
    "UnknownServiceError": "UnknownOperation",
}
"""Failures before AWS answered, as codes of ours; keys are botocore's exception names."""

UNREADABLE, NO_ANSWER = "UnreadableAnswer", "the answer is not in the form that the service speaks"
_DENIED = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z0-9]+)")
"""How AWS names the action that was denied, which need not be the operation's own."""

ACTION_PREFIX: Mapping[str, str] = {
    "bedrock-runtime": "bedrock",
    "bedrock-agent": "bedrock",
    "bedrock-agent-runtime": "bedrock",
    "opensearch": "es",
}
ACTIONS: Mapping[str, str] = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutBucketTagging": "s3:PutBucketTagging",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjectsV2": "s3:ListBucket",
}
"""Where the IAM action is not called like the operation. The catalog knows more of them."""


POOL = 32
"""Connections that a client keeps: as many as threads may call through it at once."""


class SpeakingCredentials:
    """botocore credentials that are whoever's call is under way in this thread.

    A client costs milliseconds and connections to make, and differs between accounts by nothing but what it signs with. With
    these it is made once for each service and Region, whichever accounts are read through it.
    """

    method = "ringwall"

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def speaking(self, credentials: Any) -> Iterator[None]:
        """Sign with these until the end of the block; assuming a role speaks as another in between."""
        before = getattr(self._local, "credentials", None)
        self._local.credentials = credentials
        try:
            yield
        finally:
            self._local.credentials = before

    def get_frozen_credentials(self) -> Any:
        """What botocore signs with.

        Raises:
            botocore.exceptions.NoCredentialsError: nobody speaks, or who speaks has none.
        """
        credentials = getattr(self._local, "credentials", None)
        if credentials is None:
            raise importlib.import_module("botocore.exceptions").NoCredentialsError
        return credentials.get_frozen_credentials()

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        """What botocore asks of them while it finds an endpoint (``account_id``)."""
        return lambda: getattr(self.get_frozen_credentials(), name, None)


@dataclass(slots=True)
class _Shared:
    """What connections of one run have in common."""

    perimeter: str
    endpoint_url: str | None
    run: str
    speaking: SpeakingCredentials = field(default_factory=SpeakingCredentials)
    clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By service and Region."""
    wires: dict[str, Any] = field(default_factory=dict)
    """HTTP sessions by the endpoint that they lead to."""
    own: list[Any] = field(default_factory=list)
    """The credentials that the run began with, once they were asked for."""
    keeping: bool = True
    recorded: list[Recorded] = field(default_factory=list)
    journal: Journal | None = None
    buckets: Buckets = field(default_factory=Buckets)
    lock: threading.Lock = field(default_factory=threading.Lock)
    making_clients: threading.Lock = field(default_factory=threading.Lock)
    """Making clients from one session in several threads is not safe."""
    tokens: Tokens = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = Tokens(self.run)


class Connection(Remembering):
    """One account and Region. Implements :class:`~ringwall.estate.aws.Aws`; safe to use from several threads.

    Attributes:
        account: twelve digits, by ``sts:GetCallerIdentity``.
        region: Region that calls go to.
        partition: ``aws``, ``aws-us-gov`` or ``aws-cn``.
        caller: ARN of who calls.
        perimeter: value of the ownership tag.
    """

    def __init__(self, session: Any, region: str, shared: _Shared, credentials: Any = None) -> None:
        super().__init__()
        self.region = region
        self.perimeter = shared.perimeter
        self.account = ""
        self.partition = "aws"
        self.caller = ""
        self._session = session
        self._shared = shared
        self._credentials = credentials
        """``None`` = those that the run began with."""

    def identify(self) -> Connection:
        """Fill in account, partition and caller from ``sts:GetCallerIdentity``; returns itself."""
        identity = self.call("sts", "GetCallerIdentity")
        self.account = str(identity["Account"])
        self.caller = str(identity["Arn"])
        self.partition = self.caller.split(":")[1]
        return self

    # -- calling ---------------------------------------------------------------------------------------------------

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """See :meth:`ringwall.estate.aws.Aws.call`. A read is tried again where that may help, a write never."""
        before = self._answered_before(service, operation, parameters)
        if before is not None:
            return before
        if is_repeatable(operation):
            response = repeated(lambda: self._send(service, operation, parameters), sleep=time.sleep)
        else:
            response = self._send(service, operation, parameters)
        if not is_read(operation):
            self.forget()
        return response

    def elsewhere(
        self, *, region: str | None = None, role: str | None = None, external_id: str | None = None
    ) -> Aws:
        """See :meth:`ringwall.estate.aws.Aws.elsewhere`. A role is assumed with a session name of this run."""
        credentials = self._assumed(role, external_id) if role else self._credentials
        other = Connection(self._session, region or self.region, self._shared, credentials)
        if role:
            return other.identify()
        other.account, other.partition, other.caller = self.account, self.partition, self.caller
        return other

    # -- evidence --------------------------------------------------------------------------------------------------

    def recording(self) -> tuple[Recorded, ...]:
        """Every response of this run, in the order of arrival, over all connections made from the first one."""
        with self._shared.lock:
            return tuple(self._shared.recorded)

    def go_on(self, journal: Journal) -> None:
        """Take answers over from a reading that was interrupted, and write down those to come; of every connection of this run."""
        self._shared.journal = journal

    # -- inside ----------------------------------------------------------------------------------------------------

    def _answered_before(
        self, service: str, operation: str, parameters: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        if self._shared.journal is None or not is_read(operation):
            return None
        found = self._shared.journal.answer(key_of(self.account, self.region, service, operation, parameters))
        if found is None:
            return None
        self._keep(found)
        body: dict[str, Any] = json.loads(found.body)
        return body

    def _method(self, service: str, operation: str) -> tuple[Any, Any]:
        """The client for a service and its method for an operation; ``None`` where botocore knows no such operation."""
        name = importlib.import_module("botocore").xform_name(operation)
        client = self._client(service)
        if not hasattr(client, name):
            # One that is not among those that Ringwall is known to call.
            with self._shared.making_clients:
                read_whole_models(self._session)
                self._shared.clients.pop((service, self.region), None)
            client = self._client(service)
        return client, getattr(client, name, None)

    def _client(self, service: str) -> Any:
        key = (service, self.region)
        with self._shared.making_clients:
            if key not in self._shared.clients:
                self._begin()
                config = importlib.import_module("botocore.config").Config(
                    # Tried again by ``repeated``, reads alone; adaptive keeps to the rate that throttling tells.
                    retries={"mode": "adaptive", "total_max_attempts": 1},
                    connect_timeout=5,
                    read_timeout=60,
                    max_pool_connections=POOL,
                    # Said once: left to itself botocore writes it anew twice a call, a fifth of a call's time.
                    user_agent=f"{self._session.user_agent()} ringwall",
                )
                client = self._session.create_client(
                    service, region_name=self.region, endpoint_url=self._shared.endpoint_url, config=config
                )
                # Services behind one endpoint (a sandbox's) share its connections: each is a handshake.
                wire = client._endpoint  # noqa: SLF001 - where botocore keeps them
                wire.http_session = self._shared.wires.setdefault(client.meta.endpoint_url, wire.http_session)
                self._shared.clients[key] = client
            return self._shared.clients[key]

    def _begin(self) -> None:
        """Take the session's own credentials, and let its clients sign with those of whoever speaks, and read times as we do."""
        if not self._shared.own:
            self._session.get_component("response_parser_factory").set_parser_defaults(
                timestamp_parser=moment
            )
            self._shared.own.append(self._session.get_credentials())
            self._session._credentials = self._shared.speaking  # noqa: SLF001 - botocore's only seam for credentials of one's own

    def _signing(self) -> Any:
        """The credentials of this connection."""
        return self._credentials if self._credentials is not None else self._shared.own[0]

    def _send(self, service: str, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """One request and its answer."""
        exceptions = importlib.import_module("botocore.exceptions")
        unreadable = importlib.import_module("botocore.parsers").ResponseParserError
        try:
            client, method = self._method(service, operation)
            if method is None:
                raise AwsCallError(
                    service, operation, "UnknownOperation", f"this botocore has no {operation}"
                )
            sent, request = self._with_token(client, operation, parameters)
            self._shared.buckets.take(self.account, self.region, service)
            with self._shared.speaking.speaking(self._signing()):
                response: dict[str, Any] = method(**sent)
        except exceptions.ClientError as error:
            details = error.response.get("Error", {})
            raise self._failed(
                service,
                operation,
                parameters,
                code=str(details.get("Code", "Unknown")),
                message=str(details.get("Message", "")),
                request_id=str(error.response.get("ResponseMetadata", {}).get("RequestId", "")),
            ) from error
        except unreadable as error:
            # Who answers in AWS's place (a proxy, an emulator) need not speak the service's protocol. botocore's own words
            # hold all of the answer, which may be anything.
            raise self._failed(service, operation, parameters, code=UNREADABLE, message=NO_ANSWER) from error
        except exceptions.BotoCoreError as error:
            code = CODES.get(type(error).__name__, type(error).__name__)
            raise self._failed(service, operation, parameters, code=code, message=str(error)) from error
        self._shared.tokens.answered(request)
        metadata = response.pop("ResponseMetadata", {})
        _drain_streams(response)
        self._record(service, operation, parameters, response, str(metadata.get("RequestId", "")))
        return response

    def _with_token(
        self, client: Any, operation: str, parameters: Mapping[str, Any]
    ) -> tuple[dict[str, Any], str]:
        if is_repeatable(operation):
            return dict(parameters), ""
        shape = client.meta.service_model.operation_model(operation).input_shape
        return self._shared.tokens.added(operation, parameters, shape.members if shape else {})

    def _failed(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        *,
        code: str,
        message: str,
        request_id: str = "",
    ) -> AwsCallError:
        answer = {"Error": {"Code": code, "Message": message}}
        self._record(service, operation, parameters, answer, request_id, failed=True)
        permission = partial(
            permission_of, service, operation, parameters, message, account=self.account, region=self.region
        )
        return AwsCallError(service, operation, code, message, permission=permission)

    def _record(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        response: Mapping[str, Any],
        request_id: str,
        *,
        failed: bool = False,
    ) -> None:
        entry = record(
            service,
            operation,
            parameters,
            response,
            account=self.account,
            region=self.region,
            caller=self.caller,
            request_id=request_id,
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
            failed=failed,
        )
        self._keep(entry)
        if self._shared.journal is not None:
            self._shared.journal.keep(entry)

    def _keep(self, entry: Recorded) -> None:
        if self._shared.keeping:
            with self._shared.lock:
                self._shared.recorded.append(entry)
        self._add_fresh((entry.digest,))

    def _assumed(self, role: str, external_id: str | None) -> Any:
        """Credentials of a role, fetched when they are first needed and again before they end."""
        credentials = importlib.import_module("botocore.credentials")
        told = {"ExternalId": external_id} if external_id is not None else {}

        def refresh() -> dict[str, str]:
            made = self.call(
                "sts", "AssumeRole", RoleArn=role, RoleSessionName=f"ringwall-{self._shared.run}", **told
            )
            keys = made["Credentials"]
            return {
                "access_key": keys["AccessKeyId"],
                "secret_key": keys["SecretAccessKey"],
                "token": keys["SessionToken"],
                "expiry_time": keys["Expiration"].isoformat(),
            }

        return credentials.DeferredRefreshableCredentials(refresh_using=refresh, method="assume-role")


def permission_of(
    service: str,
    operation: str,
    parameters: Mapping[str, Any],
    message: str = "",
    *,
    account: str,
    region: str,
) -> str:
    """The IAM action that a call needs: what AWS's message names, what the catalog knows, the operation's own name."""
    told = _DENIED.search(message)
    if told:
        return told[1]
    named = f"{ACTION_PREFIX.get(service, service)}:{operation}"
    if named in ACTIONS:
        return ACTIONS[named]
    try:
        operations = importlib.import_module("ringwall.catalog.operations")
        needed = operations.authorizations(service, operation, parameters, account=account, region=region)
    except (ImportError, KeyError, ValueError, RingwallError):
        return named
    return str(needed[0].action) if needed else named


def connect(
    perimeter: str = "",
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    *,
    keeping: bool = True,
) -> Connection:
    """Connect with the ordinary credential chain and ask AWS who we are.

    Args:
        perimeter: name of the declaration, which becomes the ownership tag of what is created.
        region: Region; default: the SDK's (``AWS_REGION``, the profile).
        profile: profile of the shared configuration.
        endpoint_url: one endpoint for every service; default: the SDK's (``AWS_ENDPOINT_URL``).
        keeping: whether answers are kept for a bundle; their digests are told either way. Many accounts' would fill memory.

    Raises:
        AwsCallError: no credentials, or AWS does not accept them.
        RingwallError: no Region, or no such profile.
    """
    exceptions = importlib.import_module("botocore.exceptions")
    try:
        session = command_session(profile)
    except exceptions.ProfileNotFound as error:
        raise RingwallError(
            f"There is no AWS profile {profile}; see `aws configure list-profiles`."
        ) from error
    # Other SDKs read AWS_REGION, botocore only AWS_DEFAULT_REGION.
    where = region or os.environ.get("AWS_REGION") or session.get_config_variable("region")
    if not where:
        raise RingwallError(
            "No AWS Region is set: export AWS_REGION, or name regions.source in ringwall.yaml."
        )
    shared = _Shared(
        perimeter=perimeter, endpoint_url=endpoint_url, run=uuid.uuid4().hex[:12], keeping=keeping
    )
    return Connection(session, where, shared).identify()


def management(aws: Aws, role_arn: str) -> Aws:
    """The connection to the management account, through the role that the declaration names."""
    return aws.elsewhere(role=role_arn)


def _drain_streams(response: dict[str, Any]) -> None:
    """Read streaming bodies (``s3:GetObject``) so that they can be recorded and outlive the connection."""
    for key, value in response.items():
        if callable(getattr(value, "read", None)):
            response[key] = value.read()
