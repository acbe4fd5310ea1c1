"""Where knowledge bases keep what they were given: each store read through botocore's own models, and judged.

Each type of store starts from one that passes. Every mutation leaves what closes it in place and makes it ineffective.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from controls.controls_estates import bare, changed, compiled, complete, context_of
from controls.test_controls_observed import FULL_ACCESS, OWN, made, role
from estate.estate_stubs import ACCOUNT, NOW, REGION, Refused, by, read_all
from ringwall.controls.findings import Finding, Status
from ringwall.controls.judging import judge
from ringwall.estate.model import Estate, Resource, Unknown

SLUG = "vector-store-closed"
OTHER = "444455556666"
KINDS = ("AWS::Bedrock::KnowledgeBase", "Ringwall::Bedrock::VectorStore")
ROLE = f"arn:aws:iam::{ACCOUNT}:role/base"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:store-AbCdEf"
COLLECTION = f"arn:aws:aoss:{REGION}:{ACCOUNT}:collection/abcdefgh12"
INDEX = f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/vectors/index/manuals"
BUCKET = INDEX.partition("/index/")[0]
CLUSTER = f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:manuals"
DOMAIN = f"arn:aws:es:{REGION}:{ACCOUNT}:domain/manuals"
GRAPH = f"arn:aws:neptune-graph:{REGION}:{ACCOUNT}:graph/g-abcdefghij"
MAPPING = {"vectorField": "v", "textField": "t", "metadataField": "m"}
TABLE = {"primaryKeyField": "id", **MAPPING}
TEXT = {"textField": "t", "metadataField": "m"}
Told = dict[str, Any]
Edit = Callable[[Told], None]


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(principal: Any, action: str, resource: str = "*", **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource}
    return {**found, "Condition": condition} if condition else found


def base(storage: Mapping[str, Any] | None, identifier: str = "KB00000001", **own: Any) -> Told:
    """A Region with one knowledge base that keeps its vectors there."""
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:knowledge-base/{identifier}"
    configuration = own or {
        "type": "VECTOR",
        "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": f"arn:aws:bedrock:{REGION}::foundation-model/amazon.x"},
    }  # fmt: skip
    described = {
        "knowledgeBaseId": identifier, "name": "manuals", "knowledgeBaseArn": arn, "roleArn": ROLE, "status": "ACTIVE",
        "knowledgeBaseConfiguration": configuration, "createdAt": NOW, "updatedAt": NOW,
    }  # fmt: skip
    if storage is not None:
        described["storageConfiguration"] = dict(storage)
    summary = {"knowledgeBaseId": identifier, "name": "manuals", "status": "ACTIVE", "updatedAt": NOW}
    return {
        "bedrock-agent:ListKnowledgeBases": {"knowledgeBaseSummaries": [summary]},
        "bedrock-agent:GetKnowledgeBase": {"knowledgeBase": described},
        "bedrock-agent:ListDataSources": {"dataSourceSummaries": []},
    }


def secret(policy: str | None = None, **more: Any) -> Told:
    told = {"ResourcePolicy": policy} if policy else {}
    return {
        "secretsmanager:DescribeSecret": {"ARN": SECRET, "Name": "store", "KmsKeyId": KEY, **more},
        "secretsmanager:GetResourcePolicy": {"ARN": SECRET, "Name": "store", **told},
    }


# -- stores that pass ------------------------------------------------------------------------------------------------


def rules(collection: str = "manuals", *kinds: str) -> list[dict[str, Any]]:
    return [
        {"ResourceType": kind, "Resource": [f"collection/{collection}"]} for kind in kinds or ("collection",)
    ]


def network(*entries: dict[str, Any]) -> Told:
    """The Region's network policies, one for each entry."""
    named = {f"net-{index}": [entry] for index, entry in enumerate(entries)}
    return {
        "opensearchserverless:ListSecurityPolicies": {
            "securityPolicySummaries": [{"type": "network", "name": name} for name in named]
        },
        "opensearchserverless:GetSecurityPolicy": by(
            "name",
            {name: {"securityPolicyDetail": {"type": "network", "name": name, "policy": policy}} for name, policy in named.items()},
        ),
    }  # fmt: skip


