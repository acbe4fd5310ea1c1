"""Hostile and broken documents: refused at a place inside the text, or read as any JSON reader would; never else."""

from __future__ import annotations

import json
import re
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.documents import documents
from ringwall.iam.parser import MAX_CHARACTERS, MAX_DEPTH, PolicySyntaxError, parse_policy
from ringwall.iam.render import render_policy

DOCUMENT = {
    "Version": "2012-10-17",
    "Id": "everything",
    "Statement": [
        {
            "Sid": "First",
            "Effect": "Allow",
            "Principal": {"AWS": ["111122223333", "*"], "Service": "bedrock.amazonaws.com"},
            "Action": ["bedrock:Invoke*", "bedrock:Get*"],
            "Resource": "arn:aws:bedrock:*::foundation-model/*",
            "Condition": {
                "StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]},
                "NumericLessThan": {"aws:MultiFactorAuthAge": 3600},
                "ForAllValues:ArnLikeIfExists": {"bedrock:GuardrailIdentifier": "arn:*:*:*:*:*"},
                "Bool": {"aws:SecureTransport": True},
            },
        },
        {"Effect": "Deny", "NotPrincipal": "*", "NotAction": "a:b", "NotResource": ["*"]},
    ],
}
TEXT = json.dumps(DOCUMENT, indent=1)

# A value of every type, of which each place of a document takes a few.
WRONG = [
    None,
    True,
    False,
    0,
    -7,
    1.5,
    "",
    "text",
    [],
    {},
    [[]],
    [{}],
    [None],
    [7, "x"],
    {"a": {}},
    {"AWS": 7},
    {"": ""},
]


def refusal(text):
    """The error that the text is refused with, its place checked; ``None`` if it is accepted."""
    try:
        parse_policy(text)
    except PolicySyntaxError as found:
        error = found
    else:
        return None
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines)
    # One behind the last character of a line: the text ended too early.
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert str(error).startswith(f"line {error.line}, column {error.column}: ")
    assert len(str(error)) < 1000
    return error


def read_alike(text):
    """An accepted text means what the standard library reads in it, and survives rendering."""
    policy = parse_policy(text)
    plain = parse_policy(json.loads(text, parse_int=str, parse_float=str))
    loose = [statement.conditions for statement in plain.statements]
    assert [statement.conditions for statement in policy.statements] == loose
    assert plain.statements == policy.statements
    assert parse_policy(render_policy(policy)).statements == policy.statements


def paths(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*path, key))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def replaced(value, path, new):
    if not path:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = replaced(value[path[0]], path[1:], new)
    return changed


PATHS = list(paths(DOCUMENT))


def test_cut_anywhere():
    for end in range(len(TEXT)):
        assert refusal(TEXT[:end]) is not None, TEXT[:end]
    assert refusal(TEXT) is None


def test_each_character_left_out():
    for index in range(len(TEXT)):
        text = TEXT[:index] + TEXT[index + 1 :]
        if refusal(text) is None:
            read_alike(text)


@pytest.mark.parametrize(
    "junk", ["\x00", "{", "}", "[", "]", '"', ",", ":", "\\", "7", "\ufeff", "x", "\ud800"]
)
def test_junk_anywhere(junk):
    for index in range(0, len(TEXT) + 1, 3):
        text = TEXT[:index] + junk + TEXT[index:]
        if refusal(text) is None:
            read_alike(text)


def with_mark(value, path, key, mark):
    """JSON text in which the object at ``path`` holds ``key`` once more, the second time behind ``mark``."""
    if isinstance(value, dict):
        members = [
            f"{json.dumps(name)}: {with_mark(item, path[1:] if path and path[0] == name else None, key, mark)}"
            for name, item in value.items()
        ]
        if path == ():
            members.append(f"{mark}{json.dumps(key)}: {json.dumps(value[key])}")
        return "{" + ",\n".join(members) + "}"
    if isinstance(value, list):
        items = [
            with_mark(item, path[1:] if path and path[0] == index else None, key, mark)
            for index, item in enumerate(value)
        ]
        return "[" + ",\n".join(items) + "]"
    return json.dumps(value)


