"""``Ringwall::Bedrock::VectorStore``: where a knowledge base keeps what it was given, and who reaches it there.

Read only, and only for stores that a knowledge base of the Region names: an account without one is asked nothing. A store
that several knowledge bases share is one resource. What lies outside of AWS (Pinecone, Redis, MongoDB Atlas) shows by its
secret and its endpoint alone; Kendra's indexes, Redshift's tables and managed knowledge bases by what names them.

AWS sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_StorageConfiguration.html and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_KnowledgeBaseConfiguration.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.errors import AwsCallError
from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Reading
from ringwall.estate.kinds.knowledge_base import described, knowledge_bases
from ringwall.estate.kinds.vector_stores import READERS, UNKNOWN_TYPE
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

Configuration = Mapping[str, Any]
IDENTITIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    # type of the store: member of the configuration, and of its members the first that says which store it is
    "OPENSEARCH_SERVERLESS": ("opensearchServerlessConfiguration", ("collectionArn",)),
    "OPENSEARCH_MANAGED_CLUSTER": ("opensearchManagedClusterConfiguration", ("domainArn",)),
    "S3_VECTORS": ("s3VectorsConfiguration", ("indexArn", "vectorBucketArn")),
    "RDS": ("rdsConfiguration", ("resourceArn",)),
    "NEPTUNE_ANALYTICS": ("neptuneAnalyticsConfiguration", ("graphArn",)),
    "PINECONE": ("pineconeConfiguration", ("connectionString",)),
    "REDIS_ENTERPRISE_CLOUD": ("redisEnterpriseCloudConfiguration", ("endpoint",)),
    "MONGO_DB_ATLAS": ("mongoDbAtlasConfiguration", ("endpoint",)),
}
WITHIN: Mapping[str, str] = {
    # type of a knowledge base that keeps its own store: member of its configuration
    "MANAGED": "managedKnowledgeBaseConfiguration",
    "KENDRA": "kendraKnowledgeBaseConfiguration",
    "SQL": "sqlKnowledgeBaseConfiguration",
}


class VectorStore(ReadOnlyKind):
    """Stores by what names them: their ARN, their endpoint, or the knowledge base that they are a part of.

    ``StoreType`` is the API's word (``OPENSEARCH_SERVERLESS``), ``KnowledgeBases`` are the ids of those that use it, and
    ``Roles`` the service roles that they do it with.
    """

    type = "Ringwall::Bedrock::VectorStore"
    permissions = Permissions(
        (
            "bedrock:ListKnowledgeBases",
            "bedrock:GetKnowledgeBase",
            "aoss:BatchGetCollection",
            "aoss:ListSecurityPolicies",
            "aoss:GetSecurityPolicy",
            "aoss:ListAccessPolicies",
            "aoss:GetAccessPolicy",
            "es:DescribeDomain",
            "neptune-graph:GetGraph",
            "rds:DescribeDBClusters",
            "rds:DescribeDBInstances",
            "s3vectors:GetIndex",
            "s3vectors:GetVectorBucket",
            "s3vectors:GetVectorBucketPolicy",
            "secretsmanager:DescribeSecret",
            "secretsmanager:GetResourcePolicy",
        ),
        (),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every store that a knowledge base of the Region uses; those of one that could not be read show there."""
        bases = [str(item["knowledgeBaseId"]) for item in knowledge_bases(aws)]
        stores: dict[tuple[str, str], tuple[Configuration, list[dict[str, Any]]]] = {}
        for identifier in bases:
            try:
                base = described(aws, identifier)
            except AwsCallError:
                continue  # the knowledge base's own kind says why
            found = store_of(base)
            if found is not None:
                store_type, name, configuration = found
                stores.setdefault((store_type, name), (configuration, []))[1].append(base)
        shared = aws.evidence()
        for (store_type, name), (configuration, users) in stores.items():
            reading = Reading(aws)
            reading.set(
                StoreType=store_type,
                Arn=name if name.startswith("arn:") else None,
                KnowledgeBases=sorted(str(base["knowledgeBaseId"]) for base in users),
                Roles=sorted({str(base["roleArn"]) for base in users if base.get("roleArn")}),
            )
            READERS[store_type](reading, configuration)
            yield self.seen(aws, name, reading.properties, reading.unknown, shared)


def store_of(base: Mapping[str, Any]) -> tuple[str, str, Configuration] | None:
    """Type, name and configuration of a knowledge base's store; ``None`` = it names none.

    Args:
        base: as ``GetKnowledgeBase`` tells of it.
    """
    storage = base.get("storageConfiguration") or {}
    own = base.get("knowledgeBaseConfiguration") or {}
    itself = str(base.get("knowledgeBaseArn") or base["knowledgeBaseId"])
    store_type = str(storage.get("type") or "")
    if store_type in IDENTITIES:
        member, identities = IDENTITIES[store_type]
        configuration = storage.get(member) or {}
        name = next((str(configuration[item]) for item in identities if configuration.get(item)), None)
        return (store_type, name, configuration) if name is not None else (UNKNOWN_TYPE, itself, {})
    if store_type:
        return UNKNOWN_TYPE, itself, {}
    kind = str(own.get("type") or "")
    return (kind, itself, own.get(WITHIN[kind]) or {}) if kind in WITHIN else None
