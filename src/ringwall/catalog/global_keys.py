"""What the reference data does not say of global condition keys: which services carry them, and the newest ones.

Follows https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (read 2026-11).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Keys that the page has and the data lacks, and types that the page states otherwise.
CORRECTIONS: Mapping[str, str] = {
    "aws:SignInSessionArn": "ARN",
    "aws:SourceVpcArn": "ARN",
    "codebuild:BuildArn": "ARN",
    "codebuild:ProjectArn": "ARN",
}

# Keys of the request that an action or a resource type must declare.
DECLARED_ONLY = frozenset({"aws:requesttag/", "aws:resourcetag/", "aws:tagkeys"})

_VPC_ARN = frozenset(
    [
        "acm-pca",
        "apprunner",
        "applicationinsights",
        "athena",
        "cloudformation",
        "comprehendmedical",
        "compute-optimizer",
        "datasync",
        "discovery",
        "ebs",
        "ecr",
        "ecs",
        "firehose",
        "healthlake",
        "iam",
        "iotfleetwise",
        "iotwireless",
        "kinesisanalytics",
        "kms",
        "lambda",
        "medical-imaging",
        "omics",
        "payment-cryptography",
        "polly",
        "rbin",
        "rekognition",
        "route53",
        "s3",
        "scheduler",
        "servicediscovery",
        "servicequotas",
        "ssm-contacts",
        "storagegateway",
        "textract",
        "transcribe",
        "transfer",
    ]
)
_VPCE_ACCOUNT = _VPC_ARN | {"dynamodb", "gamelift", "shield"}
_VPCE_ORGANIZATION = _VPCE_ACCOUNT | frozenset(
    [
        "b2bi",
        "cassandra",
        "cognito-identity",
        "dms",
        "ds-data",
        "identitystore",
        "iottwinmaker",
        "network-firewall",
        "pricing",
        "ses",
        "sms-voice",
        "sqs",
        "workmail",
    ]
)

# Keys that only the listed services put into the request. Bedrock is in none of the lists: on its actions these keys
# are always absent, so that a negated test of them always matches.
OF_SERVICES: Mapping[str, frozenset[str]] = {
    "aws:sourceowner": frozenset({"sns"}),
    "aws:sourcevpcarn": _VPC_ARN,
    "aws:vpceaccount": _VPCE_ACCOUNT,
    "aws:vpceorgid": _VPCE_ORGANIZATION,
    "aws:vpceorgpaths": _VPCE_ACCOUNT,
}

# Actions of listed services that nevertheless lack the key.
EXCEPT_ACTIONS: Mapping[str, frozenset[str]] = dict.fromkeys(
    ("aws:sourcevpcarn", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths"), frozenset({"iam:passrole"})
)


def carried_by(action: str) -> frozenset[str]:
    """The lower-cased global keys, of those that not every request has, that requests for a (lower-cased) action carry."""
    keys = _of_service(action.partition(":")[0])
    return frozenset(key for key in keys if action not in EXCEPT_ACTIONS.get(key, ())) if keys else keys


@cache
def _of_service(prefix: str) -> frozenset[str]:
    return frozenset(key for key, services in OF_SERVICES.items() if prefix in services)


# Claims of any OpenID Connect provider, as keys ``provider:claim`` (``oidc.eks.us-east-1.amazonaws.com/id/AB12:sub``):
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html. True = multivalued.
PROVIDER_CLAIMS: Mapping[str, bool] = {"amr": True, "aud": False, "azp": False, "oaud": False, "sub": False}
PROVIDER_ACTIONS = frozenset({"sts:assumerolewithwebidentity", "sts:tagsession", "sts:setsourceidentity"})


def provider_claim(key: str) -> str | None:
    """The claim of a key of an OpenID Connect provider; ``None`` if the key is not of that form."""
    provider, _, claim = key.lower().rpartition(":")
    return claim if claim in PROVIDER_CLAIMS and "." in provider.partition("/")[0] else None
