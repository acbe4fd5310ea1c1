"""``AWS::Bedrock::KnowledgeBase``: read only; where its documents come from and with whose rights it reads them.

AWS source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_DataSource.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, Reading, from_api, remembered
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

FIELDS = (
    Field("Arn", "knowledgeBaseArn"),
    Field("RoleArn", "roleArn"),
    Field("KnowledgeBaseConfiguration", "knowledgeBaseConfiguration"),
    Field("StorageConfiguration", "storageConfiguration"),
)


def knowledge_bases(aws: Aws) -> list[dict[str, Any]]:
    """Summaries of the Region's knowledge bases, asked once between two writes."""
    found: list[dict[str, Any]] = remembered(
        aws,
        "bedrock:ListKnowledgeBases",
        lambda: aws.pages("bedrock-agent", "ListKnowledgeBases", "knowledgeBaseSummaries"),
    )
    return found


def described(aws: Aws, identifier: str) -> dict[str, Any]:
    """A knowledge base, asked once between two writes."""

    def ask() -> dict[str, Any]:
        answer = aws.call("bedrock-agent", "GetKnowledgeBase", knowledgeBaseId=identifier)
        base: dict[str, Any] = answer["knowledgeBase"]
        return base

    found: dict[str, Any] = remembered(aws, f"bedrock:GetKnowledgeBase {identifier}", ask)
    return found


class KnowledgeBase(ReadOnlyKind):
    """Knowledge bases with their data sources."""

    type = "AWS::Bedrock::KnowledgeBase"
    read_only = ("Arn", "KnowledgeBaseId")
    permissions = Permissions(
        (
            "bedrock:ListKnowledgeBases",
            "bedrock:GetKnowledgeBase",
            "bedrock:ListDataSources",
            "bedrock:GetDataSource",
        ),
        (),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Every knowledge base of the Region."""
        listed = knowledge_bases(aws)
        shared = aws.evidence()
        for item in listed:
            identifier = str(item["knowledgeBaseId"])
            reading = Reading(aws)
            reading.set(KnowledgeBaseId=identifier, Name=item.get("name"))
            reading.found(tuple(field.name for field in FIELDS), partial(_fields, aws, identifier))
            reading.take_all(
                "DataSources",
                ("bedrock-agent", "ListDataSources", {"knowledgeBaseId": identifier}),
                "dataSourceSummaries",
                partial(_sources, aws, identifier),
            )
            yield self.seen(aws, identifier, reading.properties, reading.unknown, shared)


def _fields(aws: Aws, identifier: str) -> dict[str, Any]:
    return from_api(described(aws, identifier), FIELDS)


def _sources(aws: Aws, base: str, summaries: list[Any]) -> list[dict[str, Any]]:
    return [_source(aws, base, summary) for summary in summaries]


def _source(aws: Aws, base: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    source = aws.call(
        "bedrock-agent", "GetDataSource", knowledgeBaseId=base, dataSourceId=summary["dataSourceId"]
    )["dataSource"]
    configuration = source.get("dataSourceConfiguration", {})
    bucket = configuration.get("s3Configuration", {})
    custom = source.get("vectorIngestionConfiguration", {}).get("customTransformationConfiguration", {})
    found = {
        "Name": source.get("name"),
        "Type": configuration.get("type"),
        "BucketArn": bucket.get("bucketArn"),
        "BucketOwnerAccountId": bucket.get("bucketOwnerAccountId"),
        "IntermediateStorage": custom.get("intermediateStorage", {}).get("s3Location", {}).get("uri"),
        "KmsKeyArn": source.get("serverSideEncryptionConfiguration", {}).get("kmsKeyArn"),
    }
    return {name: value for name, value in found.items() if value is not None}
