"""Whole policy documents as JSON values, for properties of the parser: every element in every form that IAM stores."""

from __future__ import annotations

from hypothesis import strategies as st

from ringwall.iam.conditions import OPERATORS

# Text without surrogates, which are no characters. Control characters, quotes and backslashes included.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PIECES = st.lists(
    st.sampled_from(
        ["a", "B", "*", "?", ":", "/", "${aws:username}", "${*}", '"', "\\", "\n", "ü", "\U0001f600"]
    ),
    max_size=8,
).map("".join)
NAMES = st.one_of(TEXT, PIECES)
ACTIONS = st.one_of(
    st.sampled_from(["*", "*:*", "svc:*", "svc:Get?", "SVC:get*Thing"]),
    st.builds("{}:{}".format, st.sampled_from(["svc", "a-b", "Kms"]), NAMES.filter(bool)),
)
RESOURCES = st.one_of(
    st.sampled_from(["*", "arn:aws:svc:us-east-1:111122223333:thing/a", "arn:aws:svc:::bucket/*"]), NAMES
)
VALUES = st.one_of(NAMES, st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False))


# Strategies are made once: a composite that makes them anew in each draw has hypothesis look through all of their parts again.


def one_or_list(item):
    """A single value, or a list of any length."""
    return st.one_of(item, st.lists(item, max_size=3))


@st.composite
def operators(draw):
    """The name of an operator as a policy may write it: with qualifier and suffix, in any case."""
    name = draw(st.sampled_from(sorted(OPERATORS)))
    written = draw(st.sampled_from(["", "ForAllValues:", "ForAnyValue:"])) + name
    if name != "Null":
        written += draw(st.sampled_from(["", "IfExists"]))
    return draw(st.sampled_from([str, str, str.lower, str.upper]))(written)


LISTED_OPERATORS = st.lists(operators(), max_size=4)
TESTS = st.dictionaries(NAMES, one_or_list(VALUES), max_size=3)


@st.composite
def condition_blocks(draw):
    """Operators and keys; what one operator asks of one key stands once, however the operator is written."""
    block, asked = {}, set()
    for written in draw(LISTED_OPERATORS):
        keys = draw(TESTS)
        block.setdefault(written, {}).update(
            {key: values for key, values in keys.items() if (written.lower(), key) not in asked}
        )
        asked.update((written.lower(), key) for key in keys)
    return block


PRINCIPALS = st.one_of(
    st.just("*"),
    st.dictionaries(
        st.sampled_from(["AWS", "Service", "Federated", "CanonicalUser"]), one_or_list(NAMES), max_size=4
    ),
)


ONE_OR_MORE_ACTIONS, ONE_OR_MORE_RESOURCES = one_or_list(ACTIONS), one_or_list(RESOURCES)
CONDITIONS = condition_blocks()


@st.composite
def statements(draw):
    """One statement with at most one of each pair of elements, in any order of elements."""
    parts = {"Effect": draw(st.sampled_from(["Allow", "Deny"]))}
    parts[draw(st.sampled_from(["Action", "NotAction"]))] = draw(ONE_OR_MORE_ACTIONS)
    optional = [
        ("Sid", NAMES),
        (draw(st.sampled_from(["Principal", "NotPrincipal"])), PRINCIPALS),
        (draw(st.sampled_from(["Resource", "NotResource"])), ONE_OR_MORE_RESOURCES),
        ("Condition", CONDITIONS),
    ]
    for element, strategy in optional:
        if draw(st.booleans()):
            parts[element] = draw(strategy)
    return {name: parts[name] for name in draw(st.permutations(sorted(parts)))}


ONE_OR_MORE_STATEMENTS = st.one_of(statements(), st.lists(statements(), max_size=3))


@st.composite
def documents(draw):
    """A whole document."""
    document = {}
    if draw(st.booleans()):
        document["Version"] = draw(st.sampled_from(["2012-10-17", "2008-10-17"]))
    if draw(st.booleans()):
        document["Id"] = draw(NAMES)
    document["Statement"] = draw(ONE_OR_MORE_STATEMENTS)
    return document
