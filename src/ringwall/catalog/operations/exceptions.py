"""Operations whose IAM action is not the prefix and the operation's name.

Follows the "Actions" tables of the Service Authorization Reference, the S3 user guide's page "Required permissions
for Amazon S3 API operations" and the API references. An operation that needs several actions lists all of them; those
on other resources than the first (``CopyObject`` reads one object and writes another) have resolvers of their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EXCEPTIONS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "agent-registry": {
        "BatchGetDiscoverableRegistryRecord": ("agent-registry:GetDiscoverableRegistryRecord",),
    },
    "bedrock-runtime": {
        "Converse": ("bedrock:InvokeModel",),
        "ConverseStream": ("bedrock:InvokeModelWithResponseStream",),
        "InvokeModelWithBidirectionalStream": ("bedrock:InvokeModel",),
        "StartAsyncInvoke": ("bedrock:InvokeModel",),
    },
    "bedrock-agent-runtime": {"RetrieveAndGenerateStream": ("bedrock:RetrieveAndGenerate",)},
    "kms": {"ReEncrypt": ("kms:ReEncryptFrom", "kms:ReEncryptTo")},
    "lambda": {
        "Invoke": ("lambda:InvokeFunction",),
        "InvokeWithResponseStream": ("lambda:InvokeFunction",),
        "GetLayerVersionByArn": ("lambda:GetLayerVersion",),
    },
    "sns": {"PublishBatch": ("sns:Publish",)},
    "sqs": {
        "ChangeMessageVisibilityBatch": ("sqs:ChangeMessageVisibility",),
        "DeleteMessageBatch": ("sqs:DeleteMessage",),
        "SendMessageBatch": ("sqs:SendMessage",),
    },
    "dynamodb": {
        "BatchExecuteStatement": ("dynamodb:PartiQLSelect",),
        "ExecuteStatement": ("dynamodb:PartiQLSelect",),
        "ExecuteTransaction": ("dynamodb:PartiQLSelect",),
        "TransactGetItems": ("dynamodb:GetItem",),
        "TransactWriteItems": ("dynamodb:PutItem",),
    },
    "s3": {
        "AbortMultipartUpload": ("s3:AbortMultipartUpload",),
        "CompleteMultipartUpload": ("s3:PutObject",),
        "CopyObject": ("s3:PutObject",),
        "CreateBucketMetadataConfiguration": ("s3:CreateBucketMetadataTableConfiguration",),
        "CreateMultipartUpload": ("s3:PutObject",),
        "CreateSession": ("s3express:CreateSession",),
        "DeleteBucketAnalyticsConfiguration": ("s3:PutAnalyticsConfiguration",),
        "DeleteBucketCors": ("s3:PutBucketCORS",),
        "DeleteBucketEncryption": ("s3:PutEncryptionConfiguration",),
        "DeleteBucketIntelligentTieringConfiguration": ("s3:PutIntelligentTieringConfiguration",),
        "DeleteBucketInventoryConfiguration": ("s3:PutInventoryConfiguration",),
        "DeleteBucketLifecycle": ("s3:PutLifecycleConfiguration",),
        "DeleteBucketMetadataConfiguration": ("s3:DeleteBucketMetadataTableConfiguration",),
        "DeleteBucketMetricsConfiguration": ("s3:PutMetricsConfiguration",),
        "DeleteBucketOwnershipControls": ("s3:PutBucketOwnershipControls",),
        "DeleteBucketReplication": ("s3:PutReplicationConfiguration",),
        "DeleteBucketTagging": ("s3:PutBucketTagging",),
        "DeleteObjects": ("s3:DeleteObject",),
        "DeletePublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
        "GetBucketAccelerateConfiguration": ("s3:GetAccelerateConfiguration",),
        "GetBucketAnalyticsConfiguration": ("s3:GetAnalyticsConfiguration",),
        "GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
        "GetBucketIntelligentTieringConfiguration": ("s3:GetIntelligentTieringConfiguration",),
        "GetBucketInventoryConfiguration": ("s3:GetInventoryConfiguration",),
        "GetBucketLifecycle": ("s3:GetLifecycleConfiguration",),
        "GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
        "GetBucketMetadataConfiguration": ("s3:GetBucketMetadataTableConfiguration",),
        "GetBucketMetricsConfiguration": ("s3:GetMetricsConfiguration",),
        "GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
        "GetBucketReplication": ("s3:GetReplicationConfiguration",),
        "GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
        "GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
        "HeadBucket": ("s3:ListBucket",),
        "HeadObject": ("s3:GetObject",),
        "ListBucketAnalyticsConfigurations": ("s3:GetAnalyticsConfiguration",),
        "ListBucketIntelligentTieringConfigurations": ("s3:GetIntelligentTieringConfiguration",),
        "ListBucketInventoryConfigurations": ("s3:GetInventoryConfiguration",),
        "ListBucketMetricsConfigurations": ("s3:GetMetricsConfiguration",),
        "ListBuckets": ("s3:ListAllMyBuckets",),
        "ListDirectoryBuckets": ("s3express:ListAllMyDirectoryBuckets",),
        "ListMultipartUploads": ("s3:ListBucketMultipartUploads",),
        "ListObjectVersions": ("s3:ListBucketVersions",),
        "ListObjects": ("s3:ListBucket",),
        "ListObjectsV2": ("s3:ListBucket",),
        "ListParts": ("s3:ListMultipartUploadParts",),
        "PutBucketAccelerateConfiguration": ("s3:PutAccelerateConfiguration",),
        "PutBucketAnalyticsConfiguration": ("s3:PutAnalyticsConfiguration",),
        "PutBucketEncryption": ("s3:PutEncryptionConfiguration",),
        "PutBucketIntelligentTieringConfiguration": ("s3:PutIntelligentTieringConfiguration",),
        "PutBucketInventoryConfiguration": ("s3:PutInventoryConfiguration",),
        "PutBucketLifecycle": ("s3:PutLifecycleConfiguration",),
        "PutBucketLifecycleConfiguration": ("s3:PutLifecycleConfiguration",),
        "PutBucketMetricsConfiguration": ("s3:PutMetricsConfiguration",),
        "PutBucketNotificationConfiguration": ("s3:PutBucketNotification",),
        "PutBucketReplication": ("s3:PutReplicationConfiguration",),
        "PutObjectLockConfiguration": ("s3:PutBucketObjectLockConfiguration",),
        "PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
        "RenameObject": ("s3express:CreateSession",),
        "SelectObjectContent": ("s3:GetObject",),
        "UploadPart": ("s3:PutObject",),
        "UploadPartCopy": ("s3:PutObject",),
        "WriteGetObjectResponse": ("s3-object-lambda:WriteGetObjectResponse",),
    },
}

UNLISTED: Mapping[str, frozenset[str]] = {
    "bedrock-agent": frozenset(
        {
            "CreateRetrievalInstruction", "CreateRetrievalInstructionVersion", "CreateVpcConfiguration",
            "DeleteRetrievalInstruction", "DeleteVpcConfiguration", "GetRetrievalInstruction", "GetVpcConfiguration",
            "ListRetrievalInstructionVersions", "ListRetrievalInstructions", "ListVpcConfigurations",
            "UpdateRetrievalInstruction",
        }
    ),
    "bedrock-agentcore": frozenset(
        {
            "DeleteDatasetGeneration", "GetAgentInsight", "GetDatasetGeneration", "IngestData", "InvokeBrowser",
            "ListAgentInsights", "ListDatasetGenerations", "StartDatasetGeneration", "UpdateAgentInsight",
        }
    ),
    "bedrock-agentcore-control": frozenset(
        {
            "GetAgentInsightStore", "ListAgentInsightStores", "ResetTokenVaultKeyMaterial",
            "RotatePaymentConnectorCredentials", "UpdateAgentInsightStore",
        }
    ),
}  # fmt: skip
"""Operations of the Bedrock family whose action the reference does not list: the SDK that has them is newer.

They are taken to be authorized under their own names on every resource, as AWS does with most operations; an answer
about one says so.
"""
