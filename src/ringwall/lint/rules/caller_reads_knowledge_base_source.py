"""Who asks a knowledge base can also read the documents behind it.

## What it finds

Identity-based policies that allow `bedrock:Retrieve` or `bedrock:RetrieveAndGenerate` and, beside it, to list a bucket or
to read every object of one.

## Why

The knowledge base reads its bucket with its own service role. A caller who may read the bucket goes round the
knowledge base's access control and metadata filters.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Allow", "Action": "bedrock:Retrieve",
  "Resource": "arn:aws:bedrock:us-east-1:111122223333:knowledge-base/KB12345678"},
 {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::handbook/*"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Allow", "Action": "bedrock:Retrieve",
  "Resource": "arn:aws:bedrock:us-east-1:111122223333:knowledge-base/KB12345678"}]}
```

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/kb-permissions.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.iam.locate import Path
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import covers, negated, passes_when_absent
from ringwall.lint.rule import Mark, Rule

_ASKING = ("bedrock:Retrieve", "bedrock:RetrieveAndGenerate", "bedrock:AgenticRetrieveStream")


def check(document: Document) -> Iterator[Mark]:
    """Statements that read buckets, in a policy that asks knowledge bases."""
    if not any(_names_asking(clause) for clause in document.allowing):
        return
    for clause in document.allowing:
        place = _reads_bucket(clause)
        if place is not None and not _through_a_service(clause):
            yield Mark(
                place,
                "callers of a knowledge base need no access to its bucket; with it they read what its access "
                "control and filters keep back",
                "give it to the knowledge base's service role alone, with aws:ResourceAccount",
            )


def _names_asking(clause: Clause) -> bool:
    """Whether it is about knowledge bases: it names Bedrock's actions and not simply everything."""
    patterns = clause.statement.actions or ()
    return any(covers(clause, action) for action in _ASKING) and any(
        pattern.lower().startswith("bedrock:") for pattern in patterns
    )


def _through_a_service(clause: Clause) -> bool:
    """Whether the caller reads nothing itself: it only lets a service read in its name."""
    return any(
        test.key.lower().startswith(("aws:calledvia", "aws:viaawsservice"))
        and not negated(test)
        and not passes_when_absent(test)
        and "false" not in test.values
        for test in clause.statement.conditions
    )


def _reads_bucket(clause: Clause) -> Path | None:
    """Where the statement says that it lists or reads a whole bucket."""
    patterns = clause.statement.actions or ()
    if not any(pattern.lower().startswith("s3:") for pattern in patterns):
        return None
    lists, reads = covers(clause, "s3:ListBucket"), covers(clause, "s3:GetObject")
    for path, resource in clause.items("Resource"):
        whole_objects = resource.endswith("/*") or resource == "*"
        is_bucket = resource.startswith("arn:") and "/" not in resource
        if (reads and whole_objects) or (lists and (is_bucket or resource == "*")):
            return path
    return None


RULE = Rule(
    slug="caller-reads-knowledge-base-source",
    title="Who asks a knowledge base can also read the documents behind it",
    severity="warning",
    page=__doc__ or "",
    check=check,
    types=frozenset({"identity"}),
)
