"""Which parameters of the API name which resource: the tables behind the generic rule.

``RESOURCES`` gives, for a resource type, the parameters that fill the free parts of its ARN template in order;
alternatives stand side by side. A parameter that holds a list names several resources, one that holds an ARN is the
resource itself. ``CONTEXT`` gives the parameter that a condition key's value comes from. Sources: the Service
Authorization Reference and the API references of the services.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Fill = tuple[str, ...]

RESOURCES: Mapping[str, Mapping[str, tuple[Fill, ...]]] = {
    "bedrock": {
        "advanced-prompt-optimization-job": (("jobIdentifier",),),
        "agent": (("agentId",),),
        "agent-alias": (("agentId", "agentAliasId"),),
        "application-inference-profile": (("inferenceProfileIdentifier",),),
        "async-invoke": (("invocationArn",),),
        "automated-reasoning-policy": (("policyArn",),),
        "automated-reasoning-policy-version": (("policyArn",),),
        "bedrock-marketplace-model-endpoint": ((),),
        "custom-model": (("modelIdentifier",),),
        "custom-model-deployment": (("customModelDeploymentIdentifier",),),
        "evaluation-job": (("jobIdentifier",),),
        "flow": (("flowIdentifier",),),
        "flow-alias": (("flowIdentifier", "aliasIdentifier"), ("flowIdentifier", "flowAliasIdentifier")),
        "flow-execution": (("flowIdentifier", "flowAliasIdentifier", "executionIdentifier"),),
        "foundation-model": (("modelIdentifier",), ("modelId",)),
        "guardrail": (("guardrailIdentifier",),),
        "imported-model": (("modelIdentifier",),),
        "inference-profile": (("inferenceProfileIdentifier",),),
        "knowledge-base": (("knowledgeBaseId",),),
        "model-copy-job": (("jobArn",),),
        "model-customization-job": (("jobIdentifier",),),
        "model-evaluation-job": (("jobIdentifier",),),
        "model-import-job": (("jobIdentifier",),),
        "model-invocation-job": (("jobIdentifier",),),
        "prompt": (("promptIdentifier",),),
        "prompt-router": (("promptRouterArn",),),
        "prompt-version": (("promptIdentifier", "promptVersion"),),
        "provisioned-model": (("provisionedModelId",),),
        "session": (("sessionIdentifier",),),
    },
    "cloudformation": {
        "stack": (("StackName",),),
        "stackset": (("StackSetName",),),
    },
    "cloudtrail": {
        "channel": (("Channel",),),
        "eventdatastore": (("EventDataStore",),),
        "trail": (("Name",), ("TrailName",), ("ResourceId",)),
    },
    "cloudwatch": {
        "alarm": (("AlarmName",), ("AlarmNames",)),
        "dashboard": (("DashboardName",), ("DashboardNames",)),
        "insight-rule": (("RuleName",), ("RuleNames",)),
        "metric-stream": (("Name",), ("Names",)),
    },
    "ec2": {
        "internet-gateway": (("InternetGatewayId",),),
        "natgateway": (("NatGatewayId",),),
        "network-acl": (("NetworkAclId",),),
        "network-interface": (("NetworkInterfaceId",), ("NetworkInterfaceIds",)),
        "route-table": (
            ("RouteTableId",),
            ("RouteTableIds",),
            ("AddRouteTableIds",),
            ("RemoveRouteTableIds",),
        ),
        "security-group": (
            ("GroupId",),
            ("SecurityGroupIds",),
            ("AddSecurityGroupIds",),
            ("RemoveSecurityGroupIds",),
        ),
        "security-group-rule": (("SecurityGroupRuleIds",),),
        "subnet": (("SubnetId",), ("SubnetIds",), ("AddSubnetIds",), ("RemoveSubnetIds",)),
        "vpc": (("VpcId",),),
        "vpc-endpoint": (("VpcEndpointId",), ("VpcEndpointIds",)),
        "vpc-flow-log": (("FlowLogIds",),),
    },
    "events": {
        "connection": (("Name",),),
        "event-bus": (("EventBusName",), ("Name",)),
        "rule-on-custom-event-bus": (("EventBusName", "Rule"), ("EventBusName", "Name")),
        "rule-on-default-event-bus": (("Rule",), ("Name",)),
    },
    "iam": {
        "group": (("GroupName",),),
        "instance-profile": (("InstanceProfileName",),),
        "mfa": (("SerialNumber",), ("VirtualMFADeviceName",)),
        "oidc-provider": (("OpenIDConnectProviderArn",),),
        "policy": (("PolicyArn",), ("PolicyName",)),
        "role": (("RoleName",),),
        "saml-provider": (("SAMLProviderArn",), ("Name",)),
        "server-certificate": (("ServerCertificateName",),),
        "user": (("UserName",),),
    },
    "kms": {
        "alias": (("AliasName",),),
        "key": (("KeyId",), ("TargetKeyId",)),
    },
    "lambda": {"function": (("FunctionName",),)},
    "logs": {
        "log-group": (("logGroupName",), ("logGroupIdentifier",), ("logGroupArn",)),
        "log-stream": (("logGroupName", "logStreamName"), ("logGroupIdentifier", "logStreamName")),
        "destination": (("destinationName",),),
        "delivery": (("id",),),
        "delivery-destination": (("deliveryDestinationName",), ("name",), ("deliveryDestinationArn",)),
        "delivery-source": (("name",), ("deliverySourceName",)),
    },
    "organizations": {
        "account": (("AccountId",), ("TargetId",)),
        "organizationalunit": (("OrganizationalUnitId",), ("ParentId",), ("TargetId",)),
        "policy": (("PolicyId",),),
        "root": (("RootId",), ("ParentId",), ("TargetId",)),
    },
    "secretsmanager": {"secret": (("SecretId",), ("Name",))},
    "sns": {"topic": (("TopicArn",), ("Name",), ("SubscriptionArn",), ("TargetArn",))},
    "sqs": {"queue": (("QueueName",), ("QueueUrl",))},
    "ssm": {"parameter": (("Name",), ("Names",), ("Path",))},
    "dynamodb": {"table": (("TableName",),), "index": (("TableName", "IndexName"),)},
    "aoss": {"collection": (("id",),)},
    "sts": {
        "role": (("RoleArn",),),
        "federated-user": (("Name",),),
    },
}

# Condition key -> parameter paths (members joined by dots) that give its value; the first that is present counts.
# A key is set only where the reference lists it for the action.
CONTEXT: Mapping[str, tuple[str, ...]] = {
    "bedrock:dataretentionmode": ("mode",),
    "bedrock:servicetier": ("serviceTier",),
    "bedrock:thirdpartyknowledgebasecredentialssecretarn": (
        "knowledgeBaseConfiguration.thirdPartyConfiguration.credentialsSecretArn",
    ),
    "bedrock-agentcore:securitygroups": (
        "networkConfiguration.networkModeConfig.securityGroups",
        "networkConfiguration.vpcConfig.securityGroups",
    ),
    "bedrock-agentcore:subnets": (
        "networkConfiguration.networkModeConfig.subnets",
        "networkConfiguration.vpcConfig.subnets",
    ),
    "bedrock-agentcore:kmskeyarn": ("encryptionKeyArn", "kmsKeyArn"),
    "bedrock-agentcore:actorid": ("actorId",),
    "bedrock-agentcore:sessionid": ("sessionId",),
    "bedrock-mantle:dataretentionmode": ("dataRetentionMode", "data_retention_mode", "mode"),
    "bedrock-mantle:model": ("model",),
    "bedrock-mantle:servicetier": ("service_tier", "serviceTier"),
    "cloudwatch:alarmactions": ("AlarmActions",),
    "cloudwatch:namespace": ("Namespace",),
    "ec2:attribute": ("Attribute",),
    "ec2:vpceservicename": ("ServiceName",),
    "iam:awsservicename": ("AWSServiceName",),
    "iam:permissionsboundary": ("PermissionsBoundary",),
    "iam:policyarn": ("PolicyArn",),
    "iam:servicespecificcredentialagedays": ("CredentialAgeDays",),
    "iam:servicespecificcredentialservicename": ("ServiceName",),
    "kms:bypasspolicylockoutsafetycheck": ("BypassPolicyLockoutSafetyCheck",),
    "kms:encryptionalgorithm": ("EncryptionAlgorithm",),
    "kms:granteeprincipal": ("GranteePrincipal",),
    "kms:grantoperations": ("Operations",),
    "kms:keyorigin": ("Origin",),
    "kms:keyspec": ("KeySpec",),
    "kms:keyusage": ("KeyUsage",),
    "kms:multiregion": ("MultiRegion",),
    "kms:retiringprincipal": ("RetiringPrincipal",),
    "kms:rotationperiodindays": ("RotationPeriodInDays",),
    "kms:schedulekeydeletionpendingwindowindays": ("PendingWindowInDays",),
    "organizations:policytype": ("Type", "PolicyType"),
    "organizations:serviceprincipal": ("ServicePrincipal",),
    "s3:delimiter": ("Delimiter",),
    "s3:locationconstraint": ("CreateBucketConfiguration.LocationConstraint",),
    "s3:max-keys": ("MaxKeys",),
    "s3:object-lock-legal-hold": ("ObjectLockLegalHoldStatus", "LegalHold.Status"),
    "s3:object-lock-mode": ("ObjectLockMode", "Retention.Mode"),
    "s3:prefix": ("Prefix",),
    "s3:versionid": ("VersionId",),
    "s3:x-amz-acl": ("ACL",),
    "s3:x-amz-copy-source": ("CopySource",),
    "s3:x-amz-grant-full-control": ("GrantFullControl",),
    "s3:x-amz-grant-read": ("GrantRead",),
    "s3:x-amz-grant-read-acp": ("GrantReadACP",),
    "s3:x-amz-grant-write": ("GrantWrite",),
    "s3:x-amz-grant-write-acp": ("GrantWriteACP",),
    "s3:x-amz-metadata-directive": ("MetadataDirective",),
    "s3:x-amz-object-ownership": ("ObjectOwnership",),
    "s3:x-amz-server-side-encryption": ("ServerSideEncryption",),
    "s3:x-amz-server-side-encryption-aws-kms-key-id": ("SSEKMSKeyId",),
    "s3:x-amz-server-side-encryption-customer-algorithm": ("SSECustomerAlgorithm",),
    "s3:x-amz-storage-class": ("StorageClass",),
    "s3:x-amz-website-redirect-location": ("WebsiteRedirectLocation",),
    "secretsmanager:name": ("Name",),
    "secretsmanager:secretid": ("SecretId",),
    "sns:endpoint": ("Endpoint",),
    "sns:protocol": ("Protocol",),
    "ssm:overwrite": ("Overwrite",),
    "sts:durationseconds": ("DurationSeconds",),
    "sts:externalid": ("ExternalId",),
    "sts:rolesessionname": ("RoleSessionName",),
    "sts:sourceidentity": ("SourceIdentity",),
    "sts:transitivetagkeys": ("TransitiveTagKeys",),
}

# EC2 resource ids start with a prefix that tells their type; the longest that fits counts.
EC2_IDS: Mapping[str, str] = {
    "eni-": "network-interface",
    "fl-": "vpc-flow-log",
    "i-": "instance",
    "igw-": "internet-gateway",
    "nat-": "natgateway",
    "acl-": "network-acl",
    "rtb-": "route-table",
    "sg-": "security-group",
    "sgr-": "security-group-rule",
    "subnet-": "subnet",
    "tgw-": "transit-gateway",
    "vpc-": "vpc",
    "vpce-": "vpc-endpoint",
}
EC2_ID_LISTS = ("Resources", "ResourceIds")
