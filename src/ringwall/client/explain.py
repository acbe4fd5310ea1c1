"""Why AWS refused a call, by the statements of the policies: what ``ringwall why`` says, for an exception at hand."""

from __future__ import annotations

from botocore.exceptions import ClientError

from ringwall.client.violation import PerimeterViolation
from ringwall.estate.model import Estate
from ringwall.perimeter import Perimeter

DENIED = frozenset({"AccessDeniedException", "AccessDenied"})


def explain(error: ClientError, perimeter: Perimeter | None = None, estate: Estate | None = None) -> str:
    """What refused a call: the client's rule, or the statement that denied it, or whose Allow was missing.

    Args:
        error: what the call raised.
        perimeter: the declaration; without an Estate, its desired one is asked.
        estate: an observed Estate, as ``ringwall snapshot`` saves it.

    Returns:
        Lines of text. Of an error that no policy causes, the error's own.
    """
    if isinstance(error, PerimeterViolation):
        return error.explain()
    if error.response.get("Error", {}).get("Code") not in DENIED or (perimeter is None and estate is None):
        return str(error)
    # Evaluating policies loads much that a call never needs.
    from ringwall.access import Access  # noqa: PLC0415
    from ringwall.access.asked import of_denial  # noqa: PLC0415
    from ringwall.access.denial import UnreadableDenialError, parse_denial  # noqa: PLC0415
    from ringwall.access.why import explain_occurrence  # noqa: PLC0415
    from ringwall.access.words import in_words, verdict  # noqa: PLC0415
    from ringwall.catalog import load  # noqa: PLC0415

    try:
        occurrence = of_denial(parse_denial(str(error)))
    except UnreadableDenialError as unreadable:
        return f"{error}\n{unreadable}"
    administrators = perimeter.administrators if perimeter else ()
    asked = _of(perimeter) if estate is None else estate
    found = explain_occurrence(occurrence, Access(asked), load(), administrators=administrators)
    return "\n".join(in_words(found, verdict(found, denied=True), occurrence))


def _of(perimeter: Perimeter | None) -> Estate:
    """What the declaration says there should be, as if nothing were deployed."""
    from ringwall.controls.compile import compile_estate  # noqa: PLC0415
    from ringwall.estate.references import bind, placeholders  # noqa: PLC0415

    if perimeter is None:
        raise ValueError("a declaration or an Estate is needed")
    desired = compile_estate(perimeter)
    return bind(desired, placeholders(desired))
