"""Knowledge bases: enough of them to be found, tagged, ingested into and retrieved from. Documents live in memory.

Documents come inline, or from S3 (:mod:`ringwall.sandbox.bedrock.agents.ingestion`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.agents.retrieval_filters import matches
from ringwall.sandbox.bedrock.evaluation.topics import content_stems
from ringwall.sandbox.bedrock.faults import fault
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.state import UPPER, Tagged, new_id
from ringwall.sandbox.call import Call, Output

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope

_RESULTS = 5
_SUMMARY = ("knowledgeBaseId", "name", "description", "status", "updatedAt")
_SOURCE_SUMMARY = ("knowledgeBaseId", "dataSourceId", "name", "description", "status", "updatedAt")


def find(scope: Scope, call: Call, identifier: str) -> Tagged:
    """The knowledge base with this id or ARN, in the caller's account.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    found = scope.home(call).knowledge_bases.get(identifier.rpartition("/")[2])
    if found is None or (identifier.startswith("arn:") and found.arn != identifier):
        raise fault(
            call.service, "ResourceNotFoundException", f"Knowledge base with id {identifier} not found."
        )
    return found


def find_source(scope: Scope, call: Call) -> tuple[Tagged, Tagged]:
    """Knowledge base and data source of a call.

    Raises:
        AwsError: ``ResourceNotFoundException``.
    """
    base = find(scope, call, call.parameters["knowledgeBaseId"])
    source = base.children.get(call.parameters["dataSourceId"])
    if source is None:
        raise fault(
            call.service,
            "ResourceNotFoundException",
            f"DataSource with id {call.parameters['dataSourceId']} not found.",
        )
    return base, source


def create(scope: Scope, call: Call) -> Output:
    """CreateKnowledgeBase."""
    given, home, now = call.parameters, scope.home(call), scope.platform.now()
    if any(base.shape["name"] == given["name"] for base in home.knowledge_bases.values()):
        raise fault(
            "bedrock-agent", "ConflictException", f"KnowledgeBase with name {given['name']} already exists."
        )
    base_id = new_id(10, UPPER)
    arn = home.arn(f"knowledge-base/{base_id}")
    kept = ("name", "description", "roleArn", "knowledgeBaseConfiguration", "storageConfiguration")
    shape = {name: given[name] for name in kept if given.get(name) is not None}
    shape |= {
        "knowledgeBaseId": base_id,
        "knowledgeBaseArn": arn,
        "status": "ACTIVE",
        "createdAt": now,
        "updatedAt": now,
    }
    home.knowledge_bases[base_id] = Tagged(arn, shape, dict(given.get("tags") or {}))
    scope.platform.changed()
    return Output({"knowledgeBase": shape})


def get(scope: Scope, call: Call) -> Output:
    """GetKnowledgeBase."""
    return Output({"knowledgeBase": find(scope, call, call.parameters["knowledgeBaseId"]).shape})


def list_(scope: Scope, call: Call) -> Output:
    """ListKnowledgeBases."""
    summaries = [picked(base.shape, _SUMMARY) for base in scope.home(call).knowledge_bases.values()]
    shown, token = page(summaries, call.parameters)
    return Output({"knowledgeBaseSummaries": shown, **token})


def delete(scope: Scope, call: Call) -> Output:
    """DeleteKnowledgeBase."""
    base = find(scope, call, call.parameters["knowledgeBaseId"])
    del scope.home(call).knowledge_bases[base.shape["knowledgeBaseId"]]
    return Output({"knowledgeBaseId": base.shape["knowledgeBaseId"], "status": "DELETING"})


