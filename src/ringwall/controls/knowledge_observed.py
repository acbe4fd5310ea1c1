"""Knowledge bases that are there and that nobody declared, by what they read and with whose rights.

Buckets count as sources through which documents pass on their way (a custom transformation's) or in which parts of them stay
(images beside their vectors): who writes there writes answers. A knowledge base without sources whose role is gone reads
nothing, and nothing is said of it. Vector stores are for ``vector-store-closed``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.controls.authority import Trust, deputy, reach
from ringwall.controls.authority import unread as unread_role
from ringwall.controls.outsiders import deputies, let_in, named_in, outsiders
from ringwall.controls.verdicts import fail, ok, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.controls.context import CheckContext
    from ringwall.controls.control import Control
    from ringwall.controls.findings import Finding
    from ringwall.estate.model import Resource

TYPE = "AWS::Bedrock::KnowledgeBase"
BEDROCK = "bedrock.amazonaws.com"
SUPPLEMENTED = ("vectorKnowledgeBaseConfiguration", "managedKnowledgeBaseConfiguration")
"""Types of knowledge bases that keep images and the like beside their vectors."""
REMEDY = "name the account in the role's trust, narrow the role, and close the bucket to others"


def observed(context: CheckContext, control: Control) -> Iterator[Finding]:
    """A finding for each knowledge base that is there, has something to read, and is not declared."""
    reason = context.unread(TYPE)
    if reason is not None:
        yield unknown(context, control, None, f"knowledge bases could not be listed: {reason}", name=TYPE)
    perimeter = context.perimeter
    declared = {base.id for base in perimeter.knowledge_bases.values()} if perimeter is not None else set()
    for base in context.observed.of_type(TYPE, account=context.account):
        if base.id != "?" and base.id not in declared:
            yield from _Base(context, control, base).findings()


class _Base:
    """One knowledge base; what could not be read collects in ``unread``."""

    def __init__(self, context: CheckContext, control: Control, base: Resource) -> None:
        self.context = context
        self.control = control
        self.base = base
        self.name = f"knowledge base {base.get('Name', base.id)}"
        self.unread = [f"{item.property} could not be read: {item.reason}" for item in base.unknown]
        self.evidence: list[Resource] = []

    def findings(self) -> Iterator[Finding]:
        """The verdict, if there is anything to judge."""
        problems = [*self._role(), *(words for source in self._sources() for words in self._source(source))]
        context, control, base = self.context, self.control, self.base
        if problems:
            summary = f"{self.name}: " + "; ".join(problems)
            yield fail(context, control, base, summary, REMEDY, details={"problems": problems})
        elif self.unread:
            yield unknown(context, control, base, f"{self.name}: " + "; ".join(self.unread))
        elif self.evidence or self._sources():
            words = (
                f"{self.name} reads its own sources, for this account alone, and nobody outside reaches them"
            )
            yield ok(context, control, base, words, *self.evidence)

    def _sources(self) -> list[Mapping[str, Any]]:
        """Data sources, and the buckets through which what they hold passes or in which parts of it stay."""
        sources = list(self.base.get("DataSources", ()))
        places = [str(item["IntermediateStorage"]) for item in sources if item.get("IntermediateStorage")]
        own = self.base.get("KnowledgeBaseConfiguration") or {}
        for member in SUPPLEMENTED:
            storage = (own.get(member) or {}).get("supplementalDataStorageConfiguration") or {}
            places += [
                str((item.get("s3Location") or {}).get("uri")) for item in storage.get("storageLocations", ())
            ]
        buckets = dict.fromkeys(_bucket(self.context.partition, place) for place in places)
        return [*sources, *({"Name": arn, "Type": "S3", "BucketArn": arn} for arn in buckets)]

    def _role(self) -> Iterator[str]:
        role = str(self.base.get("RoleArn") or "")
        entry = self.context.access.principal(role) if role else None
        if entry is None:
            reason = self.context.unread("AWS::IAM::Role")
            if role and reason is not None:
                self.unread.append(f"its role could not be read: {reason}")
            elif role and self._sources():
                yield f"its role {role.rsplit('/', 1)[-1]} does not exist"
            return
        if entry.resource is not None:
            self.evidence.append(entry.resource)
        gap = unread_role(self.context, entry)
        if gap is not None:
            self.unread.append(f"its role: {gap}")
        yield from (
            f"its role: {words}"
            for words in deputy(self.context, entry, Trust(BEDROCK, self.context.identity(self.base, "Arn")))
        )
        far = list(reach(self.context, role, self.base.region))
        if far:
            yield f"its role can {', '.join(far)}"

    def _source(self, source: Mapping[str, Any]) -> Iterator[str]:
        arn = str(source.get("BucketArn") or "")
        owner = str(source.get("BucketOwnerAccountId") or self.context.account)
        if not arn:
            # A web site or a drive of somebody's: no policy of AWS's says who writes it.
            self.unread.append(
                f"who writes its source {source.get('Name')} ({source.get('Type')}) nothing in AWS says"
            )
            return
        bucket = arn.rsplit(":", 1)[-1]
        if owner not in {account.id for account in self.context.observed.accounts}:
            yield f"its source {bucket} is of account {owner}, whose writers speak through every answer"
            return
        reason = self.context.unread("AWS::S3::BucketPolicy")
        if reason is not None:
            self.unread.append(f"the policy of {bucket} could not be read: {reason}")
            return
        policy = self.context.access.resource_policy(arn)
        if policy is None:
            return
        found = (
            words
            for place in dict.fromkeys((f"{arn}/x", *named_in(policy, f"{arn}/")))
            for who in (outsiders(self.context, policy), deputies(policy))
            for words in let_in(self.context, policy, {"s3:GetObject": place, "s3:PutObject": place}, who)
        )
        for words in dict.fromkeys(found):
            yield f"its source {bucket}: {words}"


def _bucket(partition: str, uri: str) -> str:
    """ARN of the bucket in ``s3://bucket/prefix``."""
    return f"arn:{partition}:s3:::{uri.removeprefix('s3://').split('/', 1)[0]}"
