"""How each type of vector store is read: its encryption, its network, its policies, its secret.

``Exists`` is there if the store is: where it is neither there nor unknown, AWS said that there is no such store.

AWS sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-access-management.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base-setup.html and
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kinds.aoss_collection import read_collection
from ringwall.estate.kinds.base import Reading, optional
from ringwall.estate.kinds.documents import document

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws

Configuration = Mapping[str, Any]
GONE = ("NotFoundException", "ResourceNotFoundException", "DBClusterNotFoundFault")
KMS = "aws:kms"
UNKNOWN_TYPE = "UNKNOWN"
"""Stands for a type of store that is newer than these tables."""


def _index(reading: Reading, configuration: Configuration) -> None:
    """An index of S3 Vectors: its own encryption, else its bucket's, and the bucket's policy."""
    index, bucket = _index_and_bucket(configuration)
    reading.set(Arn=index, VectorBucketArn=bucket)
    reading.found(("Exists", "KmsKeyArn"), partial(_index_encryption, reading.aws, index, bucket))
    reading.take(
        "Policy",
        ("s3vectors", "GetVectorBucketPolicy", {"vectorBucketArn": bucket}),
        lambda answer: document(answer["policy"]) if answer.get("policy") else None,
        GONE,
    )


def _index_and_bucket(configuration: Configuration) -> tuple[str, str]:
    """ARNs of both; a configuration names the index, or the bucket and the index's name."""
    index = str(configuration.get("indexArn") or "")
    bucket = str(configuration.get("vectorBucketArn") or index.partition("/index/")[0])
    return index or f"{bucket}/index/{configuration.get('indexName')}", bucket


def _index_encryption(aws: Aws, index: str, bucket: str) -> dict[str, Any]:
    answer = optional(aws, "s3vectors", "GetIndex", GONE, indexArn=index)
    if answer is None:
        return {}
    encryption = answer["index"].get("encryptionConfiguration")
    if encryption is None:
        told = aws.call("s3vectors", "GetVectorBucket", vectorBucketArn=bucket)["vectorBucket"]
        encryption = told.get("encryptionConfiguration") or {}
    key = encryption.get("kmsKeyArn") if encryption.get("sseType") == KMS else None
    return {"Exists": True, "KmsKeyArn": key}


def _cluster(reading: Reading, configuration: Configuration) -> None:
    """An Aurora cluster: its encryption, its instances on the internet, and the secret with its credentials."""
    arn = str(configuration["resourceArn"])
    reading.take(
        ("Exists", "StorageEncrypted", "KmsKeyArn", "Engine"),
        ("rds", "DescribeDBClusters", {"DBClusterIdentifier": arn}),
        _cluster_properties,
        GONE,
    )
    reading.take_all(
        "PublicInstances",
        ("rds", "DescribeDBInstances", {"Filters": [{"Name": "db-cluster-id", "Values": [arn]}]}),
        "DBInstances",
        lambda items: sorted(
            str(item["DBInstanceIdentifier"]) for item in items if item.get("PubliclyAccessible")
        ),
    )
    _secret(reading, configuration)


def _cluster_properties(answer: Mapping[str, Any]) -> dict[str, Any]:
    if not answer.get("DBClusters"):
        return {}
    (cluster,) = answer["DBClusters"]
    return {
        "Exists": True,
        "StorageEncrypted": cluster.get("StorageEncrypted", False),
        "KmsKeyArn": cluster.get("KmsKeyId"),
        "Engine": cluster.get("Engine"),
    }


def _domain(reading: Reading, configuration: Configuration) -> None:
    """A domain of OpenSearch: its access policy, its network, its encryption."""
    reading.take(
        ("Exists", "Policy", "InVpc", "EncryptedAtRest", "KmsKeyArn", "EnforceHttps", "FineGrained", "Anonymous"),
        ("opensearch", "DescribeDomain", {"DomainName": str(configuration["domainArn"]).rsplit("/", 1)[-1]}),
        _domain_properties,
        GONE,
    )  # fmt: skip