def picked(shape: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Those of some members that there are."""
    return {name: shape[name] for name in names if name in shape}


def create_source(scope: Scope, call: Call) -> Output:
    """CreateDataSource."""
    given, now = call.parameters, scope.platform.now()
    base = find(scope, call, given["knowledgeBaseId"])
    if any(source.shape["name"] == given["name"] for source in base.children.values()):
        raise fault(
            "bedrock-agent", "ConflictException", f"DataSource with name {given['name']} already exists."
        )
    source_id = new_id(10, UPPER)
    shape = {
        key: value for key, value in given.items() if key not in {"clientToken", "tags"} and value is not None
    }
    shape |= {"dataSourceId": source_id, "status": "AVAILABLE", "createdAt": now, "updatedAt": now}
    shape.setdefault("dataDeletionPolicy", "DELETE")
    base.children[source_id] = Tagged(f"{base.arn}/data-source/{source_id}", shape)
    return Output({"dataSource": shape})


def get_source(scope: Scope, call: Call) -> Output:
    """GetDataSource."""
    return Output({"dataSource": find_source(scope, call)[1].shape})


def list_sources(scope: Scope, call: Call) -> Output:
    """ListDataSources."""
    base = find(scope, call, call.parameters["knowledgeBaseId"])
    shown, token = page([picked(s.shape, _SOURCE_SUMMARY) for s in base.children.values()], call.parameters)
    return Output({"dataSourceSummaries": shown, **token})


def delete_source(scope: Scope, call: Call) -> Output:
    """DeleteDataSource: what was ingested from it goes too, unless its deletion policy retains that."""
    base, source = find_source(scope, call)
    source_id = source.shape["dataSourceId"]
    if source.shape["dataDeletionPolicy"] == "DELETE":
        base.documents = [one for one in base.documents if one.get("source") != source_id]
    del base.children[source_id]
    return Output({**picked(source.shape, ("knowledgeBaseId", "dataSourceId")), "status": "DELETING"})


def ingest(scope: Scope, call: Call) -> Output:
    """IngestKnowledgeBaseDocuments: inline text documents; what stands elsewhere is reported as ``IGNORED``."""
    base, source = find_source(scope, call)
    now, details = scope.platform.now(), []
    for document in call.parameters["documents"]:
        content = document["content"]
        custom = content.get("custom") or {}
        text = ((custom.get("inlineContent") or {}).get("textContent") or {}).get("data")
        if text is not None:
            name = str(custom["customDocumentIdentifier"]["id"])
            base.documents = [one for one in base.documents if one["id"] != name]
            attributes = _inline_attributes(document)
            base.documents.append(
                {
                    "id": name,
                    "source": source.shape["dataSourceId"],
                    "text": text,
                    "metadata": attributes,
                }
            )
        details.append(
            {
                **picked(source.shape, ("knowledgeBaseId", "dataSourceId")),
                "status": "INDEXED" if text is not None else "IGNORED",
                "identifier": _identifier(content),
                "updatedAt": now,
            }
        )
    return Output({"documentDetails": details})


def _identifier(content: Mapping[str, Any]) -> dict[str, Any]:
    if "custom" in content:
        return {
            "dataSourceType": "CUSTOM",
            "custom": {"id": content["custom"]["customDocumentIdentifier"]["id"]},
        }
    return {"dataSourceType": "S3", "s3": {"uri": content["s3"]["s3Location"]["uri"]}}


def search(
    base: Tagged, query: str, limit: int = _RESULTS, only: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The documents that share most words with the query, best first, as RetrievalResults.

    Args:
        base: the knowledge base.
        query: text of the query.
        limit: most results.
        only: filter on the documents' metadata.
    """
    wanted = content_stems(query)
    scored = [
        (len(wanted & content_stems(document["text"])) / (len(wanted) or 1), document, metadata)
        for document in base.documents
        if matches(only, metadata := _metadata(document))
    ]
    best = sorted((one for one in scored if one[0] > 0), key=lambda one: -one[0])[:limit]
    return [
        {
            "content": {"text": document["text"], "type": "TEXT"},
            "location": _location(document),
            "metadata": metadata,
            "score": round(score, 4),
        }
        for score, document, metadata in best
    ]


def _location(document: Mapping[str, Any]) -> dict[str, Any]:
    if "uri" in document:
        return {"type": "S3", "s3Location": {"uri": document["uri"]}}
    return {"type": "CUSTOM", "customDocumentLocation": {"id": document["id"]}}


def _metadata(document: Mapping[str, Any]) -> dict[str, Any]:
    place = {"x-amz-bedrock-kb-source-uri": document["uri"]} if "uri" in document else {}
    source = {"x-amz-bedrock-kb-data-source-id": document.get("source", document["id"])}
    return {**document.get("metadata", {}), **place, **source}


def _inline_attributes(document: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes that stand in an ingested document itself."""
    given = (document.get("metadata") or {}).get("inlineAttributes") or ()
    return {
        one["key"]: next(value for name, value in one["value"].items() if name != "type") for one in given
    }


OPERATIONS: dict[str, Operation] = {
    "CreateKnowledgeBase": create,
    "GetKnowledgeBase": get,
    "ListKnowledgeBases": list_,
    "DeleteKnowledgeBase": delete,
    "CreateDataSource": create_source,
    "GetDataSource": get_source,
    "ListDataSources": list_sources,
    "DeleteDataSource": delete_source,
    "IngestKnowledgeBaseDocuments": ingest,
}
