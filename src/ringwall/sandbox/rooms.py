"""Every room of hooks."""

from __future__ import annotations

from ringwall.sandbox.cloudtrail_hooks import CLOUDTRAIL
from ringwall.sandbox.composite_hooks import COMPOSITE
from ringwall.sandbox.ec2_hooks import EC2
from ringwall.sandbox.iam_hooks import IAM
from ringwall.sandbox.inputs import INPUTS
from ringwall.sandbox.kms_hooks import KMS
from ringwall.sandbox.log_events import LOG_EVENTS
from ringwall.sandbox.logs_hooks import LOGS
from ringwall.sandbox.metric_statistics import STATISTICS
from ringwall.sandbox.monitoring_hooks import MONITORING
from ringwall.sandbox.organizations_hooks import ORGANIZATIONS
from ringwall.sandbox.s3_hooks import S3

ROOMS = (
    CLOUDTRAIL,
    COMPOSITE,
    EC2,
    IAM,
    INPUTS,
    KMS,
    LOGS,
    LOG_EVENTS,
    MONITORING,
    ORGANIZATIONS,
    S3,
    STATISTICS,
)
