"""Multi-factor authentication: a code proves something once, for a while, and for its own device."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ringwall.sandbox import mfa

ADMINISTRATOR = "arn:aws:iam::111122223333:user/SandboxAdministrator"
USER = "SandboxAdministrator"


@pytest.fixture
def clock(world, monkeypatch):
    """The sandbox's clock, which a test moves on so that every code is a new one."""
    moment = [datetime.now(UTC)]
    monkeypatch.setattr(world.sandbox.gateway, "_clock", lambda: moment[0])

    def later(seconds=2 * mfa.STEP):
        moment[0] += timedelta(seconds=seconds)
        return moment[0]

    later()
    return later


@pytest.fixture
def device(world, clock):
    """A device of the administrator's, enabled: serial number and seed."""
    iam = world.client("iam")
    made = iam.create_virtual_mfa_device(
        VirtualMFADeviceName=f"phone-{world.sandbox.gateway._clock():%H%M%S%f}"
    )
    serial, seed = (made["VirtualMFADevice"][name] for name in ("SerialNumber", "Base32StringSeed"))
    now = clock()
    iam.enable_mfa_device(
        UserName=USER,
        SerialNumber=serial,
        AuthenticationCode1=mfa.code(seed, now, -1),
        AuthenticationCode2=mfa.code(seed, now),
    )
    yield serial, seed
    iam.deactivate_mfa_device(UserName=USER, SerialNumber=serial)
    iam.delete_virtual_mfa_device(SerialNumber=serial)


def test_codes_are_those_of_the_standard():
    """RFC 6238, appendix B, SHA-1, the last six of eight digits."""
    seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for second, digits in (
        (59, "287082"),
        (1111111109, "081804"),
        (1234567890, "005924"),
        (20000000000, "353130"),
    ):
        assert mfa.code(seed, datetime.fromtimestamp(second, UTC)) == digits


def token(world, serial, given):
    return world.client("sts").get_session_token(SerialNumber=serial, TokenCode=given)["Credentials"]


def test_a_session_made_with_a_code_says_so_and_for_how_long(world, device, clock):
    serial, seed = device
    made = token(world, serial, mfa.code(seed, clock()))
    session = {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"], "token": made["SessionToken"]}
    clock(90)
    world.client("sts", **session).get_caller_identity()
    context = world.sandbox.decisions(operation="GetCallerIdentity")[-1]["context"]
    assert context["aws:multifactorauthpresent"] == ["true"]
    assert context["aws:multifactorauthage"] == ["90"]


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_be_a_step_off(world, device, clock, steps):
    serial, seed = device
    assert token(world, serial, mfa.code(seed, clock(), steps))


def test_a_code_counts_once(world, helpers, device, clock):
    serial, seed = device
    given = mfa.code(seed, clock())
    token(world, serial, given)
    assert helpers.code_of(lambda: token(world, serial, given)) == "AccessDenied"


@pytest.mark.parametrize(
    ("serial", "given", "words"),
    [
        (None, -5, "invalid MFA one time pass code"),
        (None, 5, "invalid MFA one time pass code"),
        ("arn:aws:iam::111122223333:mfa/nobodys", 0, "unable to validate MFA code"),
        ("GAHT12345678", 0, "unable to validate MFA code"),
    ],
    ids=["old", "not yet", "no device", "hardware"],
)
def test_what_proves_nothing_is_refused(world, device, clock, serial, given, words):
    own, seed = device
    sts = world.client("sts")
    with pytest.raises(sts.exceptions.ClientError, match=words) as caught:
        sts.get_session_token(SerialNumber=serial or own, TokenCode=mfa.code(seed, clock(), given))
    assert caught.value.response["Error"]["Code"] == "AccessDenied"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_both_are_needed(world, helpers, device):
    sts = world.client("sts")
    assert helpers.code_of(lambda: sts.get_session_token(SerialNumber=device[0])) == "AccessDenied"
    assert helpers.code_of(lambda: sts.get_session_token(TokenCode="123456")) == "AccessDenied"


def test_a_trust_policy_may_demand_it_and_the_session_does_not_carry_it(world, helpers, device, clock):
    serial, seed = device
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": ADMINISTRATOR},
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    }
    world.client("iam").create_role(
        RoleName="Careful",
        AssumeRolePolicyDocument=helpers.policy(trust),
    )
    role = {"RoleArn": "arn:aws:iam::111122223333:role/Careful", "RoleSessionName": "session"}
    sts = world.client("sts")
    assert helpers.code_of(lambda: sts.assume_role(**role)) == "AccessDenied"
    made = sts.assume_role(**role, SerialNumber=serial, TokenCode=mfa.code(seed, clock()))["Credentials"]
    session = {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"], "token": made["SessionToken"]}
    world.client("sts", **session).get_caller_identity()
    context = world.sandbox.decisions(operation="GetCallerIdentity")[-1]["context"]
    assert context["aws:multifactorauthpresent"] == ["false"]
    assert "aws:multifactorauthage" not in context


def test_a_device_is_enabled_with_two_codes_in_a_row(world, helpers, clock):
    iam = world.client("iam")
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="tablet")["VirtualMFADevice"]
    serial, seed, now = made["SerialNumber"], made["Base32StringSeed"], clock()
    first, second = mfa.code(seed, now, -1), mfa.code(seed, now)

    def enable(one, other, device=serial):
        return helpers.code_of(
            lambda: iam.enable_mfa_device(
                UserName=USER, SerialNumber=device, AuthenticationCode1=one, AuthenticationCode2=other
            )
        )

    assert enable(second, first) == "InvalidAuthenticationCode"
    assert enable(first, first) == "InvalidAuthenticationCode"
    assert enable(first, second, "arn:aws:iam::111122223333:mfa/nobodys") == "NoSuchEntity"
    assert "Base32StringSeed" not in iam.list_virtual_mfa_devices()["VirtualMFADevices"][-1]
    iam.delete_virtual_mfa_device(SerialNumber=serial)
