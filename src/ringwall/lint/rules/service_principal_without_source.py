"""A service may act for anybody's resource: the confused deputy.

## What it finds

Allow statements for a service principal (`bedrock.amazonaws.com`) without a condition on `aws:SourceAccount`,
`aws:SourceArn`, `aws:SourceOrgID` or `aws:SourceOrgPaths`, in key policies, bucket policies, policies of other resources, and in
trust policies of Bedrock's service roles.

## Why

The service acts for every customer of AWS. Without the condition it uses your key, bucket or role for a resource in
somebody else's account too. For custom models of Bedrock such a statement is not even needed: they use a grant that
the caller's role creates.

## Bad

```json kms-key
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"},
 "Action": "kms:GenerateDataKey", "Resource": "*"}]}
```

## Good

```json kms-key
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"},
 "Action": "kms:GenerateDataKey", "Resource": "*", "Condition": {
   "StringEquals": {"aws:SourceAccount": "111122223333"},
   "ArnLike": {"aws:SourceArn": "arn:aws:bedrock:us-east-1:111122223333:*"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/cross-service-confused-deputy-prevention.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog.bedrock import PREFIXES
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers, negated, passes_when_absent
from ringwall.lint.rule import Mark, Rule, Severity
from ringwall.lint.templates import HOLE

SOURCES = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")
# What also ties a call to a resource of one's own: the log group that CloudWatch Logs names in its encryption context,
# the caller's account and the service that a key is used through.
EQUIVALENTS = ("kms:encryptioncontext:", "kms:calleraccount", "aws:principalorgid", "sts:externalid")
# EventBridge publishes to a topic, and uses the topic's key, as its page says: without a condition.
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
WITHOUT_SOURCE = frozenset(
    ("events.amazonaws.com", action)
    for action in ("sns:publish", "kms:decrypt", "kms:generatedatakey", "kms:generatedatakey*")
)


def check(document: Document) -> Iterator[Mark]:
    """Every Allow for a service."""
    for clause in document.allowing:
        principal = clause.statement.principal
        if principal is None or not principal.service or _has_source(clause):
            continue
        if any(_denies_other_sources(clause, other) for other in document.denying):
            continue
        listed = isinstance(clause.raw["Principal"]["Service"], list)
        path = (*clause.path, "Principal", "Service")
        for index, service in enumerate(principal.service):
            severity = _severity(document, clause, service)
            if severity is not None:
                yield Mark(
                    (*path, index) if listed else path,
                    f"{service} may do this for resources of any account (confused deputy)",
                    _suggestion(document, service),
                    severity,
                )


def _suggestion(document: Document, service: str) -> str:
    add = "add aws:SourceAccount with your account id, and aws:SourceArn"
    if document.type == "kms-key" and service.startswith("bedrock."):
        return f"{add}; for custom models remove it: they use a grant that the caller's role creates"
    return add


def _has_source(clause: Clause) -> bool:
    return any(
        not negated(test)
        and not passes_when_absent(test)
        and test.operator != "Null"
        and test.values
        and all(_says_whose(test.key.lower(), value) for value in test.values)
        and (test.key.lower() in SOURCES or test.key.lower().startswith(EQUIVALENTS))
        for test in clause.statement.conditions
    )


def _says_whose(key: str, value: str) -> bool:
    """Whether a value leaves out the resources of others; an ARN without an account names a resource by a name of its own."""
    fields = value.split(":", 5)
    if key == "aws:sourcearn" and len(fields) == 6:
        account, resource = fields[4], fields[5]
        return bool(account.strip("*?")) or (not account and bool(resource.strip("*?/")))
    return bool(value.strip("*?"))


def _denies_other_sources(allowing: Clause, clause: Clause) -> bool:
    """Whether a Deny of the policy closes what the Allow leaves open: every other source than one's own."""
    principal = clause.statement.principal
    everyone = principal is not None and (principal.anyone or "*" in principal.aws or bool(principal.service))
    return (
        everyone
        and all(covers(clause, action) for action in allowing.statement.actions or ("*",))
        and any(test.key.lower() in SOURCES and negated(test) for test in clause.statement.conditions)
        and all(
            test.key.lower() in SOURCES or test.key.lower() == "aws:principalisawsservice"
            for test in clause.statement.conditions
        )
    )


def _severity(document: Document, clause: Clause, service: str) -> Severity | None:
    if HOLE in service:
        return None
    if document.type == "trust":
        # EC2, Lambda and most others assume roles only for the account's own resources; Bedrock's pages ask for the keys.
        return "warning" if service.partition(".")[0] in PREFIXES else None
    actions = {action.lower() for action in clause.statement.actions or ()}
    if actions and all((service, action) in WITHOUT_SOURCE for action in actions):
        return "info"
    return "warning"


RULE = Rule(
    slug="service-principal-without-source",
    title="A service may act for anybody's resource",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset({"resource", "trust", "kms-key", "s3-bucket"}),
)
