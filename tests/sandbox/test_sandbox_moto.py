"""What is changed in moto for the sake of time, and that nothing else changes by it."""

import importlib
import json
import threading

import botocore.utils
import pytest

from ringwall.errors import RingwallError
from ringwall.estate.sessions import data_loader
from ringwall.sandbox import backend, moto_models
from ringwall.sandbox.later import Later

SERVICES = ("iam", "organizations", "ec2", "kms", "s3", "logs", "cloudwatch", "cloudtrail", "sns", "events")


@pytest.fixture(scope="module")
def moto(world):
    """moto's core as a sandbox has it."""
    world.sandbox._wait_for_ec2()
    return importlib.import_module("moto.core")


@pytest.mark.parametrize("service", SERVICES)
def test_service_models_are_what_moto_reads_for_itself(moto, service):
    own = (
        importlib.import_module("moto.core.loaders").create_loader().load_service_model(service, "service-2")
    )
    before = json.dumps(data_loader().load_service_model(service, "service-2"))
    shared = importlib.import_module("moto.core.utils")._load_service_model(service, "service-2")
    assert shared == own
    assert list(shared["shapes"]) == list(own["shapes"])
    assert json.dumps(data_loader().load_service_model(service, "service-2")) == before


def test_merging_leaves_the_base_alone():
    base = {"a": {"b": {"c": 1}}, "d": 2}
    assert moto_models._merged(base, {"a": {"b": {"e": 3}}, "d": {"f": 4}}) == {
        "a": {"b": {"c": 1, "e": 3}},
        "d": {"f": 4},
    }
    assert base == {"a": {"b": {"c": 1}}, "d": 2}


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.678Z",
        "2026-01-02T03:04:05.678901+00:00",
        "2026-01-02T03:04:05+02:00",
        "2026-01-02T03:04:05",
        "2026-01-02 03:04:05+00:00",
        "Fri, 02 Jan 2026 03:04:05 GMT",
        "1767323045",
        1767323045,
        1767323045.5,
    ],
)
def test_times_are_read_as_botocore_reads_them(text):
    read, theirs = backend._moment(text), botocore.utils.parse_timestamp(text)
    assert read == theirs
    assert read.utcoffset() == theirs.utcoffset()


class Alarm:
    alarm_arn = "arn"

    class Meta:
        serialization_aliases = {"StateValue": "state"}  # noqa: RUF012


def test_names_of_members_are_remembered_by_class_and_shape(moto):
    serialize = importlib.import_module("moto.core.serialize")
    model = importlib.import_module("moto.core.utils").get_service_model("cloudwatch")
    shape = model.shape_for("MetricAlarm")
    remembering, original = serialize.XFormedAttributePicker(), serialize.XFormedAttributePicker([])
    original.alias_providers = list(serialize.DEFAULT_ALIAS_PROVIDERS)  # not the list itself: not remembered
    for obj in (Alarm(), {"alarm_arn": "arn"}, Alarm()):
        for key, member in shape.members.items():
            member.parent = shape
            context = serialize.AttributePickerContext(obj, key, member)
            names = list(remembering.get_possible_keys(context))
            assert names == list(dict.fromkeys(original.get_possible_keys(context)))
            assert list(remembering.get_possible_keys(context)) == names


def test_what_is_made_later_is_waited_for():
    order = []
    part = Later("part", lambda: order.append("made"))
    waiting = threading.Thread(target=lambda: (part.wait(), order.append("used")))
    waiting.start()
    assert not part.made()
    part.make()
    waiting.join(timeout=10)
    assert order == ["made", "used"]
    part.wait()


def test_who_waits_for_what_could_not_be_made_is_told():
    def make():
        raise OSError("no such disk")

    part = Later("part", make)
    with pytest.raises(OSError, match="disk"):
        part.make()
    with pytest.raises(RingwallError, match="part could not be made"):
        part.wait()
    assert not part.made()
