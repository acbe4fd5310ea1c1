"""Modules that rest until somebody needs them, and whoever needs them after all."""

import os
import subprocess
import sys

import pytest

from ringwall.sandbox.resting import lent, rest

PACKAGE = """
from resting_example.part import NUMBER
RUNS = RUNS + 1 if "RUNS" in globals() else 1
__version__ = "7"
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that notes how often it runs; resting."""
    directory = tmp_path / "resting_example"
    directory.mkdir()
    (directory / "__init__.py").write_text(PACKAGE)
    (directory / "part.py").write_text("NUMBER = 3\n")
    (directory / "needy.py").write_text("from resting_example import RUNS\nimport resting_example.part\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("", ".part", ".needy"):
        monkeypatch.delitem(sys.modules, f"resting_example{name}", raising=False)
    rest("resting_example")
    yield sys.modules["resting_example"]
    for name in ("", ".part", ".needy"):
        sys.modules.pop(f"resting_example{name}", None)


def ran(package):
    return "RUNS" in vars(package)


def test_its_submodules_are_imported_without_it(package):
    from resting_example import part

    assert part.NUMBER == 3
    import resting_example.part as again

    assert again is part
    assert package.part is part
    assert not ran(package)


def test_it_runs_once_when_a_name_is_asked_for(package):
    assert package.__version__ == "7"
    assert (package.RUNS, package.NUMBER) == (1, 3)
    with pytest.raises(AttributeError, match="nothing"):
        _ = package.nothing
    assert package.RUNS == 1
    rest("resting_example")
    assert package.RUNS == 1


def test_a_star_wakes_it(package):
    names = {}
    exec("from resting_example import *", names)
    assert names["RUNS"] == 1


def test_what_is_lent_keeps_it_at_rest_and_is_taken_back(package):
    with lent("resting_example", RUNS="lent"):
        import resting_example.needy

        assert resting_example.needy.RUNS == "lent"
    assert not ran(package)
    assert package.RUNS == 1
    with lent("resting_example", RUNS="lent"):
        assert package.RUNS == 1


def test_what_is_not_there_is_not_at_rest():
    rest("no_package_of_this_name")
    assert "no_package_of_this_name" not in sys.modules


OTHERS = """
from ringwall.sandbox import Sandbox
with Sandbox():
    import sys
    assert not {"moto.core.models", "responses", "requests.api"} & set(sys.modules)
with Sandbox():
    import boto3, botocore.session, requests, werkzeug
    assert isinstance(boto3.Session(), boto3.session.Session)
    assert isinstance(botocore.session.get_session(), botocore.session.Session)
    assert requests.get and requests.__version__ and werkzeug.Request
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID, set_initial_no_auth_action_count
@mock_aws
def mocked():
    iam = boto3.client("iam", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    iam.create_user(UserName="theirs")
    assert [user["UserName"] for user in iam.list_users()["Users"]] == ["theirs"]
    assert iam.list_policies(Scope="AWS")["Policies"] == []
    return iam.get_user(UserName="theirs")["User"]["Arn"]
assert mocked() == f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:user/theirs"
@set_initial_no_auth_action_count(0)
@mock_aws
def judged():
    iam = boto3.client("iam", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    try:
        iam.list_users()
    except iam.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
assert judged() == "InvalidClientTokenId", judged()
"""


def test_who_uses_moto_and_boto3_in_the_same_process_finds_all_of_them():
    # A sandbox that runs in this process has told moto things by the environment.
    own = {name: value for name, value in os.environ.items() if not name.startswith("MOTO_")}
    done = subprocess.run(
        [sys.executable, "-c", OTHERS], capture_output=True, text=True, check=False, timeout=120, env=own
    )
    assert done.returncode == 0, done.stderr
