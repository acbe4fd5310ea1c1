"""What the quickstart finds in the sandbox: a knowledge base with a few documents, and an agent with an alias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox.bedrock.state import Tagged

if TYPE_CHECKING:
    from datetime import datetime

    from ringwall.sandbox.bedrock.state import State

ACCOUNT, REGION = "111122223333", "us-east-1"
KNOWLEDGE_BASE, AGENT, ALIAS = "KBQUICKST1", "AGENTQUIC1", "ALIASQUIC1"
_MODEL = "us.amazon.nova-pro-v1:0"
_DOCUMENTS = (
    (
        "travel-policy",
        "Travel policy: book economy class, and submit receipts within thirty days of the journey.",
    ),
    (
        "security-policy",
        "Security policy: report lost laptops to the security desk at once. Passwords are never shared.",
    ),
    (
        "holiday-policy",
        "Holiday policy: employees have twenty-five days of paid holiday a year, agreed with their manager.",
    ),
)


def seed(state: State, now: datetime) -> None:
    """Put the quickstart's knowledge base and agent into the sandbox's member account."""
    home = state.at(ACCOUNT, REGION)
    role = f"arn:aws:iam::{ACCOUNT}:role/service-role/AmazonBedrockExecutionRole_quickstart"
    dates = {"createdAt": now, "updatedAt": now}
    arn = home.arn(f"knowledge-base/{KNOWLEDGE_BASE}")
    embedding = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0"
    base = {
        "knowledgeBaseId": KNOWLEDGE_BASE,
        "name": "quickstart",
        "knowledgeBaseArn": arn,
        "roleArn": role,
        "knowledgeBaseConfiguration": {
            "type": "VECTOR",
            "vectorKnowledgeBaseConfiguration": {"embeddingModelArn": embedding},
        },
        "status": "ACTIVE",
        **dates,
    }
    documents = [{"id": name, "text": text} for name, text in _DOCUMENTS]
    home.knowledge_bases[KNOWLEDGE_BASE] = Tagged(arn, base, documents=documents, built_in=True)
    alias_arn = home.arn(f"agent-alias/{AGENT}/{ALIAS}")
    alias = {
        "agentId": AGENT,
        "agentAliasId": ALIAS,
        "agentAliasName": "quickstart",
        "agentAliasArn": alias_arn,
        "routingConfiguration": [{"agentVersion": "1"}],
        "agentAliasStatus": "PREPARED",
        "aliasInvocationState": "ACCEPT_INVOCATIONS",
        **dates,
    }
    agent = {
        "agentId": AGENT,
        "agentName": "quickstart",
        "agentArn": home.arn(f"agent/{AGENT}"),
        "agentVersion": "DRAFT",
        "agentStatus": "PREPARED",
        "instruction": "You answer questions of employees about the policies of the company, briefly.",
        "foundationModel": _MODEL,
        "orchestrationType": "DEFAULT",
        "idleSessionTTLInSeconds": 600,
        "agentResourceRoleArn": role,
        "preparedAt": now,
        **dates,
    }
    home.agents[AGENT] = Tagged(
        str(agent["agentArn"]), agent, children={ALIAS: Tagged(alias_arn, alias)}, built_in=True
    )