OBJECT_KEYS = [
    (path, key) for path in PATHS if isinstance(at(DOCUMENT, path), dict) for key in at(DOCUMENT, path)
]


@pytest.mark.parametrize(("path", "key"), OBJECT_KEYS)
@pytest.mark.parametrize("spelling", ["plain", "escaped"])
def test_a_key_twice_at_any_level(path, key, spelling):
    marked = with_mark(DOCUMENT, path, key, "\x01")
    offset = marked.index("\x01")
    text = marked.replace("\x01", "")
    if spelling == "escaped":
        text = text[: offset + 1] + f"\\u{ord(key[0]):04x}" + text[offset + 2 :]
    error = refusal(text + " trailing junk ]")
    assert "twice" in error.message
    assert (error.line, error.column) == (
        text.count("\n", 0, offset) + 1,
        offset - text.rfind("\n", 0, offset),
    )


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_any_type_anywhere(path):
    for wrong in WRONG:
        document = replaced(DOCUMENT, path, wrong)
        text = json.dumps(document, indent=1)
        error = refusal(text)
        if error is None:
            read_alike(text)
            assert parse_policy(document).statements == parse_policy(text).statements
        else:
            with pytest.raises(PolicySyntaxError) as caught:
                parse_policy(document)
            assert caught.value.path == error.path


@pytest.mark.parametrize("path", PATHS, ids=str)
@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_no_number_anywhere(path, word):
    marked = json.dumps(replaced(DOCUMENT, path, "@@"), indent=1)
    offset = marked.index('"@@"')
    # The same word in strings before it, which must not be taken for the place.
    text = f'{{"{word}": "{word}", "x":\n' + marked.replace('"@@"', word) + "}"
    offset += len(f'{{"{word}": "{word}", "x":\n')
    error = refusal(text)
    assert error.message == f"{word} is not a JSON value"
    assert (error.line, error.column) == (
        text.count("\n", 0, offset) + 1,
        offset - text.rfind("\n", 0, offset),
    )


STRINGS = [path for path in PATHS if isinstance(at(DOCUMENT, path), str)]


@pytest.mark.parametrize("path", STRINGS, ids=str)
@pytest.mark.parametrize("half", ["\ud800", "a\udc00b", "\udc00\ud800"])
def test_half_a_character_anywhere(path, half):
    document = replaced(DOCUMENT, path, half)
    assert refusal(json.dumps(document)) is not None
    with pytest.raises(PolicySyntaxError):
        parse_policy(document)


@pytest.mark.parametrize("path", STRINGS, ids=str)
def test_control_characters_must_be_escaped(path):
    text = json.dumps(replaced(DOCUMENT, path, "*\x00:\x1f"))
    assert refusal(text.replace("\\u0000", "\x00")).message.startswith("not valid JSON")
    if refusal(text) is None:
        read_alike(text)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + TEXT,
        TEXT + "\x00",
        "\xa0" + TEXT,
        TEXT + TEXT,
        "'" + TEXT + "'",
        "// c\n" + TEXT,
        "",
        " ",
        "\n\n",
        "null",
    ],
)
def test_what_is_no_json_document(text):
    assert refusal(text) is not None


CONDITION = '{"Statement": {"Effect": "Allow", "Action": "*", "Condition": {"NumericEquals": {"k": %s}}}}'


@pytest.mark.parametrize(
    "number", ["1e999999999", "-1e-999999999", "9" * 100_000, "0." + "1" * 100_000, "1E+5", "-0.0"]
)
def test_numbers_of_any_size_keep_their_text(number):
    policy = parse_policy(CONDITION % number)
    assert policy.statements[0].conditions[0].values == (number,)
    again = parse_policy(json.dumps(policy.document, allow_nan=False))
    assert again.statements == policy.statements


@pytest.mark.parametrize("number", ["01", "+1", "1.", ".5", "0x1", "1_0", "--1", "1e", "٣"])
def test_numbers_that_json_does_not_know(number):
    assert refusal(CONDITION % number) is not None


