"""A Region restriction that breaks cross-Region inference.

## What it finds

Deny statements on `aws:RequestedRegion` that cover `bedrock:InvokeModel` and list fewer Regions than the inference
profiles that can be called from them send requests to, without an exception for `bedrock:InferenceProfileArn`.

## Why

A request through a profile is authorized in every destination with that Region in `aws:RequestedRegion`; one denied
destination fails the call. The `us.` profiles go to us-east-1, us-east-2 and us-west-2. Requests through `global.`
profiles come as `unspecified`.

## Bad

```json scp
{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Resource": "*", "Action": ["bedrock:*", "bedrock-mantle:*",
 "bedrock-agentcore:*", "bedrock-websearch:*", "agent-registry:*", "aws-external-anthropic:*"], "Condition": {
 "StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}}}]}
```

## Good

```json scp
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Deny", "Resource": "*", "Action": ["bedrock:Create*", "bedrock:Update*", "bedrock-mantle:*",
  "bedrock-agentcore:*", "bedrock-websearch:*", "agent-registry:*", "aws-external-anthropic:*"], "Condition": {
  "StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}}},
 {"Effect": "Deny", "Resource": "*", "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
  "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]},
   "ArnNotLike": {"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:*:inference-profile/us.*"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog.models import tables
from ringwall.iam.patterns import glob_matches
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers, negated, resource_overlaps
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.rules.region_deny_misses_service_prefixes import KEY, restricts_region
from ringwall.lint.templates import known

_PROFILE_KEY = "bedrock:inferenceprofilearn"
_MODELS = ("arn:*:bedrock:*::foundation-model/*",)


def check(document: Document) -> Iterator[Mark]:
    """Every Region restriction on InvokeModel."""
    if any(_forbids_profiles(clause) for clause in document.denying):
        return
    for clause in document.denying:
        if (
            not restricts_region(clause)
            or not covers(clause, "bedrock:InvokeModel")
            or _excepts_profiles(clause)
        ):
            continue
        if not resource_overlaps(clause, _MODELS):
            continue
        for path, test in clause.tests():
            if test.key.lower() == KEY and negated(test):
                broken = _broken(test.values)
                if broken:
                    yield Mark(path, *broken)


def _excepts_profiles(clause: Clause) -> bool:
    return any(test.key.lower() == _PROFILE_KEY for test in clause.statement.conditions)


def _forbids_profiles(clause: Clause) -> bool:
    """Whether the policy does not want cross-Region inference at all."""
    return covers(clause, "bedrock:InvokeModel") and any(
        test.key.lower() == _PROFILE_KEY and test.operator == "Null" and test.values == ("false",)
        for test in clause.statement.conditions
    )


def _broken(regions: tuple[str, ...]) -> tuple[str, str] | None:
    """What to say if every geography that can be entered from a listed Region leads to Regions that are not listed."""
    if not all(map(known, regions)):
        return None
    missing: dict[str, list[str]] = {}
    for source in _listed(regions):
        entered = [place for place in tables().geographies.values() if source in place.sources]
        gaps = {place.prefix: [r for r in place.regions if not _matches(r, regions)] for place in entered}
        if gaps and all(gaps.values()):
            missing.update(gaps)
    if not missing:
        return None
    parts = "; ".join(f"{prefix}. profiles also run in {', '.join(gap)}" for prefix, gap in missing.items())
    return (
        f"calls through inference profiles fail: {parts}, and global. profiles come as Region unspecified",
        "except them with ArnNotLike on bedrock:InferenceProfileArn, or list the destination Regions too",
    )


def _listed(regions: tuple[str, ...]) -> tuple[str, ...]:
    every = dict.fromkeys(region for place in tables().geographies.values() for region in place.sources)
    return tuple(region for region in every if _matches(region, regions))


def _matches(region: str, patterns: tuple[str, ...]) -> bool:
    return any(glob_matches(pattern, region) for pattern in patterns)


RULE = Rule(
    slug="region-deny-breaks-inference-profiles",
    title="A Region restriction that breaks cross-Region inference",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset({"identity", "scp"}),
)
