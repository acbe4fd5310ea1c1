"""No kind asks for an action that nothing it does needs, and none lacks one: its table against the calls in its source.

What a lifecycle in the sandbox cannot show (repairs, other declarations) shows here: each action of a kind's table is one
that some call in its modules is authorized as, or stands below with the reason.
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from itertools import pairwise

import pytest

from ringwall.catalog import operations
from ringwall.catalog.operations.authorization import UnknownOperationError
from ringwall.estate.kinds import registry, surveyed
from ringwall.estate.sessions import base_session

KINDS = {**registry(), **surveyed()}
MADE_UP = {
    # names of operations that the source puts together: f"Put{entity}Policy", "Authorize" + direction
    "AWS::IAM::Role": {"iam:AttachRolePolicy", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"},
    "AWS::IAM::User": {"iam:AttachUserPolicy", "iam:DeleteUserPermissionsBoundary", "iam:DeleteUserPolicy", "iam:DetachUserPolicy", "iam:PutUserPermissionsBoundary", "iam:PutUserPolicy"},
    "AWS::IAM::Group": {"iam:AttachGroupPolicy", "iam:DeleteGroupPolicy", "iam:DetachGroupPolicy", "iam:PutGroupPolicy"},
    "AWS::IAM::ManagedPolicy": {"iam:DetachGroupPolicy", "iam:DetachRolePolicy", "iam:DetachUserPolicy"},
    "AWS::EC2::SecurityGroup": {"ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"},
    "AWS::CloudTrail::Trail": {"cloudtrail:StopLogging"},
    # AgentCore's kinds are a table of operations
    "AWS::BedrockAgentCore::Runtime": {"bedrock-agentcore:GetAgentRuntime", "bedrock-agentcore:GetResourcePolicy", "bedrock-agentcore:ListAgentRuntimes", "bedrock-agentcore:ListAgentRuntimeEndpoints"},
    "AWS::BedrockAgentCore::Gateway": {"bedrock-agentcore:GetGateway", "bedrock-agentcore:GetResourcePolicy", "bedrock-agentcore:ListGateways"},
    "AWS::BedrockAgentCore::BrowserCustom": {"bedrock-agentcore:GetBrowser", "bedrock-agentcore:ListBrowsers"},
    "AWS::BedrockAgentCore::CodeInterpreterCustom": {"bedrock-agentcore:GetCodeInterpreter", "bedrock-agentcore:ListCodeInterpreters"},
    "AWS::BedrockAgentCore::Memory": {"bedrock-agentcore:GetMemory", "bedrock-agentcore:ListMemories"},
    "Ringwall::BedrockAgentCore::TokenVault": {"bedrock-agentcore:GetTokenVault", "bedrock-agentcore:ListAgentRuntimes", "bedrock-agentcore:ListApiKeyCredentialProviders", "bedrock-agentcore:ListGateways", "bedrock-agentcore:ListOauth2CredentialProviders"},
    # where knowledge bases keep their vectors: a table of readers, one for each type of store
    "Ringwall::Bedrock::VectorStore": {"aoss:BatchGetCollection", "aoss:GetAccessPolicy", "aoss:GetSecurityPolicy", "aoss:ListAccessPolicies", "aoss:ListSecurityPolicies", "bedrock:GetKnowledgeBase", "bedrock:ListKnowledgeBases", "es:DescribeDomain", "neptune-graph:GetGraph", "rds:DescribeDBClusters", "rds:DescribeDBInstances", "s3vectors:GetIndex", "s3vectors:GetVectorBucket", "s3vectors:GetVectorBucketPolicy", "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"},
    # a bucket's settings are a table of operations
    "AWS::S3::Bucket": {"s3:GetBucketObjectLockConfiguration", "s3:GetBucketOwnershipControls", "s3:GetBucketPublicAccessBlock", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration"},
}  # fmt: skip
ELSEWHERE = {
    # listings that a neighbouring kind makes for both
    "AWS::IAM::ManagedPolicy": {"iam:GetAccountAuthorizationDetails"},
    "AWS::S3::BucketPolicy": {"s3:GetBucketLocation", "s3:ListAllMyBuckets"},
    "AWS::SNS::TopicPolicy": {"sns:GetTopicAttributes", "sns:ListTopics"},
    "AWS::Bedrock::ResourcePolicy": {"bedrock:ListGuardrails"},
    "Ringwall::CloudTrail::EventSelectors": {"cloudtrail:DescribeTrails"},
    # the account's place in the organization
    "AWS::Organizations::Policy": {"organizations:DescribeOrganization", "organizations:ListParents"},
}  # fmt: skip
FOR_THE_SERVICE = {
    # what AWS authorizes the caller for on behalf of the call
    "AWS::EC2::VPCEndpoint": {"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "route53:AssociateVPCWithHostedZone"},
    "AWS::CloudTrail::Trail": {"iam:PassRole"},
    "AWS::Events::Rule": {"iam:PassRole"},
    "Ringwall::Bedrock::InvocationLogging": {"iam:PassRole"},
    "AWS::Bedrock::Guardrail": {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
    "AWS::Bedrock::GuardrailVersion": {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
    "AWS::Bedrock::EnforcedGuardrailConfiguration": {"bedrock:GetGuardrail"},
}  # fmt: skip
NETWORK = {"ec2:DescribeVpcAttribute", "ec2:DescribeVpcs"}
OF_ANOTHER = {"AWS::EC2::Subnet": NETWORK, **dict.fromkeys(surveyed(), NETWORK)}
"""Helpers of a module that another kind shares; that one has the permission."""


@cache
def services():
    return frozenset(base_session().get_available_services())


def calls(module):
    """Service and operation wherever both stand beside each other in a module's source."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        listed = node.args if isinstance(node, ast.Call) else getattr(node, "elts", ())
        texts = [item.value if isinstance(item, ast.Constant) else None for item in listed]
        for service, operation in pairwise(texts):
            if service in services() and isinstance(operation, str) and operation[:1].isupper():
                yield service, operation


def authorized(kind):
    """Actions that the calls in a kind's modules are authorized as."""
    names = [item.__module__ for item in type(kind).__mro__]
    modules = [sys.modules[name] for name in names if name.startswith("ringwall.estate.kinds")]
    return {
        action
        for module in modules
        for service, operation in calls(module)
        for action in actions(service, operation)
    }


def actions(service, operation):
    """What the catalog says, or the operation's own name for a service that it leaves out."""
    try:
        needed = operations.authorizations(service, operation, {}, account="111122223333", region="us-east-1")
    except UnknownOperationError:
        return {f"{service}:{operation}"}
    return {item.action for item in needed}


@pytest.mark.parametrize("name", KINDS)
def test_a_kinds_permissions_are_those_of_its_calls(name):
    kind = KINDS[name]
    declared, made = {*kind.permissions.read, *kind.permissions.write}, authorized(kind)
    explained = MADE_UP.get(name, set()) | ELSEWHERE.get(name, set()) | FOR_THE_SERVICE.get(name, set())
    assert declared - made == explained, "every action is needed, and each reason is still true"
    assert made - declared == OF_ANOTHER.get(name, set())
