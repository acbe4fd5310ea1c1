"""Knowledge bases whose sources and service role the perimeter makes, and custom models whose key it makes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from ringwall.perimeter.section import AgentOrKnowledgeBaseId, KeyPrefix, RoleArn, Section

SecretArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws(|-cn|-us-gov):secretsmanager:[a-z0-9-]{1,20}:([0-9]{12}|):secret:[a-zA-Z0-9!/_+=.@-]{1,512}$"
    ),
]
VectorStoreArn = Annotated[
    str,
    Field(
        pattern=r"^arn:aws[a-z-]*:("
        r"aoss:[a-z0-9-]+:[0-9]{12}:collection/[a-z0-9-]{3,32}"
        r"|s3vectors:[a-z0-9-]+:[0-9]{12}:bucket/[a-z0-9.-]{3,63}/index/[a-z0-9.-]{3,63}"
        r"|rds:[a-z0-9-]+:[0-9]{12}:cluster:[a-zA-Z0-9-]{1,63}"
        r"|es:[a-z0-9-]+:[0-9]{12}:domain/[a-z][a-z0-9-]{3,28}"
        r"|neptune-graph:[a-z0-9-]+:[0-9]{12}:graph/g-[a-zA-Z0-9]{10})$",
        description="OpenSearch Serverless collection, S3 vector index, Aurora cluster, OpenSearch domain or Neptune graph.",
    ),
]


class KnowledgeBase(Section):
    """What a knowledge base needs and its callers must not have: source bucket, key, service role.

    The knowledge base itself is created on top of them; ``id`` then narrows the role's trust to it.
    """

    id: AgentOrKnowledgeBaseId | None = Field(
        default=None, description="The knowledge base's id, once it is there."
    )
    embedding_model: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9-]{1,63}[.][a-z0-9-]{1,63}([.:]?[a-z0-9-]{1,63}){0,3}$",
            description="Foundation model in the source Region, such as amazon.titan-embed-text-v2:0.",
        ),
    ]
    vector_store: VectorStoreArn
    secret: SecretArn | None = Field(default=None, description="Credentials of an Aurora vector store.")
    prefix: KeyPrefix | None = Field(default=None, description="Only below this prefix of the source bucket.")

    @model_validator(mode="after")
    def _complete(self) -> KnowledgeBase:
        if ":rds:" in self.vector_store and self.secret is None:
            msg = "an Aurora vector store needs secret, the ARN of its credentials in Secrets Manager"
            raise ValueError(msg)
        return self


class CustomModels(Section):
    """The key of custom models. Bedrock uses it by a grant that the customizing role makes, not as a service."""

    customizers: Annotated[tuple[RoleArn, ...], Field(min_length=1)] = Field(
        description="Roles that start customization jobs."
    )
    invokers: tuple[str, ...] = Field(default=(), description="Uses that invoke the models.")
