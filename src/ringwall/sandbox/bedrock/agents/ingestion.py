"""Ingestion jobs: a knowledge base reads the documents of an S3 data source, with its own role.

The role must trust Bedrock, and its policies, the bucket's and the key's decide what it may read; a job that may not
fails and says why. Jobs are complete when StartIngestionJob answers. Text formats are read; other objects are skipped.

https://docs.aws.amazon.com/bedrock/latest/userguide/kb-data-source-sync-ingest.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.agents.knowledge import find_source, picked
from ringwall.sandbox.bedrock.faults import fault
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.service_role import ServiceRole
from ringwall.sandbox.bedrock.state import UPPER, Tagged, new_id
from ringwall.sandbox.call import AwsError, Call, Output, not_carried_out

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Operation, Scope

_TEXTS = (".txt", ".md", ".html", ".csv", ".json")
_METADATA = ".metadata.json"
_SUMMARY = (
    "knowledgeBaseId", "dataSourceId", "ingestionJobId", "description", "status", "startedAt", "updatedAt", "statistics",
)  # fmt: skip

Document = dict[str, Any]


def _documents(
    role: ServiceRole, bucket: str, prefixes: tuple[str, ...], source: str
) -> tuple[list[Document], int]:
    """The documents of a bucket, and how many objects are none."""
    keys = [key for prefix in prefixes or ("",) for key in role.keys(bucket, prefix)]
    found: list[Document] = []
    skipped = 0
    for key in keys:
        if key.endswith(_METADATA):
            continue
        if not key.lower().endswith(_TEXTS):
            skipped += 1
            continue
        uri = f"s3://{bucket}/{key}"
        metadata = _attributes(_text(role, bucket, key + _METADATA)) if key + _METADATA in keys else {}
        text = _text(role, bucket, key)
        found.append({"id": uri, "uri": uri, "source": source, "text": text, "metadata": metadata})
    return found, skipped


def _text(role: ServiceRole, bucket: str, key: str) -> str:
    return role.read(bucket, key).decode("utf-8", "replace")


def _attributes(text: str) -> dict[str, Any]:
    """Attributes of a document, from the file beside it: plain values, or with a type each."""
    try:
        given = json.loads(text)["metadataAttributes"]
    except (ValueError, KeyError, TypeError):
        return {}
    return {name: _plain(value) for name, value in given.items()} if isinstance(given, dict) else {}


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    typed = value.get("value") or {}
    return next(
        (
            typed[name]
            for name in ("stringValue", "numberValue", "booleanValue", "stringListValue")
            if name in typed
        ),
        None,
    )


def start(scope: Scope, call: Call) -> Output:
    """StartIngestionJob."""
    base, source = find_source(scope, call)
    location = (source.shape.get("dataSourceConfiguration") or {}).get("s3Configuration")
    if location is None:
        raise not_carried_out(call.service, call.operation, "from data sources that are not in S3")
    job_id, now = new_id(10, UPPER), scope.platform.now()
    job: dict[str, Any] = {
        **picked(source.shape, ("knowledgeBaseId", "dataSourceId")),
        **picked(call.parameters, ("description",)),
        "ingestionJobId": job_id,
        "status": "COMPLETE",
        "startedAt": now,
        "updatedAt": now,
    }
    bucket = location["bucketArn"].rpartition(":::")[2]
    try:
        role = ServiceRole(scope, call, base.shape["roleArn"], base.arn, "BedrockKnowledgeBase")
        found, skipped = _documents(
            role, bucket, tuple(location.get("inclusionPrefixes") or ()), source.shape["dataSourceId"]
        )
    except AwsError as error:
        reason = f"Encountered error: {error.message} Call to Amazon S3 source did not succeed."
        job |= {"status": "FAILED", "failureReasons": [reason], "statistics": _statistics([], [], 0)}
    else:
        before = [
            document for document in base.documents if document.get("source") == source.shape["dataSourceId"]
        ]
        base.documents = [document for document in base.documents if document not in before] + found
        job["statistics"] = _statistics(before, found, skipped)
    source.children[job_id] = Tagged(f"{source.arn}/ingestion-job/{job_id}", job)
    return Output({"ingestionJob": {**picked(job, _SUMMARY), "status": "STARTING"}})


def _statistics(before: list[Document], after: list[Document], skipped: int) -> dict[str, int]:
    old = {document["id"]: document for document in before}
    new = {document["id"] for document in after}
    modified = sum(document["id"] in old and document != old[document["id"]] for document in after)
    return {
        "numberOfDocumentsScanned": len(after) + skipped,
        "numberOfMetadataDocumentsScanned": sum(bool(document["metadata"]) for document in after),
        "numberOfNewDocumentsIndexed": len(new - set(old)),
        "numberOfModifiedDocumentsIndexed": modified,
        "numberOfMetadataDocumentsModified": 0,
        "numberOfDocumentsDeleted": len(set(old) - new),
        "numberOfDocumentsFailed": 0,
        "numberOfDocumentsSkipped": skipped,
    }


def get(scope: Scope, call: Call) -> Output:
    """GetIngestionJob."""
    _, source = find_source(scope, call)
    job = source.children.get(call.parameters["ingestionJobId"])
    if job is None:
        message = f"Ingestion job with id {call.parameters['ingestionJobId']} not found."
        raise fault(call.service, "ResourceNotFoundException", message)
    return Output({"ingestionJob": job.shape})


def list_(scope: Scope, call: Call) -> Output:
    """ListIngestionJobs, the newest first."""
    _, source = find_source(scope, call)
    jobs = [picked(job.shape, _SUMMARY) for job in reversed(source.children.values())]
    shown, token = page(jobs, call.parameters)
    return Output({"ingestionJobSummaries": shown, **token})


OPERATIONS: dict[str, Operation] = {
    "StartIngestionJob": start,
    "GetIngestionJob": get,
    "ListIngestionJobs": list_,
}
