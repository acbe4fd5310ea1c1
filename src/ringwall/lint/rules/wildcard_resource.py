"""Every resource where the action could name one.

## What it finds

- Allow statements of identity-based and endpoint policies with `Resource` `*` for actions that take resources. It is a
  warning where they run models, apply guardrails, change things, or read secrets and data; for other actions that read
  it is information.
- ARNs that mean every foundation model or every inference profile (`foundation-model/*`, `arn:aws:bedrock:*`), unless a
  condition on `bedrock:InferenceProfileArn` or a Deny with `NotResource` says which.

## Why

The statement grants every model, key, bucket or guardrail that the account has or will have. Of models it also grants
those that nobody reviewed; and most current models can be called only through an inference profile, whose ARN
`foundation-model/*` does not cover.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:*::foundation-model/*"}]}
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

- https://docs.aws.amazon.com/bedrock/latest/userguide/inference-prereq.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog import Catalog
from ringwall.catalog.bedrock import GUARDED_ACTIONS, INFERENCE_ACTIONS
from ringwall.iam.patterns import glob_matches
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers, expanded, is_own_endpoint, listing, negated, passes_when_absent
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import HOLE

# A model and a profile that nobody has reviewed, because they do not exist yet.
_UNHEARD_OF = {
    "foundation model": "foundation-model/unheard.of-v1:0",
    "inference profile": "inference-profile/us.unheard.of-v1:0",
}
_ANY_PROFILE = f"arn:aws:bedrock:us-east-1:111122223333:{_UNHEARD_OF['inference profile']}"
_NARROWING = ("aws:resource", "kms:resourcealiases", "kms:requestalias", "kms:viaservice", "iam:resourcetag/")
# They read what matters, although the reference calls them Read.
_SENSITIVE = frozenset(
    {
        "bedrock:applyguardrail", "bedrock:retrieve", "kms:decrypt", "kms:generatedatakey", "s3:getobject",
        "secretsmanager:getsecretvalue", "ssm:getparameter", "sts:assumerole", "dynamodb:getitem", "dynamodb:query",
        "dynamodb:scan", "logs:unmask", *(action.lower() for action in INFERENCE_ACTIONS),
    }
)  # fmt: skip
_EXAMPLES = {"${Partition}": "aws", "${Region}": "us-east-1", "${Account}": "111122223333"}
_WRITING = frozenset({"Write", "Permissions management"})


def check(document: Document) -> Iterator[Mark]:
    """Every Allow."""
    for clause in document.allowing:
        for path, resource in clause.items("Resource"):
            if not resource.strip("*") and not is_own_endpoint(document, clause):
                yield from _star(document, clause, path)
            elif resource.strip("*") and not _through_a_profile(clause) and not _others_denied(document):
                kind = _every(resource)
                if kind and any(covers(clause, action) for action in GUARDED_ACTIONS):
                    yield Mark(path, *_every_model(resource, kind))


def _every(resource: str) -> str | None:
    """Of what an ARN means every one: of models of any provider, or of profiles of any model."""
    fields = resource.split(":", 5)
    if len(fields) < 6:
        fields = [*fields, *["*"] * (6 - len(fields))] if resource.endswith("*") else fields
    if len(fields) < 6 or HOLE in fields[5]:
        return None
    for kind, name in _UNHEARD_OF.items():
        if glob_matches(fields[2], "bedrock") and glob_matches(fields[5], name):
            return kind
    return None


def _every_model(resource: str, kind: str) -> tuple[str, str]:
    region = resource.split(":", 5)[3] if resource.count(":") >= 5 else ""
    where = " in every Region" if region.strip("*") == "" else ""
    return (
        f"allows every {kind}{where}, and those that come tomorrow",
        "name the inference profile and the foundation model in each of its destination Regions",
    )


def _through_a_profile(clause: Clause) -> bool:
    """Whether the models can be reached only through the inference profiles that a condition names."""
    return any(
        test.key.lower() == "bedrock:inferenceprofilearn"
        and not negated(test)
        and not passes_when_absent(test)
        and test.operator != "Null"
        and not any(glob_matches(value, _ANY_PROFILE) for value in test.values)
        for test in clause.statement.conditions
    )


def _others_denied(document: Document) -> bool:
    """Whether a Deny of the same policy leaves only the models of a list."""
    return any(
        clause.statement.not_resources is not None
        and not clause.statement.conditions
        and covers(clause, "bedrock:InvokeModel")
        and not any(map(_every, clause.statement.not_resources))
        for clause in document.denying
    )


def _star(document: Document, clause: Clause, path: tuple[str | int, ...]) -> Iterator[Mark]:
    if _is_narrowed(clause) or "*" in (clause.statement.actions or ("*",)):
        return
    settled = GUARDED_ACTIONS if _through_a_profile(clause) or _others_denied(document) else ()
    taking = [
        action
        for action in expanded(clause, document.catalog)
        if action not in settled and not document.catalog.takes_star(action)
    ]
    risky = [action for action in taking if _is_risky(action, document.catalog)]
    if risky:
        yield Mark(
            path, f"allows {listing(risky)} on every resource", _suggestion(risky[0], document.catalog)
        )
    elif taking:
        yield Mark(
            path,
            f"allows {listing(taking)} on every resource",
            _suggestion(taking[0], document.catalog),
            "info",
        )


def _is_risky(action: str, catalog: Catalog) -> bool:
    known = catalog.action(action)
    return action.lower() in _SENSITIVE or (known is not None and known.access_level in _WRITING)


def _is_narrowed(clause: Clause) -> bool:
    """Whether a condition says which resources."""
    return any(
        test.key.lower().startswith(_NARROWING) and not passes_when_absent(test)
        for test in clause.statement.conditions
    )


def _suggestion(action: str, catalog: Catalog) -> str:
    known = catalog.action(action)
    if known is None or not known.resource_types:
        return "name the resources"
    kind = next(
        (item for item in known.resource_types if item.name in known.required), known.resource_types[0]
    )
    arn = kind.arn
    for placeholder, example in _EXAMPLES.items():
        arn = arn.replace(placeholder, example)
    return f"name the resources, such as {arn}"


RULE = Rule(
    slug="wildcard-resource",
    title="Every resource where the action could name one",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset({"identity", "vpc-endpoint"}),
)