def access(*entries: dict[str, Any]) -> Told:
    """The Region's data-access policies, one for each entry."""
    named = {f"data-{index}": [entry] for index, entry in enumerate(entries)}
    return {
        "opensearchserverless:ListAccessPolicies": {
            "accessPolicySummaries": [{"type": "data", "name": name} for name in named]
        },
        "opensearchserverless:GetAccessPolicy": by(
            "name",
            {name: {"accessPolicyDetail": {"type": "data", "name": name, "policy": policy}} for name, policy in named.items()},
        ),
    }  # fmt: skip


PRIVATE = {"Rules": rules(), "AllowFromPublic": False, "SourceServices": ["bedrock.amazonaws.com"]}


def granting(*principals: str, collection: str = "manuals") -> dict[str, Any]:
    return {
        "Rules": [
            {"ResourceType": "collection", "Resource": [f"collection/{collection}"], "Permission": ["aoss:DescribeCollectionItems"]},
            {"ResourceType": "index", "Resource": [f"index/{collection}/*"], "Permission": ["aoss:ReadDocument", "aoss:WriteDocument"]},
        ],
        "Principal": list(principals),
    }  # fmt: skip


def collection(**more: Any) -> Told:
    storage = {
        "type": "OPENSEARCH_SERVERLESS",
        "opensearchServerlessConfiguration": {"collectionArn": COLLECTION, "vectorIndexName": "i", "fieldMapping": MAPPING},
    }  # fmt: skip
    details = {"id": "abcdefgh12", "name": "manuals", "arn": COLLECTION, "kmsKeyArn": KEY, "status": "ACTIVE"}
    return {
        **base(storage),
        "opensearchserverless:BatchGetCollection": {"collectionDetails": [details | more]},
        **network(PRIVATE),
        **access(granting(ROLE)),
    }


def index() -> Told:
    named = {"vectorBucketName": "vectors", "indexName": "manuals", "indexArn": INDEX, "creationTime": NOW}
    shape = {"dataType": "float32", "dimension": 256, "distanceMetric": "cosine"}
    encrypted = {"encryptionConfiguration": {"sseType": "aws:kms", "kmsKeyArn": KEY}}
    return {
        **base({"type": "S3_VECTORS", "s3VectorsConfiguration": {"indexArn": INDEX}}),
        "s3vectors:GetIndex": {"index": {**named, **shape, **encrypted}},
        "s3vectors:GetVectorBucketPolicy": {
            "policy": document(allow({"AWS": ROLE}, "s3vectors:*", f"{BUCKET}/*"))
        },
    }


def cluster() -> Told:
    storage = {
        "resourceArn": CLUSTER,
        "credentialsSecretArn": SECRET,
        "databaseName": "d",
        "tableName": "t",
        "fieldMapping": TABLE,
    }
    instance = {"DBInstanceIdentifier": "manuals-1", "PubliclyAccessible": False}
    return {
        **base({"type": "RDS", "rdsConfiguration": storage}),
        **secret(document(allow({"AWS": ROLE}, "secretsmanager:GetSecretValue"))),
        "rds:DescribeDBClusters": {"DBClusters": [{"DBClusterArn": CLUSTER, "StorageEncrypted": True, "KmsKeyId": KEY, "Engine": "aurora-postgresql"}]},
        "rds:DescribeDBInstances": {"DBInstances": [instance]},
    }  # fmt: skip


def domain() -> Told:
    storage = {
        "domainArn": DOMAIN,
        "domainEndpoint": "https://x",
        "vectorIndexName": "i",
        "fieldMapping": MAPPING,
    }
    return {
        **base({"type": "OPENSEARCH_MANAGED_CLUSTER", "opensearchManagedClusterConfiguration": storage}),
        "opensearch:DescribeDomain": {
            "DomainStatus": {
                "DomainId": "1/manuals", "DomainName": "manuals", "ARN": DOMAIN, "ClusterConfig": {},
                "AccessPolicies": document(allow({"AWS": ROLE}, "es:ESHttp*", f"{DOMAIN}/*")),
                "VPCOptions": {"VPCId": "vpc-1"},
                "EncryptionAtRestOptions": {"Enabled": True, "KmsKeyId": KEY},
                "DomainEndpointOptions": {"EnforceHTTPS": True},
                "AdvancedSecurityOptions": {"Enabled": True},
            }
        },
    }  # fmt: skip


