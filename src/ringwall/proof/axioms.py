"""Facts about requests that proofs may use: what AWS puts into every request, and what it never puts together.

Without them a proof would speak of requests that nobody can send, and a witness could be one. Each has a name, by which
an answer lists it and a question may disable it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_USER_GUIDE: Final = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_KEYS: Final = _USER_GUIDE + "reference_policies_condition-keys.html"
_REFERENCE: Final = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html"


@dataclass(frozen=True, slots=True)
class Axiom:
    """A fact about requests.

    Attributes:
        name: slug.
        sentence: what is taken for granted.
        source: AWS page that says so.
    """

    name: str
    sentence: str
    source: str


KEYS_PER_ACTION: Final = "keys-per-action"
KEYS_ALWAYS_PRESENT: Final = "keys-always-present"
PRINCIPAL_DETERMINES_KEYS: Final = "principal-determines-keys"
RESOURCE_DETERMINES_ACCOUNT: Final = "resource-determines-account"
RESOURCE_SHAPES: Final = "resource-shapes"
ONE_PARTITION: Final = "one-partition"
SINGLE_VALUED_KEYS: Final = "single-valued-keys"
TYPED_VALUES: Final = "typed-values"
VPC_ENDPOINT_KEYS: Final = "vpc-endpoint-keys"
ENDPOINT_POLICY_MEANS_ENDPOINT: Final = "endpoint-policy-means-endpoint"
REGION_OF_RESOURCE: Final = "region-of-resource"
UNSPECIFIED_REGION: Final = "unspecified-region"
SERVICE_LINKED_ROLES_APART: Final = "service-linked-roles-apart"
BEARER_TOKEN_TYPE: Final = "bearer-token-type"  # noqa: S105 - the name of an axiom

_ALL: Final = (
    Axiom(
        KEYS_PER_ACTION,
        "A request carries only the condition keys that the Service Authorization Reference lists for its action, and "
        "global keys.",
        _REFERENCE,
    ),
    Axiom(
        KEYS_ALWAYS_PRESENT,
        "Every signed request carries aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:userid, "
        "aws:PrincipalIsAWSService, aws:RequestedRegion, aws:SecureTransport, aws:CurrentTime, aws:EpochTime, "
        "aws:UserAgent and aws:ViaAWSService.",
        _KEYS,
    ),
    Axiom(
        PRINCIPAL_DETERMINES_KEYS,
        "aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:PrincipalIsAWSService, "
        "aws:PrincipalServiceName and aws:username follow from the principal.",
        _KEYS,
    ),
    Axiom(
        RESOURCE_DETERMINES_ACCOUNT,
        "Where the resource's ARN names an account, aws:ResourceAccount is that account.",
        _KEYS + "#condition-keys-resourceaccount",
    ),
    Axiom(
        RESOURCE_SHAPES,
        "The resource of a request has the ARN format of one of the action's resource types, or is * for an action "
        "without any, or that creates or lists and requires none.",
        _REFERENCE,
    ),
    Axiom(
        ONE_PARTITION,
        "A principal reaches resources of its own partition only.",
        _USER_GUIDE + "reference-arns.html",
    ),
    Axiom(
        SINGLE_VALUED_KEYS,
        "A key that AWS describes as single-valued has one value at most.",
        _USER_GUIDE + "reference_policies_condition-single-vs-multi-valued-context-keys.html",
    ),
    Axiom(
        TYPED_VALUES,
        "The value of a numeric, date, Boolean, IP address or binary key is one.",
        _USER_GUIDE + "reference_policies_elements_condition_operators.html",
    ),
    Axiom(
        VPC_ENDPOINT_KEYS,
        "A request through a VPC endpoint carries aws:SourceVpce, aws:SourceVpc and aws:VpcSourceIp and no "
        "aws:SourceIp; any other request carries none of the three.",
        _KEYS + "#condition-keys-sourcevpce",
    ),
    Axiom(
        ENDPOINT_POLICY_MEANS_ENDPOINT,
        "Where the policy of a VPC endpoint bears on a request, the request came through it and carries "
        "aws:SourceVpce.",
        "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
    ),
    Axiom(
        REGION_OF_RESOURCE,
        "A request to Amazon Bedrock on a resource whose ARN names a Region has that Region as aws:RequestedRegion; "
        "inference across Regions is authorized in each destination Region by itself.",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html",
    ),
    Axiom(
        UNSPECIFIED_REGION,
        "aws:RequestedRegion is 'unspecified' for foundation models whose ARN names no Region (global inference "
        "profiles), and for nothing else.",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html",
    ),
    Axiom(
        SERVICE_LINKED_ROLES_APART,
        "Only AWS services use service-linked roles; 'any principal' does not include them.",
        _USER_GUIDE + "id_roles_create-service-linked-role.html",
    ),
    Axiom(
        BEARER_TOKEN_TYPE,
        "CallWithBearerToken carries the key's type, SHORT_TERM or LONG_TERM.",
        "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html",
    ),
)

AXIOMS: Mapping[str, Axiom] = MappingProxyType({axiom.name: axiom for axiom in _ALL})
"""Every axiom by name. All are on unless a question disables them."""

ALWAYS_PRESENT: Final = frozenset(
    {
        "aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:userid", "aws:principalisawsservice",
        "aws:requestedregion", "aws:securetransport", "aws:currenttime", "aws:epochtime", "aws:useragent",
        "aws:viaawsservice",
    }
)  # fmt: skip
"""Keys of :data:`KEYS_ALWAYS_PRESENT`, lower-cased."""

ABSENT_UNLESS_USER: Final = ("aws:username",)
ABSENT_UNLESS_SERVICE: Final = ("aws:principalservicename", "aws:principalservicenameslist")
ABSENT_UNLESS_IDENTITY: Final = (
    "aws:principalarn",
    "aws:principalaccount",
    "aws:principaltype",
    "aws:userid",
    "aws:principalisawsservice",
)
"""Keys that only users, only services, and only principals with an IAM or STS ARN carry."""
