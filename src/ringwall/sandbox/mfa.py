"""Multi-factor authentication with virtual devices: the codes are what the device's seed gives at that moment.

A code counts once, and a step before or after it; how far AWS's clock may be off is not documented. What hardware devices show
cannot be known here, so there are none.

Sources: RFC 6238; https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html,
https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html
"""

from __future__ import annotations

import base64
import hmac
import struct
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.call import AwsError

if TYPE_CHECKING:
    from datetime import datetime

    from ringwall.sandbox.turn import Turn

STEP = 30
"""Seconds that a code lasts."""
ASKEW = 1
"""Steps by which a device's clock may be off."""
UNHURRIED = 10
"""Steps that may have passed since a device showed the two codes that it is enabled with."""


def code(seed: str | bytes, at: datetime, steps: int = 0) -> str:
    """What a device shows.

    Args:
        seed: as ``CreateVirtualMFADevice`` gives it, base32.
        at: when.
        steps: so many codes later.
    """
    return _shown(seed, _step(at) + steps)


def authenticate(turn: Turn) -> bool:
    """Whether a call to STS is made with a device's code; the code is used up.

    Raises:
        AwsError: ``AccessDenied``: there is a code, or a serial number, and it proves nothing.
    """
    serial, given = turn.parameters.get("SerialNumber"), turn.parameters.get("TokenCode")
    if serial is None and given is None:
        return False
    if serial is None or given is None:
        raise _failed(", must provide both MFA serial number and one time pass code.")
    caller = turn.known_caller
    with turn.gateway.moto.locked():
        store = turn.gateway.moto.store("iam", caller.account)
        user = store.users.get(caller.arn.rsplit("/", 1)[1]) if caller.kind == "User" else None
        device = store.virtual_mfa_devices.get(serial)
        if user is None or device is None or serial not in user.mfa_devices:
            raise _failed(
                ", unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."
            )
        now = _step(turn.call.time)
        for step in range(now - ASKEW, now + ASKEW + 1):
            fresh = step > getattr(device, "ringwall_used", 0)
            if fresh and hmac.compare_digest(_shown(device.base32_string_seed, step), str(given)):
                device.ringwall_used = step
                return True
    raise _failed(" with invalid MFA one time pass code. ")


def enable(turn: Turn) -> None:
    """Refuse to enable a device that is not there, or with codes that it did not show one after the other.

    Raises:
        AwsError: ``NoSuchEntity``, ``EntityAlreadyExists`` or ``InvalidAuthenticationCode``.
    """
    parameters = turn.parameters
    serial = parameters["SerialNumber"]
    with turn.gateway.moto.locked():
        device = turn.gateway.moto.store("iam", turn.account).virtual_mfa_devices.get(serial)
        if device is None:
            raise AwsError(
                "NoSuchEntity", f"VirtualMFADevice with serial number {serial} does not exist.", 404
            )
        if device.user is not None:
            raise AwsError("EntityAlreadyExists", "MFADevice is already in use.", 409)
        given = (parameters["AuthenticationCode1"], parameters["AuthenticationCode2"])
        now = _step(turn.call.time)
        for step in range(now - UNHURRIED, now + ASKEW + 1):
            if given == tuple(_shown(device.base32_string_seed, one) for one in (step, step + 1)):
                return
    raise AwsError("InvalidAuthenticationCode", "Authentication code for device is not valid.", 403)


def without_seeds(devices: list[dict[str, Any]]) -> None:
    """Take out of a listing what is shown once, when a device is made."""
    for device in devices:
        device.pop("Base32StringSeed", None)
        device.pop("QRCodePNG", None)


def _step(at: datetime) -> int:
    return int(at.timestamp()) // STEP


def _shown(seed: str | bytes, step: int) -> str:
    digest = hmac.digest(base64.b32decode(seed), struct.pack(">Q", step), "sha1")
    start = digest[-1] & 0xF
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def _failed(why: str) -> AwsError:
    return AwsError("AccessDenied", f"MultiFactorAuthentication failed{why}", 403)