def graph() -> Told:
    storage = {"graphArn": GRAPH, "fieldMapping": TEXT}
    found = {
        "id": "g-abcdefghij",
        "name": "manuals",
        "arn": GRAPH,
        "publicConnectivity": False,
        "kmsKeyIdentifier": KEY,
    }
    return {
        **base({"type": "NEPTUNE_ANALYTICS", "neptuneAnalyticsConfiguration": storage}),
        "neptune-graph:GetGraph": found,
    }  # fmt: skip


def mongo() -> Told:
    storage = {
        "endpoint": "x.mongodb.net", "databaseName": "d", "collectionName": "c", "vectorIndexName": "i",
        "credentialsSecretArn": SECRET, "fieldMapping": MAPPING, "endpointServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-1",
    }  # fmt: skip
    return {**base({"type": "MONGO_DB_ATLAS", "mongoDbAtlasConfiguration": storage}), **secret()}


def pinecone(url: str = "https://x.pinecone.io") -> Told:
    storage = {"connectionString": url, "credentialsSecretArn": SECRET, "fieldMapping": TEXT}
    return {**base({"type": "PINECONE", "pineconeConfiguration": storage}), **secret()}


def managed() -> Told:
    encryption = {"kmsKeyArn": KEY}
    own = {"embeddingModelType": "MANAGED", "serverSideEncryptionConfiguration": encryption}
    return base(None, type="MANAGED", managedKnowledgeBaseConfiguration=own)


def kendra() -> Told:
    arn = f"arn:aws:kendra:{REGION}:{ACCOUNT}:index/0f0f0f0f-0f0f-0f0f-0f0f-0f0f0f0f0f0f"
    return base(None, type="KENDRA", kendraKnowledgeBaseConfiguration={"kendraIndexArn": arn})


def newer() -> Told:
    """A type of store that the SDK's model, which knows no closed list, does not describe yet."""
    return base({"type": "VALKEY"})


# -- judging ---------------------------------------------------------------------------------------------------------

