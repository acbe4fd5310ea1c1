"""A private network in aws:SourceIp.

## What it finds

- Private ranges (`10.0.0.0/8`, `192.168.0.0/16`, ...) as values of `aws:SourceIp`.
- Any test of `aws:SourceIp` that needs the key, in the Allow of a VPC endpoint policy.

## Why

`aws:SourceIp` is the public address that a request comes from. Requests through a VPC endpoint do not carry the key at all;
their private address is `aws:VpcSourceIp`, and which network it belongs to says `aws:SourceVpc` or `aws:SourceVpce`.

## Bad

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/16"}}}]}
```

## Good

```json identity
{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel",
 "Resource": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
 "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-0123456789abcdef0"},
               "IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}}}]}
```

## AWS sources

- https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-sourceip
- https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from ringwall.iam.conditions import OPERATORS
from ringwall.lint.document import Document
from ringwall.lint.matching import passes_when_absent
from ringwall.lint.rule import Mark, Rule

_KEY = "aws:sourceip"
_PRIVATE = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"))
)
_HINT = "use aws:VpcSourceIp together with aws:SourceVpc, or aws:SourceVpce"


def check(document: Document) -> Iterator[Mark]:
    """Every test of the key."""
    for clause in document.clauses:
        for path, test in clause.tests():
            if test.key.lower() != _KEY or OPERATORS[test.operator].family != "IpAddress":
                continue
            if document.type == "vpc-endpoint" and clause.allows and not passes_when_absent(test):
                message = (
                    "requests through a VPC endpoint carry no aws:SourceIp: the statement allows nothing"
                )
                yield Mark(path, message, _HINT, at_key=True)
                continue
            listed = clause.raw["Condition"][path[-2]][path[-1]]
            private = [index for index, value in enumerate(test.values) if _is_private(value)]
            for index in private:
                where = (*path, index) if isinstance(listed, list) else path
                message = (
                    f"{test.values[index]} is private: no request has it as aws:SourceIp, its public address"
                )
                # Beside public ranges it does no harm.
                yield Mark(where, message, _HINT, None if len(private) == len(test.values) else "info")


def _is_private(value: str) -> bool:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        return False
    return any(
        network.version == private.version and network.subnet_of(private)  # type: ignore[arg-type]
        for private in _PRIVATE
    )


RULE = Rule(
    slug="source-ip-never-public",
    title="A private network in aws:SourceIp",
    severity="warning",
    page=__doc__ or "",
    check=check,
)