def peak(text):
    """The most memory that refusing a text takes, in bytes."""
    tracemalloc.start()
    try:
        assert refusal(text) is not None
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_fifty_megabytes_are_not_read():
    for text in ('{"Statement": "' + "a" * 50_000_000 + '"}', " " * (MAX_CHARACTERS + 1)):
        with pytest.raises(PolicySyntaxError, match="at most"):
            parse_policy(text)
        tracemalloc.start()
        with pytest.raises(PolicySyntaxError):
            parse_policy(text)
        assert tracemalloc.get_traced_memory()[1] < 100_000
        tracemalloc.stop()


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 10_000])
@pytest.mark.parametrize(
    ("before", "opening", "closing"),
    [
        ("", "[", "]"),
        ("", '{"a":', "}"),
        ('{"Statement":', "[", "]"),
        ('{"Statement":{"Condition":', '{"StringEquals":', "}"),
        ('{"Statement":{"Principal":', '[{"AWS":', "}]"),
        ('{"Id":"[[[[\\"[[","Statement":', "[", "]"),
    ],
)
def test_deep_nesting(before, opening, closing, depth):
    for text in (
        before + opening * depth,
        before + opening * depth + "1" + closing * depth,
        before + opening * depth + "1" + closing * depth + "}",
    ):
        assert "levels deep" in refusal(text).message
        assert peak(text) < 100_000 + 4 * len(text)


HOSTILE = {
    "a long list":        '{"Version": [' + "1," * 50_000 + "1]}",
    "a list, then twice": '{"Version": [' + "1," * 50_000 + '1], "Version": 1}',
    "many keys":          "{" + ",".join(f'"k{index}":1' for index in range(10_000)) + "}",
    "many keys, twice":   "{" + ",".join(f'"k{index}":1' for index in range(10_000)) + ',"k7":1}',
    "many statements":    '{"Statement": [' + '{"Effect":"Deny","Action":"*"},' * 5_000 + "{}]}",
    "many conditions":    CONDITION % ("[" + '"a",' * 50_000 + "{}]"),
    "many operators":     CONDITION % '"1"},"x":{'.join(['"1"}, "Bool": {"k":1'] * 5_000),
    "a long key":         '{"' + "a" * 200_000 + '": 1}',
    "a long action":      '{"Statement": {"Effect": "Allow", "Action": "' + "a" * 200_000 + '"}}',
    "a long operator":    CONDITION.replace("NumericEquals", "String" * 30_000) % 1,
    "escapes":            '{"Statement": "' + "\\\\" * 100_000,
    "quotes":             '"' * 200_001,
    "commas":             "[" + "," * 200_000,
    "digits":             '{"Statement": ' + "9" * 200_000 + "}",
    "blank lines":        "\n" * 200_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_memory_is_bounded_by_the_text(name):
    text = HOSTILE[name]
    assert peak(text) < 80 * len(text)


words = st.sampled_from(
    sorted({*re.findall(r"[\w:/*-]+", TEXT), "NotAction", "NotPrincipal", "Null", "CanonicalUser"})
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), words
)
values = st.recursive(
    st.one_of(scalars, st.text(max_size=4)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(words, inner, max_size=4)),
    max_leaves=16,
)
many = settings(max_examples=250, deadline=None)


@many
@given(values)
def test_any_json(value):
    text = json.dumps(value)
    if refusal(text) is None:
        read_alike(text)


@many
@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(lambda raw: raw.decode("latin-1"))))
def test_any_text(text):
    if refusal(text) is None:
        read_alike(text)


_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+|\s+')


@many
@given(documents(), st.data())
def test_valid_documents_with_pieces_moved(document, data):
    """Pieces of JSON are left out, doubled or put in another's place."""
    pieces = _PIECES.findall(json.dumps(document))
    for _ in range(data.draw(st.integers(1, 3))):
        here, there = (data.draw(st.integers(0, len(pieces) - 1)) for _ in range(2))
        change = data.draw(st.sampled_from(["drop", "double", "copy", "swap"]))
        if change == "drop" and len(pieces) > 1:
            del pieces[here]
        elif change == "double":
            pieces.insert(here, pieces[here])
        elif change == "copy":
            pieces[here] = pieces[there]
        else:
            pieces[here], pieces[there] = pieces[there], pieces[here]
    text = "".join(pieces)
    if refusal(text) is None:
        read_alike(text)