OWN_KEY = made("AWS::KMS::Key", "1", KeyId="1", Arn=KEY, Enabled=True, KeyState="Enabled", KeyPolicy=json.loads(document(
    {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
)))  # fmt: skip
ITS_ROLE = role(
    {"Effect": "Allow", "Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole"},
    {"Effect": "Allow", "Action": "aoss:APIAccessAll", "Resource": COLLECTION},
    name="base",
)


def found(told: Told, *besides: Resource) -> Finding:
    resources, _ = read_all(told, *KINDS)
    context = bare(FULL_ACCESS, ITS_ROLE, *(besides or (OWN_KEY,)), *resources, account=OWN)
    (finding,) = judge(context, frozenset({SLUG}))
    return finding


@pytest.mark.parametrize("told", [collection, index, cluster, domain, graph, managed])
def test_a_store_that_admits_its_role_alone_passes(told: Callable[[], Told]) -> None:
    finding = found(told())
    assert finding.status is Status.PASS, finding.summary
    assert "AWS's own" not in finding.summary
    assert finding.evidence


def closed_elsewhere(told: Told) -> None:
    """What other collections' policies say is theirs."""
    told |= network(PRIVATE, {"Rules": rules("manual"), "AllowFromPublic": True})
    told |= access(
        granting(ROLE), granting("*", collection="manuals-test"), granting("*", collection="orders*")
    )


def session_of_its_role(told: Told) -> None:
    told |= access(granting(f"arn:aws:sts::{ACCOUNT}:assumed-role/base/session"))


def as_text(told: Told) -> None:
    entries = json.dumps([granting(ROLE)])
    detail = {"accessPolicyDetail": {"type": "data", "name": "data-0", "policy": entries}}
    told["opensearchserverless:GetAccessPolicy"] = detail


@pytest.mark.parametrize("edit", [closed_elsewhere, session_of_its_role, as_text])
def test_what_is_no_hole_passes(edit: Edit) -> None:
    told = collection()
    edit(told)
    finding = found(told)
    assert finding.status is Status.PASS, finding.summary


def opened(*more: dict[str, Any]) -> Edit:
    return lambda told: told.update(network(PRIVATE, *more))


def admitting(*more: dict[str, Any]) -> Edit:
    return lambda told: told.update(access(granting(ROLE), *more))


def setting(operation: str, *path: str | int, value: Any) -> Edit:
    """Change something deep in an answer."""

    def edit(told: Told) -> None:
        here = told[operation] = deepcopy(told[operation])
        for step in path[:-1]:
            here = here[step]
        here[path[-1]] = value

    return edit


def policies(*statements: dict[str, Any]) -> Edit:
    return setting("s3vectors:GetVectorBucketPolicy", "policy", value=document(*statements))


def secrets(*statements: dict[str, Any]) -> Edit:
    return lambda told: told.update(secret(document(*statements)))


def domains(member: str, value: Any) -> Edit:
    return setting("opensearch:DescribeDomain", "DomainStatus", member, value=value)


ELSEWHERE = COLLECTION.replace(ACCOUNT, OTHER)
READ = "secretsmanager:GetSecretValue"
VECTORS = "s3vectors:GetVectors"
MUTATIONS: tuple[tuple[Callable[[], Told], Edit, str], ...] = (
    (collection, opened({"Rules": rules(), "AllowFromPublic": True}), "net-1 opens it to the internet"),
    (collection, opened({"Rules": rules("man*"), "AllowFromPublic": True, "SourceVPCEs": ["vpce-1"]}), "net-1 opens it to the internet"),
    (collection, opened({"Rules": rules("*", "dashboard"), "AllowFromPublic": True}), "net-1 opens its Dashboards"),
    (collection, admitting(granting("*")), "data-1 gives anybody whom IAM lets aoss:DescribeCollectionItems, aoss:ReadDocument"),
    (collection, admitting(granting(f"arn:aws:iam::{ACCOUNT}:root")), f"every principal of account {ACCOUNT}"),
    (collection, admitting(granting(f"arn:aws:iam::{ACCOUNT}:role/Console", collection="*")), "role/Console aoss:"),
    (collection, admitting(granting(f"arn:aws:sts::{ACCOUNT}:assumed-role/Console/x")), "assumed-role/Console/x"),
    (collection, admitting(granting(f"saml/{ACCOUNT}/okta/group/everyone")), f"gives saml/{ACCOUNT}/okta/group/everyone"),
    (collection, admitting({"Rules": [{"ResourceType": "index", "Resource": ["index/*/books"], "Permission": ["aoss:*"]}], "Principal": ["arn:aws:iam::111122223333:user/Dale"]}), "user/Dale aoss:*"),
    (collection, lambda told: told.update({"opensearchserverless:BatchGetCollection": {"collectionDetails": []}}), "does not exist"),
    (index, policies(allow({"AWS": f"arn:aws:iam::{OTHER}:root"}, VECTORS)), f"account {OTHER} can {VECTORS}"),
    (index, policies(allow("*", "s3vectors:*", StringEquals={"aws:PrincipalOrgID": "o-ringwallsb"})), "any principal of the account can"),
    (index, policies(allow({"AWS": f"arn:aws:iam::{ACCOUNT}:role/Other"}, "s3vectors:Query*")), "role/Other can s3vectors:QueryVectors"),
    (index, policies(allow({"Service": "glue.amazonaws.com"}, VECTORS)), "glue.amazonaws.com on behalf of any account"),
    (index, lambda told: told.update({"s3vectors:GetIndex": Refused("NotFoundException")}), "does not exist"),
    (cluster, setting("rds:DescribeDBClusters", "DBClusters", 0, "StorageEncrypted", value=False), "it is not encrypted"),
    (cluster, setting("rds:DescribeDBInstances", "DBInstances", 0, "PubliclyAccessible", value=True), "on the internet: manuals-1"),
    (cluster, secrets(allow({"AWS": OTHER}, READ)), f"the policy of its secret: account {OTHER} can {READ}"),
    (cluster, secrets(allow("*", READ, StringEquals={"aws:PrincipalAccount": ACCOUNT})), "any principal of the account can"),
    (cluster, lambda told: told.update(secret(DeletedDate=NOW)), "its secret does not exist"),
    (domain, domains("VPCOptions", {}), "its endpoint is on the internet"),
    (domain, domains("DomainEndpointOptions", {"EnforceHTTPS": False}), "answers without TLS"),
    (domain, domains("EncryptionAtRestOptions", {"Enabled": False}), "it is not encrypted"),
    (domain, domains("AdvancedSecurityOptions", {"Enabled": True, "AnonymousAuthEnabled": True}), "whoever does not say who"),
    (graph, setting("neptune-graph:GetGraph", "publicConnectivity", value=True), "its endpoint is on the internet"),
    (pinecone, lambda told: told.update(pinecone("http://x.pinecone.io")), "not reached over TLS"),
    (mongo, secrets(allow("*", READ)), "anybody can secretsmanager:GetSecretValue"),
)  # fmt: skip


@pytest.mark.parametrize(("told", "edit", "words"), MUTATIONS)
def test_a_store_that_was_opened_fails(told: Callable[[], Told], edit: Edit, words: str) -> None:
    answers = told()
    edit(answers)
    finding = found(answers)
    assert finding.status is Status.FAIL, finding.summary
    assert words in finding.summary


def test_a_domains_policy_that_leaves_it_to_the_domains_roles_is_unknown() -> None:
    told = domain()
    domains("AccessPolicies", document(allow("*", "es:*")))(told)
    finding = found(told)
    assert finding.status is Status.UNKNOWN
    assert "if the domain's own roles let them" in finding.summary
    domains("AdvancedSecurityOptions", {"Enabled": False})(told)
    assert found(told).status is Status.FAIL


def test_who_lacks_the_right_in_iam_is_told_with_it() -> None:
    console = role(
        {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}, name="Console"
    )
    told = collection() | access(granting(f"arn:aws:iam::{ACCOUNT}:role/Console"))
    finding = found(told, OWN_KEY, console)
    assert finding.status is Status.FAIL
    assert "though IAM does not give it aoss:APIAccessAll" in finding.summary


def test_a_role_may_serve_a_knowledge_base_that_could_not_be_read() -> None:
    told = collection()
    one = told["bedrock-agent:ListKnowledgeBases"]["knowledgeBaseSummaries"][0]
    told["bedrock-agent:ListKnowledgeBases"] = {
        "knowledgeBaseSummaries": [one, {**one, "knowledgeBaseId": "KB00000002"}]
    }
    known = told["bedrock-agent:GetKnowledgeBase"]
    told["bedrock-agent:GetKnowledgeBase"] = by(
        "knowledgeBaseId", {"KB00000001": known, "KB00000002": Refused()}
    )
    for principal, status in ((f"{ROLE}-2", Status.UNKNOWN), ("*", Status.FAIL)):
        resources, _ = read_all(told | access(granting(ROLE, principal)), *KINDS)
        findings = judge(bare(FULL_ACCESS, ITS_ROLE, OWN_KEY, *resources, account=OWN), frozenset({SLUG}))
        (of_store,) = [item for item in findings if item.resource == COLLECTION]
        assert of_store.status is status, of_store.summary


# -- what could not be read ------------------------------------------------------------------------------------------

CALLS = {
    collection: ("BatchGetCollection", "ListSecurityPolicies", "GetSecurityPolicy", "ListAccessPolicies", "GetAccessPolicy"),
    index: ("GetIndex", "GetVectorBucketPolicy"),
    cluster: ("DescribeDBClusters", "DescribeDBInstances", "DescribeSecret", "GetResourcePolicy"),
    domain: ("DescribeDomain",),
    graph: ("GetGraph",),
}  # fmt: skip
ACTIONS = {"opensearchserverless": "aoss", "opensearch": "es"}


@pytest.mark.parametrize(
    ("told", "operation"), [(told, name) for told, names in CALLS.items() for name in names]
)
def test_what_may_not_be_asked_is_unknown_with_its_permission(
    told: Callable[[], Told], operation: str
) -> None:
    answers = told()
    name = next(item for item in answers if item.endswith(f":{operation}"))
    finding = found(answers | {name: Refused()})
    assert finding.status is Status.UNKNOWN, finding.summary
    service = name.partition(":")[0]
    assert f"needs {ACTIONS.get(service, service)}:{operation}" in finding.summary


@pytest.mark.parametrize("operation", ["ListKnowledgeBases", "GetKnowledgeBase"])
def test_a_knowledge_base_that_was_not_read_names_no_store(operation: str) -> None:
    told = collection() | {f"bedrock-agent:{operation}": Refused()}
    if operation == "GetKnowledgeBase":
        finding = found(told)
    else:
        gap = Resource(KINDS[0], ACCOUNT, REGION, "?", unknown=())
        reason = f"AccessDenied: needs bedrock:{operation}"
        gap = replace(gap, unknown=(Unknown("*", reason),))
        (finding,) = judge(bare(gap, account=OWN), frozenset({SLUG}))
    assert finding.status is Status.UNKNOWN
    assert f"needs bedrock:{operation}" in finding.summary


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (mongo, "reached by PrivateLink, and who else reaches it nothing in AWS says"),
        (pinecone, "reached over the internet, and who else"),
        (kendra, "whom it admits besides the knowledge base is not read"),
        (newer, "store of knowledge base knowledge-base/KB00000001: whom it admits besides"),
    ],
)
def test_what_lies_beyond_is_unknown(told: Callable[[], Told], words: str) -> None:
    finding = found(told())
    assert finding.status is Status.UNKNOWN
    assert words in finding.summary


