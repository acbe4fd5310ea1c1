"""Ordering laws, over random graphs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ringwall.deploy.order import dependencies, levels, ordered, phase
from ringwall.estate.model import Ref, Resource

TYPES = (
    "AWS::KMS::Key",
    "AWS::IAM::Role",
    "AWS::EC2::VPCEndpoint",
    "AWS::Organizations::Policy",
    "AWS::Other::Thing",
)


@st.composite
def graphs(draw):
    """Resources that refer to earlier ones only, shuffled."""
    size = draw(st.integers(1, 12))
    made = []
    for number in range(size):
        targets = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        by_reference = {target for target in targets if draw(st.booleans())}
        made.append(
            Resource(
                draw(st.sampled_from(TYPES)),
                "111122223333",
                "us-east-1",
                f"r/{number}",
                {"X": [Ref(f"r/{target}", "Arn") for target in sorted(by_reference)]},
                depends_on=tuple(f"r/{target}" for target in sorted(targets - by_reference)),
            )
        )
    return draw(st.permutations(made))


@given(graphs())
def test_everything_comes_once_and_after_what_it_needs(graph):
    order = [item.id for item in ordered(graph)]
    assert sorted(order) == sorted(item.id for item in graph)
    for item in graph:
        assert all(order.index(target) < order.index(item.id) for target in dependencies(item))


@given(graphs())
def test_levels_never_run_against_references_or_phases(graph):
    level_of = levels(graph)
    for item in graph:
        assert level_of[item.id] >= phase(item.type)
        assert all(level_of[target] <= level_of[item.id] for target in dependencies(item))


@given(graphs(), st.randoms())
def test_order_does_not_depend_on_how_the_declaration_is_written(graph, random):
    shuffled = list(graph)
    random.shuffle(shuffled)
    assert ordered(shuffled) == ordered(graph)
