"""An inference profile is allowed without the models behind it.

## What it finds

Identity-based policies that allow `bedrock:InvokeModel` or `bedrock:InvokeModelWithResponseStream` on an inference profile and not on
its foundation model in every destination Region.

## Why

A request through a profile is authorized on the profile, and then on the foundation model in the Region to which it is
sent. Which Region that is AWS decides for each request: the application works once and is denied the next time.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": [
 "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0",
 "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0"]}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": [
 "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0",
 "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "arn:aws:bedrock:us-east-2::foundation-model/amazon.nova-pro-v1:0",
 "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-pro-v1:0"]}]}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog.bedrock import GUARDED_ACTIONS
from ringwall.catalog.profiles import geography, models
from ringwall.lint.document import Document
from ringwall.lint.matching import covers, listing, overlaps
from ringwall.lint.rule import Mark, Rule

_OPEN = frozenset("*?$\ue000")


def check(document: Document) -> Iterator[Mark]:
    """Every profile that is written out, against all Allow statements of the policy.

    The models may stand in another policy of the same principal, so a policy without any foundation model is only told
    about it.
    """
    for clause in document.allowing:
        profiles = [(path, found) for path, item in clause.items("Resource") if (found := _models(item))]
        actions = [action for action in GUARDED_ACTIONS if profiles and covers(clause, action)]
        for path, behind in profiles:
            missing = [
                arn for arn in behind if not all(_is_allowed(document, action, arn) for action in actions)
            ]
            if missing:
                yield Mark(
                    path,
                    f"requests through this profile also need {listing(missing)}, which the policy does not allow",
                    f"allow {', '.join(missing)} too, with ArnEquals on bedrock:InferenceProfileArn",
                    None if _allows_some_model(document) else "info",
                )


def _allows_some_model(document: Document) -> bool:
    return any(
        overlaps(resource, "arn:*:bedrock:*::foundation-model/*")
        for clause in document.allowing
        if any(covers(clause, action) for action in GUARDED_ACTIONS)
        for resource in clause.statement.resources or ("*",)
    )


def _models(resource: str) -> tuple[str, ...]:
    """ARNs of the models behind a profile that is written out and whose Regions are known."""
    fields = resource.split(":", 5)
    if len(fields) < 6 or not fields[5].startswith("inference-profile/") or not geography(resource):
        return ()
    if not _OPEN.isdisjoint(fields[1] + fields[3] + fields[5]):
        return ()
    try:
        return models(resource, fields[3], partition=fields[1])
    except ValueError:
        return ()


def _is_allowed(document: Document, action: str, arn: str) -> bool:
    """Whether some Allow, under whatever condition, reaches the model."""
    for clause in document.allowing:
        if not covers(clause, action):
            continue
        statement = clause.statement
        if statement.resources is not None:
            if any(overlaps(resource, arn) for resource in statement.resources):
                return True
        elif not any(overlaps(resource, arn) for resource in statement.not_resources or ()):
            return True
    return False


RULE = Rule(
    slug="inference-profile-incomplete",
    title="An inference profile is allowed without the models behind it",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset({"identity", "vpc-endpoint"}),
)
