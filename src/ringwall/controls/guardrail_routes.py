"""Where guardrails themselves are evaluated: a guardrail with a profile sends prompts and answers to other Regions.

No policy sees it: the profile is a property of the guardrail, and Bedrock routes the evaluation by itself.

AWS source: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-cross-region-support.html, as of 2026-11-27.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls.verdicts import fail, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.model import Perimeter

TYPE = "AWS::Bedrock::Guardrail"
_US = ("us-east-1", "us-east-2", "us-west-2")
_EU = ("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-3")
_GOV = ("us-gov-east-1", "us-gov-west-1")
DESTINATIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    # profile, source Region: Regions that may evaluate
    **{("us.guardrail.v1:0", source): _US for source in _US},
    ("us.guardrail.v1:0", "us-west-1"): ("us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    **{("us-gov.guardrail.v1:0", source): _GOV for source in _GOV},
    **{("eu.guardrail.v1:0", source): _EU for source in ("eu-central-1", "eu-west-1")},
}
"""What the table of AWS lists, as far as it was read; of what is not here the destinations are unknown, not none."""


def guardrail_routes(context: CheckContext, control: Control) -> Iterator[Finding]:
    """What guardrails evaluate outside of the declared Regions, or may."""
    perimeter = context.perimeter
    if perimeter is None or perimeter.regions.residency == "global":
        return
    for guardrail in context.observed.of_type(TYPE, account=context.account):
        name = guardrail.get("Name", guardrail.id)
        reason = guardrail.unknown_reason("CrossRegionConfig") or guardrail.unknown_reason("*")
        profile = str(guardrail.get("CrossRegionConfig.GuardrailProfileArn") or "").rsplit("/", 1)[-1]
        if reason is not None:
            words = f"where guardrail {name} is evaluated could not be read: {reason}"
            yield unknown(context, control, guardrail, words)
        elif profile and (profile, guardrail.region) not in DESTINATIONS:
            words = f"where profile {profile} of guardrail {name} leads from {guardrail.region} is not known"
            yield unknown(context, control, guardrail, words)
        elif profile:
            abroad = _abroad(perimeter, DESTINATIONS[profile, guardrail.region])
            if abroad:
                yield fail(
                    context,
                    control,
                    guardrail,
                    f"guardrail {name} is evaluated in {', '.join(abroad)} as well, by profile {profile}",
                    "take the profile off the guardrail and publish a version, or declare the Regions",
                    details={"regions": list(abroad)},
                )


def _abroad(perimeter: Perimeter, destinations: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(region for region in destinations if region not in perimeter.regions.processing)
