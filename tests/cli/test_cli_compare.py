"""``ringwall compare`` of policies: what it tells, how it exits, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import QUICKSTART, ringwall
from ringwall.catalog import load
from ringwall.iam.codec import policies_from_json, request_from_json
from ringwall.iam.evaluate import decide

ROLE = "arn:aws:iam::111122223333:role/Compared"
OTHER = "arn:aws:iam::444455556666:role/Other"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **elements}


def deny(action: Any, resource: Any = "*", **elements: Any) -> dict[str, Any]:
    return {**allow(action, resource, **elements), "Effect": "Deny"}


def to_all(*actions: str) -> dict[str, Any]:
    return allow(list(actions), "arn:aws:s3:::b/*", Principal={"AWS": [ROLE, OTHER]})


def files(tmp_path: Path, *contents: Any) -> list[str]:
    paths = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        paths.append(str(path))
    return paths


IN_REGION = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
READ, WRITE = allow("s3:Get*"), allow("s3:Put*")
EMPTY = document()
OWN = {"identity": [{"name": "p", "document": document(READ)}]}

# Before, after, the exit code, and the action patterns that are newly allowed and newly denied.
COMPARED = [
    (document(READ), document(READ), 0, [], []),
    (EMPTY, EMPTY, 0, [], []),
    (EMPTY, document(READ), 2, ["s3:Get*"], []),
    (document(READ), EMPTY, 2, [], ["s3:Get*"]),
    (document(READ), document(allow("s3:*")), 2, ["s3:*"], []),
    (document(READ), document(allow(["S3:GET*", "s3:GetObject"])), 0, [], []),
    (document(READ, WRITE), document(WRITE, READ), 0, [], []),
    (document(allow(["s3:Get*", "s3:Put*"])), document(WRITE, READ), 0, [], []),
    (
        document(READ),
        document(WRITE, allow(["sqs:SendMessage", "s3:Get*"])),
        2,
        ["s3:Put*", "sqs:SendMessage"],
        [],
    ),
    (document(READ), document(allow("s3:Get*", Condition=IN_REGION)), 2, [], ["s3:Get*"]),
    (document(allow("*")), document(allow("*"), deny("iam:*")), 2, [], ["iam:*"]),
    (document(allow("*"), deny(["iam:*", "sqs:*"])), document(allow("*"), deny("iam:*")), 2, ["sqs:*"], []),
    (
        document(allow("*")),
        document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        2,
        [],
        ["*"],
    ),
    (OWN, {**OWN, "permissions_boundary": []}, 2, [], ["s3:Get*"]),
    ({"identity": []}, OWN, 2, ["s3:Get*"], []),
]


@pytest.mark.parametrize(("before", "after", "code", "allows", "denies"), COMPARED)
def test_differences_by_action(
    tmp_path: Path, before: Any, after: Any, code: int, allows: list[str], denies: list[str]
) -> None:
    paths = files(tmp_path, before, after)
    done = ringwall("compare", *paths, "--json")
    answer = done.valid("compare")
    assert (done.code, done.err) == (code, "")
    groups = answer["groups"]
    assert groups["unknown"] == []
    for direction, patterns in (("newly_allows", allows), ("newly_denies", denies)):
        assert [group["action"] for group in groups[direction]] == patterns
        assert (answer[direction] is not None) == bool(patterns)
    text = ringwall("compare", *paths)
    assert text.code == code
    for direction, patterns in (("newly allows", allows), ("newly denies", denies)):
        if patterns:
            assert f"{direction}: {ROLE}\n" in text.out
        else:
            assert f"{direction}: nothing, which is proved\n" in text.out
        assert all(f"    {pattern}\n" in text.out for pattern in patterns)


def test_every_witness_replays(tmp_path: Path) -> None:
    before, after = document(READ), document(WRITE, allow("sqs:*", Condition=IN_REGION))
    groups = ringwall("compare", *files(tmp_path, before, after), "--json").json["groups"]
    old, new = (policies_from_json({"identity": [{"name": "p", "document": one}]}) for one in (before, after))
    for direction, allowing, denying in (("newly_allows", new, old), ("newly_denies", old, new)):
        assert groups[direction]
        for group in groups[direction]:
            request = request_from_json(group["witness"])
            assert decide(request, allowing, load()).allowed
            assert not decide(request, denying, load()).allowed


def test_policies_of_resources_by_principal(tmp_path: Path) -> None:
    paths = files(
        tmp_path, document(to_all("s3:GetObject")), document(to_all("s3:GetObject", "s3:PutObject"))
    )
    groups = ringwall("compare", *paths, "--json").valid("compare")["groups"]
    assert {group["action"] for group in groups["newly_allows"]} == {"s3:PutObject"}
    assert {ROLE, OTHER} <= {group["principal"] for group in groups["newly_allows"]}
    assert groups["newly_denies"] == []


BROKEN = '{"Version": "2012-10-17", "Statement": [}'
TWICE = '{"Statement": [], "Statement": []}'
MISSPELLED = document({**READ, "Effect": "allow"})
# What stands in the second file, and what the error says.
REFUSED = [
    ("", "holds no JSON document"),
    ("nope", "Expecting value"),
    (BROKEN, "line 1, column 41"),
    (TWICE, "'Statement' stands twice"),
    ("{}", "is no policy document"),
    ("[]", "holds no JSON document"),
    ([EMPTY, EMPTY], "holds 2 JSON documents"),
    ("7", "not a JSON object"),
    (MISSPELLED, "1.json: Statement[0].Effect"),
    ({"identity": 7}, "1.json: "),
    (OWN, "not one of each"),
    (document(to_all("s3:GetObject")), "an identity policy, after is a resource's policy"),
    ({"version": 1, "source": "observed", "accounts": [], "resources": []}, "compare two of a kind"),
]


@pytest.mark.parametrize(("content", "says"), REFUSED)
def test_wrong_files_are_refused(tmp_path: Path, content: Any, says: str) -> None:
    done = ringwall("compare", *files(tmp_path, document(READ), content))
    assert (done.code, done.out) == (1, "")
    assert says in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["one.json"],
        ["a.json", "b.json", "c.json"],
        ["a.json", "b.json", "--timeout", "0"],
        ["a.json", "b.json", "--timeout", "soon"],
        ["missing.json", "missing.json"],
        ["a.json", "b.json", "--no-such-option"],
    ],
)
def test_wrong_arguments_are_a_one(arguments: list[str]) -> None:
    done = ringwall("compare", *arguments)
    assert (done.code, done.out) == (1, "")
    assert done.err


def lines(monkeypatch: pytest.MonkeyPatch, *questions: Any) -> tuple[int, list[dict[str, Any]]]:
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in questions)
    monkeypatch.setattr("ringwall.cli.compare.read_text", lambda _path: text)
    done = ringwall("compare", "-")
    assert done.err == ""
    return done.code, [json.loads(line) for line in done.out.splitlines()]


def test_lines_are_answered_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    code, answers = lines(
        monkeypatch,
        {"id": "same", "before": document(READ), "after": document(READ)},
        {"id": 7, "before": EMPTY, "after": document(READ)},
    )
    assert code == 2
    assert answers[0] == {"id": "same", "newly_allows": None, "newly_denies": None}
    assert (answers[1]["id"], answers[1]["newly_allows"]["action"]) == (7, "s3:GetObject")
    assert lines(monkeypatch, {"id": "1", "before": OWN, "after": OWN}) == (
        0,
        [{"id": "1", "newly_allows": None, "newly_denies": None}],
    )


UNREADABLE = [
    ("nope", None, "Expecting value"),
    ({"id": "1", "before": EMPTY}, "1", "after is missing"),
    ({"id": "1", "before": 7, "after": EMPTY}, "1", "before must be"),
    ({"id": "1", "before": EMPTY, "after": MISSPELLED}, "1", "after: Statement[0].Effect"),
    ({"id": "1", "before": OWN, "after": document(READ)}, "1", "not one of each"),
    (
        {"id": "1", "before": document(to_all("s3:GetObject")), "after": document(READ)},
        "1",
        "compare two policies of one type",
    ),
]


@pytest.mark.parametrize(("line", "identifier", "says"), UNREADABLE)
def test_lines_that_cannot_be_read_are_told_apart(
    monkeypatch: pytest.MonkeyPatch, line: Any, identifier: Any, says: str
) -> None:
    good = {"id": "good", "before": EMPTY, "after": EMPTY}
    code, (bad, last) = lines(monkeypatch, line, good)
    assert code == 1
    assert (bad["id"], set(bad)) == (identifier, {"id", "error"})
    assert says in bad["error"]
    assert last == {"id": "good", "newly_allows": None, "newly_denies": None}


def test_unknown_is_a_two_that_names_the_statement(tmp_path: Path) -> None:
    team = "arn:aws:s3:::b/*x/${aws:PrincipalTag/team}"
    paths = files(
        tmp_path,
        document({"Sid": "Team", **allow("s3:GetObject", team)}),
        document({"Sid": "Wider", **allow("s3:GetObject", f"{team}*")}),
    )
    done = ringwall("compare", *paths, "--json")
    answer = done.valid("compare")
    assert done.code == 2
    assert answer["newly_denies"] == "unknown"
    assert "${aws:principaltag/team}" in answer["reason"]
    assert "before/Team" in answer["reason"]
    assert [text.partition(":")[0] for text in answer["groups"]["unknown"]] == ["newly denies s3"]
    assert answer["reason"] in ringwall("compare", *paths).out


def test_declarations_fit_the_schema(tmp_path: Path) -> None:
    wider = tmp_path / "wider.yaml"
    wider.write_text(QUICKSTART.read_text().replace("kind: auditor", "kind: operator"))
    same = shutil.copy(QUICKSTART, tmp_path / "same.yaml")
    assert ringwall("compare", str(QUICKSTART), str(same), "--json").code == 0
    done = ringwall("compare", str(QUICKSTART), str(wider), "--json")
    assert done.code == 2
    assert done.valid("compare")["newly_allows"]