# -- keys ------------------------------------------------------------------------------------------------------------


def disabled(key: Resource) -> Resource:
    return replace(key, properties={**key.properties, "Enabled": False, "KeyState": "PendingDeletion"})


def shared(key: Resource) -> Resource:
    policy = json.loads(document(allow({"AWS": f"arn:aws:iam::{OTHER}:root"}, "kms:*")))
    return replace(key, properties={**key.properties, "KeyPolicy": policy})


@pytest.mark.parametrize("told", [collection, index, cluster, domain, graph, managed])
@pytest.mark.parametrize(
    ("change", "words"), [(disabled, "is PendingDeletion"), (shared, f"account {OTHER} can kms:Decrypt")]
)
def test_a_key_that_is_there_and_does_nothing_fails(
    told: Callable[[], Told], change: Callable[[Resource], Resource], words: str
) -> None:
    finding = found(told(), change(OWN_KEY))
    assert finding.status is Status.FAIL
    assert words in finding.summary


def test_a_key_of_aws_is_said_where_nothing_is_declared() -> None:
    """The collection is older than the encryption policy that names a key: it keeps the one that it has."""
    finding = found(collection(kmsKeyArn="auto"))
    assert finding.status is Status.PASS
    assert "it is encrypted with a key of AWS's own" in finding.summary


