"""A knowledge base's vector store is reached by its service role, and by nobody else.

## What it does

For declared knowledge bases, a statement of the service control policy of models keeps the uses' roles off the stores: they
retrieve through the knowledge base, whatever their own policies come to allow. The check follows each knowledge base to where it keeps what it was given, and judges the store by
what its own API tells: whom its network and its policies admit, which key encrypts it, and who else may read the secret that
opens it. With a declaration the store has to be the declared one, its key one of the account's, and no role of a declared use
may reach it past the knowledge base; that is proved.

| store | judged |
|---|---|
| OpenSearch Serverless | network policies, data-access policies, the collection's key |
| OpenSearch | access policy, network, TLS, encryption at rest |
| S3 Vectors | the bucket's policy, the index's key |
| Aurora | encryption, instances on the internet, the secret |
| Neptune Analytics | the endpoint, the key |
| Pinecone, Redis, MongoDB Atlas | the secret; who reaches the store itself nothing in AWS says, so that stays unknown |
| managed by Bedrock | the key |
| Kendra, Redshift | unknown: whom those admit is not read |

## Why

The store holds the documents' text beside their vectors. Who reads it reads past the knowledge base's filters and past the
guardrail, and who writes it puts words into every answer. The bucket of the sources may be closed as well as can be: this is
the copy.

## How it fails

- One network policy keeps the collection within a VPC, and a second one, with a pattern, opens it: public wins.
- The Dashboards are public and the collection is not: they lead to the same data.
- The data-access policy still names whoever made the collection in the console, or a group of an identity provider.
- A policy for `collection/*` and `index/*/*`, meant for another team's collections.
- An encryption policy names a customer's key; the collection is older, and keeps the key that AWS owns.
- The secret of an Aurora cluster has a resource policy for another account.

A principal that a data-access policy names needs `aoss:APIAccessAll` by IAM as well. One that lacks it is told all the same:
it is one change of its own role away.

## AWS sources

- https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-network.html
- https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-data-access.html
- https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base-setup.html
- https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-security.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.controls import knowledge
from ringwall.controls.claims import DeclaredClaim, never
from ringwall.controls.control import Control
from ringwall.controls.proved import judge_claims
from ringwall.controls.vector_stores import Store
from ringwall.controls.verdicts import fail, not_applicable, ok, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringwall.controls.context import CheckContext
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource
    from ringwall.perimeter.model import Perimeter

SLUG = "vector-store-closed"
TYPE = "Ringwall::Bedrock::VectorStore"
BASE = "AWS::Bedrock::KnowledgeBase"
CALLERS = "take it off the use's role: callers ask the knowledge base"
REMEDY = "leave the service role and the administrators in its policies, keep it off the internet, and give it a key of your own"


def claims(perimeter: Perimeter) -> Iterator[DeclaredClaim]:
    """No use reaches a store; whom else the store itself admits is for the check."""
    uses = [perimeter.role_arn(name) for name in perimeter.uses]
    for name, base in perimeter.knowledge_bases.items() if uses else ():
        actions, resources = knowledge.behind(base)
        yield never(
            f"{name}-vectors-not-for-callers",
            SLUG,
            f"No use reads or writes the vectors of {name} behind the knowledge base",
            Principal=uses,
            Action=list(actions),
            Resource=resources,
        )


def check(context: CheckContext) -> Iterator[Finding]:
    """Judge every store that a knowledge base uses, one finding for each, and the uses by the proof."""
    found = [*_unread(context), *(_judged(context, store) for store in _stores(context))]
    claimed = tuple(claim.name for claim in claims(context.perimeter)) if context.perimeter else ()
    if claimed:
        found += judge_claims(context, CONTROL, claimed, CALLERS)
    yield from found or (
        not_applicable(context, CONTROL, "there is no knowledge base that names a vector store"),
    )


def _stores(context: CheckContext) -> list[Resource]:
    return [item for item in context.observed.of_type(TYPE, account=context.account) if item.id != "?"]


def _unread(context: CheckContext) -> Iterator[Finding]:
    """Knowledge bases that were not read tell of no store."""
    reason = context.unread(BASE) or context.unread(TYPE)
    if reason is not None:
        words = f"knowledge bases, which name their stores, could not be listed: {reason}"
        yield unknown(context, CONTROL, None, words, name=TYPE)
    for base in context.observed.of_type(BASE, account=context.account):
        gap = base.unknown_reason("StorageConfiguration")
        if base.id != "?" and gap is not None:
            words = (
                f"where knowledge base {base.get('Name', base.id)} keeps its vectors could not be read: {gap}"
            )
            yield unknown(context, CONTROL, base, words)


def _judged(context: CheckContext, resource: Resource) -> Finding:
    store = Store(context, resource)
    problems = list(dict.fromkeys(store.problems()))
    if problems:
        summary = f"{store.name}: " + "; ".join(problems)
        return fail(
            context, CONTROL, resource, summary, REMEDY, name=resource.id, details={"problems": problems}
        )
    if store.unread:
        words = f"{store.name}: " + "; ".join(dict.fromkeys(store.unread))
        return unknown(context, CONTROL, resource, words, name=resource.id)
    words = f"{store.name} admits the service role alone"
    notes = "".join(f"; {note}" for note in store.notes)
    return ok(context, CONTROL, resource, words + notes, *store.evidence, name=resource.id)


CONTROL = Control(
    slug=SLUG,
    title="A knowledge base's vector store is reached by its service role, and by nobody else",
    category="IAM",
    severity="high",
    page=__doc__ or "",
    check=check,
    claims=claims,
    types=(TYPE, BASE, "AWS::IAM::Role", "AWS::KMS::Key", "AWS::KMS::Alias"),
)
