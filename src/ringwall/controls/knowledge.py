"""Knowledge bases: the source bucket and the service role that alone reads it, as resources.

Callers get ``bedrock:Retrieve`` on the knowledge base and nothing of what is behind it; whoever can read the bucket reads
past the knowledge base's filters. The role follows https://docs.aws.amazon.com/bedrock/latest/userguide/kb-permissions.html.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls import names
from ringwall.controls.documents import Document, Statement, allow, deny, document
from ringwall.controls.enforcement import APPLY, enforced
from ringwall.controls.logs import bucket, bucket_policy
from ringwall.estate.model import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from ringwall.perimeter.knowledge import KnowledgeBase
    from ringwall.perimeter.model import Perimeter

BEDROCK = "bedrock.amazonaws.com"
SOURCE_ACTIONS = ("s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject")
"""What reads or alters the sources."""


def resources(perimeter: Perimeter) -> Iterator[Resource]:
    """Bucket, its policy, and service role of each declared knowledge base. The keys are with the other keys."""
    for name, base in perimeter.knowledge_bases.items():
        yield bucket(perimeter, purpose(name), f"{names.KNOWLEDGE}{name}")
        yield bucket_policy(
            perimeter, purpose(name), _own_account(perimeter, name), *callers_keep_out(perimeter, name)
        )
        yield _role(perimeter, name, base)


def purpose(name: str) -> str:
    """What the bucket and the role of a knowledge base are named after."""
    return f"kb-{name}"


def embedding_model(perimeter: Perimeter, base: KnowledgeBase) -> str:
    """ARN of the model that embeds, in the source Region."""
    region = perimeter.regions.source
    return f"arn:{perimeter.partition}:bedrock:{region}::foundation-model/{base.embedding_model}"


def embedding_models(perimeter: Perimeter) -> list[str]:
    """ARNs of all of them, without repeats."""
    found = (embedding_model(perimeter, base) for base in perimeter.knowledge_bases.values())
    return list(dict.fromkeys(found))


def roles(perimeter: Perimeter) -> list[str]:
    """ARNs of the service roles."""
    return [perimeter.role_arn(purpose(name)) for name in perimeter.knowledge_bases]


def own_arn(perimeter: Perimeter, base: KnowledgeBase) -> str:
    """ARN of the knowledge base, or the pattern of any of this account's until its id is known."""
    return names.arn(perimeter, "bedrock", f"knowledge-base/{base.id or '*'}")


