"""Whether two patterns have a text in common, against trying every text."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.iam.patterns import glob_matches
from ringwall.lint.matching import overlaps

# The shortest common text of two patterns is no longer than both together.
TEXTS = ["".join(letters) for length in range(7) for letters in product("ab", repeat=length)]
PATTERNS = st.text("ab*?", max_size=3)


@given(PATTERNS, PATTERNS)
def test_patterns_overlap_where_some_text_matches_both(one, other):
    common = any(glob_matches(one, text) and glob_matches(other, text) for text in TEXTS)
    assert overlaps(one, other) is overlaps(other, one) is common


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        ("arn:aws:bedrock:*::foundation-model/*", "arn:*:bedrock:*:*:custom-model/*", False),
        ("arn:aws:bedrock:*", "arn:*:bedrock:*:*:custom-model/*", True),
        ("arn:aws:bedrock:*:*:*", "arn:*:bedrock:*::foundation-model/*", True),
        ("arn:aws:secretsmanager:*:*:team!*", "arn:*:secretsmanager:*:*:secret:*", True),
        ("arn:aws:s3:::home/${aws:username}/*", "arn:*:s3:::*/*", True),
        ("arn:aws:bedrock:us-east-1:\ue000:guardrail/\ue000", "arn:*:bedrock:*:*:guardrail/*", True),
    ],
)
def test_arns_overlap_as_aws_reads_them(one, other, common):
    assert overlaps(one, other) is common
