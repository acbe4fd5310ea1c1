"""Who may do what: a caller's policies, a call, and AWS's answer to it.

Callers are users with these statements alone, unless a case says more: ``boundary``, ``scp``, ``session`` (statements
of a session policy over a role that may do everything), ``key`` and ``bucket`` (statements added to their policies),
``tags`` of the role whose session calls.
"""

from sandbox_contract.scene import ACCOUNT, ALLOW_ALL, CLAUDE, NOVA, REGION, allow, deny, say

MODELS = "arn:aws:bedrock:*::foundation-model/"
SONNET = "anthropic.claude-sonnet-4-5-20250929-v1:0"
PROFILE = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:inference-profile/{CLAUDE}"
TITAN = "amazon.titan-embed-text-v2:0"
RUN = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
INVOKE = allow(*RUN)
NO_GUARDRAIL = {"Condition": {"Null": {"bedrock:GuardrailIdentifier": "true"}}}
WRONG_KEY = {"Condition": {"Null": {"bedrock:GuardrailArn": "true"}}}
TITAN_BODY = b'{"inputText": "x"}'


def converse(**more):
    return "bedrock-runtime", "converse", lambda s: {"modelId": CLAUDE, "messages": say(), **more}


def streamed():
    return "bedrock-runtime", "converse_stream", lambda s: {"modelId": CLAUDE, "messages": say()}


def guarded():
    def parameters(s):
        config = {"guardrailIdentifier": s.guardrail_arn, "guardrailVersion": "1"}
        return {"modelId": CLAUDE, "messages": say(), "guardrailConfig": config}

    return "bedrock-runtime", "converse", parameters


def titan(model=TITAN):
    return "bedrock-runtime", "invoke_model", lambda s: {"modelId": model, "body": TITAN_BODY}


def applied():
    def parameters(s):
        content = [{"text": {"text": "x"}}]
        return {
            "guardrailIdentifier": s.guardrail,
            "guardrailVersion": "1",
            "source": "INPUT",
            "content": content,
        }

    return "bedrock-runtime", "apply_guardrail", parameters


def plain(service, operation, **parameters):
    return service, operation, lambda s: parameters


def named(service, operation, parameters):
    return service, operation, parameters


ENCRYPT = named("kms", "encrypt", lambda s: {"KeyId": s.other_key, "Plaintext": b"x"})
GET = named("s3", "get_object", lambda s: {"Bucket": s.bucket, "Key": "key"})
AGENT = named(
    "bedrock-agent",
    "create_agent",
    lambda s: {
        "agentName": "agent",
        "agentResourceRoleArn": s.for_bedrock,
        "foundationModel": NOVA,
        "instruction": "x" * 50,
    },
)


def customize(name, **more):
    def parameters(s):
        given = {
            "jobName": name,
            "customModelName": name,
            "roleArn": s.for_models,
            "baseModelIdentifier": "amazon.nova-lite-v1:0",
            "trainingDataConfig": {"s3Uri": f"s3://{s.bucket}/key"},
            "outputDataConfig": {"s3Uri": f"s3://{s.bucket}/tuned/"},
        }
        return {**given, **{key: value(s) for key, value in more.items()}}

    return "bedrock", "create_model_customization_job", parameters


def under_key(name):
    return customize(name, customModelKmsKeyId=lambda s: s.other_key)


def flow(name, **more):
    def parameters(s):
        given = {"name": name, "executionRoleArn": s.for_models}
        return {**given, **{key: value(s) for key, value in more.items()}}

    return "bedrock-agent", "create_flow", parameters


def encrypted_flow(name):
    return flow(name, customerEncryptionKeyArn=lambda s: s.other_key)


def entered(s):
    entry = {"nodeName": "Start", "nodeOutputName": "document", "content": {"document": "pumps"}}
    return {"flowIdentifier": s.flow, "flowAliasIdentifier": "TSTALIASID", "inputs": [entry]}


RUN_FLOW = named("bedrock-agent-runtime", "invoke_flow", entered)
FLOW_USES = ("kms:GenerateDataKey", "kms:Decrypt")


def in_context(flows):
    key = "kms:EncryptionContext:aws:bedrock-flows:arn"
    return {"Condition": {"StringLike": {key: f"arn:aws:bedrock:{REGION}:{ACCOUNT}:flow/{flows}"}}}


