"""What several sections of the declaration share: the section itself, and values with AWS's own limits.

Every pattern, length and choice here is that of the API which takes the value in the end; botocore checks none of them
(it knows required members, types and least lengths), so the declaration does. ``tests/perimeter`` holds them against
botocore's service models.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$", description="Twelve digits, quoted.")]
Region = Annotated[
    str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]$", description="A Region name such as us-east-1.")
]
_NAMED = r"([!-~]{1,510}/)?[A-Za-z0-9_+=,.@-]{1,64}"
"""Path and name of a user or role, as IAM takes them."""
PrincipalArn = Annotated[
    str, Field(pattern=rf"^arn:aws[a-z-]*:iam::[0-9]{{12}}:(root|(user|role)/{_NAMED})$")
]
RoleArn = Annotated[str, Field(pattern=rf"^arn:aws[a-z-]*:iam::[0-9]{{12}}:role/{_NAMED}$")]
Slug = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$", description="Lower-case letters, digits and hyphens.")
]
Target = Annotated[str, Field(pattern=r"^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}|[0-9]{12})$")]
AgentOrKnowledgeBaseId = Annotated[str, Field(pattern=r"^[0-9a-zA-Z]{10}$")]
_BASE_MODEL = r"([a-z0-9-]{1,63}[.]{1}[a-z0-9-]{1,63})([:][a-z0-9-]{1,63}){0,2}(/[a-z0-9]{12}){0,1}"
BaseModelId = Annotated[str, Field(pattern=f"^{_BASE_MODEL}$")]
"""A model as enforced guardrails name it: without a profile's geography."""
IncludedModelId = Annotated[str, Field(pattern=f"^(ALL|{_BASE_MODEL})$")]
ModelId = Annotated[
    str,
    Field(
        pattern=r"^([a-z0-9-]{1,63}[.][a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}){0,3}"
        r"|arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:"
        r"(imported-model|provisioned-model|custom-model-deployment)/[a-z0-9]{12})$",
        max_length=2048,
        description="Inference profile id, model id, or ARN of a model of the account's own that can be invoked.",
    ),
]
ExternalId = Annotated[str, Field(pattern=r"^[0-9A-Za-z_+=,.@:/-]*$", min_length=2, max_length=1224)]
KeyPrefix = Annotated[str, Field(pattern=r"^[0-9A-Za-z!_.*'()-]+(/[0-9A-Za-z!_.*'()-]+)*$", max_length=512)]
Guarding = Literal["comprehensive", "selective"]


class Section(BaseModel):
    """A mapping of the declaration: unknown fields are refused, values do not change.

    Numbers and switches are strict (``StrictInt``, ``StrictBool``): ``yes`` is a text in YAML 1.2, and the rules, which see
    what is written, would take it for one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=False)
