"""``ringwall decide --json`` at its edges: a line that cannot be read is told apart, and the others are answered."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import ringwall
from ringwall.cli.jsonlines import MAX_LINE, documents

ROLE = "arn:aws:iam::111122223333:role/App"
REQUEST = {"principal": ROLE, "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}
FULL = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*"}],
}
GOOD = {"id": "good", "request": REQUEST, "policies": {"identity": [{"name": "p", "document": FULL}]}}
ALLOWED = {
    "id": "good",
    "decision": "allow",
    "because": [{"policy_type": "identity", "policy": "p", "statement": "A", "effect": "Allow"}],
    "missing": [],
}
LINE = json.dumps(GOOD)
DEEP = "[" * 10_000 + "]" * 10_000


def answers(tmp_path: Path, data: str | bytes, code: int) -> list[dict[str, Any]]:
    source = tmp_path / "questions.jsonl"
    source.write_bytes(data if isinstance(data, bytes) else data.encode())
    done = ringwall("decide", str(source), "--json")
    assert (done.code, done.err) == (code, "")
    assert done.out.isascii()
    return [json.loads(line, parse_constant=pytest.fail) for line in done.out.splitlines()]


def line(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes})


# A line, the id that its answer has, and words of the error.
UNREADABLE = [
    ("{", None, "column 2"),
    ("nul", None, "column 1"),
    ("[]", None, "not a JSON object"),
    ("7", None, "not a JSON object"),
    ('{"id": 1, "request": {', 1, "column"),
    ('{"id": {"a": [1, null]}, "request":', {"a": [1, None]}, "column"),
    ('{"id": 2, "request": {"action": "a:B", "action": "c:D"}}', 2, "'action' stands twice"),
    ('{"request": {"action": "a:B", "action": "c:D"}, "id": "last"}', "last", "'action' stands twice"),
    ('{"id": 3, "request": {}, "request": {}}', 3, "'request' stands twice"),
    ('{"id": 4, "request": {"action": "a:B", "context": {"k": 1, "k": 2}}}', 4, "'k' stands twice"),
    (LINE.replace('"Effect": "Allow"', '"Effect": "Allow", "Effect": "Deny"'), "good", "'Effect' stands twice"),
    ('{"id": 5, "request": {"action": "a:B", "context": {"k": NaN}}}', 5, "NaN is not JSON"),
    ('{"id": NaN, "request": {}}', None, "NaN is not JSON"),
    ('{"id": 1e999, "request": {}}', None, "1e999 is too large"),
    (f'{{"id": 6, "request": {DEEP}}}', 6, "nested too deeply"),
    (f'{{"id": {DEEP}, "request": {{}}}}', None, "nested too deeply"),
    (f'{{"id": 7, "request": {{"action": "a:B", "context": {{"k": {"9" * 5000}}}}}}}', 7, "digits"),
    ('{"id": "\\ud800", "request": {"action": "a:B", "action": "c:D"}}', None, "stands twice"),
    ('{"id": 8, "polices": {}, "request": {}}', 8, "did you mean policies"),
    ('{"id": 9, "requests": {}, "policies": {}}', 9, "did you mean request"),
    (line(id=10, request=None), 10, "request must be an object"),
    (line(id=11, policies=[]), 11, "policies must be an object"),
    (line(id=12, policies=None), 12, "policies must be an object"),
    (line(id=13, request={**REQUEST, "principal": ""}), 13, "principal must be a string"),
    (line(id=14, request={**REQUEST, "principal": "me" * 10**5}), 14, "is not a principal"),
    (line(id=15, request={**REQUEST, "context": []}), 15, "context must be an object"),
    (line(id=16, request={**REQUEST, "resource_account": 111122223333}), 16, "must be a string"),
    (line(id=17, request={**REQUEST, "resource": "\ud800"}), 17, "surrogate"),
    (line(id=18, policies={"scp": []}), 18, "at least one"),
    (line(id=19, policies={"identity": [{"name": "\ud800", "document": FULL}]}), 19, "name must be a string"),
    (line(id=20, policies={"identity": [{"name": "p", "document": {}}]}), 20, "no Statement"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "identifier", "words"), UNREADABLE, ids=[row[0][:60] for row in UNREADABLE])
def test_the_others_are_answered(tmp_path, text, identifier, words):
    first, found, last = answers(tmp_path, f"{LINE}\n{text}\n{LINE}\n", 1)
    assert first == last == ALLOWED
    assert found.keys() == {"id", "error"}
    assert found["id"] == identifier
    assert words in found["error"]
    assert len(found["error"]) < 1000


def test_bytes_that_are_no_utf8_are_an_error_of_their_line(tmp_path):
    data = b'{"id": 1, "x": "\xff"}\n' + LINE.encode() + b'\n{"id": "\xff"}\n'
    one, good, two = answers(tmp_path, data, 1)
    assert (one["id"], good, two["id"]) == (1, ALLOWED, None)
    assert one["error"] == "line 1 is not UTF-8 text"


@pytest.mark.parametrize(
    "identifier", ["x", "é \u2028", "\ud800", 7, 1.5, True, None, [1, [2]], {"a": {}}, ""]
)
def test_an_id_of_any_type_comes_back(tmp_path, identifier):
    assert answers(tmp_path, line(id=identifier), 0) == [{**ALLOWED, "id": identifier}]
    assert answers(tmp_path, line(id=identifier, request=7), 1)[0]["id"] == identifier


def test_fields_of_the_callers_own_are_left_alone(tmp_path):
    assert answers(tmp_path, line(expected="allow", policy="p", note=None), 0) == [ALLOWED]


@pytest.mark.parametrize(
    "text",
    [
        f"{LINE}\n{LINE}",
        f"\ufeff{LINE}\r\n\r\n{LINE}\r\n",
        f"[{LINE}, {LINE}]",
        f"[\n{LINE},\n{LINE}\n]\n",
        json.dumps([GOOD, GOOD], indent=2),
    ],
)
def test_lines_and_arrays(tmp_path, text):
    assert answers(tmp_path, text, 0) == [ALLOWED, ALLOWED]


def test_one_document_over_several_lines(tmp_path):
    laid_out = json.dumps(GOOD, indent=2)
    assert answers(tmp_path, laid_out, 0) == [ALLOWED]
    for broken, place in (
        (laid_out[:-1], "line 26"),
        (laid_out.replace('"policies"', '"request"'), "'request' stands twice"),
    ):
        (found,) = answers(tmp_path, broken, 1)
        assert found["id"] == "good"
        assert place in found["error"]


def test_items_of_an_array_are_answered_one_by_one(tmp_path):
    first, second, third, last = answers(tmp_path, f'[{LINE}, 7, {{"id": 3, "id": 4}}, {LINE}]', 1)
    assert first == last == ALLOWED
    assert second == {"id": None, "error": "item 2 is not a JSON object"}
    assert "item 3: the key 'id' stands twice" in third["error"]


def test_nothing_in_nothing_out(tmp_path):
    assert [answers(tmp_path, text, 0) for text in ("", "\n \n", "[]")] == [[], [], []]


def test_a_line_too_long_is_not_read():
    ((identifier, document, error),) = documents('{"id": 1, "x": "' + "x" * MAX_LINE + '"}')
    assert (identifier, document) == (1, {})
    assert "longer than 50,000,000" in str(error)


WRONG = (None, True, 0, -1.5, "", "x", "*", "\ud800", [], [[]], [None], {}, {"x": 1}, {"AWS": 7}, 10**400)


def test_wrong_types_anywhere_never_end_the_run(tmp_path):
    """Each value of a good line in turn, replaced by each wrong one, and some in pairs."""
    whole = {
        "id": 1,
        "request": {**REQUEST, "resource_account": "111122223333", "context": {"a:b": ["x"]}},
        "policies": {
            "identity": [{"name": "p", "document": {**FULL, "Id": "i"}}],
            "resource": {"name": "r", "document": {"Statement": [
                {"Effect": "Deny", "NotPrincipal": {"AWS": ["111122223333"]}, "NotAction": ["a:B"], "NotResource": ["*"],
                 "Condition": {"ForAllValues:StringLikeIfExists": {"a:b": ["x"]}}}]}},
            "scp": [{"target": "r", "policies": [{"name": "f", "document": FULL}]}],
            "session": [{"document": json.dumps(FULL)}],
        },
    }  # fmt: skip
    places = list(_places(whole))
    chosen = random.Random(7)
    lines = [json.dumps(_put(whole, [(place, wrong)])) for place in places for wrong in WRONG]
    lines += [
        json.dumps(_put(whole, [(chosen.choice(places), chosen.choice(WRONG)) for _ in range(2)]))
        for _ in range(300)
    ]
    found = answers(tmp_path, "\n".join(lines), 1)
    assert len(found) == len(lines)
    for answer in found:
        assert answer.keys() in ({"id", "error"}, {"id", "decision", "because", "missing"})


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from _places(item, (*path, key))


def _put(value: Any, changes: list[tuple[tuple[Any, ...], Any]]) -> Any:
    copy = json.loads(json.dumps(value))
    for path, wrong in changes:
        place = copy
        for key in path[:-1]:
            if not isinstance(place, dict | list) or (isinstance(place, dict) and key not in place):
                break
            try:
                place = place[key]
            except (IndexError, TypeError):
                break
        else:
            if isinstance(place, dict) or (isinstance(place, list) and isinstance(path[-1], int) and place):
                place[path[-1]] = wrong
    return copy