def _own_account(perimeter: Perimeter, name: str) -> Statement:
    """Whoever a principal of another account is, the bucket's owner lends it nothing."""
    arn = names.bucket_arn(perimeter, purpose(name))
    outside = {
        "StringNotEquals": {"aws:PrincipalAccount": perimeter.account},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    return deny("OwnAccount", "s3:*", [arn, f"{arn}/*"], outside, principal="*")


def callers_keep_out(perimeter: Perimeter, name: str | None = None) -> Iterator[Statement]:
    """Uses ask the knowledge base, whatever their own policies come to allow.

    With a name as a statement of that bucket's policy, without one as the service control policy's about all of them.
    """
    chosen = [name] if name is not None else list(perimeter.knowledge_bases)
    buckets = [names.bucket_arn(perimeter, purpose(item)) for item in chosen]
    uses = [perimeter.role_arn(use) for use in perimeter.uses]
    if uses:
        yield deny(
            "CallersKeepOut",
            SOURCE_ACTIONS,
            [arn for bucket in buckets for arn in (bucket, f"{bucket}/*")],
            {"ArnLike": {"aws:PrincipalArn": uses}},
            principal="*" if name is not None else None,
        )


def callers_keep_off(perimeter: Perimeter) -> Iterator[Statement]:
    """The same of the vector stores, for the service control policy: what their own policies say is their owners' affair.

    Actions of one kind of store do not match the ARNs of another, so that one statement holds all of them.
    """
    uses = [perimeter.role_arn(use) for use in perimeter.uses]
    stores = [behind(base) for base in perimeter.knowledge_bases.values()]
    if uses and stores:
        yield deny(
            "CallersKeepOffStores",
            sorted({action for actions, _ in stores for action in actions}),
            list(dict.fromkeys(arn for _, resources in stores for arn in resources)),
            {"ArnLike": {"aws:PrincipalArn": uses}},
        )


def _role(perimeter: Perimeter, name: str, base: KnowledgeBase) -> Resource:
    return Resource(
        type="AWS::IAM::Role",
        account=perimeter.account,
        region="global",
        id=f"role/{purpose(name)}",
        properties={
            "RoleName": perimeter.role_name(purpose(name)),
            "Path": "/",
            "Description": f"Ringwall {perimeter.name}: service role of the knowledge base {name}",
            "MaxSessionDuration": 3600,
            "AssumeRolePolicyDocument": trust(perimeter, base),
            "Policies": [
                {
                    "PolicyName": "knowledge-base",
                    "PolicyDocument": document(*_statements(perimeter, name, base)),
                }
            ],
        },
    )


def trust(perimeter: Perimeter, base: KnowledgeBase) -> Document:
    """Bedrock, on behalf of this account's knowledge base: without the conditions it would be anybody's deputy."""
    conditions = {
        "StringEquals": {"aws:SourceAccount": perimeter.account},
        "ArnLike": {"aws:SourceArn": own_arn(perimeter, base)},
    }
    return document(
        allow("BedrockServes", "sts:AssumeRole", None, conditions, principal={"Service": BEDROCK})
    )


def _statements(perimeter: Perimeter, name: str, base: KnowledgeBase) -> Iterator[Statement]:
    region = perimeter.regions.source
    source = names.bucket_arn(perimeter, purpose(name))
    own = {"StringEquals": {"aws:ResourceAccount": perimeter.account}}
    below = f"{base.prefix}/" if base.prefix else ""
    listed: dict[str, Any] = {**own}
    if base.prefix:
        listed["StringLike"] = {"s3:prefix": [f"{below}*"]}
    yield allow("Embed", "bedrock:InvokeModel", [embedding_model(perimeter, base)])
    yield allow("ListSource", "s3:ListBucket", [source], listed)
    yield allow("ReadSource", "s3:GetObject", [f"{source}/{below}*"], own)
    key = names.key_arn(f"{names.KNOWLEDGE}{name}")
    yield allow(
        "DecryptSource",
        "kms:Decrypt",
        [key],
        {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
    )
    yield allow("EncryptIngestion", ["kms:Decrypt", "kms:GenerateDataKey"], [key])
    yield from VECTOR_STORES[base.vector_store.split(":")[2]](base)
    guardrails = enforced(perimeter)
    if guardrails:
        yield allow("ApplyEnforcedGuardrail", APPLY, guardrails)


def _opensearch_serverless(base: KnowledgeBase) -> Iterator[Statement]:
    yield allow("VectorStore", "aoss:APIAccessAll", [base.vector_store])


def _s3_vectors(base: KnowledgeBase) -> Iterator[Statement]:
    actions = ("GetIndex", "GetVectors", "QueryVectors", "PutVectors", "DeleteVectors")
    yield allow("VectorStore", [f"s3vectors:{action}" for action in actions], [base.vector_store])


def _aurora(base: KnowledgeBase) -> Iterator[Statement]:
    yield allow("FindVectorStore", "rds:DescribeDBClusters", [base.vector_store])
    yield allow(
        "VectorStore", ["rds-data:BatchExecuteStatement", "rds-data:ExecuteStatement"], [base.vector_store]
    )
    yield allow("VectorStoreCredentials", "secretsmanager:GetSecretValue", [base.secret])


def _opensearch(base: KnowledgeBase) -> Iterator[Statement]:
    yield allow("FindVectorStore", "es:DescribeDomain", [base.vector_store])
    verbs = ("Get", "Post", "Put", "Delete")
    yield allow("VectorStore", [f"es:ESHttp{verb}" for verb in verbs], [f"{base.vector_store}/*"])


def _neptune(base: KnowledgeBase) -> Iterator[Statement]:
    actions = ("GetGraph", "ReadDataViaQuery", "WriteDataViaQuery", "DeleteDataViaQuery")
    yield allow("VectorStore", [f"neptune-graph:{action}" for action in actions], [base.vector_store])


VECTOR_STORES: Mapping[str, Callable[[KnowledgeBase], Iterator[Statement]]] = {
    # by the service in the store's ARN
    "aoss": _opensearch_serverless,
    "s3vectors": _s3_vectors,
    "rds": _aurora,
    "es": _opensearch,
    "neptune-graph": _neptune,
}
STORE_ACTIONS: Mapping[str, tuple[str, ...]] = {
    # by the same: what reads or alters the vectors and the text beside them
    "aoss": ("aoss:APIAccessAll",),
    "s3vectors": tuple(f"s3vectors:{verb}Vectors" for verb in ("Delete", "Get", "List", "Put", "Query")),
    "rds": ("rds-data:BatchExecuteStatement", "rds-data:ExecuteStatement", "secretsmanager:GetSecretValue"),
    "es": ("es:ESHttp*",),
    "neptune-graph": tuple(f"neptune-graph:{verb}DataViaQuery" for verb in ("Delete", "Read", "Write")),
}


def behind(base: KnowledgeBase) -> tuple[tuple[str, ...], list[str]]:
    """Actions and resources by which the vector store is reached past the knowledge base."""
    store, service = base.vector_store, base.vector_store.split(":")[2]
    resources = [f"{store}/*"] if service == "es" else [store]
    return STORE_ACTIONS[service], resources + ([base.secret] if base.secret is not None else [])
