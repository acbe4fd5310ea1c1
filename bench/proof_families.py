"""Published families of questions, each growing with one number. They are made from a seed, so that others can make them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ringwall.controls.compile import compile_estate
from ringwall.estate.model import Estate, Resource
from ringwall.estate.references import bind, placeholders
from ringwall.iam.codec import policies_from_json
from ringwall.perimeter import Perimeter, load
from ringwall.proof.claims import claim_from_json
from ringwall.proof.question import Question

QUICKSTART = Path(__file__).resolve().parents[1] / "examples/quickstart/ringwall.yaml"
ACCOUNT = "111122223333"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
GUARDRAIL = f"arn:aws:bedrock:us-east-1:{ACCOUNT}:guardrail/abcdefghijkl:*"
INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
MODELS = [
    f"{vendor}-{number}"
    for vendor in ("anthropic.claude", "amazon.nova", "meta.llama")
    for number in range(20)
]
Json = dict[str, Any]


def document(*statements: Json) -> Json:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def guardrail(statements: int, *, hole: bool = False, levels: int = 1, seed: int = 0) -> Question:
    """Nobody invokes a model without the guardrail, over identity policies, SCPs and an endpoint policy.

    Args:
        statements: of the identity policy: two fifths invoke some models in some Regions, a fifth is about S3, a fifth
            about the account's own resources by tag, a tenth denies a model, a tenth allows all but something.
        hole: the SCP forgets streaming, so that the claim is violated.
        levels: of SCPs; the guardrail's is at the root.
        seed: of the choice of models and Regions.
    """
    chance = random.Random(seed)  # noqa: S311 - published, not secret
    held = INVOKE[:1] if hole else INVOKE
    root = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": held, "Resource": "*",
         "Condition": {"StringNotLike": {"bedrock:GuardrailIdentifier": GUARDRAIL}}},
        {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*",
         "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2", "eu-west-1"]}}},
    ]  # fmt: skip
    below = [
        [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "bedrock:*",
                "Resource": f"arn:aws:bedrock:*::foundation-model/old{level}.*",
            },
        ]
        for level in range(1, levels)
    ]
    endpoint = {"Effect": "Allow", "Principal": "*", "Action": "bedrock:*", "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-ringwallsb"}}}  # fmt: skip
    policies = policies_from_json(
        {
            "identity": [
                {"name": "own", "document": document(*(_statement(at, chance) for at in range(statements)))}
            ],
            "scp": [
                {"target": str(level), "policies": [{"name": f"scp{level}", "document": document(*listed)}]}
                for level, listed in enumerate([root, *below])
            ],
            "vpc_endpoint": [{"name": "endpoint", "document": document(endpoint)}],
        }
    )
    body = {"Action": INVOKE, "Condition": {"StringNotLike": {"bedrock:GuardrailIdentifier": GUARDRAIL}}}
    return Question("guardrail", ROLE, policies, claim_from_json({"never": body}))


def _statement(number: int, chance: random.Random) -> Json:
    kind = chance.random()
    if kind < 0.4:
        regions = [chance.choice(["*", "us-east-1", "us-west-2", "eu-*"]) for _ in range(3)]
        return {
            "Effect": "Allow",
            "Action": INVOKE,
            "Resource": [
                f"arn:aws:bedrock:{one}::foundation-model/{chance.choice(MODELS)}*" for one in regions
            ],
            "Condition": {
                "StringEquals": {
                    "aws:RequestedRegion": chance.sample(["us-east-1", "us-west-2", "eu-west-1"], 2)
                }
            },
        }
    if kind < 0.6:
        return {
            "Effect": "Allow",
            "Action": ["s3:Get*", "s3:List*"],
            "Resource": f"arn:aws:s3:::b{number}-*/*",
        }
    if kind < 0.8:
        return {
            "Effect": "Allow",
            "Action": "bedrock:*",
            "Resource": f"arn:aws:bedrock:*:{ACCOUNT}:*/*{number}*",
            "Condition": {"StringLike": {"aws:PrincipalTag/team": f"t{number}*"}},
        }
    if kind < 0.9:
        return {
            "Effect": "Deny",
            "Action": "bedrock:Invoke*",
            "Resource": f"arn:aws:bedrock:*::foundation-model/{chance.choice(MODELS)}*",
            "Condition": {"StringNotEquals": {"aws:PrincipalTag/dept": f"d{number}"}},
        }
    return {
        "Effect": "Allow",
        "NotAction": ["iam:*", f"s3:Put{number}*"],
        "Resource": "*",
        "Condition": {"StringLike": {"aws:UserAgent": f"agent{number}/*"}},
    }


def overlapping(number: int) -> Question:
    """A name that has to hold that many parts, with text between and around them, and not two of them side by side."""
    parts = [chr(ord("a") + at) for at in range(number)]
    named = "arn:aws:s3:::b/"
    statements = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{named}*"},
        *(
            {"Effect": "Deny", "Action": "s3:GetObject", "NotResource": f"{named}*{one}*{one}*"}
            for one in parts
        ),
        *({"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"{named}*{one}{one}*"} for one in parts),
    ]
    policies = policies_from_json({"identity": [{"name": "own", "document": document(*statements)}]})
    return Question("overlapping", ROLE, policies, claim_from_json({"never": {"Action": "s3:GetObject"}}))


def estate(
    roles: int, policies: int, seed: int = 1
) -> tuple[Perimeter, Estate, Mapping[str, Mapping[str, str]]]:
    """The quickstart's Estate with further roles, each with so many policies."""
    perimeter = load(QUICKSTART)
    desired = compile_estate(perimeter)
    attributes = placeholders(desired)
    bound = bind(desired, attributes)
    template = next(iter(bound.of_type("AWS::IAM::Role")))
    chance = random.Random(seed)  # noqa: S311 - published, not secret
    made = [_role(template, number, policies, chance) for number in range(roles)]
    return perimeter, replace(bound, resources=(*bound.resources, *made)), attributes


def _role(template: Resource, number: int, policies: int, chance: random.Random) -> Resource:
    name = f"extra{number}"
    listed = [
        {"PolicyName": f"p{at}", "PolicyDocument": document(_of_role(number, chance))}
        for at in range(policies)
    ]
    kept = {
        key: value
        for key, value in template.properties.items()
        if key not in ("ManagedPolicyArns", "PermissionsBoundary")
    }
    properties = {**kept, "RoleName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}", "Policies": listed}
    return replace(template, id=f"role/{name}", properties=properties)


def _of_role(number: int, chance: random.Random) -> Json:
    kind = chance.random()
    if kind < 0.3:
        return {
            "Effect": "Allow",
            "Action": ["s3:Get*", "s3:List*"],
            "Resource": f"arn:aws:s3:::b{number}-*/*",
        }
    if kind < 0.5:
        return {
            "Effect": "Allow",
            "Action": "bedrock:Invoke*",
            "Resource": f"arn:aws:bedrock:*::foundation-model/{chance.choice(MODELS)}*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "us-west-2"]}},
        }
    if kind < 0.7:
        return {"Effect": "Allow", "Action": ["ec2:Describe*", "logs:*"], "Resource": "*"}
    if kind < 0.9:
        table = f"arn:aws:dynamodb:*:{ACCOUNT}:table/t{number}"
        return {"Effect": "Allow", "Action": "dynamodb:*", "Resource": table}
    return {
        "Effect": "Allow",
        "NotAction": ["iam:*", "organizations:*"],
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalTag/team": f"t{number % 7}"}},
    }
