"""Short-term Bedrock API keys: a presigned request for ``CallWithBearerToken``, written as one token.

A client makes such a key without asking anybody: ``bedrock-api-key-`` and the base64 of the presigned URL. It is worth
what the credentials that signed it are worth, in the Region that they signed it for, until it or they expire.

https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-generate.html
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ringwall.sandbox import sigv4
from ringwall.sandbox.sigv4 import SignatureError
from ringwall.sandbox.wire import HttpRequest

if TYPE_CHECKING:
    from datetime import datetime

PREFIX = "bedrock-api-key-"
INVALID = "Authentication failed: Please make sure your API Key is valid."
EXPIRED = "Bearer Token has expired"
_HOST = "bedrock.amazonaws.com"
_ACTION = "CallWithBearerToken"
_LONGEST = 12 * 3600
# Added to the URL once it was signed.
_VERSION = "&Version=1"


@dataclass(frozen=True, slots=True)
class ShortTermKey:
    """The presigned request that a short-term API key is."""

    request: HttpRequest
    signed: sigv4.Signed

    @property
    def region(self) -> str:
        """The Region that it is good for."""
        return self.signed.scope.region

    def verify(self, secret: str, now: datetime) -> None:
        """Check the signature and the age.

        Raises:
            SignatureError: ``denied``, as Bedrock answers to every API key that it does not take.
        """
        try:
            sigv4.verify(self.request, self.signed, secret, now)
        except SignatureError as error:
            message = EXPIRED if error.kind == "url-expired" else INVALID
            raise SignatureError("denied", message) from error


def read(token: str) -> ShortTermKey | None:
    """A bearer token as a short-term API key; ``None`` if it is of another kind.

    Raises:
        SignatureError: ``denied``: it has the prefix, and nothing that can be read behind it.
    """
    if not token.startswith(PREFIX):
        return None
    try:
        text = base64.b64decode(token.removeprefix(PREFIX), validate=True).decode("ascii")
        url = urlsplit("//" + text.removesuffix(_VERSION).removeprefix("https://"))
        request = HttpRequest("POST", url.path or "/", url.query, {"host": url.netloc}, b"")
        signed = sigv4.read(request)
    except (binascii.Error, ValueError, SignatureError) as error:
        raise SignatureError("denied", INVALID) from error
    if (
        signed is None
        or signed.scope.service != "bedrock"
        or signed.expires > _LONGEST
        or request.host != _HOST
        or request.query_parameters.get("Action") != _ACTION
    ):
        raise SignatureError("denied", INVALID)
    return ShortTermKey(request, signed)