# -- with a declaration ----------------------------------------------------------------------------------------------

DECLARED = f"arn:aws:aoss:{REGION}:{ACCOUNT}:collection/manuals0001"
OF_THE_PERIMETER = f"arn:aws:iam::{ACCOUNT}:role/complete-kb-manuals"


def under_declaration(told: Told, *besides: Resource) -> Finding:
    """What is said of the store; what the proofs say of callers stands beside it."""
    perimeter = complete()
    resources, _ = read_all(told, *KINDS)
    estate = context_of(perimeter).observed
    everything = Estate("observed", (OWN,), (FULL_ACCESS, *(item for item in estate), *besides, *resources))
    findings = judge(context_of(perimeter, everything), frozenset({SLUG}))
    (finding,) = [item for item in findings if not item.resource.endswith("not-for-callers")]
    return finding


def declared_base(arn: str = DECLARED, *principals: str, key: str = KEY) -> Told:
    told = deepcopy({name: value for name, value in collection().items() if not callable(value)})
    told |= network(PRIVATE) | access(granting(ROLE, *principals))
    one = told["bedrock-agent:GetKnowledgeBase"]["knowledgeBase"]
    one["knowledgeBaseId"] = "KBCOMPLET1"
    one["storageConfiguration"]["opensearchServerlessConfiguration"]["collectionArn"] = arn
    told["bedrock-agent:ListKnowledgeBases"]["knowledgeBaseSummaries"][0]["knowledgeBaseId"] = "KBCOMPLET1"
    told["opensearchserverless:BatchGetCollection"]["collectionDetails"][0]["kmsKeyArn"] = key
    return told


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        (declared_base(), Status.PASS, "admits the service role alone"),
        (declared_base(DECLARED, complete().administrators[0]), Status.PASS, "alone"),
        (declared_base(COLLECTION), Status.FAIL, f"KBCOMPLET1 is declared with {DECLARED}"),
        (declared_base(key="auto"), Status.FAIL, "encrypted with a key of AWS's own"),
        (declared_base(key=KEY.replace("key/1", "key/awsmanaged")), Status.FAIL, "encrypted with a key of AWS's own"),
        (declared_base(DECLARED, f"arn:aws:iam::{ACCOUNT}:role/complete-app"), Status.FAIL, "role/complete-app"),
        (declared_base(DECLARED.replace(ACCOUNT, OTHER)), Status.FAIL, f"it is of account {OTHER}"),
    ],
)  # fmt: skip
def test_with_a_declaration_the_store_is_the_declared_one_and_its_key_the_accounts(
    told: Told, status: Status, words: str
) -> None:
    finding = under_declaration(told, OWN_KEY)
    assert finding.status is status, finding.summary
    assert words in finding.summary


