"""What is wrong with a vector store, by its type: its network, its policies, its keys, its secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.controls.ask import ask
from ringwall.controls.insiders import insiders
from ringwall.controls.knowledge import STORE_ACTIONS
from ringwall.controls.outsiders import deputies, let_in, outsiders
from ringwall.iam.parser import PolicySyntaxError, parse_policy

if TYPE_CHECKING:
    from ringwall.controls.context import CheckContext
    from ringwall.estate.model import Resource

KEY, BASE = "AWS::KMS::Key", "AWS::Bedrock::KnowledgeBase"
COLLECTION_API = "aoss:APIAccessAll"
BEDROCK = "bedrock.amazonaws.com"
NAMES: Mapping[str, str] = {
    "OPENSEARCH_SERVERLESS": "collection",
    "OPENSEARCH_MANAGED_CLUSTER": "OpenSearch domain",
    "S3_VECTORS": "vector index",
    "RDS": "cluster",
    "NEPTUNE_ANALYTICS": "graph",
    "PINECONE": "Pinecone index",
    "REDIS_ENTERPRISE_CLOUD": "Redis database",
    "MONGO_DB_ATLAS": "MongoDB cluster",
    "MANAGED": "managed store of knowledge base",
    "KENDRA": "Kendra index of knowledge base",
    "SQL": "tables of knowledge base",
    "UNKNOWN": "store of knowledge base",
}


class Store:
    """One store. :meth:`problems` fills what stands beside them.

    Attributes:
        name: what it is called in a summary.
        unread: what could not be read, or lies outside of what AWS tells.
        notes: what a pass says besides.
        evidence: resources that the verdict rests on besides the store.
    """

    def __init__(self, context: CheckContext, resource: Resource) -> None:
        self.context = context
        self.resource = resource
        self.type = str(resource.get("StoreType"))
        self.arn = str(resource.get("Arn") or resource.id)
        self.name = f"{NAMES.get(self.type, 'store')} {resource.get('Name') or _short(resource.id)}"
        self.unread = list(_gaps(resource))
        self.notes: list[str] = []
        self.evidence: list[Resource] = []
        self.allowed = frozenset(map(str, resource.get("Roles", ())))
        if context.perimeter is not None:
            self.allowed |= set(context.perimeter.administrators)

    def problems(self) -> Iterator[str]:
        """What is wrong, in words."""
        yield from self._place()
        if self.resource.get("Exists") is not True:
            if self.resource.unknown_reason("Exists") is None:
                yield "it does not exist"
            return
        yield from JUDGES[self.type](self)

    def _place(self) -> Iterator[str]:
        """Whose it is, and whether it is the declared one."""
        owner = self.arn.split(":")[4] if self.arn.startswith("arn:") else self.context.account
        if owner not in self._inside():
            yield f"it is of account {owner}"
        perimeter = self.context.perimeter
        for base in perimeter.knowledge_bases.values() if perimeter is not None else ():
            if base.id in self.resource.get("KnowledgeBases", ()) and base.vector_store != self.arn:
                yield f"knowledge base {base.id} is declared with {base.vector_store}"

    def _inside(self) -> set[str]:
        return {account.id for account in self.context.observed.accounts} | {self.context.account}

    # -- keys and policies, for every type -------------------------------------------------------------------------

    def key(self, name: str | None, what: str = "it") -> Iterator[str]:
        """Whether a key is the account's own, works, and opens to nobody outside. A declaration asks for one."""
        found = self.context.key(name) if name else None
        if found is not None:
            yield from self._own_key(found, what)
            return
        reason = self.context.unread(KEY)
        if name and reason is not None:
            self.unread.append(f"the key of {what} could not be read: {reason}")
            return
        owner = name.split(":")[4] if name and name.startswith("arn:") else self.context.account
        if owner not in self._inside():
            yield f"{what} is encrypted with a key of account {owner}"
        elif self.context.perimeter is not None:
            yield f"{what} is encrypted with a key of AWS's own, which no policy of the account governs"
        else:
            self.notes.append(f"{what} is encrypted with a key of AWS's own")

    def _own_key(self, key: Resource, what: str) -> Iterator[str]:
        self.evidence.append(key)
        state = str(key.get("KeyState", "Enabled"))
        if key.get("Enabled") is False or state != "Enabled":
            yield f"the key of {what} is {state if state != 'Enabled' else 'Disabled'}"
        gap = key.unknown_reason("KeyPolicy")
        if gap is not None:
            self.unread.append(f"the policy of the key of {what} could not be read: {gap}")
        arn = self.context.identity(key, "Arn")
        policy = self.context.access.resource_policy(arn)
        if policy is not None:
            for words in let_in(self.context, policy, {"kms:Decrypt": arn}, outsiders(self.context, policy)):
                yield f"the key of {what}: {words}"

    def policy(self, document: Any, what: str, targets: Mapping[str, str]) -> Iterator[str]:
        """Whom a resource's own policy admits beyond the service role and the administrators."""
        if not document:
            return
        try:
            policy = parse_policy(document, name=what)
        except PolicySyntaxError as error:
            self.unread.append(f"{what} cannot be read: {error}")
            return
        for who in (outsiders(self.context, policy), deputies(policy)):
            yield from (f"{what}: {words}" for words in let_in(self.context, policy, targets, who))
        for words in insiders(self.context, policy, targets, self.allowed):
            yield f"{what}: {words}"

    def secret(self) -> Iterator[str]:
        """The secret that opens the store: whose it is, its key, and whom its policy admits."""
        arn = self.resource.get("SecretArn")
        if not arn:
            self.unread.append("no secret opens it, and how Bedrock signs in nothing tells")
            return
        owner = str(arn).split(":")[4]
        if owner not in self._inside():
            yield f"its secret is of account {owner}"
        if self.resource.get("SecretExists") is not True:
            if self.resource.unknown_reason("SecretExists") is None:
                yield "its secret does not exist"
            return
        yield from self.key(self.resource.get("SecretKey"), "its secret")
        target = {"secretsmanager:GetSecretValue": str(arn)}
        yield from self.policy(self.resource.get("SecretPolicy"), "the policy of its secret", target)

    # -- by type ---------------------------------------------------------------------------------------------------

    def collection(self) -> Iterator[str]:
        """OpenSearch Serverless. Rules add up: public wins over private, and nothing is ever denied."""
        for entry in self.resource.get("NetworkPolicies", ()):
            services = sorted(set(map(str, entry.get("SourceServices") or ())) - {BEDROCK})
            if entry.get("AllowFromPublic") is True:
                kinds = {str(rule.get("ResourceType")) for rule in entry["Rules"]}
                what = "it" if "collection" in kinds else "its Dashboards"
                yield f"network policy {entry['PolicyName']} opens {what} to the internet"
            elif services:
                self.notes.append(f"network policy {entry['PolicyName']} lets {', '.join(services)} reach it")
        for entry in self.resource.get("DataAccessPolicies", ()):
            for principal in map(str, entry.get("Principal") or ()):
                if self._is_allowed(principal):
                    continue
                words = f"data-access policy {entry['PolicyName']} gives {self._given(principal, entry)}"
                if self._may_serve(principal):
                    self.unread.append(f"{words}, who may serve a knowledge base that could not be read")
                else:
                    yield words
        if self.resource.unknown_reason("KmsKeyArn") is None:
            yield from self.key(self.resource.get("KmsKeyArn"))

    def _is_allowed(self, principal: str) -> bool:
        """Whether a principal is one of those, by its ARN or as a session of it."""
        head, _, rest = principal.partition(":assumed-role/")
        if not rest:
            return principal in self.allowed
        account, role = head.rsplit(":", 1)[-1], rest.split("/", 1)[0]
        return any(
            item.split(":")[4] == account and item.rsplit("/", 1)[-1] == role
            for item in self.allowed
            if ":role/" in item
        )

    def _may_serve(self, principal: str) -> bool:
        """Whether a role may be that of another knowledge base, one that could not be read."""
        bases = self.context.observed.of_type(BASE, account=self.context.account)
        return ":role/" in principal and any(base.unknown_reason("RoleArn") is not None for base in bases)

    def _given(self, principal: str, entry: Mapping[str, Any]) -> str:
        """Who gets what of the collection."""
        permissions = sorted({str(item) for rule in entry["Rules"] for item in rule.get("Permission") or ()})
        words = f"{_who(principal)} {', '.join(permissions)}"
        known = self.context.access.principal(principal) if principal.startswith("arn:") else None
        if known is None or ask(self.context, principal, COLLECTION_API, self.arn).allowed:
            return words
        return f"{words}, though IAM does not give it {COLLECTION_API}"

    def index(self) -> Iterator[str]:
        """S3 Vectors. Buckets of vectors are never public, whatever else their policies say."""
        targets = dict.fromkeys(STORE_ACTIONS["s3vectors"], self.arn)
        yield from self.policy(self.resource.get("Policy"), "its bucket's policy", targets)
        if self.resource.unknown_reason("KmsKeyArn") is None:
            yield from self.key(self.resource.get("KmsKeyArn"))

    def cluster(self) -> Iterator[str]:
        """Aurora."""
        if self.resource.get("StorageEncrypted") is False:
            yield "it is not encrypted"
        else:
            yield from self.key(self.resource.get("KmsKeyArn"))
        public = self.resource.get("PublicInstances", ())
        if public:
            yield f"on the internet: {', '.join(public)}"
        yield from self.secret()

    def domain(self) -> Iterator[str]:
        """OpenSearch. What its own roles admit stands in the domain, which no API of AWS tells."""
        if not self.resource.get("InVpc"):
            yield "its endpoint is on the internet"
        if not self.resource.get("EnforceHttps"):
            yield "it answers without TLS"
        if self.resource.get("Anonymous"):
            yield "it answers whoever does not say who they are"
        if self.resource.get("EncryptedAtRest"):
            yield from self.key(self.resource.get("KmsKeyArn"))
        else:
            yield "it is not encrypted"
        targets = {f"es:ESHttp{verb}": f"{self.arn}/x" for verb in ("Get", "Post", "Put", "Delete")}
        admitted = list(self.policy(self.resource.get("Policy"), "its access policy", targets))
        if admitted and self.resource.get("FineGrained"):
            self.unread += [f"{words}, if the domain's own roles let them" for words in admitted]
        else:
            yield from admitted

    def graph(self) -> Iterator[str]:
        """Neptune Analytics. It has no resource policies: IAM alone decides."""
        if self.resource.get("PublicConnectivity"):
            yield "its endpoint is on the internet"
        yield from self.key(self.resource.get("KmsKeyArn"))

    def outside(self) -> Iterator[str]:
        """Pinecone, Redis, MongoDB: outside of AWS and of what it can tell."""
        endpoint = str(self.resource.get("Endpoint") or "")
        if endpoint.startswith("http:"):
            yield f"{endpoint} is not reached over TLS"
        yield from self.secret()
        way = "by PrivateLink" if self.resource.get("EndpointServiceName") else "over the internet"
        self.unread.append(f"it is reached {way}, and who else reaches it nothing in AWS says")

    def managed(self) -> Iterator[str]:
        """Bedrock's own: it has no other door than the knowledge base."""
        yield from self.key(self.resource.get("KmsKeyArn"))

    def named(self) -> Iterator[str]:
        """Kendra, Redshift, and types of stores that are newer than this."""
        self.unread.append("whom it admits besides the knowledge base is not read")
        yield from ()