def _domain_properties(answer: Mapping[str, Any]) -> dict[str, Any]:
    domain = answer["DomainStatus"]
    at_rest, fine = domain.get("EncryptionAtRestOptions") or {}, domain.get("AdvancedSecurityOptions") or {}
    policies = domain.get("AccessPolicies")
    return {
        "Exists": True,
        "Policy": document(policies) if policies else None,
        "InVpc": bool((domain.get("VPCOptions") or {}).get("VPCId")),
        "EncryptedAtRest": bool(at_rest.get("Enabled")),
        "KmsKeyArn": at_rest.get("KmsKeyId"),
        "EnforceHttps": bool((domain.get("DomainEndpointOptions") or {}).get("EnforceHTTPS")),
        "FineGrained": bool(fine.get("Enabled")),
        "Anonymous": bool(fine.get("AnonymousAuthEnabled")),
    }


def _graph(reading: Reading, configuration: Configuration) -> None:
    """A graph of Neptune Analytics: its endpoint and its encryption."""
    reading.take(
        ("Exists", "PublicConnectivity", "KmsKeyArn"),
        ("neptune-graph", "GetGraph", {"graphIdentifier": str(configuration["graphArn"]).rsplit("/", 1)[-1]}),
        lambda answer: {
            "Exists": True,
            "PublicConnectivity": bool(answer.get("publicConnectivity")),
            "KmsKeyArn": _customers(answer.get("kmsKeyIdentifier")),
        },
        GONE,
    )


def _customers(key: str | None) -> str | None:
    """A key's ARN; Neptune calls its own ``AWS_OWNED_KEY``."""
    return key if key and key.startswith("arn:") else None


def _outside(reading: Reading, configuration: Configuration) -> None:
    """A store outside of AWS: how it is reached, and the secret that opens it."""
    reading.set(
        Exists=True,
        Endpoint=configuration.get("connectionString") or configuration.get("endpoint"),
        EndpointServiceName=configuration.get("endpointServiceName"),
    )
    _secret(reading, configuration)


def _secret(reading: Reading, configuration: Configuration) -> None:
    """The secret with the store's credentials: its key and its policy, never what is in it."""
    arn = configuration.get("credentialsSecretArn")
    if not arn:
        return
    reading.set(SecretArn=arn)
    reading.take(
        ("SecretExists", "SecretKey"),
        ("secretsmanager", "DescribeSecret", {"SecretId": arn}),
        lambda answer: {"SecretExists": "DeletedDate" not in answer, "SecretKey": answer.get("KmsKeyId")},
        GONE,
    )
    reading.take(
        "SecretPolicy",
        ("secretsmanager", "GetResourcePolicy", {"SecretId": arn}),
        lambda answer: document(answer["ResourcePolicy"]) if answer.get("ResourcePolicy") else None,
        GONE,
    )


def _managed(reading: Reading, configuration: Configuration) -> None:
    """Bedrock's own store of a managed knowledge base: nobody but Bedrock reaches it; the key is a choice."""
    encryption = configuration.get("serverSideEncryptionConfiguration") or {}
    reading.set(Exists=True, KmsKeyArn=encryption.get("kmsKeyArn"))


def _named(reading: Reading, configuration: Configuration) -> None:
    """An index of Kendra, tables of Redshift, or what is not known here: what names them."""
    reading.set(Exists=True, IndexArn=configuration.get("kendraIndexArn"))


READERS: Mapping[str, Callable[[Reading, Configuration], None]] = {
    "OPENSEARCH_SERVERLESS": read_collection,
    "OPENSEARCH_MANAGED_CLUSTER": _domain,
    "S3_VECTORS": _index,
    "RDS": _cluster,
    "NEPTUNE_ANALYTICS": _graph,
    "PINECONE": _outside,
    "REDIS_ENTERPRISE_CLOUD": _outside,
    "MONGO_DB_ATLAS": _outside,
    "MANAGED": _managed,
    "KENDRA": _named,
    "SQL": _named,
    UNKNOWN_TYPE: _named,
}
