"""A condition key that does not exist.

## What it finds

Condition keys that are neither global (`aws:...`) nor any service's. `bedrock:GuardrailArn` is the best known; the key
is `bedrock:GuardrailIdentifier`.

## Why

AWS stores the policy without a word, and the key is absent from every request. What that means depends on the operator:
`StringEquals` never matches, `StringNotEquals` and `Null: true` always do.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"ArnLike": {"bedrock:GuardrailArn": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh:1"}}}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"ArnLike": {"bedrock:GuardrailIdentifier": "arn:aws:bedrock:us-east-1:111122223333:guardrail/abcd1234efgh:1"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
- https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html
"""

from __future__ import annotations

from collections.abc import Iterator

from ringwall.catalog import Catalog
from ringwall.lint.document import Clause, Document
from ringwall.lint.matching import carried, did_you_mean, expanded
from ringwall.lint.rule import Mark, Rule
from ringwall.lint.templates import known

# On no page of AWS's, but in policies that AWS itself manages (AWSSSOServiceRolePolicy).
UNDOCUMENTED = frozenset({"aws:principalorgmasteraccountid"})


def check(document: Document) -> Iterator[Mark]:
    """Every key of every condition."""
    for clause in document.clauses:
        for path, test in clause.tests():
            key = test.key
            if (
                known(key)
                and key.lower() not in UNDOCUMENTED
                and document.catalog.key_type(key) is None
                and not carried(clause, key, document.catalog)
            ):
                nearest = _nearest(key, clause, document.catalog)
                yield Mark(
                    path,
                    f"there is no condition key {key}; no request carries it",
                    f"did you mean {nearest}?" if nearest else None,
                    at_key=True,
                )


def _nearest(key: str, clause: Clause, catalog: Catalog) -> str | None:
    candidates = {name.lower(): name for name in _spelled(clause, catalog)}
    if ":" not in key:
        exact = candidates.get(f"aws:{key.lower()}")
        if exact:
            return exact
    return did_you_mean(key, candidates.values(), cutoff=0.65)


def _spelled(clause: Clause, catalog: Catalog) -> Iterator[str]:
    keys: set[str] = set()
    for index, action in enumerate(expanded(clause, catalog)):
        if index >= 64:
            break
        keys |= catalog.condition_keys(action)
    if not keys:
        keys |= catalog.condition_keys("sts:AssumeRole")
    for key in sorted(keys):
        yield SPELLING.get(key, key)


SPELLING = {
    key.lower(): key
    for key in (
        "bedrock:GuardrailIdentifier", "bedrock:InferenceProfileArn", "bedrock:PromptRouterArn", "bedrock:ServiceTier",
        "bedrock:ModelArn", "bedrock:ProjectArn", "bedrock:BearerTokenType", "bedrock:DataRetentionMode",
        "bedrock:InlineAgentName", "bedrock-mantle:Model", "bedrock-mantle:ServiceTier",
        "bedrock-mantle:DataRetentionMode", "bedrock-mantle:BearerTokenType", "aws:CalledVia", "aws:CurrentTime",
        "aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent", "aws:PrincipalAccount", "aws:PrincipalArn",
        "aws:PrincipalIsAWSService", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:PrincipalServiceName",
        "aws:PrincipalTag/", "aws:PrincipalType", "aws:RequestedRegion", "aws:RequestTag/", "aws:ResourceAccount",
        "aws:ResourceOrgID", "aws:ResourceOrgPaths", "aws:ResourceTag/", "aws:SecureTransport", "aws:SourceAccount",
        "aws:SourceArn", "aws:SourceIdentity", "aws:SourceIp", "aws:SourceOrgID", "aws:SourceVpc", "aws:SourceVpce",
        "aws:TagKeys", "aws:TokenIssueTime", "aws:UserAgent", "aws:ViaAWSService", "aws:VpcSourceIp",
        "iam:PassedToService", "kms:CallerAccount", "kms:GrantIsForAWSResource", "kms:ViaService", "sts:ExternalId",
        "sts:RoleSessionName",
    )
}  # fmt: skip
"""AWS's spelling of keys that people write often; the catalog holds lower case, which works as well."""

RULE = Rule(
    slug="unknown-condition-key",
    title="A condition key that does not exist",
    severity="error",
    page=__doc__ or "",
    check=check,
)
