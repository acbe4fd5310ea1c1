"""How far the sandbox's Bedrock goes, per operation: what is as on AWS, what is approximate, what is left out.

``exact`` means inputs, outputs, errors and effects follow AWS's documentation; ``approximate`` that results come from
stand-ins or heuristics; ``partial`` that part of the operation's inputs has no effect. Operations without a row are
authorized and recorded, and answer 501.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["exact", "approximate", "partial"]

_MODEL = "the answer is a labelled stand-in's unless a model upstream is configured"
_FILTERS = (
    "content filters, prompt attacks, denied topics, grounding, and the PII types NAME, ADDRESS and AGE are lexical heuristics; "
    "images are not evaluated"
)
_TOKENS = "tokens are estimated at four characters each"


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How far one operation goes."""

    level: Level
    note: str


_EXACT = Fidelity("exact", "as documented; effective at once, where AWS takes seconds")
_INFERENCE = Fidelity("approximate", f"{_MODEL}; {_FILTERS}; {_TOKENS}")
_NONE = Fidelity("partial", "none, as none can be made")
_OWN_MODEL = Fidelity("partial", f"kept and shown; invoked by its ARN, {_MODEL}")
_RECORD = Fidelity("partial", "kept and shown; nothing is built from it")

FIDELITY: dict[str, dict[str, Fidelity]] = {
    "bedrock": {
        **dict.fromkeys(
            (
                "CreateGuardrail", "UpdateGuardrail", "CreateGuardrailVersion", "GetGuardrail", "ListGuardrails", "DeleteGuardrail",
                "PutResourcePolicy", "GetResourcePolicy", "DeleteResourcePolicy", "ListEnforcedGuardrailsConfiguration",
                "DeleteEnforcedGuardrailConfiguration", "GetModelInvocationLoggingConfiguration", "TagResource", "UntagResource",
                "DeleteModelInvocationLoggingConfiguration", "ListTagsForResource", "CreateInferenceProfile",
                "DeleteInferenceProfile",
            ),
            _EXACT,
        ),
        "PutEnforcedGuardrailConfiguration": Fidelity("exact", "of the account; those of the organization are Bedrock policies (Organizations), and are enforced too"),
        "PutModelInvocationLoggingConfiguration": Fidelity(
            "exact", "destinations are tried out with AWS's own test object and event; binary data stays inside the record"
        ),
        **dict.fromkeys(
            ("PutAccountDataRetention", "GetAccountDataRetention"), Fidelity("partial", "kept; no model is refused for it")
        ),
        **dict.fromkeys(
            (
                "ListFoundationModels", "GetFoundationModel", "GetFoundationModelAvailability", "ListInferenceProfiles",
                "GetInferenceProfile",
            ),
            Fidelity("partial", "the models of the catalog's dated tables, all of them available in every Region"),
        ),
        **dict.fromkeys(
            ("CreateModelInvocationJob", "GetModelInvocationJob", "ListModelInvocationJobs", "StopModelInvocationJob"),
            Fidelity("partial", "accepted and kept; the job never runs"),
        ),
        **dict.fromkeys(
            (
                "CreateModelCustomizationJob", "GetModelCustomizationJob", "ListModelCustomizationJobs",
                "StopModelCustomizationJob",
            ),
            Fidelity("partial", "the role reads the training data and writes metrics; over after 20 seconds, and nothing is trained; every model can be customized"),
        ),
        "CreateCustomModel": Fidelity("partial", "from S3 alone; the artifacts need only be there, and the base model is always Nova Lite"),
        **dict.fromkeys(
            (
                "GetCustomModel", "DeleteCustomModel", "CreateCustomModelDeployment", "GetCustomModelDeployment",
                "ListCustomModelDeployments", "UpdateCustomModelDeployment", "DeleteCustomModelDeployment",
                "GetImportedModel", "ListImportedModels", "DeleteImportedModel",
            ),
            _OWN_MODEL,
        ),
        "ListCustomModels": Fidelity("partial", f"{_OWN_MODEL.note}; no account shares models with another"),
        **dict.fromkeys(
            ("CreateModelImportJob", "GetModelImportJob", "ListModelImportJobs"),
            Fidelity("partial", "the role reads the model's files, of which config.json alone matters; over at once"),
        ),
        **dict.fromkeys(
            (
                "CreateProvisionedModelThroughput", "GetProvisionedModelThroughput", "ListProvisionedModelThroughputs",
                "UpdateProvisionedModelThroughput", "DeleteProvisionedModelThroughput",
            ),
            Fidelity("partial", "in service at once, for every model, and without limits on throughput"),
        ),
        **dict.fromkeys(
            ("CreateModelCopyJob", "GetModelCopyJob", "ListModelCopyJobs"),
            Fidelity("partial", "within an account, between Regions; over at once"),
        ),
        **dict.fromkeys(
            ("CreateEvaluationJob", "GetEvaluationJob", "ListEvaluationJobs", "StopEvaluationJob"),
            Fidelity("partial", "accepted and kept; nothing is evaluated, and a job ends only when it is stopped"),
        ),
        **dict.fromkeys(
            ("ListAutomatedReasoningPolicies", "ListMarketplaceModelEndpoints", "ListPromptRouters"), _NONE
        ),
    },
    "bedrock-runtime": {
        **dict.fromkeys(("Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"), _INFERENCE),
        "ApplyGuardrail": Fidelity("approximate", _FILTERS),
        "InvokeGuardrailChecks": Fidelity("approximate", f"scores are steps of confidence; {_FILTERS}"),
        "CountTokens": Fidelity("approximate", _TOKENS),
        **dict.fromkeys(
            ("StartAsyncInvoke", "GetAsyncInvoke", "ListAsyncInvokes"),
            Fidelity("partial", "accepted and kept; the invocation never ends"),
        ),
    },
    "bedrock-agent": {
        **dict.fromkeys(("TagResource", "UntagResource", "ListTagsForResource"), _EXACT),
        **dict.fromkeys(
            (
                "CreateKnowledgeBase", "GetKnowledgeBase", "ListKnowledgeBases", "DeleteKnowledgeBase", "CreateDataSource",
                "GetDataSource", "ListDataSources", "DeleteDataSource", "CreateAgent", "UpdateAgent", "GetAgent", "ListAgents",
                "PrepareAgent", "DeleteAgent", "CreateAgentAlias", "GetAgentAlias", "ListAgentAliases", "DeleteAgentAlias",
            ),
            _RECORD,
        ),
        **dict.fromkeys(
            ("ListAgentActionGroups", "ListAgentCollaborators", "ListAgentKnowledgeBases", "ListPrompts"), _NONE
        ),
        **dict.fromkeys(
            (
                "CreateFlow", "UpdateFlow", "GetFlow", "ListFlows", "DeleteFlow", "CreateFlowVersion", "GetFlowVersion",
                "ListFlowVersions", "DeleteFlowVersion", "CreateFlowAlias", "UpdateFlowAlias", "GetFlowAlias",
                "ListFlowAliases", "DeleteFlowAlias",
            ),
            _EXACT,
        ),
        **dict.fromkeys(
            ("PrepareFlow", "ValidateFlowDefinition"),
            Fidelity("approximate", "the kinds of findings are AWS's, their texts are not; loops are not looked into"),
        ),
        **dict.fromkeys(
            ("StartIngestionJob", "GetIngestionJob", "ListIngestionJobs"),
            Fidelity("partial", "text documents in S3, read with the knowledge base's role; complete at once"),
        ),
        "GetAgentVersion": Fidelity("partial", "a version that an alias leads to, as the working draft is now"),
        "IngestKnowledgeBaseDocuments": Fidelity("partial", "inline text alone"),
    },
    "bedrock-agentcore-control": dict.fromkeys(
        ("ListAgentRuntimes", "ListBrowsers", "ListCodeInterpreters", "ListGateways", "ListMemories"),
        _NONE,
    ),
    "bedrock-agent-runtime": {
        "Retrieve": Fidelity("approximate", "documents in memory, ranked by shared words"),
        **dict.fromkeys(
            ("RetrieveAndGenerate", "RetrieveAndGenerateStream"),
            Fidelity("approximate", f"knowledge bases alone; {_MODEL}"),
        ),
        "InvokeFlow": Fidelity(
            "approximate",
            f"input, output, condition, iterator, collector, prompt, knowledge base, agent, storage and retrieval nodes, one turn; other nodes are refused; {_MODEL}",
        ),
        "InvokeAgent": Fidelity("approximate", f"one model call with the agent's role, no tools, no memory, no trace; {_MODEL}"),
    },
}  # fmt: skip
