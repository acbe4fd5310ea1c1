"""The policy has an element that its type does not take.

## What it finds

Names that IAM's grammar does not have (`Actions`, `Conditions`), and elements that do not belong into this type of
policy: `Principal` in an identity-based policy or a service control policy, `Resource` in a role's trust policy,
`Allow` in a resource control policy.

## Why

AWS refuses the document with `MalformedPolicyDocument`.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Actions": "s3:GetObject", "Action": "s3:ListBucket",
 "Resource": "arn:aws:s3:::docs"}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket",
 "Resource": "arn:aws:s3:::docs"}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_syntax.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.iam.locate import Path
from ringwall.lint.document import POLICY_ELEMENTS, STATEMENT_ELEMENTS, Clause, Document
from ringwall.lint.matching import did_you_mean
from ringwall.lint.rule import WITHOUT_PRINCIPAL, Mark, Rule


def check(document: Document) -> Iterator[Mark]:
    """Unknown names first, then what the type does not take."""
    if not isinstance(document.raw, Mapping):
        return
    yield from _unknown(document.raw, (), POLICY_ELEMENTS, "a policy")
    listed = document.raw.get("Statement")
    rows = listed if isinstance(listed, list) else [listed]
    for index, row in enumerate(rows):
        if isinstance(row, Mapping):
            path: Path = ("Statement", index) if isinstance(listed, list) else ("Statement",)
            yield from _unknown(row, path, STATEMENT_ELEMENTS, "a statement")
    for clause in document.clauses:
        yield from _misplaced(document, clause)


def _unknown(value: Mapping[str, Any], path: Path, known: tuple[str, ...], what: str) -> Iterator[Mark]:
    for name in value:
        if name not in known:
            nearest = did_you_mean(name, known)
            hint = f"did you mean {nearest}?" if nearest else f"known are {', '.join(known)}"
            yield Mark((*path, name), f"{what} has no element {name!r}", hint, at_key=True)


def _misplaced(document: Document, clause: Clause) -> Iterator[Mark]:
    kind = document.type
    for name in ("Principal", "NotPrincipal"):
        if name in clause.raw and kind in WITHOUT_PRINCIPAL:
            what = "a service control policy" if kind == "scp" else "an identity-based policy"
            yield Mark(
                (*clause.path, name),
                f"{what} takes no {name}: it speaks of whom it is attached to",
                "test aws:PrincipalArn in Condition"
                if kind == "scp"
                else "remove it, or lint with --type resource",
                at_key=True,
            )
    if kind == "trust":
        for name in ("Resource", "NotResource"):
            if name in clause.raw:
                yield Mark(
                    (*clause.path, name),
                    f"a role's trust policy takes no {name}: the role itself is the resource",
                    f"remove {name}",
                    at_key=True,
                )
    if kind == "rcp" and not _is_default_rcp(clause):
        yield from _rcp(clause)


def _is_default_rcp(clause: Clause) -> bool:
    """Whether it is the statement of RCPFullAWSAccess."""
    statement = clause.statement
    return clause.allows and statement.actions == ("*",) and statement.resources == ("*",)


def _rcp(clause: Clause) -> Iterator[Mark]:
    if clause.allows:
        yield Mark(
            (*clause.path, "Effect"),
            "a resource control policy of your own can only Deny; RCPFullAWSAccess alone allows",
            "write a Deny with the opposite condition",
        )
    principal = clause.statement.principal
    if "NotPrincipal" in clause.raw or (principal is not None and not _is_anyone(clause)):
        yield Mark(
            clause.element("Principal", "NotPrincipal"),
            'a resource control policy takes no other principal than "*"',
            'write "Principal": "*" and test aws:PrincipalArn in Condition',
        )
    if "NotAction" in clause.raw:
        yield Mark(
            (*clause.path, "NotAction"),
            "a resource control policy takes no NotAction",
            "list Action",
            at_key=True,
        )


def _is_anyone(clause: Clause) -> bool:
    principal = clause.statement.principal
    return principal is not None and (principal.anyone or principal.aws == ("*",))


RULE = Rule(
    slug="unknown-element",
    title="The policy has an element that its type does not take",
    severity="error",
    page=__doc__ or "",
    check=check,
)
