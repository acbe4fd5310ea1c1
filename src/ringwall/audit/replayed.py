"""A door to AWS that answers from an evidence bundle: what was asked then is answered as it was then.

Reading the account through it gives the Estate again, byte for byte, and so every verdict. A call that the bundle does
not hold fails like any other call: what it would have read is unknown.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.connection import permission_of
from ringwall.estate.recording import Key, Recorded, key_of
from ringwall.estate.remembering import Remembering

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws


class Replayed(Remembering):
    """One account and Region of a bundle. Implements :class:`~ringwall.estate.aws.Aws`, reading only."""

    def __init__(self, calls: Mapping[Key, Recorded], account: str, region: str) -> None:
        super().__init__()
        self.account = account
        self.region = region
        self.caller = next((item.caller for key, item in calls.items() if key[0] == account), "")
        self.partition = self.caller.split(":")[1] if self.caller else "aws"
        self.perimeter = ""
        self._calls = calls

    def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """See :meth:`ringwall.estate.aws.Aws.call`."""
        found = self._calls.get(key_of(self.account, self.region, service, operation, parameters))
        if found is None:
            raise AwsCallError(service, operation, "NotRecorded", "the evidence bundle holds no such call")
        self._add_fresh((found.digest,))
        body: dict[str, Any] = json.loads(found.body)
        if found.failed:
            error = body["Error"]
            code, message = error["Code"], error["Message"]
            permission = permission_of(
                service, operation, parameters, message, account=self.account, region=self.region
            )
            raise AwsCallError(service, operation, code, message, permission=permission)
        return body

    def elsewhere(
        self,
        *,
        region: str | None = None,
        role: str | None = None,
        external_id: str | None = None,  # noqa: ARG002 - what a role was asked for is no part of an answer
    ) -> Aws:
        """See :meth:`ringwall.estate.aws.Aws.elsewhere`; a role's account is the one in its ARN."""
        account = role.split(":")[4] if role else self.account
        return Replayed(self._calls, account, region or self.region)


def by_key(calls: Iterable[Recorded]) -> Mapping[Key, Recorded]:
    """Calls by what was asked. Of a call that was made several times the last answer counts, as retries overwrite."""
    return {
        key_of(item.account, item.region, item.service, item.operation, item.parameters): item
        for item in calls
    }