OWN_MODEL = named("bedrock-runtime", "converse", lambda s: {"modelId": s.kept_model, "messages": say()})
OWN_NAME = named("bedrock", "get_imported_model", lambda s: {"modelIdentifier": "kept"})
IMPORTED = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:imported-model/"
TUNE = allow("bedrock:CreateModelCustomizationJob", "iam:PassRole")
KEY_USES = ("kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt")
THROUGH_BEDROCK = {
    "Condition": {
        "StringEquals": {"kms:ViaService": f"bedrock.{REGION}.amazonaws.com"},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }
}
CALLER = {"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/caller"}}
SEARCH = named(
    "bedrock-agent-runtime",
    "retrieve",
    lambda s: {"knowledgeBaseId": "ABCDEFGHIJ", "retrievalQuery": {"text": "x"}},
)
LISTED = plain("bedrock", "list_guardrails")
USERS = plain("iam", "list_users")
EVERYONE = {"Principal": "*"}

AUTHORIZATIONS = (
    ("no policy", [], converse(), False, {}),
    ("InvokeModel on everything: Converse", [INVOKE], converse(), True, {}),
    ("InvokeModel on everything: ConverseStream", [INVOKE], streamed(), True, {}),
    ("InvokeModel without streams: ConverseStream", [allow(RUN[0])], streamed(), False, {}),
    ("InvokeModel on everything: ListGuardrails", [INVOKE], LISTED, False, {}),
    ("bedrock:Converse is no action", [allow("bedrock:Converse")], converse(), False, {}),
    ("bedrock:* without InvokeModel: Converse", [allow("bedrock:*"), deny(RUN[0])], converse(), False, {}),
    ("bedrock:* without InvokeModel: ListGuardrails", [allow("bedrock:*"), deny(RUN[0])], LISTED, True, {}),
    ("foundation models alone: an inference profile", [allow(*RUN, resource=f"{MODELS}*")], converse(), False, {}),
    ("the profile alone", [allow(*RUN, resource=PROFILE)], converse(), False, {}),
    ("the profile and its models", [allow(*RUN, resource=[PROFILE, f"{MODELS}{SONNET}"])], converse(), True, {}),
    (
        "the profile and its model in one Region",
        [allow(*RUN, resource=[PROFILE, f"arn:aws:bedrock:us-east-1::foundation-model/{SONNET}"])],
        converse(),
        False,
        {},
    ),
    (
        "the models through the profile",
        [
            allow(*RUN, resource=PROFILE),
            allow(*RUN, resource=f"{MODELS}*", Condition={"StringEquals": {"bedrock:InferenceProfileArn": PROFILE}}),
        ],
        converse(),
        True,
        {},
    ),
    ("another family's models: Titan", [allow(*RUN, resource=f"{MODELS}anthropic.*")], titan(), False, {}),
    ("its models: Titan", [allow(*RUN, resource=f"{MODELS}amazon.*")], titan(), True, {}),
    ("Titan denied, by id", [INVOKE, deny("bedrock:*", resource=f"{MODELS}{TITAN}")], titan(), False, {}),
    (
        "Titan denied, by ARN",
        [INVOKE, deny("bedrock:*", resource=f"{MODELS}{TITAN}")],
        titan(f"arn:aws:bedrock:{REGION}::foundation-model/{TITAN}"),
        False,
        {},
    ),
    ("a guardrail required, none sent", [INVOKE, deny(*RUN, **NO_GUARDRAIL)], converse(), False, {}),
    (
        "a guardrail required, one sent",
        [INVOKE, allow("bedrock:ApplyGuardrail"), deny(*RUN, **NO_GUARDRAIL)],
        guarded(),
        True,
        {},
    ),
    (
        "a guardrail required by a key that is none",
        [INVOKE, allow("bedrock:ApplyGuardrail"), deny(*RUN, **WRONG_KEY)],
        guarded(),
        False,
        {},
    ),
    ("a guardrail without ApplyGuardrail", [INVOKE], guarded(), False, {}),
    (
        "another guardrail required",
        [
            INVOKE,
            allow("bedrock:ApplyGuardrail"),
            deny(*RUN, Condition={"StringNotLike": {"bedrock:GuardrailIdentifier": "*/other:*"}}),
        ],
        guarded(),
        False,
        {},
    ),
    (
        "numbered versions required, one sent",
        [
            INVOKE,
            allow("bedrock:ApplyGuardrail"),
            deny(*RUN, Condition={"StringNotLike": {"bedrock:GuardrailIdentifier": "*:guardrail/*:*"}}),
        ],
        guarded(),
        True,
        {},
    ),
    ("ApplyGuardrail on guardrails", [allow("bedrock:ApplyGuardrail", resource="arn:aws:bedrock:*:*:guardrail/*")], applied(), True, {}),
    ("ApplyGuardrail on another", [allow("bedrock:ApplyGuardrail", resource="arn:aws:bedrock:*:*:guardrail/x")], applied(), False, {}),
    ("RetrieveAndGenerate on knowledge bases: Retrieve", [allow("bedrock:RetrieveAndGenerate")], SEARCH, False, {}),
    ("CreateAgent without PassRole", [allow("bedrock:CreateAgent")], AGENT, False, {}),
    ("CreateAgent with PassRole", [allow("bedrock:CreateAgent", "iam:PassRole")], AGENT, True, {}),
    (
        "CreateAgent with PassRole to another service",
        [
            allow("bedrock:CreateAgent"),
            allow("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
        ],
        AGENT,
        False,
        {},
    ),
    ("customization without PassRole", [allow("bedrock:CreateModelCustomizationJob")], customize("a"), False, {}),
    ("customization with PassRole", [TUNE], customize("b"), True, {}),
    (
        "customization of other models alone",
        [allow("iam:PassRole"), allow("bedrock:CreateModelCustomizationJob", resource=f"{MODELS}anthropic.*")],
        customize("c"),
        False,
        {},
    ),
    ("customization under a key, without permission on it", [TUNE], under_key("d"), False, {}),
    ("customization under a key, without CreateGrant", [TUNE, allow(*KEY_USES)], under_key("e"), False, {}),
    ("customization under a key, with all it needs", [TUNE, allow("kms:CreateGrant", *KEY_USES)], under_key("f"), True, {}),
    (
        "grants through Bedrock alone: customization",
        [TUNE, allow(*KEY_USES), allow("kms:CreateGrant", **THROUGH_BEDROCK)],
        under_key("g"),
        True,
        {},
    ),
    (
        "a key that lets the caller use it but not grant",
        [TUNE],
        under_key("h"),
        False,
        {"key": {**allow(*KEY_USES), **CALLER}},
    ),
    ("customization, with an SCP that denies it", [TUNE], customize("i"), False, {"scp": deny("bedrock:CreateModelCustomizationJob")}),
    ("foundation models alone: an imported model", [allow(*RUN, resource=f"{MODELS}*")], OWN_MODEL, False, {}),
    ("imported models alone: an imported model", [allow(*RUN, resource=f"{IMPORTED}*")], OWN_MODEL, True, {}),
    ("a guardrail required: an imported model", [INVOKE, deny(*RUN, **NO_GUARDRAIL)], OWN_MODEL, False, {}),
    ("an imported model, with an SCP that denies all of them", [INVOKE], OWN_MODEL, False, {"scp": deny(*RUN, resource="arn:aws:bedrock:*:*:imported-model/*")}),
    ("imported models by ARN alone: one by its name", [allow("bedrock:GetImportedModel", resource=f"{IMPORTED}*")], OWN_NAME, True, {}),
    ("an imported model's name is no ARN of its", [allow("bedrock:GetImportedModel", resource=f"{IMPORTED}kept")], OWN_NAME, False, {}),
    ("a flow without PassRole", [allow("bedrock:CreateFlow")], flow("a"), False, {}),
    ("a flow with PassRole", [allow("bedrock:CreateFlow", "iam:PassRole")], flow("b"), True, {}),
    ("a flow under a key, without permission on it", [allow("bedrock:CreateFlow", "iam:PassRole")], encrypted_flow("c"), False, {}),
    (
        "a flow under a key, used for flows",
        [allow("bedrock:CreateFlow", "iam:PassRole"), allow(*FLOW_USES, **in_context("*"))],
        encrypted_flow("d"),
        True,
        {},
    ),
    (
        "a flow under a key, used for another flow",
        [allow("bedrock:CreateFlow", "iam:PassRole"), allow(*FLOW_USES, **in_context("ABCDEFGHIJ"))],
        encrypted_flow("e"),
        False,
        {},
    ),
    ("InvokeModel alone: a flow", [INVOKE], RUN_FLOW, False, {}),
    ("InvokeFlow alone: a flow", [allow("bedrock:InvokeFlow")], RUN_FLOW, True, {}),
    ("InvokeFlow on other aliases: a flow", [allow("bedrock:InvokeFlow", resource="arn:aws:bedrock:*:*:flow/*/alias/ABCDEFGHIJ")], RUN_FLOW, False, {}),
    ("InvokeFlow, with an SCP that denies it", [allow("bedrock:InvokeFlow")], RUN_FLOW, False, {"scp": deny("bedrock:InvokeFlow")}),
    ("another Region required", [allow("bedrock:*", Condition={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})], LISTED, False, {}),
    ("this Region required", [allow("bedrock:*", Condition={"StringEquals": {"aws:RequestedRegion": REGION}})], LISTED, True, {}),
    ("an endpoint required", [allow("bedrock:*"), deny("*", Condition={"Null": {"aws:SourceVpce": "true"}})], LISTED, False, {}),
    ("TLS required", [allow("bedrock:*"), deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})], LISTED, True, {}),
    ("MFA required", [allow("bedrock:*", Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}})], LISTED, False, {}),
    ("another address required", [allow("bedrock:*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})], LISTED, False, {}),
    ("its address required", [allow("bedrock:*", Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})], LISTED, True, {}),
    ("a past date", [allow("bedrock:*", Condition={"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}})], LISTED, False, {}),
    ("its organization required", [allow("bedrock:*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-ringwallsb"}})], LISTED, True, {}),
    ("another organization required", [allow("bedrock:*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-other"}})], LISTED, False, {}),
    ("a user name as a variable", [allow("iam:ListUsers", Condition={"StringEquals": {"aws:username": "caller"}})], USERS, True, {}),
    ("NotAction", [{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], USERS, False, {}),
    ("NotResource", [{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::contract-bucket/*"}], GET, False, {}),
    ("a wildcard in the action", [allow("bedrock:List*")], LISTED, True, {}),
    ("another case of the action", [allow("BEDROCK:listguardrails")], LISTED, True, {}),
    ("a boundary that leaves it out", [ALLOW_ALL], LISTED, False, {"boundary": [allow("s3:*")]}),
    ("a boundary that has it", [ALLOW_ALL], LISTED, True, {"boundary": [allow("bedrock:*")]}),
    ("a boundary grants nothing", [], LISTED, False, {"boundary": [ALLOW_ALL]}),
    ("an SCP that denies", [ALLOW_ALL], LISTED, False, {"scp": deny("bedrock:*")}),
    ("an SCP that denies others", [ALLOW_ALL], LISTED, True, {"scp": deny("iam:*")}),
    ("an SCP that exempts the caller", [ALLOW_ALL], LISTED, True, {"scp": deny("bedrock:*", Condition={"StringNotLike": {"aws:PrincipalArn": "*:user/caller"}})}),
    ("an SCP for other Regions", [ALLOW_ALL], LISTED, True, {"scp": deny("bedrock:*", Condition={"StringNotEquals": {"aws:RequestedRegion": [REGION]}})}),
    ("a session policy that leaves it out", [], LISTED, False, {"session": [allow("s3:*")]}),
    ("a session policy that has it", [], LISTED, True, {"session": [allow("bedrock:List*")]}),
    ("a key whose policy leaves it to IAM", [allow("kms:Encrypt")], ENCRYPT, True, {}),
    ("a key without IAM's permission", [], ENCRYPT, False, {}),
    ("a key whose policy denies the caller", [allow("kms:*")], ENCRYPT, False, {"key": {**deny("kms:Encrypt"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/caller"}}}),
    ("a key whose policy names the caller", [], ENCRYPT, True, {"key": {**allow("kms:Encrypt"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/caller"}}}),
    ("a bucket without policy", [allow("s3:GetObject")], GET, True, {}),
    ("a bucket whose policy names the caller", [], GET, True, {"bucket": {**allow("s3:GetObject", resource="arn:aws:s3:::contract-bucket/*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/caller"}}}),
    ("a bucket whose policy denies", [allow("s3:*")], GET, False, {"bucket": {**deny("s3:GetObject", resource="arn:aws:s3:::contract-bucket/*"), **EVERYONE}}),
)  # fmt: skip
"""What, the statements, the call, whether it is allowed, and what more there is."""
