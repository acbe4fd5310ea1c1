"""Who a credential belongs to: access keys of IAM users, sessions of STS, and Bedrock API keys.

There is no credential that was not issued: keys come from IAM's state, sessions and API keys from tables that only
the operations which issue them write.
"""

from __future__ import annotations

import base64
import secrets
import string
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ringwall.sandbox import apikeys, chance
from ringwall.sandbox.sigv4 import SignatureError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ringwall.iam.policy import Policy
    from ringwall.sandbox.backend import Moto

_ALPHABET = string.ascii_uppercase + "234567"


def random_id(prefix: str, length: int = 16) -> str:
    """An id as IAM makes them (``ASIA...``, ``AROA...``)."""
    return prefix + chance.text(_ALPHABET, length)


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated principal.

    Attributes:
        arn: user, root, assumed-role session or federated-user ARN.
        account: its account.
        user_id: ``aws:userid``: ``AIDA...``, or ``AROA...:session``.
        access_key: key that it used; empty for internal callers.
        kind: ``aws:PrincipalType``.
        tags: principal tags, session tags included.
        transitive: keys of session tags that chained sessions inherit.
        session_policies: policies passed when the session was made.
        issued: when the session was made; ``None`` for long-term credentials.
        expires: when it ends.
        mfa: whether it was made with MFA.
        source_identity: ``aws:SourceIdentity``.
        session_name: role session name.
        bearer: ``LONG_TERM`` or ``SHORT_TERM`` for Bedrock API keys.
    """

    arn: str
    account: str
    user_id: str
    access_key: str = ""
    kind: str = "User"
    tags: Mapping[str, str] = field(default_factory=dict)
    transitive: tuple[str, ...] = ()
    session_policies: tuple[Policy, ...] | None = None
    issued: datetime | None = None
    expires: datetime | None = None
    mfa: bool | None = None
    source_identity: str | None = None
    session_name: str | None = None
    bearer: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials and whose they are."""

    caller: Caller
    secret: str
    token: str


@dataclass
class ApiKey:
    """A service-specific credential of an IAM user; with ``bedrock.amazonaws.com`` a Bedrock API key."""

    account: str
    user: str
    service: str
    id: str
    alias: str
    secret: str
    created: datetime
    expires: datetime | None = None
    status: str = "Active"


class Credentials:
    """The table of everything that authenticates."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}
        self._newest: dict[str, Session] = {}
        self.api_keys: dict[str, ApiKey] = {}

    def open_session(self, caller: Caller, *, kept: bool = True) -> Session:
        """Issue temporary credentials for a caller; the access key is filled in.

        Args:
            caller: whose they are.
            kept: whether they will authenticate; those that a service takes for itself never leave the sandbox.
        """
        key = random_id("ASIA")
        session = Session(
            replace(caller, access_key=key),
            base64.b64encode(chance.token_bytes(30)).decode(),
            "IQoJb3JpZ2luX2Vj" + base64.b64encode(chance.token_bytes(192)).decode(),
        )
        if kept:
            with self._lock:
                self._sessions[key] = self._newest[caller.arn] = session
        return session

    def session_of(self, arn: str) -> Caller | None:
        """The newest session with that ARN."""
        newest = self._newest.get(arn)
        return newest.caller if newest else None

    def holder(self, access_key: str) -> Caller:
        """Whose a key is, whether or not it still authenticates.

        Raises:
            SignatureError: ``unknown-key``.
        """
        session, api_key = self._sessions.get(access_key), self.api_keys.get(access_key)
        if session is not None:
            return session.caller
        if api_key is not None:
            return replace(
                self.user(api_key.account, api_key.user), access_key=access_key, bearer="LONG_TERM"
            )
        return self._user(access_key, active=False)[0]

    def look_up(self, access_key: str, token: str | None, now: datetime) -> tuple[Caller, str]:
        """Caller and secret of an access key.

        Raises:
            SignatureError: ``unknown-key``, ``token`` or ``expired``.
        """
        session = self._sessions.get(access_key)
        if session is None:
            if token is not None:
                raise SignatureError("token")
            return self._user(access_key)
        if token is None or not secrets.compare_digest(token, session.token):
            raise SignatureError("token")
        if session.caller.expires is not None and now >= session.caller.expires:
            raise SignatureError("expired")
        return session.caller, session.secret

    def _user(self, access_key: str, *, active: bool = True) -> tuple[Caller, str]:
        with self._moto.locked():
            for account in self._moto.accounts("iam"):
                key = self._moto.store("iam", account).access_keys.get(access_key)
                if key is not None and (key.status == "Active" or not active):
                    return self.user(account, key.user_name, access_key), str(key.secret_access_key)
        raise SignatureError("unknown-key")

    def user(self, account: str, name: str, access_key: str = "") -> Caller:
        """An IAM user as a caller.

        Raises:
            SignatureError: ``unknown-key``: there is no such user.
        """
        with self._moto.locked():
            store = self._moto.store("iam", account)
            user = store.users.get(name)
            if user is None:
                raise SignatureError("unknown-key")
            tags = {tag["Key"]: tag["Value"] for tag in store.list_user_tags(name)}
            return Caller(str(user.arn), account, str(user.id), access_key, "User", tags)

    def bearer(self, token: str, now: datetime, region: str) -> Caller:
        """Caller of a Bedrock API key: long-term if IAM issued it, short-term if it is a presigned request.

        Raises:
            SignatureError: ``denied`` for any other token, for inactive and expired keys, and for short-term keys of
                another Region.
        """
        short = apikeys.read(token)
        if short is not None:
            return self._short_term(short, now, region)
        for key in tuple(self.api_keys.values()):
            if key.service == "bedrock.amazonaws.com" and secrets.compare_digest(
                key.secret.encode(), token.encode()
            ):
                if key.status != "Active":
                    break
                if key.expires is not None and now >= key.expires:
                    raise SignatureError("denied", "Bedrock API key has expired.")
                caller = self.user(key.account, key.user)
                return replace(caller, access_key=key.id, bearer="LONG_TERM")
        raise SignatureError("denied", apikeys.INVALID)

    def _short_term(self, key: apikeys.ShortTermKey, now: datetime, region: str) -> Caller:
        if key.region != region:
            raise SignatureError("denied", apikeys.INVALID)
        try:
            caller, secret = self.look_up(key.signed.scope.access_key, key.signed.token, now)
        except SignatureError as error:
            message = apikeys.EXPIRED if error.kind == "expired" else apikeys.INVALID
            raise SignatureError("denied", message) from error
        key.verify(secret, now)
        return replace(caller, bearer="SHORT_TERM")