def test_no_use_reaches_a_store_past_its_knowledge_base() -> None:
    """Each use gets everything by its own role: the organization's statement holds it, and without it nothing does."""

    def everything(role_: Resource) -> Resource:
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        more = {"PolicyName": "debug", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
        return replace(role_, properties={**role_.properties, "Policies": [*role_.get("Policies"), more]})

    def loosened(policy: Resource) -> Resource:
        if "CallersKeepOff" not in str(policy.get("Content")):
            return policy
        content = deepcopy(dict(policy.get("Content")))
        for statement in content["Statement"]:
            if statement["Sid"].startswith("CallersKeepOff"):
                statement["Resource"] = [item + "-old" for item in statement["Resource"]]
        return replace(policy, properties={**policy.properties, "Content": content})

    wide = changed("role/app", everything, compiled(complete()))
    open_ = wide.with_resources(map(loosened, wide))
    for estate, status in ((wide, Status.PASS), (open_, Status.FAIL)):
        findings = judge(context_of(complete(), estate, proofs=True), frozenset({SLUG}))
        assert {item.status for item in findings} == {status}
        assert {item.confidence for item in findings} == {"proved"}


# -- what it costs ---------------------------------------------------------------------------------------------------


def test_without_a_knowledge_base_nothing_more_is_asked() -> None:
    resources, asked = read_all({"bedrock-agent:ListKnowledgeBases": {"knowledgeBaseSummaries": []}}, *KINDS)
    assert resources == []
    assert asked == ["bedrock-agent:ListKnowledgeBases"]
    assert judge(bare(account=OWN), frozenset({SLUG}))[0].status is Status.NOT_APPLICABLE


def test_a_shared_collection_is_read_once() -> None:
    told = collection()
    first = told["bedrock-agent:GetKnowledgeBase"]["knowledgeBase"]
    second = {**first, "knowledgeBaseId": "KB00000002", "roleArn": f"{ROLE}-2"}
    one = told["bedrock-agent:ListKnowledgeBases"]["knowledgeBaseSummaries"][0]
    told["bedrock-agent:ListKnowledgeBases"] = {
        "knowledgeBaseSummaries": [one, {**one, "knowledgeBaseId": "KB00000002"}]
    }
    told["bedrock-agent:GetKnowledgeBase"] = by(
        "knowledgeBaseId", {base["knowledgeBaseId"]: {"knowledgeBase": base} for base in (first, second)}
    )
    resources, asked = read_all(told, *KINDS)
    (store,) = [item for item in resources if item.type == KINDS[1]]
    assert store.get("KnowledgeBases") == ["KB00000001", "KB00000002"]
    assert store.get("Roles") == [ROLE, f"{ROLE}-2"]
    assert [asked.count(name) for name in sorted(set(asked)) if name.startswith("opensearchserverless")] == [
        1
    ] * 5
    assert asked.count("bedrock-agent:ListKnowledgeBases") == 1
    assert asked.count("bedrock-agent:GetKnowledgeBase") == 2
