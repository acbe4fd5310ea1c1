"""A caller with a case's policies, its call, and what came of it."""

from botocore.exceptions import ClientError

from sandbox_contract.rejections import under_scp
from sandbox_contract.scene import ACCOUNT, ADMINISTRATOR, ALLOW_ALL, OWN_KEY, text, trust

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
NAME = "caller"


def outcome(scene, case):
    """``allowed``, ``denied``, or the code of another error (a call that is allowed may still fail)."""
    _, statements, (service, operation, parameters), _, more = case
    keys = _role(scene, statements, more) if "session" in more else _user(scene, statements, more)
    if "scp" in more:
        under_scp(scene, more["scp"])
    _resources(scene, more)
    try:
        client = scene.client(service, **keys)
        answer = getattr(client, operation)(**parameters(scene))
        list(answer.get("stream", answer.get("responseStream", ())))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return "denied" if code in DENIED else code
    else:
        return "allowed"
    finally:
        while scene.undo:
            scene.undo.pop()()


def _user(scene, statements, more):
    iam = scene.client("iam")
    iam.create_user(UserName=NAME)
    scene.undo.append(lambda: iam.delete_user(UserName=NAME))
    if statements:
        iam.put_user_policy(UserName=NAME, PolicyName="own", PolicyDocument=text(*statements))
        scene.undo.append(lambda: iam.delete_user_policy(UserName=NAME, PolicyName="own"))
    if "boundary" in more:
        made = iam.create_policy(PolicyName="boundary", PolicyDocument=text(*more["boundary"]))["Policy"]
        iam.put_user_permissions_boundary(UserName=NAME, PermissionsBoundary=made["Arn"])
        scene.undo += [
            lambda: iam.delete_policy(PolicyArn=made["Arn"]),
            lambda: iam.delete_user_permissions_boundary(UserName=NAME),
        ]
    key = iam.create_access_key(UserName=NAME)["AccessKey"]
    scene.undo.append(lambda: iam.delete_access_key(UserName=NAME, AccessKeyId=key["AccessKeyId"]))
    return {"key": key["AccessKeyId"], "secret": key["SecretAccessKey"]}


def _role(scene, statements, more):
    iam = scene.client("iam")
    iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=text(trust({"AWS": ADMINISTRATOR})))
    granted = [*statements, ALLOW_ALL]
    iam.put_role_policy(RoleName=NAME, PolicyName="own", PolicyDocument=text(*granted))
    scene.undo += [
        lambda: iam.delete_role(RoleName=NAME),
        lambda: iam.delete_role_policy(RoleName=NAME, PolicyName="own"),
    ]
    arn = f"arn:aws:iam::{ACCOUNT}:role/{NAME}"
    return scene.world.assume(arn, Policy=text(*more["session"]))


def _resources(scene, more):
    if "key" in more:
        kms = scene.client("kms")
        put = {"KeyId": scene.other_key, "PolicyName": "default"}
        kms.put_key_policy(**put, Policy=text(OWN_KEY, more["key"]))
        scene.undo.append(lambda: kms.put_key_policy(**put, Policy=text(OWN_KEY)))
    if "bucket" in more:
        s3 = scene.client("s3")
        s3.put_bucket_policy(Bucket=scene.bucket, Policy=text(more["bucket"]))
        scene.undo.append(lambda: s3.delete_bucket_policy(Bucket=scene.bucket))
