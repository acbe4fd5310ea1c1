"""A knowledge base's sources are read by its service role, and by no caller.

## What it does

For each declared knowledge base, makes the source bucket, its key, and the service role: it may embed with one model,
list and read the one bucket under `aws:ResourceAccount`, use the one key, and reach the one vector store; it trusts
Bedrock alone, on behalf of this account's knowledge base. Callers get `bedrock:Retrieve` on the knowledge base, and the
bucket's own policy refuses them, whatever their policies come to allow. The
service control policies exempt the role by its exact ARN from the pinned guardrail, since embedding carries none, and
hold it to the embedding model. Declare `id` once the knowledge base exists: the trust then names it.

Knowledge bases that nobody declared are judged as well, by what is there: on whose behalf the role is assumed and what it
reaches, and who outside of the account can read or write the buckets that the documents come from.

## Why

A caller with `s3:GetObject` on the source reads past the knowledge base's filters, and one who may pass or assume the
service role reads everything that it can. A role without `aws:SourceAccount` is anybody's deputy: another account's
knowledge base could read this bucket.

## How it fails

- The role trusts `bedrock.amazonaws.com` without conditions, or somebody else as well.
- The role may read every bucket, or invoke every model.
- A use was given the bucket "to debug".
- The source is a bucket of another account: whoever writes there speaks through every answer.
- `bedrock:RetrieveAndGenerate`, `AgenticRetrieveStream`, `GenerateQuery` and `Rerank` run models for the caller
  without the caller's guardrail; the first has no resource type, so it cannot be held to a knowledge base. They stay
  closed: retrieve, then converse behind the guardrail.

## AWS sources

- https://docs.aws.amazon.com/bedrock/latest/userguide/kb-permissions.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-kb.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/cross-service-confused-deputy-prevention.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls import knowledge, names
from ringwall.controls.ask import ask
from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.knowledge_observed import observed
from ringwall.controls.proved import judge_claims, serves_bedrock_alone
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.perimeter.knowledge import KnowledgeBase
    from ringwall.perimeter.model import Perimeter

SLUG = "knowledge-base-sources"
ROLE = "AWS::IAM::Role"
REMEDY = "apply the declaration: ringwall apply"
FOREIGN_ACCOUNT = "000000000000"


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """No use reads a source."""
    uses = [perimeter.role_arn(name) for name in perimeter.uses]
    for name in perimeter.knowledge_bases if uses else ():
        arn = names.bucket_arn(perimeter, knowledge.purpose(name))
        yield never(
            f"{name}-sources-not-for-callers",
            SLUG,
            f"No use reads or writes the sources of {name} behind the knowledge base",
            Principal=uses,
            Action=list(knowledge.SOURCE_ACTIONS),
            Resource=[arn, f"{arn}/*"],
        )


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge each service role by whom it trusts and what it may do, and the uses by the proof."""
    found = [*_declared(context), *observed(context, CONTROL)]
    yield from found or (
        not_applicable(
            context, CONTROL, "the declaration makes no knowledge base's sources, and none has any"
        ),
    )


def _declared(context: CheckContext) -> Iterator[Finding]:
    perimeter = context.perimeter
    if perimeter is None or not perimeter.knowledge_bases:
        return
    for name, base in perimeter.knowledge_bases.items():
        yield _role(context, perimeter, name, base)
    claimed = tuple(claim.name for claim in claims(perimeter))
    if claimed:
        yield from judge_claims(context, CONTROL, claimed, REMEDY)


def _role(context: CheckContext, perimeter: Perimeter, name: str, base: KnowledgeBase) -> Finding:
    arn = perimeter.role_arn(knowledge.purpose(name))
    entry = context.access.principal(arn)
    if entry is None:
        reason = context.unread(ROLE)
        if reason is not None:
            return unknown(context, CONTROL, None, f"roles could not be read: {reason}", name=arn)
        return fail(context, CONTROL, None, f"the service role of {name} is not there", REMEDY, name=arn)
    problems = [] if serves_bedrock_alone(entry) else ["others than Bedrock can assume it"]
    problems += _trust(context, perimeter, base, arn)
    problems += _reach(context, perimeter, name, base, arn)
    if problems:
        summary = f"the service role of {name}: " + "; ".join(problems)
        return fail(
            context, CONTROL, entry.resource, summary, REMEDY, name=arn, details={"problems": problems}
        )
    return ok(
        context, CONTROL, entry.resource, f"the service role of {name} reads its sources and nothing else"
    )


def _trust(context: CheckContext, perimeter: Perimeter, base: KnowledgeBase, arn: str) -> Iterator[str]:
    own = knowledge.own_arn(perimeter, base).replace("*", "KNOWLEDGE1")
    for account, expected in ((perimeter.account, True), (FOREIGN_ACCOUNT, False)):
        keys = {"aws:SourceAccount": account, "aws:SourceArn": own.replace(perimeter.account, account)}
        allowed = ask(context, knowledge.BEDROCK, "sts:AssumeRole", arn, keys).allowed
        if allowed and not expected:
            yield "Bedrock can assume it for any account"
        elif expected and not allowed:
            yield "Bedrock cannot assume it"


def _reach(
    context: CheckContext, perimeter: Perimeter, name: str, base: KnowledgeBase, arn: str
) -> Iterator[str]:
    """What it needs, and the two things that it must not have."""
    bucket = names.bucket_arn(perimeter, knowledge.purpose(name))
    where = {"aws:RequestedRegion": perimeter.regions.source, "aws:ResourceAccount": perimeter.account}
    tls = {**where, "aws:SecureTransport": "true"}
    path = f"{base.prefix}/x" if base.prefix else "x"
    model = knowledge.embedding_model(perimeter, base)
    other = model.rsplit("/", 1)[0] + "/undeclared.model-v1:0"
    expected = (
        ("s3:GetObject", f"{bucket}/{path}", tls, True),
        ("bedrock:InvokeModel", model, where, True),
        ("s3:GetObject", "arn:aws:s3:::another-bucket/x", tls, False),
        ("bedrock:InvokeModel", other, where, False),
    )
    for action, resource, keys, wanted in expected:
        if ask(context, arn, action, resource, keys).allowed is not wanted:
            yield f"it {'cannot' if wanted else 'can'} {action} on {resource.rsplit(':', 1)[-1]}"


CONTROL = Control(
    slug=SLUG,
    title="A knowledge base's sources are read by its service role, and by no caller",
    category="IAM",
    severity="high",
    page=__doc__ or "",
    check=check,
    compile=knowledge.resources,
    claims=claims,
    types=(
        ROLE,
        "AWS::Bedrock::KnowledgeBase",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::KMS::Key",
    ),
)
