"""What AWS treats specially, as data. The only place of this package that names services."""

from __future__ import annotations

# What AWS answers whatever the policies say, even under a Deny, to everybody who signs the request:
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
ALWAYS_ALLOWED = frozenset({"sts:getcalleridentity"})

# What a root user cannot call, whatever the policies say; it takes a user or a role:
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
REFUSED_TO_ROOT = frozenset({"sts:assumerole"})

# Actions that resource control policies do not reach although their service is covered:
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
RCP_EXEMPT_ACTIONS = frozenset({"kms:retiregrant"})

# Where the resource's own policy must allow, also within the account: (start of the action, part of the ARN).
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
RESOURCE_POLICY_DECIDES = (
    ("kms:", ":key/"),
    ("sts:assumerole", ":role/"),
    ("sts:tagsession", ":role/"),
    ("sts:setsourceidentity", ":role/"),
    ("sts:setcontext", ":role/"),
)


def is_always_allowed(action: str) -> bool:
    """Whether AWS answers the action to identified callers without asking any policy."""
    return action.lower() in ALWAYS_ALLOWED


def refuses_root(action: str) -> bool:
    """Whether AWS refuses the action to root users whatever the policies say."""
    return action.lower() in REFUSED_TO_ROOT


def deciding_resource(action: str) -> str | None:
    """The part of an ARN by which a resource is known whose own policy must allow the action; ``None`` = no such."""
    name = action.lower()
    return next((part for start, part in RESOURCE_POLICY_DECIDES if name.startswith(start)), None)
