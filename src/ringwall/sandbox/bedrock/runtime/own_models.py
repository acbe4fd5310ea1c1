"""Models of an account's own, as inference calls name them: by a deployment, Provisioned Throughput or imported model.

What is encrypted under a customer managed key is decrypted in the caller's name, so the key has its say on each use.

User guide: "Set up inference for a custom model", "Encryption of model customization jobs and artifacts".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.catalog import models as catalog_models
from ringwall.sandbox.bedrock.control.keys import unwrap_key
from ringwall.sandbox.bedrock.custom.models import foundation
from ringwall.sandbox.bedrock.faults import fault

if TYPE_CHECKING:
    from ringwall.sandbox.bedrock.scope import Scope
    from ringwall.sandbox.bedrock.state import Tagged
    from ringwall.sandbox.call import Call

# Part of the ARN -> the attribute of Regional that holds what it names.
_KINDS = {
    "provisioned-model": "throughputs",
    "custom-model-deployment": "deployments",
    "imported-model": "imported_models",
}
# Beginning of a model's architecture -> the provider whose request and response shapes it has.
_SHAPES = {"llama": "meta", "mllama": "meta", "mistral": "mistral", "mixtral": "mistral"}


def own_model(scope: Scope, call: Call, arn: str) -> catalog_models.Model | None:
    """The model behind an ARN, as the foundation model that answers for it; ``None`` for ARNs of other kinds.

    Raises:
        AwsError: ``ResourceNotFoundException``, or what KMS says where the caller may not use the model's key.
    """
    kind, _, key = arn.rpartition(":")[2].partition("/")
    if kind not in _KINDS:
        return None
    home = scope.home(call)
    found: Tagged | None = getattr(home, _KINDS[kind]).get(key)
    if found is None or found.arn != arn:
        raise fault(call.service, "ResourceNotFoundException", f"Could not resolve the resource {arn}.")
    if kind == "imported-model":
        unwrap_key(scope, call, found.shape.get("modelKmsKeyArn"), found.wrapped_key)
        return _imported(found)
    model = home.custom_models.get(found.shape["modelArn"].rpartition("/")[2])
    if model is not None:
        unwrap_key(scope, call, model.shape.get("modelKmsKeyArn"), model.wrapped_key)
    return foundation(model.shape["baseModelArn"] if model else found.shape["modelArn"])


def _imported(imported: Tagged) -> catalog_models.Model:
    """An imported model as a foundation model of its architecture's shapes; chat completions for every other."""
    architecture = str(imported.shape.get("modelArchitecture", "")).lower()
    provider = next((known for start, known in _SHAPES.items() if architecture.startswith(start)), "imported")
    return catalog_models.Model(
        id=f"{provider}.{imported.shape['modelName']}",
        name=imported.shape["modelName"],
        provider=provider,
        input=("TEXT",),
        output=("TEXT",),
        streaming=True,
        converse=bool(imported.shape["instructSupported"]),
        on_demand=True,
        legacy=None,
        end_of_life=None,
        source="imported",
        read="",
        verified=False,
    )
