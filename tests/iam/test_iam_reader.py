"""Policies that recur are read once, and are what reading them anew would give."""

from __future__ import annotations

import pytest

from ringwall.iam.codec import RequestError, policies_from_json, policies_to_json
from ringwall.iam.parser import PolicySyntaxError
from ringwall.iam.reader import DOCUMENTS_KEPT, PolicyReader

FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def policies(**document):
    return {"identity": [{"name": "p", "document": {**FULL, **document}}]}


def condition(value):
    return policies(Statement=[{**FULL["Statement"][0], "Condition": {"StringEquals": {"a:b": value}}}])


def test_the_same_set_is_given_out_again():
    reader = PolicyReader()
    first = reader.read(policies())
    assert reader.read(policies()) is first
    assert policies_to_json(first) == policies_to_json(policies_from_json(policies()))


def test_the_same_document_in_another_set_is_given_out_again():
    reader = PolicyReader()
    first = reader.read(policies())
    second = reader.read({**policies(), "session": [{"name": "p", "document": FULL}]})
    assert second.identity[0] is first.identity[0] is second.session[0]


def test_another_name_is_another_policy():
    reader = PolicyReader()
    assert reader.read(policies()).identity[0].name == "p"
    assert reader.read({"identity": [{"name": "q", "document": FULL}]}).identity[0].name == "q"


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (1, "1"), (True, "True"), (0, False), (1, 1.0), ("a", ["a"])]
)
def test_what_python_calls_equal_is_told_apart(one, other):
    reader = PolicyReader()
    for value in (one, other):
        read = reader.read(condition(value))
        assert policies_to_json(read) == policies_to_json(policies_from_json(condition(value)))


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"identity": 7}, RequestError),
        ({"identity": [{"name": "p", "document": {}}]}, PolicySyntaxError),
        ({"identity": [{"name": "p", "document": object()}]}, PolicySyntaxError),
    ],
)
def test_errors_are_the_same_each_time(value, error):
    reader = PolicyReader()
    for _ in range(2):
        with pytest.raises(error):
            reader.read(value)


def test_a_document_changed_after_reading_is_read_anew():
    reader = PolicyReader()
    value = policies()
    first = reader.read(value)
    value["identity"][0]["document"]["Statement"] = []
    assert len(first.identity[0].statements) == 1
    assert reader.read(value).identity[0].statements == ()


def test_it_forgets_in_time():
    reader = PolicyReader()
    for number in range(DOCUMENTS_KEPT + 2):
        assert reader.read(policies(Id=str(number))).identity[0].id == str(number)
