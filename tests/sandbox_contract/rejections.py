"""Calls that AWS rejects: the call, made in a scene, and the codes that AWS gives (where its pages name several, each)."""

from contextlib import suppress

from sandbox_contract.scene import (
    ABSENT_ROLE,
    ACCOUNT,
    ALARM,
    ALLOW_ALL,
    CLAUDE,
    GROUP,
    GUARDRAIL,
    OWN_KEY,
    REGION,
    RUNTIME,
    SUBNETS,
    VPC,
    allow,
    deny,
    say,
    text,
    trust,
)

HTTPS = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}]
INTERFACE = {
    "VpcId": VPC,
    "ServiceName": RUNTIME,
    "VpcEndpointType": "Interface",
    "SubnetIds": SUBNETS,
    "SecurityGroupIds": [GROUP],
}
NOBODY = {"AWS": ABSENT_ROLE}
SEED_SELECTORS = [
    {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": "AWS::Bedrock::Guardrail", "Values": ["arn:aws:bedrock:*:*:guardrail/*"]}],
    }
]


def field(name, *values):
    return {"Field": name, "Equals": list(values)}


def advanced(*fields):
    return [{"Name": "n", "FieldSelectors": list(fields)}]


LAMBDA = field("resources.type", "AWS::Lambda::Function")
DATA = field("eventCategory", "Data")


def identity(document):
    return lambda s: {"RoleName": "contract", "PolicyName": "p", "PolicyDocument": document}


def converse(**more):
    return lambda s: {"modelId": CLAUDE, "messages": say(), **more}


PICTURE = {"format": "png", "source": {"bytes": b"x"}}
PAPER = {"format": "txt", "name": "paper", "source": {"bytes": b"x"}}


def with_blocks(*blocks, model="amazon.nova-pro-v1:0", texts=("x",)):
    """A user's message of some blocks, beside texts."""
    content = [*({"text": one} for one in texts), *blocks]
    return lambda s: {"modelId": model, "messages": [{"role": "user", "content": content}]}


def guarded(identifier, version):
    return converse(guardrailConfig={"guardrailIdentifier": identifier, "guardrailVersion": version})


def guardrail(name="refused", **more):
    return lambda s: {"name": name, **GUARDRAIL, **more}


def logging(**config):
    return lambda s: {"loggingConfig": config}


def scp(content, kind="SERVICE_CONTROL_POLICY"):
    return lambda s: {"Name": "refused", "Description": "", "Type": kind, "Content": content}


def filters(kind, given="HIGH", answered="HIGH"):
    return {"filtersConfig": [{"type": kind, "inputStrength": given, "outputStrength": answered}]}


NO_MODEL = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:custom-model/amazon.nova-lite-v1:0/abcdefghijkl"


def customize(role="for_models", **more):
    def parameters(s):
        given = {
            "jobName": "refused",
            "customModelName": "refused",
            "roleArn": getattr(s, role),
            "baseModelIdentifier": "amazon.nova-lite-v1:0",
            "trainingDataConfig": {"s3Uri": f"s3://{s.bucket}/key"},
            "outputDataConfig": {"s3Uri": f"s3://{s.bucket}/tuned/"},
        }
        return {**given, **more}

    return parameters


def imported(**more):
    def parameters(s):
        given = {
            "jobName": "refused",
            "importedModelName": "refused",
            "roleArn": s.for_models,
            "modelDataSource": {"s3DataSource": {"s3Uri": f"s3://{s.bucket}/model/"}},
        }
        return {**given, **more}

    return parameters


def enter(flow=None, alias="TSTALIASID", node="Start"):
    entry = {"nodeName": node, "nodeOutputName": "document", "content": {"document": "pumps"}}
    return lambda s: {
        "flowIdentifier": flow or s.flow,
        "flowAliasIdentifier": alias,
        "inputs": [entry],
    }


LARGE_ACTIONS = [f"bedrock:{'x' * 60}{number}" for number in range(200)]
MALFORMED = "MalformedPolicyDocument"
CLAUDE_BODY = b'{"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}'

REJECTIONS = (
    # EC2: security groups and endpoints
    (
        "a rule twice",
        "ec2",
        "authorize_security_group_ingress",
        lambda s: {"GroupId": twice(s, "ec2", "authorize_security_group_ingress", GroupId=GROUP, IpPermissions=HTTPS) or GROUP, "IpPermissions": HTTPS},
        "InvalidPermission.Duplicate",
    ),
    (
        "a group name twice",
        "ec2",
        "create_security_group",
        lambda s: {"GroupName": "application", "Description": "d", "VpcId": VPC},
        "InvalidGroup.Duplicate",
    ),
    (
        "a group in an unknown VPC",
        "ec2",
        "create_security_group",
        lambda s: {"GroupName": "bedrock-endpoint-sg", "Description": "d", "VpcId": "vpc-12345678"},
        "InvalidVpcID.NotFound",
    ),
    (
        "a malformed CIDR",
        "ec2",
        "authorize_security_group_ingress",
        lambda s: {"GroupId": GROUP, "IpPermissions": [{**HTTPS[0], "IpRanges": [{"CidrIp": "10.0.0.0/99"}]}]},
        "InvalidParameterValue",
    ),
    (
        "an endpoint with placeholder ids",
        "ec2",
        "create_vpc_endpoint",
        lambda s: {
            **INTERFACE,
            "VpcId": "vpc-12345678",
            "SubnetIds": ["subnet-12345678", "subnet-87654321"],
            "SecurityGroupIds": ["sg-12345678"],
            "PrivateDnsEnabled": True,
        },
        "InvalidVpcId.NotFound",
    ),
    ("an endpoint policy that is no JSON", "ec2", "create_vpc_endpoint", lambda s: {**INTERFACE, "PolicyDocument": "{bad"}, "InvalidPolicyDocument"),
    ("an endpoint for an unknown service", "ec2", "create_vpc_endpoint", lambda s: {**INTERFACE, "ServiceName": "com.amazonaws.us-east-1.nope"}, "InvalidServiceName"),
    ("private DNS of S3 for on-premises networks alone, which is its default, without a gateway endpoint", "ec2", "create_vpc_endpoint", lambda s: {**INTERFACE, "ServiceName": "com.amazonaws.us-east-1.s3", "PrivateDnsEnabled": True}, "InvalidParameter"),
    ("private DNS for on-premises networks alone where there are no gateway endpoints", "ec2", "create_vpc_endpoint", lambda s: {**INTERFACE, "ServiceName": "com.amazonaws.us-east-1.kms", "DnsOptions": {"PrivateDnsOnlyForInboundResolverEndpoint": True}}, "InvalidParameter"),
    ("private DNS for a service twice", "ec2", "create_vpc_endpoint", lambda s: {**INTERFACE, "PrivateDnsEnabled": True}, "InvalidParameter"),
    ("an endpoint with an unknown group", "ec2", "create_vpc_endpoint", lambda s: {**INTERFACE, "PrivateDnsEnabled": False, "SecurityGroupIds": ["sg-12345678"]}, "InvalidGroup.NotFound"),
    ("changing an unknown endpoint", "ec2", "modify_vpc_endpoint", lambda s: {"VpcEndpointId": "vpce-12345678", "ResetPolicy": True}, "InvalidVpcEndpointId.NotFound"),
    # KMS
    ("another encryption context", "kms", "decrypt", lambda s: {"CiphertextBlob": s.blob, "EncryptionContext": {"a": "c"}}, "InvalidCiphertextException"),
    ("a key policy that is no JSON", "kms", "put_key_policy", lambda s: {"KeyId": s.key, "PolicyName": "default", "Policy": "{bad"}, "MalformedPolicyDocumentException"),
    ("a key policy for an unknown principal", "kms", "put_key_policy", lambda s: {"KeyId": s.key, "PolicyName": "default", "Policy": text(OWN_KEY, {**OWN_KEY, "Principal": NOBODY})}, "MalformedPolicyDocumentException"),
    ("a key policy that locks its author out", "kms", "put_key_policy", lambda s: {"KeyId": s.key, "PolicyName": "default", "Policy": text({**OWN_KEY, "Action": "kms:Encrypt"})}, "MalformedPolicyDocumentException"),
    ("a key policy of another name", "kms", "put_key_policy", lambda s: {"KeyId": s.key, "PolicyName": "custom", "Policy": text(OWN_KEY)}, "NotFoundException"),
    ("a policy for an unknown key", "kms", "put_key_policy", lambda s: {"KeyId": "00000000-0000-0000-0000-000000000000", "PolicyName": "default", "Policy": text(OWN_KEY)}, "NotFoundException"),
    ("an unknown key spec", "kms", "create_key", lambda s: {"KeySpec": "NOPE"}, "ValidationException"),
    ("a key whose policy denies", "kms", "encrypt", lambda s: {"KeyId": s.denied_key, "Plaintext": b"x"}, "AccessDeniedException"),
    ("a disabled key", "kms", "encrypt", lambda s: {"KeyId": s.disabled_key, "Plaintext": b"x"}, "DisabledException"),
    # S3
    ("a bucket policy that is no JSON", "s3", "put_bucket_policy", lambda s: {"Bucket": s.bucket, "Policy": "{bad"}, "MalformedPolicy"),
    ("a bucket policy on another bucket", "s3", "put_bucket_policy", lambda s: {"Bucket": s.bucket, "Policy": text({**deny("s3:*", resource="arn:aws:s3:::other/*"), "Principal": "*"})}, "MalformedPolicy"),
    ("a bucket policy for an unknown principal", "s3", "put_bucket_policy", lambda s: {"Bucket": s.bucket, "Policy": text({**allow("s3:GetObject", resource=f"arn:aws:s3:::{s.bucket}/*"), "Principal": NOBODY})}, "MalformedPolicy"),
    ("a public bucket policy under BlockPublicPolicy", "s3", "put_bucket_policy", lambda s: {"Bucket": s.bucket, "Policy": text({**allow("s3:GetObject", resource=f"arn:aws:s3:::{s.bucket}/*"), "Principal": "*"})}, "AccessDenied"),
    ("an unknown encryption algorithm", "s3", "put_bucket_encryption", lambda s: {"Bucket": s.bucket, "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "rot13"}}]}}, "MalformedXML"),
    ("encryption of an unknown bucket", "s3", "put_bucket_encryption", lambda s: {"Bucket": "no-such-bucket-here", "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}}, "NoSuchBucket"),
    ("an object under an unknown key", "s3", "put_object", lambda s: {"Bucket": s.bucket, "Key": "k", "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": f"{s.key[:-4]}0000"}, "KMS.NotFoundException"),
    ("an object under a disabled key", "s3", "put_object", lambda s: {"Bucket": s.bucket, "Key": "k", "Body": b"x", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": s.disabled_key}, "KMS.DisabledException"),
    # CloudWatch Logs
    ("a log group's key as a bare id", "logs", "create_log_group", lambda s: {"logGroupName": "/refused", "kmsKeyId": s.key_id}, "InvalidParameterException"),
    ("a log group's key that is not there", "logs", "create_log_group", lambda s: {"logGroupName": "/refused", "kmsKeyId": f"{s.key[:-4]}0000"}, "InvalidParameterException"),
    ("a log group's key that does not admit the service", "logs", "create_log_group", lambda s: {"logGroupName": "/refused", "kmsKeyId": s.key}, "InvalidParameterException"),
    ("a log group twice", "logs", "create_log_group", lambda s: {"logGroupName": "/contract"}, "ResourceAlreadyExistsException"),
    ("an odd retention", "logs", "put_retention_policy", lambda s: {"logGroupName": "/contract", "retentionInDays": 17}, "InvalidParameterException"),
    ("retention of an unknown group", "logs", "put_retention_policy", lambda s: {"logGroupName": "/none", "retentionInDays": 7}, "ResourceNotFoundException"),
    # IAM
    ("an inline policy that is no JSON", "iam", "put_role_policy", identity("{bad"), MALFORMED),
    ("an effect in lower case", "iam", "put_role_policy", identity(text({**ALLOW_ALL, "Effect": "allow"})), MALFORMED),
    ("a statement without resource", "iam", "put_role_policy", identity(text({"Effect": "Allow", "Action": "*"})), MALFORMED),
    ("a version of another year", "iam", "put_role_policy", identity(text(ALLOW_ALL).replace("2012", "2013")), MALFORMED),
    ("an action without service", "iam", "put_role_policy", identity(text(allow("InvokeModel"))), MALFORMED),
    ("a principal in an identity policy", "iam", "put_role_policy", identity(text({**ALLOW_ALL, "Principal": "*"})), MALFORMED),
    ("a Sid twice", "iam", "put_role_policy", identity(text({**ALLOW_ALL, "Sid": "A"}, {**ALLOW_ALL, "Sid": "A"})), MALFORMED),
    ("an unknown condition operator", "iam", "put_role_policy", identity(text({**ALLOW_ALL, "Condition": {"StringNope": {"aws:a": "b"}}})), MALFORMED),
    ("a trust policy that is no JSON", "iam", "create_role", lambda s: {"RoleName": "refused", "AssumeRolePolicyDocument": "{bad"}, MALFORMED),
    ("a trust policy for an unknown principal", "iam", "create_role", lambda s: {"RoleName": "refused", "AssumeRolePolicyDocument": text(trust(NOBODY))}, MALFORMED),
    ("attaching an unknown policy", "iam", "attach_role_policy", lambda s: {"RoleName": "contract", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/none"}, "NoSuchEntity"),
    ("a role twice", "iam", "create_role", lambda s: {"RoleName": "contract", "AssumeRolePolicyDocument": text(trust({"Service": "ec2.amazonaws.com"}))}, "EntityAlreadyExists"),
    ("deleting an attached policy", "iam", "delete_policy", lambda s: {"PolicyArn": s.policy}, "DeleteConflict"),
    ("a managed policy that is too long", "iam", "create_policy", lambda s: {"PolicyName": "large", "PolicyDocument": text(allow(*LARGE_ACTIONS))}, "LimitExceeded"),
    # STS
    ("a wrong secret", "sts", "get_caller_identity", lambda s: {"as": {"secret": "wrong"}}, "SignatureDoesNotMatch"),
    ("a token that was never issued", "sts", "get_caller_identity", lambda s: {"as": {"token": "wrong"}}, "InvalidClientTokenId"),
    ("an access key that was never issued", "sts", "get_caller_identity", lambda s: {"as": {"key": "AKIAIOSFODNN7EXAMPLE"}}, "InvalidClientTokenId"),
    ("an unknown role", "sts", "assume_role", lambda s: {"RoleArn": ABSENT_ROLE, "RoleSessionName": "session"}, "AccessDenied"),
    ("a role that trusts a service alone", "sts", "assume_role", lambda s: {"RoleArn": s.for_bedrock, "RoleSessionName": "session"}, "AccessDenied"),
    ("a session longer than the role's", "sts", "assume_role", lambda s: {"RoleArn": s.contract, "RoleSessionName": "session", "DurationSeconds": 7200}, "ValidationError"),
    ("a session that is too short", "sts", "assume_role", lambda s: {"RoleArn": s.contract, "RoleSessionName": "session", "DurationSeconds": 60}, "ValidationError"),
    ("a session name with a blank", "sts", "assume_role", lambda s: {"RoleArn": s.contract, "RoleSessionName": "bad name"}, "ValidationError"),
    # CloudTrail
    ("a trail without bucket", "cloudtrail", "create_trail", lambda s: {"Name": "refused", "S3BucketName": "no-such-bucket-here"}, "S3BucketDoesNotExistException"),
    ("a trail whose bucket does not admit it", "cloudtrail", "create_trail", lambda s: {"Name": "refused", "S3BucketName": s.bucket}, "InsufficientS3BucketPolicyException"),
    ("basic selectors for guardrails", "cloudtrail", "put_event_selectors", lambda s: {"TrailName": "trail", "EventSelectors": SEED_SELECTORS}, "InvalidEventSelectorsException"),
    ("an unknown selector field", "cloudtrail", "put_event_selectors", lambda s: {"TrailName": "trail", "AdvancedEventSelectors": advanced(DATA, LAMBDA, field("nope", "x"))}, "InvalidEventSelectorsException"),
    ("an unknown resource type", "cloudtrail", "put_event_selectors", lambda s: {"TrailName": "trail", "AdvancedEventSelectors": advanced(DATA, field("resources.type", "AWS::Nope::Nope"))}, "InvalidEventSelectorsException"),
    ("both kinds of selectors", "cloudtrail", "put_event_selectors", lambda s: {"TrailName": "trail", "EventSelectors": [{"ReadWriteType": "All"}], "AdvancedEventSelectors": advanced(DATA, LAMBDA)}, "InvalidEventSelectorsException"),
    ("an unknown ReadWriteType", "cloudtrail", "put_event_selectors", lambda s: {"TrailName": "trail", "EventSelectors": [{"ReadWriteType": "Nope"}]}, "InvalidEventSelectorsException"),
    ("selectors of an unknown trail", "cloudtrail", "put_event_selectors", lambda s: {"TrailName": "none", "EventSelectors": [{"ReadWriteType": "All"}]}, "TrailNotFoundException"),
    # Bedrock: control plane
    ("an unknown foundation model", "bedrock", "get_foundation_model", lambda s: {"modelIdentifier": "anthropic.nope-v1:0"}, "ResourceNotFoundException ValidationException"),
    ("logging through an unknown role", "bedrock", "put_model_invocation_logging_configuration", logging(cloudWatchConfig={"logGroupName": "/contract", "roleArn": ABSENT_ROLE}), "ValidationException"),
    ("logging through a role without permission", "bedrock", "put_model_invocation_logging_configuration", logging(cloudWatchConfig={"logGroupName": "/contract", "roleArn": f"arn:aws:iam::{ACCOUNT}:role/for-bedrock"}), "ValidationException"),
    ("logging to an unknown bucket", "bedrock", "put_model_invocation_logging_configuration", logging(s3Config={"bucketName": "no-such-bucket-here"}), "ValidationException"),
    ("logging to nowhere", "bedrock", "put_model_invocation_logging_configuration", logging(textDataDeliveryEnabled=True), "ValidationException"),
    ("a guardrail under an unknown key", "bedrock", "create_guardrail", lambda s: {"name": "refused", **GUARDRAIL, "kmsKeyId": f"{s.key[:-4]}0000"}, "ValidationException ResourceNotFoundException AccessDeniedException"),
    ("an unknown guardrail", "bedrock", "get_guardrail", lambda s: {"guardrailIdentifier": "abcdefghijkl"}, "ResourceNotFoundException"),
    ("an unknown guardrail version", "bedrock", "get_guardrail", lambda s: {"guardrailIdentifier": s.guardrail, "guardrailVersion": "99"}, "ResourceNotFoundException ValidationException"),
    ("a guardrail name twice", "bedrock", "create_guardrail", guardrail("contract"), "ConflictException"),
    ("a guardrail without policy", "bedrock", "create_guardrail", lambda s: {"name": "refused", "blockedInputMessaging": "a", "blockedOutputsMessaging": "b"}, "ValidationException"),
    ("a guardrail without messages", "bedrock", "create_guardrail", lambda s: {"name": "refused", "wordPolicyConfig": GUARDRAIL["wordPolicyConfig"]}, "ValidationException"),
    ("an unknown PII type", "bedrock", "create_guardrail", guardrail(sensitiveInformationPolicyConfig={"piiEntitiesConfig": [{"type": "NOPE", "action": "BLOCK"}]}), "ValidationException"),
    ("an unknown PII action", "bedrock", "create_guardrail", guardrail(sensitiveInformationPolicyConfig={"piiEntitiesConfig": [{"type": "EMAIL", "action": "NOPE"}]}), "ValidationException"),
    ("a regular expression that does not compile", "bedrock", "create_guardrail", guardrail(sensitiveInformationPolicyConfig={"regexesConfig": [{"name": "r", "pattern": "([", "action": "BLOCK"}]}), "ValidationException"),
    ("prompt attacks looked for in output", "bedrock", "create_guardrail", guardrail(contentPolicyConfig=filters("PROMPT_ATTACK")), "ValidationException"),
    ("an unknown filter strength", "bedrock", "create_guardrail", guardrail(contentPolicyConfig=filters("HATE", "EXTREME")), "ValidationException"),
    ("a topic's definition that is too long", "bedrock", "create_guardrail", guardrail(topicPolicyConfig={"topicsConfig": [{"name": "t", "definition": "x" * 2000, "type": "DENY"}]}), "ValidationException"),
    ("a guardrail that was deleted", "bedrock", "get_guardrail", lambda s: {"guardrailIdentifier": deleted_guardrail(s)}, "ResourceNotFoundException"),
    # Inference
    ("an unknown guardrail in Converse", "bedrock-runtime", "converse", guarded("abcdefghijkl", "DRAFT"), "ValidationException ResourceNotFoundException"),
    ("an unknown guardrail version in Converse", "bedrock-runtime", "converse", lambda s: guarded(s.guardrail, "99")(s), "ValidationException ResourceNotFoundException"),
    ("an unknown model", "bedrock-runtime", "converse", lambda s: {"modelId": "nope.nope-v1:0", "messages": say()}, "ValidationException"),
    ("no messages", "bedrock-runtime", "converse", lambda s: {"modelId": CLAUDE, "messages": []}, "ValidationException"),
    ("a conversation that the assistant begins", "bedrock-runtime", "converse", lambda s: {"modelId": CLAUDE, "messages": [{"role": "assistant", "content": [{"text": "x"}]}]}, "ValidationException"),
    ("roles that do not alternate", "bedrock-runtime", "converse", lambda s: {"modelId": CLAUDE, "messages": say() + say()}, "ValidationException"),
    ("an empty text", "bedrock-runtime", "converse", lambda s: {"modelId": CLAUDE, "messages": say("")}, "ValidationException"),
    ("no tokens", "bedrock-runtime", "converse", converse(inferenceConfig={"maxTokens": 0}), "ValidationException"),
    ("too high a temperature", "bedrock-runtime", "converse", converse(inferenceConfig={"temperature": 2.5}), "ValidationException"),
    ("a body that is no JSON", "bedrock-runtime", "invoke_model", lambda s: {"modelId": CLAUDE, "body": b"{bad"}, "ValidationException"),
    ("a guardrail without version", "bedrock-runtime", "invoke_model", lambda s: {"modelId": CLAUDE, "body": CLAUDE_BODY, "guardrailIdentifier": s.guardrail}, "ValidationException"),
    ("a body without what the model needs", "bedrock-runtime", "invoke_model", lambda s: {"modelId": CLAUDE, "body": b'{"messages": []}'}, "ValidationException"),
    ("an unknown guardrail in ApplyGuardrail", "bedrock-runtime", "apply_guardrail", lambda s: {"guardrailIdentifier": "abcdefghijkl", "guardrailVersion": "DRAFT", "source": "INPUT", "content": [{"text": {"text": "x"}}]}, "ResourceNotFoundException ValidationException"),
    ("an unknown source", "bedrock-runtime", "apply_guardrail", lambda s: {"guardrailIdentifier": s.guardrail, "guardrailVersion": "DRAFT", "source": "NOPE", "content": [{"text": {"text": "x"}}]}, "ValidationException"),
    # Agents and knowledge bases
    ("an unknown agent", "bedrock-agent-runtime", "invoke_agent", lambda s: {"agentId": "ABCDEFGHIJ", "agentAliasId": "ABCDEFGHIJ", "sessionId": "session", "inputText": "x"}, "ResourceNotFoundException"),
    ("an unknown knowledge base", "bedrock-agent-runtime", "retrieve", lambda s: {"knowledgeBaseId": "ABCDEFGHIJ", "retrievalQuery": {"text": "x"}}, "ResourceNotFoundException"),
    ("an agent on an unknown model", "bedrock-agent", "create_agent", lambda s: {"agentName": "refused", "foundationModel": "nope.nope-v1:0", "agentResourceRoleArn": s.for_bedrock, "instruction": "x" * 50}, "ValidationException"),
    # CloudWatch
    ("an unknown comparison", "cloudwatch", "put_metric_alarm", lambda s: {**ALARM, "ComparisonOperator": "Nope"}, "ValidationError InvalidParameterValue"),
    ("an odd period", "cloudwatch", "put_metric_alarm", lambda s: {**ALARM, "Period": 7}, "ValidationError InvalidParameterValue"),
    # Organizations
    ("attaching a policy of a type that is off", "organizations", "attach_policy", lambda s: {"PolicyId": rcp(s), "TargetId": ACCOUNT}, "PolicyTypeNotEnabledException"),
    ("an SCP that is no JSON", "organizations", "create_policy", scp("{bad"), "MalformedPolicyDocumentException"),
    ("an SCP with a principal", "organizations", "create_policy", scp(text({**deny("s3:*"), "Principal": "*"})), "MalformedPolicyDocumentException"),
    ("a policy name twice", "organizations", "create_policy", lambda s: {"Name": policy_name(s), "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": text(deny("s3:*"))}, "DuplicatePolicyException"),
    ("attaching a policy twice", "organizations", "attach_policy", lambda s: {"PolicyId": "p-FullAWSAccess", "TargetId": ACCOUNT}, "DuplicatePolicyAttachmentException"),
    ("an SCP that is too long", "organizations", "create_policy", scp(text(deny(*LARGE_ACTIONS))), "ConstraintViolationException"),
    ("an image for a model of texts", "bedrock-runtime", "converse", with_blocks({"image": PICTURE}, model="amazon.nova-micro-v1:0"), "ValidationException"),
    ("a document without text", "bedrock-runtime", "converse", with_blocks({"document": PAPER}, texts=()), "ValidationException"),
    ("a document's name with a dot", "bedrock-runtime", "converse", with_blocks({"document": {**PAPER, "name": "a.txt"}}), "ValidationException"),
    ("six documents", "bedrock-runtime", "converse", with_blocks(*[{"document": {**PAPER, "name": f"paper {n}"}} for n in range(6)]), "ValidationException"),
    ("video from a model of texts", "bedrock-runtime", "start_async_invoke", lambda s: {"modelId": "amazon.nova-pro-v1:0", "modelInput": {}, "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": f"s3://{s.bucket}/x"}}}, "ValidationException"),
    ("video into an unknown bucket", "bedrock-runtime", "start_async_invoke", lambda s: {"modelId": "amazon.nova-reel-v1:1", "modelInput": {}, "outputDataConfig": {"s3OutputDataConfig": {"s3Uri": "s3://made-by-nobody/x"}}}, "ValidationException"),
    ("customization of an unknown model", "bedrock", "create_model_customization_job", customize(baseModelIdentifier="amazon.nothing-v1:0"), "ValidationException"),
    ("customization with a role for another service", "bedrock", "create_model_customization_job", customize("for_lambda"), "ValidationException"),
    ("a customization job's name twice", "bedrock", "create_model_customization_job", customize(jobName="contract"), "ConflictException ValidationException"),
    ("a customization job stopped twice", "bedrock", "stop_model_customization_job", lambda s: {"jobIdentifier": "contract"}, "ConflictException ValidationException"),
    ("a customization job under an unknown key", "bedrock", "create_model_customization_job", lambda s: customize(customModelKmsKeyId=f"{s.key[:-4]}0000")(s), "ValidationException ResourceNotFoundException AccessDeniedException"),
    ("an import through an unknown role", "bedrock", "create_model_import_job", imported(roleArn=ABSENT_ROLE), "ValidationException AccessDeniedException"),
    ("an imported model's name twice", "bedrock", "create_model_import_job", imported(importedModelName="kept"), "ConflictException ValidationException"),
    ("an unknown custom model", "bedrock", "get_custom_model", lambda s: {"modelIdentifier": "nothing"}, "ResourceNotFoundException ValidationException"),
    ("an unknown imported model", "bedrock", "get_imported_model", lambda s: {"modelIdentifier": "nothing"}, "ResourceNotFoundException ValidationException"),
    ("a deployment of an unknown custom model", "bedrock", "create_custom_model_deployment", lambda s: {"modelDeploymentName": "refused", "modelArn": NO_MODEL}, "ResourceNotFoundException ValidationException"),
    ("throughput for an unknown model", "bedrock", "create_provisioned_model_throughput", lambda s: {"provisionedModelName": "refused", "modelUnits": 1, "modelId": "nothing"}, "ValidationException ResourceNotFoundException"),
    ("no units of throughput", "bedrock", "create_provisioned_model_throughput", lambda s: {"provisionedModelName": "refused", "modelUnits": 0, "modelId": "amazon.nova-lite-v1:0"}, "ValidationException"),
    ("a copy of an unknown custom model", "bedrock", "create_model_copy_job", lambda s: {"sourceModelArn": NO_MODEL, "targetModelName": "refused"}, "ResourceNotFoundException"),
    ("a custom model by its own ARN", "bedrock-runtime", "converse", lambda s: {"modelId": NO_MODEL, "messages": say()}, "ValidationException ResourceNotFoundException"),
    ("an imported model that is not there", "bedrock-runtime", "converse", lambda s: {"modelId": f"{s.kept_model[:-4]}0000", "messages": say()}, "ResourceNotFoundException ValidationException"),
    ("an unknown flow", "bedrock-agent", "get_flow", lambda s: {"flowIdentifier": "ABCDEFGHIJ"}, "ResourceNotFoundException"),
    ("an unknown version of a flow", "bedrock-agent", "get_flow_version", lambda s: {"flowIdentifier": s.flow, "flowVersion": "9"}, "ResourceNotFoundException"),
    ("an alias of an unknown version", "bedrock-agent", "create_flow_alias", lambda s: {"flowIdentifier": s.flow, "name": "refused", "routingConfiguration": [{"flowVersion": "9"}]}, "ResourceNotFoundException ValidationException"),
    ("a flow's name twice", "bedrock-agent", "create_flow", lambda s: {"name": "kept", "executionRoleArn": s.for_models}, "ConflictException"),
    ("a flow with another account's role", "bedrock-agent", "create_flow", lambda s: {"name": "refused", "executionRoleArn": "arn:aws:iam::999988887777:role/Flow"}, "ValidationException AccessDeniedException"),
    ("a flow under an unknown key", "bedrock-agent", "create_flow", lambda s: {"name": "refused", "executionRoleArn": s.for_models, "customerEncryptionKeyArn": f"{s.key[:-4]}0000"}, "ValidationException ResourceNotFoundException AccessDeniedException"),
    ("a node of an unknown type", "bedrock-agent", "create_flow", lambda s: {"name": "refused", "executionRoleArn": s.for_models, "definition": {"nodes": [{"name": "Node", "type": "Nope"}]}}, "ValidationException"),
    ("an unknown flow invoked", "bedrock-agent-runtime", "invoke_flow", enter(flow="ABCDEFGHIJ"), "ResourceNotFoundException"),
    ("an unknown alias of a flow", "bedrock-agent-runtime", "invoke_flow", enter(alias="ABCDEFGHIJ"), "ResourceNotFoundException"),
    ("an input for another node", "bedrock-agent-runtime", "invoke_flow", enter(node="End"), "ValidationException"),
    ("a job of an unknown data source", "bedrock-agent", "start_ingestion_job", lambda s: {"knowledgeBaseId": "KBQUICKST1", "dataSourceId": "SOURCE0000"}, "ResourceNotFoundException"),
    ("metric math of an unknown metric", "cloudwatch", "put_metric_alarm", lambda s: {"AlarmName": "m", "Metrics": [{"Id": "r", "Expression": "a / 2"}], "EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}, "ValidationError"),
    ("a composite alarm on nothing", "cloudwatch", "put_composite_alarm", lambda s: {"AlarmName": "c", "AlarmRule": "ALARM(nobody)"}, "ValidationError"),
    ("a metric filter that is no pattern", "logs", "put_metric_filter", lambda s: {"logGroupName": "/contract", "filterName": "f", "filterPattern": "{ $.a = }", "metricTransformations": [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]}, "InvalidParameterException"),
    # Inputs outside of their model, in each service's spelling
    ("a role without name", "iam", "create_role", lambda s: {"AssumeRolePolicyDocument": text(trust({"Service": "ec2.amazonaws.com"}))}, "ValidationError"),
    ("a user name with a blank", "iam", "create_user", lambda s: {"UserName": "a b"}, "ValidationError"),
    ("too short a serial number", "sts", "assume_role", lambda s: {"RoleArn": ABSENT_ROLE, "RoleSessionName": "s", "SerialNumber": "short"}, "ValidationError"),
    ("too many keys on a page", "kms", "list_keys", lambda s: {"Limit": 1001}, "ValidationException"),
    ("a key for an unknown use", "kms", "create_key", lambda s: {"KeyUsage": "WRAP"}, "ValidationException"),
    ("a log stream without name", "logs", "create_log_stream", lambda s: {"logGroupName": "/contract/none"}, "InvalidParameterException"),
    ("a log group name with a blank", "logs", "create_log_group", lambda s: {"logGroupName": "a b"}, "InvalidParameterException"),
    ("too many policies on a page", "organizations", "list_policies", lambda s: {"Filter": "SERVICE_CONTROL_POLICY", "MaxResults": 21}, "InvalidInputException"),
    ("an alarm without name", "cloudwatch", "put_metric_alarm", lambda s: {name: value for name, value in ALARM.items() if name != "AlarmName"}, "ValidationError"),
    ("an unknown statistic", "cloudwatch", "put_metric_alarm", lambda s: {**ALARM, "Statistic": "Mean"}, "ValidationError"),
    ("metric data without namespace", "cloudwatch", "put_metric_data", lambda s: {"MetricData": [{"MetricName": "m", "Value": 1}]}, "MissingParameter"),
    ("a rule without name", "events", "put_rule", lambda s: {"EventPattern": "{}"}, "ValidationException"),
    ("a rule in an unknown state", "events", "put_rule", lambda s: {"Name": "r", "EventPattern": "{}", "State": "ON"}, "ValidationException"),
    ("a trail without name", "cloudtrail", "create_trail", lambda s: {"S3BucketName": "b"}, "InvalidTrailNameException"),
    ("a VPC of an unknown tenancy", "ec2", "create_vpc", lambda s: {"CidrBlock": "10.8.0.0/16", "InstanceTenancy": "shared"}, "InvalidParameterValue"),
    ("a VPC to delete without id", "ec2", "delete_vpc", lambda s: {}, "MissingParameter"),
    ("versioning in an unknown state", "s3", "put_bucket_versioning", lambda s: {"Bucket": s.bucket, "VersioningConfiguration": {"Status": "On"}}, "MalformedXML"),
    ("an unknown object ownership", "s3", "create_bucket", lambda s: {"Bucket": "contract-owned", "ObjectOwnership": "Nobody"}, "InvalidArgument"),
    # Who may
    ("a user without any policy", "bedrock-runtime", "converse", lambda s: {"as": s.nobody, **converse()(s)}, "AccessDeniedException"),
    ("a wrong secret for Bedrock", "bedrock-runtime", "converse", lambda s: {"as": {"secret": "wrong"}, **converse()(s)}, "InvalidSignatureException"),
    ("an SCP that denies", "bedrock-runtime", "converse", lambda s: under_scp(s, deny("bedrock:InvokeModel*"), **converse()(s)), "AccessDeniedException"),
    ("an SCP that requires a guardrail", "bedrock-runtime", "converse", lambda s: under_scp(s, deny("bedrock:InvokeModel*", Condition={"Null": {"bedrock:GuardrailIdentifier": "true"}}), **converse()(s)), "AccessDeniedException"),
)  # fmt: skip
"""(what, service, operation, scene -> parameters, codes); ``as`` among the parameters are the caller's keys."""


def twice(scene, service, operation, **parameters):
    """Do once what the case does again."""
    client = scene.client(service)
    with suppress(client.exceptions.ClientError):
        getattr(client, operation)(**parameters)


def deleted_guardrail(scene):
    bedrock = scene.client("bedrock")
    made = bedrock.create_guardrail(name="deleted", **GUARDRAIL)["guardrailId"]
    bedrock.delete_guardrail(guardrailIdentifier=made)
    return made


def rcp(scene):
    return scene.organizations.create_policy(
        Name="rcp",
        Description="",
        Type="RESOURCE_CONTROL_POLICY",
        Content=text({**deny("s3:*"), "Principal": "*"}),
    )["Policy"]["PolicySummary"]["Id"]


def policy_name(scene):
    scene.organizations.create_policy(
        Name="twice", Description="", Type="SERVICE_CONTROL_POLICY", Content=text(deny("s3:*"))
    )
    return "twice"


def under_scp(scene, statement, **parameters):
    """Attach an SCP for the time of the call."""
    made = scene.organizations.create_policy(
        Name="for a while",
        Description="",
        Type="SERVICE_CONTROL_POLICY",
        Content=text(statement),
    )["Policy"]["PolicySummary"]["Id"]
    scene.organizations.attach_policy(PolicyId=made, TargetId=ACCOUNT)
    scene.undo += [
        lambda: scene.organizations.delete_policy(PolicyId=made),
        lambda: scene.organizations.detach_policy(PolicyId=made, TargetId=ACCOUNT),
    ]
    return parameters
