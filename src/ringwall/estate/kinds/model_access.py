"""``Ringwall::Bedrock::ModelAccess``: whether the account may call a foundation model at all; CloudFormation has no type.

Policies say who may call a model, an agreement whether the account may. AWS enables every model by itself and subscribes the
account to a third party's with the first call, if the caller may subscribe; where callers may not, somebody has to have done
it before. Asked is about the models that are given, in one Region, since an agreement is the account's: without any, nothing.

AWS sources: https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetFoundationModelAvailability.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import Reading
from ringwall.estate.kinds.vpc import ReadOnlyKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

TOLD = ("Exists", "Agreement", "AgreementError", "Authorization", "Entitlement", "InRegion")
GONE = ("ResourceNotFoundException",)


class ModelAccess(ReadOnlyKind):
    """Access to some models, each a resource by its model id; values are the API's words (``NOT_AVAILABLE``).

    Args:
        models: foundation model ids.
        region: where to ask.
    """

    type = "Ringwall::Bedrock::ModelAccess"
    permissions = Permissions(("bedrock:GetFoundationModelAvailability",), ())

    def __init__(self, models: Sequence[str] = (), region: str = "") -> None:
        super().__init__()
        self.models = tuple(models)
        self.region = region

    def read(self, aws: Aws) -> Iterator[Resource]:
        """Each model, in the one Region."""
        for model in self.models if aws.region == self.region else ():
            reading = Reading(aws)
            reading.set(ModelId=model)
            reading.take(TOLD, ("bedrock", "GetFoundationModelAvailability", {"modelId": model}), _told, GONE)
            yield self.seen(aws, model, reading.properties, reading.unknown)


def _told(answer: Mapping[str, Any]) -> dict[str, Any]:
    agreement = answer["agreementAvailability"]
    return {
        "Exists": True,
        "Agreement": agreement["status"],
        "AgreementError": agreement.get("errorMessage"),
        "Authorization": answer["authorizationStatus"],
        "Entitlement": answer["entitlementAvailability"],
        "InRegion": answer["regionAvailability"],
    }