def _gaps(resource: Resource) -> Iterator[str]:
    """What could not be read, once for each reason."""
    reasons: dict[str, list[str]] = {}
    for item in resource.unknown:
        reasons.setdefault(item.reason, []).append(item.property)
    for reason, properties in reasons.items():
        told = [name for name in properties if name not in ("Exists", "SecretExists")] or properties
        yield f"{', '.join(told)} could not be read: {reason}"


def _who(principal: str) -> str:
    if principal == "*":
        return "anybody whom IAM lets"
    if principal.endswith(":root"):
        return f"every principal of account {principal.split(':')[4]}"
    return principal.split(":", 5)[-1] if principal.startswith("arn:") else principal


def _short(arn: str) -> str:
    return arn.split(":", 5)[-1] if arn.startswith("arn:") else arn


JUDGES: Mapping[str, Callable[[Store], Iterator[str]]] = {
    "OPENSEARCH_SERVERLESS": Store.collection,
    "OPENSEARCH_MANAGED_CLUSTER": Store.domain,
    "S3_VECTORS": Store.index,
    "RDS": Store.cluster,
    "NEPTUNE_ANALYTICS": Store.graph,
    "PINECONE": Store.outside,
    "REDIS_ENTERPRISE_CLOUD": Store.outside,
    "MONGO_DB_ATLAS": Store.outside,
    "MANAGED": Store.managed,
    "KENDRA": Store.named,
    "SQL": Store.named,
    "UNKNOWN": Store.named,
}
