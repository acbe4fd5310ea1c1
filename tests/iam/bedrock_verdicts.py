"""What AWS answers under each policy of ``data/bedrock_policies.json``, derived by hand from IAM's rules.

For each policy: the type that it is used as, and rows (who, action, resource, context, verdict, why). The callers have
an identity policy that allows everything, unless they are *bare*; a service control policy stands beside
``FullAWSAccess`` in an account below a root that allows everything. Rules:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from __future__ import annotations

ALLOW, EXPLICIT, IMPLICIT = "allow", "explicit_deny", "implicit_deny"

OWN, CENTRAL, OTHER = "111122223333", "999988887777", "444455556666"
ROLE = f"arn:aws:iam::{OWN}:role/"
APP = ROLE + "App"
BARE_APP = "bare " + APP
SERVICE_ROLE = ROLE + "bedrock-service/Agent"
LINKED = ROLE + "aws-service-role/x.amazonaws.com/Linked"
ADMIN = ROLE + "security/BedrockSecurityAdmin"
ADMIN_SESSION = f"arn:aws:sts::{OWN}:assumed-role/BedrockSecurityAdmin/s"
ROOT = f"arn:aws:iam::{OWN}:root"
STRANGER = f"arn:aws:iam::{OTHER}:role/App"
BEDROCK, LOGS = "bedrock.amazonaws.com", "logs.us-east-1.amazonaws.com"
NOBODY = "*"

INVOKE, STREAM, BATCH = (
    "bedrock:InvokeModel",
    "bedrock:InvokeModelWithResponseStream",
    "bedrock:CreateModelInvocationJob",
)
APPLY, TOKEN = "bedrock:ApplyGuardrail", "bedrock:CallWithBearerToken"
MANTLE = "bedrock-mantle:CreateInference"


def model(name, region="us-east-1", account=""):
    return f"arn:aws:bedrock:{region}:{account}:foundation-model/{name}"


def profile(name, region="us-east-1", account=OWN):
    return f"arn:aws:bedrock:{region}:{account}:inference-profile/{name}"


def guardrail(name="abcd1234efgh", region="us-east-1", account=OWN):
    return f"arn:aws:bedrock:{region}:{account}:guardrail/{name}"


def with_guardrail(name="abcd1234efgh:1", **where):
    return {"bedrock:GuardrailIdentifier": guardrail(name, **where)}


CLAUDE, NOVA, EMBED = "anthropic.claude-sonnet-4", "amazon.nova-pro-v1:0", "amazon.titan-embed-text-v2:0"
US_CLAUDE = profile("us." + CLAUDE)
ORG = {"aws:PrincipalOrgID": "o-exampleorgid"}
VPCE = {"aws:SourceVpce": "vpce-0123456789abcdef0"}
PINNED = "us.PROVIDER.MODEL"
THROUGH = {"bedrock:InferenceProfileArn": profile(PINNED)}
KEY = f"arn:aws:kms:us-east-1:{OWN}:key/1"
LOG_GROUP = "arn:aws:logs:us-east-1:111122223333:log-group:/aws/bedrock/model-invocations"
LOG_CONTEXT = "kms:EncryptionContext:aws:logs:arn"
FROM_HERE = {"aws:SourceAccount": OWN, "aws:SourceArn": f"arn:aws:bedrock:us-east-1:{OWN}:model-invocation"}
VIA_BEDROCK = {"kms:ViaService": "bedrock.us-east-1.amazonaws.com"}
CUSTOMIZER, INVOKER = ROLE + "ModelCustomizer", ROLE + "ModelInvoker"
LOGGING_ROLE = ROLE + "BedrockInvocationLogging"
STREAM_ARN = LOG_GROUP + ":log-stream:aws/bedrock/modelinvocations"
OBJECT = f"arn:aws:s3:::BUCKET/invocation-logs/AWSLogs/{OWN}/BedrockModelInvocationLogs/us-east-1/x.json.gz"
TLS, NO_TLS = {"aws:SecureTransport": "true"}, {"aws:SecureTransport": "false"}
SHARED = guardrail(account=CENTRAL)
CREATE_KEY = "iam:CreateServiceSpecificCredential"
FOR_BEDROCK = {"iam:ServiceSpecificCredentialServiceName": "bedrock.amazonaws.com"}
RESPONDER = ROLE + "security/IncidentResponse"
BREAK_GLASS = ROLE + "security/BreakGlass"
RUNTIME = f"arn:aws:bedrock-agentcore:us-east-1:{OWN}:runtime/r"


def region(name, through=None):
    named = {} if through is None else {"bedrock:InferenceProfileArn": through}
    return {"aws:RequestedRegion": name, **named}


VERDICTS = {
    "runtime_endpoint": ("vpc_endpoint", [
        (APP, INVOKE, US_CLAUDE, ORG, ALLOW, "listed profile, own organization"),
        (APP, STREAM, model(CLAUDE, "us-west-2"), ORG, ALLOW, "listed destination Region"),
        (APP, "bedrock:invokemodel", model(CLAUDE), ORG, ALLOW, "actions ignore case"),
        (APP, INVOKE, US_CLAUDE, {}, IMPLICIT, "no organization in the request: StringEquals fails on an absent key"),
        (APP, INVOKE, US_CLAUDE, {"aws:PrincipalOrgID": "o-another"}, IMPLICIT, "another organization"),
        (APP, INVOKE, model(CLAUDE, "eu-west-1"), ORG, IMPLICIT, "Region not listed"),
        (APP, INVOKE, model(CLAUDE, ""), ORG, IMPLICIT, "a global model has no Region, which no listed ARN leaves out"),
        (APP, INVOKE, model(NOVA), ORG, IMPLICIT, "another provider"),
        (APP, INVOKE, profile("eu." + CLAUDE), ORG, IMPLICIT, "another geography"),
        (APP, APPLY, guardrail(region="eu-west-1"), ORG, ALLOW, "the second statement lists every Region"),
        (APP, "bedrock:UpdateGuardrail", guardrail(), ORG, IMPLICIT, "action not listed"),
        (APP, TOKEN, "*", ORG, EXPLICIT, "API keys are denied"),
        (APP, TOKEN, "*", {}, EXPLICIT, "and that needs no organization"),
    ]),
    "private_path": ("scp", [
        (APP, INVOKE, model(CLAUDE), VPCE, ALLOW, "through a listed endpoint: the Deny's first condition fails"),
        (APP, INVOKE, model(CLAUDE), {}, EXPLICIT, "no endpoint: the negated IfExists holds on an absent key"),
        (APP, INVOKE, model(CLAUDE), {"aws:SourceVpce": "vpce-0000"}, EXPLICIT, "somebody else's endpoint"),
        (APP, INVOKE, model(CLAUDE), {"aws:SourceVpce": "VPCE-0123456789ABCDEF0"}, EXPLICIT, "values heed case"),
        (APP, INVOKE, model(CLAUDE), {"aws:ViaAWSService": "true"}, ALLOW, "AWS calls on the principal's behalf"),
        (APP, INVOKE, model(CLAUDE), {"aws:ViaAWSService": "false"}, EXPLICIT, "the principal calls itself"),
        (SERVICE_ROLE, INVOKE, model(CLAUDE), {}, ALLOW, "service roles are exempt"),
        (ROLE + "bedrock-services/Agent", INVOKE, model(CLAUDE), {}, EXPLICIT, "another path, one letter off"),
        (LINKED, INVOKE, model(CLAUDE), {}, ALLOW, "service control policies leave service-linked roles alone"),
        (APP, "bedrock:ListFoundationModels", "*", {}, ALLOW, "not a listed action"),
        (APP, MANTLE, "*", {}, EXPLICIT, "the other endpoint's action is listed"),
        (ROOT, INVOKE, model(CLAUDE), {}, EXPLICIT, "the root user of a member account is bound"),
    ]),
    "invoke_through_profile": ("identity", [
        (APP, INVOKE, profile(PINNED), with_guardrail(), ALLOW, "the profile, with a numbered version"),
        (APP, STREAM, profile(PINNED), with_guardrail("abcd1234efgh:12"), ALLOW, "any number will do"),
        (APP, INVOKE, profile(PINNED), {}, EXPLICIT, "no guardrail: ArnNotLike holds on an absent key"),
        (APP, INVOKE, profile(PINNED), with_guardrail("abcd1234efgh"), EXPLICIT, "the draft has no version"),
        (APP, INVOKE, profile(PINNED), with_guardrail("abcd1234efghi:1"), EXPLICIT, "a longer id"),
        (APP, INVOKE, profile(PINNED), with_guardrail(account=OTHER), EXPLICIT, "another account's guardrail"),
        (APP, INVOKE, profile(PINNED), with_guardrail(region="us-west-2"), EXPLICIT, "another Region's guardrail"),
        (APP, INVOKE, model("PROVIDER.MODEL", "us-east-2"), {**THROUGH, **with_guardrail()}, ALLOW, "through the profile"),
        (APP, INVOKE, model("PROVIDER.MODEL", "us-east-2"), with_guardrail(), IMPLICIT, "not through a profile"),
        (APP, INVOKE, model("PROVIDER.MODEL"), {**with_guardrail(), "bedrock:InferenceProfileArn": profile("eu.x")},
         IMPLICIT, "through another profile"),
        (APP, INVOKE, model("PROVIDER.MODEL", "eu-west-1"), {**THROUGH, **with_guardrail()}, IMPLICIT, "Region not listed"),
        (APP, INVOKE, profile("us.provider.model"), with_guardrail(), IMPLICIT, "resources heed case"),
        (APP, "bedrock:GetInferenceProfile", profile(PINNED), {}, ALLOW, "the Deny is about invoking"),
        (APP, APPLY, guardrail(), {}, ALLOW, "listed guardrail"),
        (APP, APPLY, guardrail("other"), {}, IMPLICIT, "another guardrail"),
        (APP, BATCH, "*", {}, EXPLICIT, "side door"),
        (APP, MANTLE, "*", {}, EXPLICIT, "side door: every action of the prefix"),
        (APP, TOKEN, "*", {}, EXPLICIT, "side door"),
        (APP, "bedrock:CountTokens", profile(PINNED), {}, IMPLICIT, "nobody allows it"),
    ]),
    "guardrail_administrator": ("identity", [
        (APP, "bedrock:ListGuardrails", "*", {}, ALLOW, "an action without resources"),
        (APP, "bedrock:PutEnforcedGuardrailConfiguration", "*", {}, ALLOW, "likewise"),
        (APP, "bedrock:UpdateGuardrail", guardrail(), {}, ALLOW, "own account"),
        (APP, "bedrock:DeleteGuardrail", guardrail(region="eu-central-1"), {}, ALLOW, "every Region"),
        (APP, APPLY, f"arn:aws:bedrock:us-east-2:{OWN}:guardrail-profile/us.guardrail.v1:0", {}, ALLOW, "a profile"),
        (APP, "bedrock:UpdateGuardrail", guardrail(account=OTHER), {}, IMPLICIT, "another account"),
        (APP, "bedrock:UpdateGuardrail", "*", {}, IMPLICIT, "* as a resource is no guardrail's ARN"),
        (APP, "bedrock:TagResource", f"arn:aws:bedrock:us-east-1:{OWN}:agent/a", {}, IMPLICIT, "not a guardrail"),
        (APP, INVOKE, model(CLAUDE), with_guardrail(), IMPLICIT, "administrators do not invoke"),
    ]),
    "protect_controls": ("scp", [
        (APP, "bedrock:UpdateGuardrail", guardrail(), {}, EXPLICIT, "not the administrator"),
        (APP, "bedrock:DELETEGUARDRAIL", guardrail(), {}, EXPLICIT, "actions ignore case"),
        (APP, "bedrock-mantle:PutAccountDataRetention", "*", {}, EXPLICIT, "the other prefix is listed"),
        (APP, "bedrock:GetGuardrail", guardrail(), {}, ALLOW, "reading is not listed"),
        (ADMIN, "bedrock:UpdateGuardrail", guardrail(), {}, ALLOW, "the administrator"),
        (ROLE + "BedrockSecurityAdmin", "bedrock:UpdateGuardrail", guardrail(), {}, EXPLICIT, "the path is missing"),
        (ADMIN_SESSION, "bedrock:UpdateGuardrail", guardrail(), {"aws:PrincipalArn": ADMIN}, ALLOW,
         "a session's PrincipalArn is its role's, path and all"),
        (ADMIN_SESSION, "bedrock:UpdateGuardrail", guardrail(), {}, EXPLICIT, "a session's own ARN tells no path"),
        (f"arn:aws:iam::{OWN}:user/security/BedrockSecurityAdmin", "bedrock:UpdateGuardrail", guardrail(), {}, EXPLICIT,
         "a user of that name is no role"),
        (ROOT, "bedrock:UpdateGuardrail", guardrail(), {}, EXPLICIT, "the root user of a member account is bound"),
        (LINKED, "bedrock:UpdateGuardrail", guardrail(), {}, ALLOW, "service-linked roles are not bound"),
    ]),
    "require_guardrail": ("scp", [
        (APP, INVOKE, model(CLAUDE), with_guardrail("abcd1234efgh:3", account=CENTRAL), ALLOW, "the central guardrail"),
        (APP, INVOKE, model(CLAUDE), with_guardrail("abcd1234efgh:3", account=CENTRAL, region="eu-west-1"), ALLOW,
         "in any Region"),
        (APP, INVOKE, model(CLAUDE), with_guardrail("localapproved1:1"), ALLOW, "the account's own: the variable is 1111..."),
        (APP, INVOKE, model(CLAUDE), with_guardrail("localapproved1:1", account=OTHER), EXPLICIT, "somebody else's own"),
        (APP, INVOKE, model(CLAUDE), with_guardrail("abcd1234efgh:3"), EXPLICIT, "the central id, but another account"),
        (APP, INVOKE, model(CLAUDE), with_guardrail("abcd1234efgh", account=CENTRAL), EXPLICIT, "the draft"),
        (APP, INVOKE, model(CLAUDE), {}, EXPLICIT, "no guardrail: StringNotLike holds on an absent key"),
        (APP, STREAM, US_CLAUDE, {}, EXPLICIT, "profiles are not exempt"),
        (APP, INVOKE, model(EMBED), {}, ALLOW, "embeddings are exempt"),
        (APP, INVOKE, model(EMBED, account=OWN), {}, EXPLICIT, "an ARN with an account is no foundation model's"),
        (SERVICE_ROLE, INVOKE, model(CLAUDE), {}, ALLOW, "service roles are exempt"),
        (SERVICE_ROLE, MANTLE, "*", {}, EXPLICIT, "but not from the second statement"),
        (APP, BATCH, "*", with_guardrail("abcd1234efgh:3", account=CENTRAL), EXPLICIT, "batch carries no guardrail"),
        (APP, "bedrock:InvokeAgent", f"arn:aws:bedrock:us-east-1:{OWN}:agent-alias/a/b", {}, ALLOW, "not a listed action"),
    ]),
    "regions": ("scp", [
        (APP, "bedrock:CreateGuardrail", "*", region("us-east-1"), ALLOW, "listed Region"),
        (APP, "bedrock:CreateGuardrail", "*", region("eu-west-1"), EXPLICIT, "another Region"),
        (APP, "bedrock:CreateGuardrail", "*", region("US-EAST-1"), EXPLICIT, "values heed case"),
        (APP, "bedrock:CreateGuardrail", "*", {}, EXPLICIT, "StringNotEquals holds on an absent key"),
        (APP, "bedrock:InvokeAgent", "*", region("eu-west-1"), EXPLICIT, "the star of Invoke*Agent may be empty"),
        (APP, "bedrock:RetrieveAndGenerate", "*", region("eu-west-1"), EXPLICIT, "Retrieve* covers it"),
        (APP, APPLY, guardrail(region="us-east-2"), region("us-east-2"), ALLOW, "left out on purpose"),
        (APP, INVOKE, model(CLAUDE, "us-west-2"), region("us-west-2"), ALLOW, "listed Region, no profile needed"),
        (APP, INVOKE, model(CLAUDE, "us-east-2"), region("us-east-2", US_CLAUDE), ALLOW, "through a listed Region's profile"),
        (APP, INVOKE, model(CLAUDE, "us-east-2"), region("us-east-2"), EXPLICIT, "directly"),
        (APP, INVOKE, model(CLAUDE, "us-east-2"), region("us-east-2", profile("us." + CLAUDE, "us-east-2")), EXPLICIT,
         "through a profile of a Region that is not listed"),
        (APP, INVOKE, model(CLAUDE, "eu-west-1"), region("eu-west-1", profile("eu." + CLAUDE)), EXPLICIT, "another geography"),
        (APP, INVOKE, model(CLAUDE, "us-east-2"),
         region("us-east-2", f"arn:aws:bedrock:us-east-1:{OWN}:application-inference-profile/a"), EXPLICIT,
         "an application profile is another resource type"),
        (APP, INVOKE, model(CLAUDE, ""), region("unspecified", profile("global." + CLAUDE)), EXPLICIT, "global routing"),
        (APP, INVOKE, model(CLAUDE, ""), region("unspecified", US_CLAUDE), EXPLICIT, "unspecified, whatever the profile"),
        (APP, "bedrock:ListGuardrails", "*", region("eu-west-1"), ALLOW, "reading is not listed"),
    ]),
    "approved_models": ("scp", [
        (APP, INVOKE, model(CLAUDE, "eu-west-1"), {}, ALLOW, "approved model in any Region"),
        (APP, INVOKE, model(CLAUDE, ""), {}, ALLOW, "a star may be empty: also the global ARN"),
        (APP, INVOKE, model("anthropic.claude"), {}, EXPLICIT, "the hyphen is missing"),
        (APP, INVOKE, model(NOVA), {}, EXPLICIT, "another model"),
        (APP, INVOKE, model(CLAUDE, account=OWN), {}, EXPLICIT, "foundation models have no account"),
        (APP, INVOKE, US_CLAUDE, {}, ALLOW, "approved profile"),
        (APP, INVOKE, profile("us." + NOVA), {}, EXPLICIT, "another profile"),
        (APP, INVOKE, f"arn:aws:bedrock:us-east-1:{OWN}:application-inference-profile/a", {}, ALLOW, "all of these"),
        (APP, INVOKE, f"arn:aws:bedrock:us-east-1:{OWN}:project/default", {}, ALLOW, "the default project"),
        (APP, INVOKE, f"arn:aws:bedrock:us-east-1:{OWN}:project/other", {}, EXPLICIT, "another project"),
        (APP, MANTLE, "*", {"bedrock-mantle:Model": CLAUDE}, ALLOW, "approved on the other endpoint too"),
        (APP, MANTLE, "*", {}, EXPLICIT, "no model: StringNotLike holds on an absent key"),
        (APP, "bedrock-mantle:CreateFineTuningJob", "*", {"bedrock-mantle:Model": "openai.gpt"}, EXPLICIT, "another model"),
    ]),
    "data_retention": ("scp", [
        (APP, "bedrock:PutAccountDataRetention", "*", {"bedrock:DataRetentionMode": "none"}, ALLOW, "none"),
        (APP, "bedrock:PutAccountDataRetention", "*", {"bedrock:DataRetentionMode": "inherit"}, EXPLICIT, "anything else"),
        (APP, "bedrock:PutAccountDataRetention", "*", {"bedrock:DataRetentionMode": "None"}, EXPLICIT, "values heed case"),
        (APP, "bedrock:PutAccountDataRetention", "*", {}, EXPLICIT, "StringNotEquals holds on an absent key"),
        (APP, "bedrock-mantle:PutAccountDataRetention", "*", {"bedrock:DataRetentionMode": "none"}, EXPLICIT,
         "that is the other service's key"),
        (APP, "bedrock-mantle:PutAccountDataRetention", "*", {"bedrock-mantle:DataRetentionMode": "none"}, ALLOW, "none"),
        (APP, "bedrock-mantle:CreateProject", "*", {}, ALLOW, "no mode sent: Null is false"),
        (APP, "bedrock-mantle:CreateProject", "*", {"bedrock-mantle:DataRetentionMode": "inherit"}, ALLOW, "listed"),
        (APP, "bedrock-mantle:UpdateProject", "*", {"bedrock-mantle:DataRetentionMode": "full"}, EXPLICIT, "not listed"),
        (APP, "bedrock:GetAccountDataRetention", "*", {}, ALLOW, "reading is not listed"),
    ]),
    "log_group_key": ("resource", [
        (LOGS, "kms:Encrypt", KEY, {LOG_CONTEXT: LOG_GROUP}, ALLOW, "the log group's own service and context"),
        (LOGS, "kms:GenerateDataKeyWithoutPlaintext", KEY, {LOG_CONTEXT: LOG_GROUP}, ALLOW, "GenerateDataKey* covers it"),
        (LOGS, "kms:Encrypt", KEY, {LOG_CONTEXT: LOG_GROUP + "-2"}, IMPLICIT, "another log group"),
        (LOGS, "kms:Encrypt", KEY, {}, IMPLICIT, "ArnEquals fails on an absent key"),
        ("logs.eu-west-1.amazonaws.com", "kms:Encrypt", KEY, {LOG_CONTEXT: LOG_GROUP}, IMPLICIT, "another Region's service"),
        (LOGS, "kms:ScheduleKeyDeletion", KEY, {LOG_CONTEXT: LOG_GROUP}, IMPLICIT, "action not listed"),
        (APP, "kms:Decrypt", KEY, {}, ALLOW, "the account statement lets identity policies decide"),
        (BARE_APP, "kms:Decrypt", KEY, {}, IMPLICIT, "and there is none"),
        (ROOT, "kms:PutKeyPolicy", KEY, {}, ALLOW, "the account itself"),
        (STRANGER, "kms:Decrypt", KEY, {}, IMPLICIT, "another account is not named"),
    ]),
    "log_bucket_key": ("resource", [
        (BEDROCK, "kms:GenerateDataKey", KEY, FROM_HERE, ALLOW, "delivery from this account and Region"),
        (BEDROCK, "kms:GenerateDataKey", KEY, {**FROM_HERE, "aws:SourceAccount": OTHER}, IMPLICIT, "another account"),
        (BEDROCK, "kms:GenerateDataKey", KEY, {"aws:SourceAccount": OWN}, IMPLICIT, "no SourceArn"),
        (BEDROCK, "kms:GenerateDataKey", KEY, {"aws:SourceArn": FROM_HERE["aws:SourceArn"]}, IMPLICIT, "no SourceAccount"),
        (BEDROCK, "kms:GenerateDataKey", KEY, {**FROM_HERE, "aws:SourceArn": f"arn:aws:bedrock:eu-west-1:{OWN}:x"},
         IMPLICIT, "another Region"),
        (BEDROCK, "kms:Decrypt", KEY, FROM_HERE, IMPLICIT, "delivery need not read"),
        ("delivery.logs.amazonaws.com", "kms:GenerateDataKey", KEY, FROM_HERE, IMPLICIT, "another service"),
        (APP, "kms:GenerateDataKey", KEY, {}, ALLOW, "through the account statement"),
    ]),
    "custom_model_key": ("resource", [
        ("bare " + CUSTOMIZER, "kms:GenerateDataKey", KEY, VIA_BEDROCK, ALLOW, "a key policy that names the role is enough"),
        ("bare " + CUSTOMIZER, "kms:GenerateDataKey", KEY, {}, IMPLICIT, "not through Bedrock"),
        (CUSTOMIZER, "kms:GenerateDataKey", KEY, {}, ALLOW, "but the account statement and its identity policy allow it"),
        ("bare " + INVOKER, "kms:Decrypt", KEY, VIA_BEDROCK, ALLOW, "invoking decrypts"),
        (f"bare arn:aws:sts::{OWN}:assumed-role/ModelInvoker/s", "kms:Decrypt", KEY, VIA_BEDROCK, ALLOW,
         "a role's name means its sessions"),
        ("bare " + INVOKER, "kms:Decrypt", KEY, {"kms:ViaService": "bedrock.us-west-2.amazonaws.com"}, IMPLICIT,
         "another Region"),
        ("bare " + INVOKER, "kms:GenerateDataKey", KEY, VIA_BEDROCK, IMPLICIT, "invoking does not encrypt"),
        (f"arn:aws:iam::{OTHER}:role/ModelInvoker", "kms:Decrypt", KEY, VIA_BEDROCK, IMPLICIT, "another account's role"),
    ]),
    "logging_role_trust": ("resource", [
        (BEDROCK, "sts:AssumeRole", LOGGING_ROLE, FROM_HERE, ALLOW, "Bedrock for this account and Region"),
        (BEDROCK, "sts:AssumeRole", LOGGING_ROLE, {**FROM_HERE, "aws:SourceAccount": OTHER}, IMPLICIT, "confused deputy"),
        (BEDROCK, "sts:AssumeRole", LOGGING_ROLE, {"aws:SourceAccount": OWN}, IMPLICIT, "no SourceArn"),
        (BEDROCK, "sts:AssumeRole", LOGGING_ROLE, {}, IMPLICIT, "neither"),
        (BEDROCK, "sts:AssumeRole", LOGGING_ROLE, {**FROM_HERE, "aws:SourceArn": f"arn:aws:bedrock:us-west-2:{OWN}:x"},
         IMPLICIT, "another Region"),
        ("lambda.amazonaws.com", "sts:AssumeRole", LOGGING_ROLE, FROM_HERE, IMPLICIT, "another service"),
        (BEDROCK, "sts:TagSession", LOGGING_ROLE, FROM_HERE, IMPLICIT, "action not listed"),
        (APP, "sts:AssumeRole", LOGGING_ROLE, {}, IMPLICIT, "the trust policy must allow, whatever the identity policy says"),
    ]),
    "logging_role_permissions": ("identity", [
        (LOGGING_ROLE, "logs:PutLogEvents", STREAM_ARN, {}, ALLOW, "the one stream"),
        (LOGGING_ROLE, "logs:CreateLogStream", STREAM_ARN, {}, ALLOW, "the one stream"),
        (LOGGING_ROLE, "logs:PutLogEvents", STREAM_ARN + "2", {}, IMPLICIT, "another stream"),
        (LOGGING_ROLE, "logs:PutLogEvents", LOG_GROUP + ":*", {}, IMPLICIT, "the group is not the stream"),
        (LOGGING_ROLE, "logs:PutLogEvents", STREAM_ARN.replace("us-east-1", "eu-west-1"), {}, IMPLICIT, "another Region"),
        (LOGGING_ROLE, "logs:PutLogEvents", STREAM_ARN.replace(OWN, OTHER), {}, IMPLICIT, "another account"),
        (LOGGING_ROLE, "logs:CreateLogGroup", LOG_GROUP, {}, IMPLICIT, "action not listed"),
    ]),
    "log_bucket": ("resource", [
        (BEDROCK, "s3:PutObject", OBJECT, {**FROM_HERE, **TLS}, ALLOW, "delivery from this account and Region"),
        (BEDROCK, "s3:PutObject", OBJECT, {**FROM_HERE, **NO_TLS}, EXPLICIT, "not over TLS"),
        (BEDROCK, "s3:PutObject", OBJECT, FROM_HERE, ALLOW, "Bool fails on an absent key, so the Deny does not apply"),
        (BEDROCK, "s3:PutObject", OBJECT, TLS, IMPLICIT, "no SourceAccount, no SourceArn"),
        (BEDROCK, "s3:PutObject", OBJECT.replace(OWN, OTHER), {**FROM_HERE, **TLS}, IMPLICIT, "another account's folder"),
        (BEDROCK, "s3:PutObject", OBJECT.replace("invocation-logs", "logs"), {**FROM_HERE, **TLS}, IMPLICIT, "another prefix"),
        (BEDROCK, "s3:GetObject", OBJECT, {**FROM_HERE, **TLS}, IMPLICIT, "delivery need not read"),
        (APP, "s3:GetObject", OBJECT, TLS, ALLOW, "the identity policy allows, the bucket's does not object"),
        (APP, "s3:GetObject", OBJECT, NO_TLS, EXPLICIT, "nobody without TLS"),
        (APP, "s3:ListBucket", "arn:aws:s3:::BUCKET", NO_TLS, EXPLICIT, "also on the bucket itself"),
        (NOBODY, "s3:GetObject", OBJECT, TLS, IMPLICIT, "anonymous callers are not allowed"),
        (NOBODY, "s3:GetObject", OBJECT, NO_TLS, EXPLICIT, "and denied without TLS"),
    ]),
    "guardrail": ("resource", [
        (APP, APPLY, SHARED, ORG, ALLOW, "across accounts both sides allow"),
        (BARE_APP, APPLY, SHARED, ORG, IMPLICIT, "the caller's side does not"),
        (APP, APPLY, SHARED, {}, IMPLICIT, "StringEquals fails on an absent key"),
        (APP, APPLY, SHARED, {"aws:PrincipalOrgID": "o-another"}, IMPLICIT, "another organization"),
        (APP, "bedrock:UpdateGuardrail", SHARED, ORG, IMPLICIT, "action not listed"),
        (APP, APPLY, guardrail("other", account=CENTRAL), ORG, IMPLICIT, "another guardrail"),
        (f"bare arn:aws:iam::{CENTRAL}:role/Own", APPLY, SHARED, ORG, ALLOW, "within the account the policy is enough"),
        (NOBODY, APPLY, SHARED, {}, IMPLICIT, "anonymous callers have no organization"),
    ]),
    "api_keys": ("scp", [
        (APP, CREATE_KEY, f"arn:aws:iam::{OWN}:user/u", FOR_BEDROCK, EXPLICIT, "a key for Bedrock"),
        (APP, "iam:UpdateServiceSpecificCredential", f"arn:aws:iam::{OWN}:user/u", FOR_BEDROCK, EXPLICIT, "or a change of one"),
        (APP, CREATE_KEY, f"arn:aws:iam::{OWN}:user/u",
         {"iam:ServiceSpecificCredentialServiceName": "codecommit.amazonaws.com"}, ALLOW, "another service's credential"),
        (APP, CREATE_KEY, f"arn:aws:iam::{OWN}:user/u", {}, ALLOW, "StringEquals fails on an absent key: no Deny"),
        (RESPONDER, "iam:UpdateServiceSpecificCredential", f"arn:aws:iam::{OWN}:user/u", FOR_BEDROCK, ALLOW, "responders may"),
        (APP, "iam:DeleteServiceSpecificCredential", f"arn:aws:iam::{OWN}:user/u", FOR_BEDROCK, ALLOW, "deleting is fine"),
        (APP, TOKEN, "*", {"bedrock:BearerTokenType": "LONG_TERM"}, EXPLICIT, "use of a long-term key"),
        (APP, TOKEN, "*", {"bedrock:bearerTokenType": "LONG_TERM"}, EXPLICIT, "keys ignore case"),
        (APP, TOKEN, "*", {"bedrock:BearerTokenType": "SHORT_TERM"}, ALLOW, "a short-term key"),
        (APP, TOKEN, "*", {"bedrock:BearerTokenType": "long_term"}, ALLOW, "values heed case"),
        (APP, "bedrock-mantle:CallWithBearerToken", "*", {"bedrock:BearerTokenType": "LONG_TERM"}, ALLOW,
         "that is the other service's key"),
        (RESPONDER, TOKEN, "*", {"bedrock:BearerTokenType": "LONG_TERM"}, EXPLICIT, "use is denied to everybody"),
    ]),
    "agentcore": ("scp", [
        (APP, "bedrock-agentcore:CreateAgentRuntime", "*", {"bedrock-agentcore:subnets": ["subnet-1", "subnet-2"]}, ALLOW,
         "in a VPC"),
        (APP, "bedrock-agentcore:CreateAgentRuntime", "*", {}, EXPLICIT, "no subnets: the key is null"),
        (APP, "bedrock-agentcore:CreateBrowser", "*", {"bedrock-agentcore:subnets": []}, EXPLICIT, "an empty list is null"),
        (APP, "bedrock-agentcore:CreateGateway", "*", {}, ALLOW, "not a listed action"),
        (APP, "bedrock-agentcore:InvokeAgentRuntimeCommand", RUNTIME, {}, EXPLICIT, "no shell"),
        (APP, "bedrock-agentcore:InvokeAgentRuntime", RUNTIME, {}, ALLOW, "invoking is not a shell"),
        (BREAK_GLASS, "bedrock-agentcore:InvokeAgentRuntimeCommandShell", RUNTIME, {}, ALLOW, "break-glass role"),
        (BREAK_GLASS, "bedrock-agentcore:CreateBrowser", "*", {}, EXPLICIT, "which is not exempt from the first statement"),
    ]),
}  # fmt: skip
