"""``AWS::Bedrock::KnowledgeBase``: read only; where its documents come from and with whose rights it reads them.

AWS source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_DataSource.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Field, Reading, from_api
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

FIELDS = (
    Field("Arn", "knowledgeBaseArn"),
    Field("RoleArn", "roleArn"),
    Field("StorageConfiguration", "storageConfiguration"),
)


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
        listed = aws.pages("bedrock-agent", "ListKnowledgeBases", "knowledgeBaseSummaries")
        shared = aws.evidence()
        for item in listed:
            identifier = str(item["knowledgeBaseId"])
            reading = Reading(aws)
            reading.set(KnowledgeBaseId=identifier, Name=item.get("name"))
            reading.take(
                tuple(field.name for field in FIELDS),
                ("bedrock-agent", "GetKnowledgeBase", {"knowledgeBaseId": identifier}),
                lambda answer: from_api(answer["knowledgeBase"], FIELDS),
            )
            reading.take_all(
                "DataSources",
                ("bedrock-agent", "ListDataSources", {"knowledgeBaseId": identifier}),
                "dataSourceSummaries",
                partial(_sources, aws, identifier),
            )
            yield self.seen(aws, identifier, reading.properties, reading.unknown, shared)


def _sources(aws: Aws, base: str, summaries: list[Any]) -> list[dict[str, Any]]:
    return [_source(aws, base, summary) for summary in summaries]


def _source(aws: Aws, base: str, summary: Mapping[str, Any]) -> dict[str, Any]:
    source = aws.call(
        "bedrock-agent", "GetDataSource", knowledgeBaseId=base, dataSourceId=summary["dataSourceId"]
    )["dataSource"]
    configuration = source.get("dataSourceConfiguration", {})
    bucket = configuration.get("s3Configuration", {})
    found = {
        "Name": source.get("name"),
        "Type": configuration.get("type"),
        "BucketArn": bucket.get("bucketArn"),
        "BucketOwnerAccountId": bucket.get("bucketOwnerAccountId"),
        "KmsKeyArn": source.get("serverSideEncryptionConfiguration", {}).get("kmsKeyArn"),
    }
    return {name: value for name, value in found.items() if value is not None}
