"""What a sandbox with a state directory remembers: every change, in order, made again at the next start.

moto's state can neither be written down nor read back, so the changes are: each call that changes state goes to the
journal before its caller hears of it, with the seed of its randomness and its time (:mod:`ringwall.sandbox.chance`).
Made again in the same order on the same beginning, the calls give the same state, with the same ids, secrets, keys and
dates. Calls that change state are made one at a time; all others run beside them as ever.

A change is written once it was made and before it is answered. A crash between the two loses a change that nobody was
told of; a crash after the answer loses nothing.

Kept elsewhere, in the archive: log events and CloudTrail's history, which nothing else follows from, and large bodies.
Private keys (asymmetric KMS keys, EC2 key pairs), which nothing could make again, are kept there too.
Kept out, as it is no state of an AWS account's: the decisions log.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from ringwall.sandbox import chance
from ringwall.sandbox.authorize import Asking
from ringwall.sandbox.call import AwsError, Call
from ringwall.sandbox.credentials import random_id
from ringwall.sandbox.events import READS
from ringwall.sandbox.internal import Insider, internal_turn
from ringwall.sandbox.journal import Kept
from ringwall.sandbox.sigv4 import SignatureError
from ringwall.sandbox.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from ringwall.sandbox.archive import Archive
    from ringwall.sandbox.gateway import Gateway
    from ringwall.sandbox.journal import Entry, Journal

_Result = TypeVar("_Result")

_VERSION = 1
_LARGE = 2048
_METRICS = ("cloudwatch", "PutMetricData")
_REACH, _LONGEST_SESSION = timedelta(days=1), timedelta(hours=36)
_WORTH_REWRITING = 100
_THERE = "ResourceAlreadyExistsException"
"""Of CloudWatch Logs, which changes nothing then; services ask for their stream before each delivery."""
_READS = (*READS, "Filter", "Test")
_READ_SERVICES = frozenset({"bedrock-runtime", "bedrock-agent-runtime"})
_RUNTIME_CHANGES = frozenset({("bedrock-runtime", "StartAsyncInvoke")})
_ARCHIVED = frozenset({("logs", "PutLogEvents")})
_KMS_READS = ("Encrypt", "Decrypt", "ReEncrypt", "Sign", "Verify", "Generate")


def changes_state(service: str, operation: str) -> bool:
    """Whether an operation may change what the sandbox keeps. Sessions of STS are kept."""
    if service == "sts":
        return operation not in {"GetCallerIdentity", "GetAccessKeyInfo", "DecodeAuthorizationMessage"}
    if (service, operation) in _ARCHIVED:
        return False
    if (service, operation) in _RUNTIME_CHANGES:
        return True
    if service in _READ_SERVICES or (service == "kms" and operation.startswith(_KMS_READS)):
        return False
    return not operation.startswith(_READS)


@dataclass(frozen=True, slots=True)
class Beginning:
    """The seed and moment from which a sandbox with nothing in it is made."""

    seed: bytes
    moment: datetime

    def of(self, *names: str) -> AbstractContextManager[None]:
        """What a part of the beginning is made in, named so that parts can be made in any order."""
        seed = hashlib.sha256(self.seed + "/".join(names).encode()).digest()
        return chance.of_change(seed, self.moment)


class History:
    """The changes of a sandbox.

    Args:
        journal: the state directory's.
        archive: keeps the bodies that entries name.

    Attributes:
        beginning: what the sandbox starts from.
        past: the entries to make again.
    """

    def __init__(self, journal: Journal, archive: Archive) -> None:
        self._journal = journal
        self._archive = archive
        self._one_at_a_time = threading.RLock()
        entries = list(journal.entries())
        if not entries:
            entries.append(
                {
                    "version": _VERSION,
                    "seed": chance.token_bytes(chance.SEED),
                    "time": datetime.now(UTC),
                }
            )
            self._journal.sync(self._journal.append(entries[0]))
        self.beginning = Beginning(entries[0]["seed"], entries[0]["time"])
        self.past: list[Entry] = list(_mattering(entries[1:], datetime.now(UTC)))
        if len(entries) - 1 - len(self.past) >= _WORTH_REWRITING:
            journal.rewrite([entries[0], *self.past])

    # -- making changes --------------------------------------------------------------------------------------------

    def call(self, turn: Turn, make: Callable[[], _Result]) -> _Result:
        """Make a call that changes state, and remember it.

        Raises:
            AwsError: the call's own.
        """
        return self._change(turn.call.time, make, lambda: self._shelved(_entry(turn)))

    def peek(
        self,
        service: str,
        operation: str,
        parameters: Mapping[str, Any],
        place: tuple[str, str],
        make: Callable[[], _Result],
    ) -> _Result:
        """Make a change that no call asked for, and remember it."""
        account, region = place
        entry = {
            "kind": "peek",
            "service": service,
            "operation": operation,
            "parameters": dict(parameters),
            "account": account,
            "region": region,
        }
        return self._change(datetime.now(UTC), make, lambda: self._shelved(entry))

    def _change(self, moment: datetime, make: Callable[[], _Result], entry: Callable[[], Entry]) -> _Result:
        if chance.repeatable():  # a part of a change that is remembered as a whole
            return make()
        seed = chance.token_bytes(chance.SEED)
        with self._one_at_a_time:
            try:
                with chance.of_change(seed, moment):
                    result = make()
            except AwsError as error:
                if error.code == _THERE:
                    raise
                # It may have made a part of its changes; that of which it says so is not lost either way.
                self._journal.append({**entry(), "seed": seed, "time": moment})
                raise
            number = self._journal.append({**entry(), "seed": seed, "time": moment})
        self._journal.sync(number)
        return result

    def _shelved(self, value: Any) -> Any:
        """An entry whose large bytes are kept in the archive."""
        if isinstance(value, dict):
            return {name: self._shelved(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._shelved(item) for item in value]
        if isinstance(value, bytes | bytearray) and len(value) > _LARGE:
            return Kept(self._archive.keep_body(bytes(value)))
        return value

    def _whole(self, value: Any) -> Any:
        """An entry with its bytes."""
        if isinstance(value, dict):
            return {name: self._whole(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._whole(item) for item in value]
        return self._archive.body(value.digest) if isinstance(value, Kept) else value

    # -- making them again -----------------------------------------------------------------------------------------

    def repeat(self, gateway: Gateway) -> None:
        """Make every change of the past again."""
        self._archive.prune_bodies(_bodies(self.past))
        for kept in self.past:
            entry = self._whole(kept)
            with chance.of_change(entry["seed"], entry["time"]):
                again = _again(gateway, entry)
            with chance.of_change(entry["seed"], entry["time"]):
                try:
                    again()
                except AwsError:
                    continue  # as it did the first time
        self.past = []

    def close(self) -> None:
        """Let another sandbox have the directory."""
        self._journal.close()


def _mattering(entries: list[Entry], now: datetime) -> Iterator[Entry]:
    """The entries that the present state follows from.

    Left out is what time has undone: metric data that no alarm looks at any more, and sessions that have ended and that
    no other change was made with. All else may bear on what came after it, if only on whether it was taken.
    """
    used = {entry.get("key") for entry in entries}
    for entry in entries:
        age = now - entry["time"]
        asked = (entry["service"], entry["operation"])
        if asked == _METRICS and age > _REACH:
            continue
        if entry["service"] == "sts" and age > _LONGEST_SESSION and not _session_key(entry) & used:
            continue
        yield entry


def _session_key(entry: Entry) -> set[str]:
    """Access key of the session that an entry opens: the first thing that its change draws."""
    with chance.of_change(entry["seed"], entry["time"]):
        return {random_id("ASIA")}


def _bodies(value: Any) -> Iterator[str]:
    """Digests of the bodies that entries name."""
    if isinstance(value, Kept):
        yield value.digest
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _bodies(item)


def _entry(turn: Turn) -> Entry:
    call = turn.call
    return {
        "kind": "call" if turn.insider is None else "service",
        "service": call.service,
        "operation": call.operation,
        "parameters": dict(call.parameters),
        "account": call.account,
        "region": call.region,
        "principal": turn.insider or call.principal,
        "key": call.access_key,
        "context": {name: list(values) for name, values in call.context.items()},
        "request": call.request_id,
        "source": call.source_ip,
        "agent": call.user_agent,
        "endpoint": call.vpc_endpoint_id,
    }


def _again(gateway: Gateway, entry: Entry) -> Callable[[], object]:
    """What makes the change of an entry again. Who asked for it was let in then, and is not asked again."""
    service, operation = entry["service"], entry["operation"]
    account, region, parameters = entry["account"], entry["region"], entry["parameters"]
    if entry["kind"] == "peek":
        return lambda: gateway.peek(service, operation, parameters, account, region)
    context = {name: tuple(values) for name, values in entry["context"].items()}
    if entry["kind"] == "service":
        who = Insider(entry["principal"], account, region, context)
        turn = internal_turn(gateway, who, service, operation, parameters, again=True)
    else:
        turn = _client_turn(gateway, entry, context)
    return lambda: gateway.repeat(turn)


def _client_turn(gateway: Gateway, entry: Entry, context: dict[str, tuple[str, ...]]) -> Turn:
    try:
        caller = gateway.credentials.holder(entry["key"]) if entry["key"] else None
    except SignatureError:  # deleted while the call was on its way
        caller = None
    place = (entry["account"], entry["region"])
    asked = (entry["service"], entry["operation"])
    asking = Asking(
        caller,
        entry["principal"],
        context,
        entry["request"],
        entry["time"],
        *asked,
        *place,
        entry["endpoint"],
    )
    call = Call(
        *asked,
        entry["parameters"],
        *place,
        entry["principal"],
        context,
        entry["request"],
        entry["source"],
        entry["agent"],
        entry["time"],
        caller.session_name if caller else None,
        entry["endpoint"],
        {},
        entry["key"],
    )
    return Turn(gateway, call, caller, asking, dict(entry["parameters"]))
