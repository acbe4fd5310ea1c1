"""AWS's evaluation logic, point by point.

The numbers group the cases: 1-5 statement matching, 6-14 decisions within an account, 15-16 across accounts, 17-21
special services and callers. Sources: IAM User Guide, "Policy evaluation logic" and its subpages; Organizations User
Guide, "Resource control policies".
"""

from __future__ import annotations

import pytest

from ringwall.iam.codec import policies_from_json, request_from_json
from ringwall.iam.evaluate import decide

ACCOUNT, OTHER = "111122223333", "999988887777"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/App"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/App/s1"
USER = f"arn:aws:iam::{ACCOUNT}:user/team/ann"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
STRANGER = f"arn:aws:iam::{OTHER}:role/Stranger"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/x.io"
PATHED = f"arn:aws:iam::{ACCOUNT}:role/team/App"
LINKED = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/svc.amazonaws.com/AWSServiceRoleForSvc"
LINKED_SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSServiceRoleForSvc/s"
THING = f"arn:aws:svc:us-east-1:{ACCOUNT}:thing/a"
OBJECT = "arn:aws:s3:::bucket/dir/key"
ALIAS = f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/a"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/m"

FULL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NOTHING = {"Effect": "Allow", "Action": "other:Thing", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "*", "Resource": "*"}


def document(*statements, version="2012-10-17"):
    return {"Version": version, "Statement": list(statements)}


def named(*statements, **kwargs):
    return [{"name": "p", "document": document(*statements, **kwargs)}]


def tree(*levels):
    return [
        {"target": f"level-{index}", "policies": named(*level) if level else []}
        for index, level in enumerate(levels)
    ]


def grant(principal, effect="Allow", **extra):
    return {"Effect": effect, "Principal": principal, "Action": "*", "Resource": "*", **extra}


def ask(policies, principal=ROLE, action="svc:Read", resource=THING, vocabulary=None, **request):
    if "resource" in policies:
        policies = {**policies, "resource": {"name": "p", "document": document(*policies["resource"])}}
    made = request_from_json({"principal": principal, "action": action, "resource": resource, **request})
    return decide(made, policies_from_json(policies), vocabulary)


class Covered:
    """A vocabulary of which only the RCP list is asked."""

    def __init__(self, *services):
        self.services = services

    def rcp_covers(self, service):
        return service in self.services


ALLOW, DENIED, NO = "allow", "explicit_deny", "implicit_deny"


def identity(**statement):
    return {"identity": named({"Effect": "Allow", "Action": "*", "Resource": "*", **statement})}


def only_resource(*resources, **kwargs):
    return {"identity": named({"Effect": "Allow", "Action": "*", "Resource": list(resources)}, **kwargs)}


# Each case: number and name, then policies, request, outcome and missing types.
CASES = [
    # 1. all parts must match
    ("1 everything matches", identity(), {}, ALLOW, ()),
    ("1 action differs", identity(Action="svc:Write"), {}, NO, ("identity",)),
    ("1 resource differs", only_resource("arn:aws:svc:::x"), {}, NO, ("identity",)),
    ("1 condition fails", identity(Condition={"Bool": {"svc:X": "true"}}), {}, NO, ("identity",)),
    ("1 all conditions must hold", identity(Condition={"StringEquals": {"svc:A": "1", "svc:B": "2"}}),
     {"context": {"svc:A": "1", "svc:B": "3"}}, NO, ("identity",)),
    ("1 resource policy without Principal never matches", {"resource": [FULL]}, {}, NO, ("identity",)),
    ("1 nor does its Deny", {**identity(), "resource": [DENY]}, {}, ALLOW, ()),
    ("1 absent Resource in a resource policy matches",
     {"resource": [{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "*"}]}, {}, ALLOW, ()),
    ("1 absent Resource elsewhere grants nothing", {"identity": named({"Effect": "Allow", "Action": "*"})}, {}, NO,
     ("identity",)),
    ("1 keys of one operator are an AND", identity(Condition={"StringNotEquals": {"svc:A": "1", "svc:B": "1"}}),
     {"context": {"svc:A": "1", "svc:B": "2"}}, NO, ("identity",)),
    ("1 empty Condition", identity(Condition={}), {}, ALLOW, ()),
    ("1 Principal without any name matches nobody", {"resource": [grant({"AWS": []})]}, {}, NO, ("identity",)),
    # 2. actions
    ("2 case does not matter", identity(Action="SVC:rEAD"), {}, ALLOW, ()),
    ("2 wildcard", identity(Action="svc:R*d"), {}, ALLOW, ()),
    ("2 single wildcard", identity(Action="svc:Rea?"), {}, ALLOW, ()),
    ("2 *:*", identity(Action="*:*"), {}, ALLOW, ()),
    ("2 prefix is not enough", identity(Action="svc:Rea"), {}, NO, ("identity",)),
    ("2 NotAction", {"identity": named({"Effect": "Allow", "NotAction": ["svc:Write", "svc:Del*"], "Resource": "*"})},
     {}, ALLOW, ()),
    ("2 NotAction is NOT of the OR",
     {"identity": named({"Effect": "Allow", "NotAction": ["svc:Read", "svc:Write"], "Resource": "*"})}, {}, NO,
     ("identity",)),
    ("2 NotAction *", {"identity": named({"Effect": "Allow", "NotAction": "*", "Resource": "*"})}, {}, NO, ("identity",)),
    ("2 empty Action list", identity(Action=[]), {}, NO, ("identity",)),
    ("2 NotAction Deny spares what it lists",
     {"identity": named(FULL, {"Effect": "Deny", "NotAction": "svc:*", "Resource": "*"})}, {}, ALLOW, ()),
    ("2 NotAction Deny reaches other services",
     {"identity": named(FULL, {"Effect": "Deny", "NotAction": "svc:*", "Resource": "*"})}, {"action": "iam:Read"}, DENIED, ()),
    ("2 a dot is no wildcard", identity(Action="svc:R.ad"), {}, NO, ("identity",)),
    ("2 the service is matched whole", identity(Action="sv:*"), {}, NO, ("identity",)),
    # 3. resources
    ("3 exact", only_resource(THING), {}, ALLOW, ()),
    ("3 case matters", only_resource(THING.replace("thing", "Thing")), {}, NO, ("identity",)),
    ("3 star within a field", only_resource(f"arn:aws:svc:us-*-1:{ACCOUNT}:thing/a"), {}, ALLOW, ()),
    ("3 inner star stays in its field", only_resource(f"arn:aws:s*c:us-east-1:{ACCOUNT}:thing/a"),
     {"resource": f"arn:aws:s:c:us-east-1:{ACCOUNT}:thing/a"}, NO, ("identity",)),
    ("3 ? stays in its field", only_resource("arn:aws:svc:us-east-1?111122223333:thing/a"), {}, NO, ("identity",)),
    ("3 last star crosses", only_resource("arn:aws:svc:*"), {}, ALLOW, ()),
    ("3 star that ends a field crosses", only_resource("arn:aws:svc:*:thing/a"), {}, ALLOW, ()),
    ("3 the last field takes colons", only_resource(f"arn:aws:svc:us-east-1:{ACCOUNT}:log:*:end"),
     {"resource": f"arn:aws:svc:us-east-1:{ACCOUNT}:log:a:b:end"}, ALLOW, ()),
    ("3 short ARN is completed on the identity side", only_resource("arn:aws:svc"), {}, ALLOW, ()),
    ("3 short ARN is completed in boundaries",
     {**identity(), "permissions_boundary": named({**FULL, "Resource": "arn:aws:svc:us-east-1"})}, {}, ALLOW, ()),
    ("3 but not in resource policies", {"resource": [grant({"AWS": ROLE}, Resource="arn:aws:svc")]}, {}, NO,
     ("identity",)),
    ("3 account-level actions match * alone", only_resource("arn:aws:svc:*:*:*"), {"resource": "*"}, NO, ("identity",)),
    ("3 * matches account-level actions", identity(), {"resource": "*"}, ALLOW, ()),
    ("3 NotResource", {"identity": named({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:svc:::x"})}, {},
     ALLOW, ()),
    ("3 NotResource is NOT of the OR",
     {"identity": named({"Effect": "Allow", "Action": "*", "NotResource": ["arn:aws:svc:::x", THING]})}, {}, NO,
     ("identity",)),
    ("3 variable in Resource", only_resource("arn:aws:s3:::home/${aws:username}/*"),
     {"principal": USER, "resource": "arn:aws:s3:::home/ann/x", "resource_account": ACCOUNT}, ALLOW, ()),
    ("3 variable without value never matches", only_resource("arn:aws:s3:::home/${aws:username}/*"),
     {"resource": "arn:aws:s3:::home//x"}, NO, ("identity",)),
    ("3 variable with default", only_resource("arn:aws:s3:::home/${aws:username, 'all'}/*"),
     {"resource": "arn:aws:s3:::home/all/x"}, ALLOW, ()),
    ("3 a variable's star is no wildcard", only_resource("arn:aws:s3:::${aws:PrincipalTag/t}"),
     {"resource": "arn:aws:s3:::bucket", "context": {"aws:PrincipalTag/t": "*"}}, NO, ("identity",)),
    ("3 escaped star", only_resource("arn:aws:s3:::a${*}"), {"resource": "arn:aws:s3:::a*"}, ALLOW, ()),
    ("3 escaped star is literal", only_resource("arn:aws:s3:::a${*}"), {"resource": "arn:aws:s3:::ab"}, NO,
     ("identity",)),
    ("3 S3's star takes slashes", only_resource("arn:aws:s3:::bucket/*"), {"resource": OBJECT}, ALLOW, ()),
    ("3 S3's star takes colons", only_resource("arn:aws:s3:::b*t/*:z"), {"resource": "arn:aws:s3:::bucket/x:y:z"}, ALLOW, ()),
    ("3 the bucket is not its objects", only_resource("arn:aws:s3:::bucket"), {"resource": OBJECT}, NO, ("identity",)),
    ("3 objects are not the bucket", only_resource("arn:aws:s3:::bucket/*"), {"resource": "arn:aws:s3:::bucket"}, NO,
     ("identity",)),
    ("3 a star takes an empty field", only_resource("arn:aws:s3:*:*:bucket/*"), {"resource": OBJECT}, ALLOW, ()),
    ("3 ? takes no empty field", only_resource("arn:aws:s3:?::bucket/*"), {"resource": OBJECT}, NO, ("identity",)),
    ("3 another partition", only_resource(THING.replace("arn:aws:", "arn:aws-cn:")), {}, NO, ("identity",)),
    ("3 any partition", only_resource(THING.replace("arn:aws:", "arn:*:")), {}, ALLOW, ()),
    ("3 NotResource is true of account-level actions",
     {"identity": named(FULL, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::bucket/*"})},
     {"resource": "*"}, DENIED, ()),
    ("3 NotResource with a variable that has no value spares nothing",
     {"identity": named(FULL, {"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::${aws:PrincipalTag/t}/*"})},
     {"resource": OBJECT}, DENIED, ()),
    ("3 short ARNs in a Deny", {"identity": named(FULL, {**DENY, "Resource": "arn:aws:svc:us-east-1"})}, {}, DENIED, ()),
    ("3 not completed in SCPs", {**identity(), "scp": tree([FULL, {**DENY, "Resource": "arn:aws:svc"}])}, {}, ALLOW, ()),
    ("3 variables in resource policies", {"resource": [
        grant({"AWS": USER}, Resource=f"arn:aws:svc:us-east-1:{ACCOUNT}:thing/${{aws:username}}")]},
     {"principal": USER, "resource": f"arn:aws:svc:us-east-1:{ACCOUNT}:thing/ann"}, ALLOW, ()),
    # 4. principals
    ("4 *", {"resource": [grant("*")]}, {}, ALLOW, ()),
    ("4 AWS *", {"resource": [grant({"AWS": "*"})]}, {}, ALLOW, ()),
    ("4 account id delegates", {"resource": [grant({"AWS": ACCOUNT})]}, {}, NO, ("identity",)),
    ("4 root ARN delegates", {"resource": [grant({"AWS": ROOT})]}, {}, NO, ("identity",)),
    ("4 user", {"resource": [grant({"AWS": USER})]}, {"principal": USER}, ALLOW, ()),
    ("4 another user", {"resource": [grant({"AWS": USER})]}, {"principal": f"arn:aws:iam::{ACCOUNT}:user/ann"}, NO,
     ("identity",)),
    ("4 role means its sessions", {"resource": [grant({"AWS": ROLE})]}, {"principal": SESSION}, ALLOW, ()),
    ("4 session", {"resource": [grant({"AWS": SESSION})]}, {"principal": SESSION}, ALLOW, ()),
    ("4 another session", {"resource": [grant({"AWS": SESSION})]}, {"principal": SESSION + "x"}, NO, ("identity",)),
    ("4 role with a path, told by aws:PrincipalArn",
     {"resource": [grant({"AWS": f"arn:aws:iam::{ACCOUNT}:role/team/App"})]},
     {"principal": SESSION, "context": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/team/App"}}, ALLOW, ()),
    ("4 a foreign aws:PrincipalArn is not believed", {"resource": [grant({"AWS": STRANGER})]},
     {"principal": SESSION, "context": {"aws:PrincipalArn": STRANGER}}, NO, ("identity",)),
    ("4 federated user", {"resource": [grant({"AWS": FEDERATED})]}, {"principal": FEDERATED}, ALLOW, ()),
    ("4 service", {"resource": [grant({"Service": "ec2.amazonaws.com"})]}, {"principal": "ec2.amazonaws.com"}, ALLOW, ()),
    ("4 another service", {"resource": [grant({"Service": "ec2.amazonaws.com"})]}, {"principal": "sns.amazonaws.com"},
     NO, ("resource",)),
    ("4 web identity provider", {"resource": [grant({"Federated": "accounts.google.com"})]},
     {"principal": "accounts.google.com"}, ALLOW, ()),
    ("4 OIDC provider", {"resource": [grant({"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/x.io"})]},
     {"principal": f"arn:aws:iam::{ACCOUNT}:oidc-provider/x.io"}, ALLOW, ()),
    ("4 canonical user", {"resource": [grant({"CanonicalUser": "ab" * 32})]}, {"principal": "ab" * 32}, ALLOW, ()),
    ("4 no partial wildcards", {"resource": [grant({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"})]}, {}, NO, ("identity",)),
    ("4 a deleted role's id matches nobody", {"resource": [grant({"AWS": "AROAEXAMPLEEXAMPLE"})]}, {}, NO,
     ("identity",)),
    ("4 NotPrincipal Allow is everyone else",
     {"resource": [{"Effect": "Allow", "NotPrincipal": {"AWS": STRANGER}, "Action": "*", "Resource": "*"}]},
     {"principal": "*"}, ALLOW, ()),
    ("4 NotPrincipal Deny denies whose account is not listed",
     {**identity(), "resource": [{"Effect": "Deny", "NotPrincipal": {"AWS": ROLE}, "Action": "*", "Resource": "*"}]},
     {}, DENIED, ()),
    ("4 NotPrincipal Deny spares account and role",
     {**identity(), "resource": [{"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, ROOT]}, "Action": "*", "Resource": "*"}]},
     {}, ALLOW, ()),
    ("4 NotPrincipal Deny needs the session too",
     {**identity(), "resource": [{"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, ROOT]}, "Action": "*", "Resource": "*"}]},
     {"principal": SESSION}, DENIED, ()),
    ("4 NotPrincipal Deny spares account, role and session",
     {**identity(), "resource": [
         {"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, ACCOUNT, SESSION]}, "Action": "*", "Resource": "*"}]},
     {"principal": SESSION}, ALLOW, ()),
    ("4 NotPrincipal Deny always denies who has a boundary",
     {**identity(), "permissions_boundary": named(FULL),
      "resource": [{"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, ROOT]}, "Action": "*", "Resource": "*"}]},
     {}, DENIED, ()),
    ("4 NotPrincipal Deny denies services", {"resource": [
        grant("*"), {"Effect": "Deny", "NotPrincipal": {"AWS": ROOT}, "Action": "*", "Resource": "*"}]},
     {"principal": "ec2.amazonaws.com"}, DENIED, ()),
    ("4 AWS * among names", {"resource": [grant({"AWS": [STRANGER, "*"]})]}, {}, ALLOW, ()),
    ("4 the account of another partition's root ARN",
     {**identity(), "resource": [grant({"AWS": f"arn:aws-us-gov:iam::{OTHER}:root"})]},
     {"principal": f"arn:aws-us-gov:iam::{OTHER}:role/App"}, ALLOW, ()),
    ("4 a role without its path is another role", {"resource": [grant({"AWS": ROLE})]}, {"principal": PATHED}, NO,
     ("identity",)),
    ("4 a session of a role with a path is not of the role without",
     {"resource": [grant({"AWS": ROLE})]}, {"principal": SESSION, "context": {"aws:PrincipalArn": PATHED}}, NO,
     ("identity",)),
    ("4 a session ARN does not mean its role", {"resource": [grant({"AWS": SESSION})]}, {}, NO, ("identity",)),
    ("4 a user's name is matched with case", {"resource": [grant({"AWS": USER.replace("ann", "Ann")})]},
     {"principal": USER}, NO, ("identity",)),
    ("4 aws:PrincipalArn of a session is its role's",
     {"resource": [grant("*", Condition={"StringEquals": {"aws:PrincipalArn": ROLE}})]}, {"principal": SESSION}, ALLOW, ()),
    ("4 and not the session's",
     {"resource": [grant("*", Condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/*"}})]},
     {"principal": SESSION}, NO, ("identity",)),
    ("4 the root ARN as aws:PrincipalArn means the root user alone",
     {"resource": [grant("*", "Deny", Condition={"ArnEquals": {"aws:PrincipalArn": ROOT}})], **identity()}, {}, ALLOW, ()),
    ("4 NotPrincipal Allow spares whoever is listed by account",
     {"resource": [{"Effect": "Allow", "NotPrincipal": {"AWS": ACCOUNT}, "Action": "*", "Resource": "*"}]}, {}, NO,
     ("identity",)),
    ("4 NotPrincipal Deny denies anonymous callers", {"resource": [
        grant("*"), {"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE, ROOT]}, "Action": "*", "Resource": "*"}]},
     {"principal": "*"}, DENIED, ()),
    ("4 NotPrincipal Deny spares a listed service", {"resource": [
        grant("*"), {"Effect": "Deny", "NotPrincipal": {"Service": "ec2.amazonaws.com"}, "Action": "*", "Resource": "*"}]},
     {"principal": "ec2.amazonaws.com"}, ALLOW, ()),
    # 5. no variables before 2012-10-17
    ("5 variables need the version", only_resource("arn:aws:s3:::${aws:username}", version="2008-10-17"),
     {"principal": USER, "resource": "arn:aws:s3:::ann"}, NO, ("identity",)),
    ("5 there they are text", only_resource("arn:aws:s3:::${aws:username}", version="2008-10-17"),
     {"principal": USER, "resource": "arn:aws:s3:::${aws:username}"}, ALLOW, ()),
    ("5 nor in conditions",
     {"identity": named({**FULL, "Condition": {"StringEquals": {"svc:Owner": "${aws:username}"}}}, version="2008-10-17")},
     {"principal": USER, "context": {"svc:Owner": "ann"}}, NO, ("identity",)),
    ("5 with the version they are", identity(Condition={"StringEquals": {"svc:Owner": "${aws:username}"}}),
     {"principal": USER, "context": {"svc:Owner": "ann"}}, ALLOW, ()),
    ("5 the version is the policy's own",
     {"identity": [*named(NOTHING), *named({**FULL, "Resource": "arn:aws:s3:::${aws:username}"}, version="2008-10-17")]},
     {"principal": USER, "resource": "arn:aws:s3:::ann"}, NO, ("identity",)),
    # 6. a Deny anywhere
    ("6 identity", {"identity": named(FULL, DENY)}, {}, DENIED, ()),
    ("6 boundary", {**identity(), "permissions_boundary": named(FULL, DENY)}, {}, DENIED, ()),
    ("6 session", {**identity(), "session": named(FULL, DENY)}, {"principal": SESSION}, DENIED, ()),
    ("6 resource, by role", {**identity(), "resource": [grant({"AWS": ROLE}, "Deny")]}, {}, DENIED, ()),
    ("6 resource, by account", {**identity(), "resource": [grant({"AWS": ACCOUNT}, "Deny")]}, {}, DENIED, ()),
    ("6 resource, by *", {**identity(), "resource": [grant("*", "Deny")]}, {}, DENIED, ()),
    ("6 scp", {**identity(), "scp": tree([FULL, DENY])}, {}, DENIED, ()),
    ("6 rcp", {**identity(), "rcp": tree([FULL, {**DENY, "Principal": "*"}])}, {}, DENIED, ()),
    ("6 endpoint", {**identity(), "vpc_endpoint": named(grant("*"), grant("*", "Deny"))}, {}, DENIED, ()),
    ("6 a Deny that does not match does nothing", {"identity": named(FULL, {**DENY, "Action": "svc:Write"})}, {}, ALLOW, ()),
    ("6 resource, by *, to a user whom it also names", {"resource": [grant({"AWS": USER}), grant("*", "Deny")]},
     {"principal": USER}, DENIED, ()),
    ("6 a session policy, though the resource names the session",
     {"session": named(DENY), "resource": [grant({"AWS": SESSION})]}, {"principal": SESSION}, DENIED, ()),
    ("6 across accounts, by the caller's account", {**identity(), "resource": [grant("*"), grant({"AWS": OTHER}, "Deny")]},
     {"principal": STRANGER}, DENIED, ()),
    ("6 another account's Deny is none", {**identity(), "resource": [grant({"AWS": OTHER}, "Deny")]}, {}, ALLOW, ()),
    # 7. RCPs
    ("7 full access", {**identity(), "rcp": tree([grant("*")], [grant("*")])}, {}, ALLOW, ()),
    ("7 every level must allow", {**identity(), "rcp": tree([grant("*")], [NOTHING])}, {}, NO, ("rcp",)),
    ("7 a level without policies", {**identity(), "rcp": tree([grant("*")], [])}, {}, NO, ("rcp",)),
    ("7 binds root", {"rcp": tree([grant("*"), grant("*", "Deny")])}, {"principal": ROOT}, DENIED, ()),
    ("7 binds callers from outside", {**identity(), "resource": [grant("*")], "rcp": tree([grant("*", "Deny")])},
     {"principal": STRANGER}, DENIED, ()),
    ("7 not service-linked roles", {**identity(), "rcp": tree([grant("*", "Deny")])}, {"principal": LINKED}, ALLOW, ()),
    ("7 service not covered", {**identity(), "rcp": tree([grant("*", "Deny")])}, {"vocabulary": Covered("s3")}, ALLOW, ()),
    ("7 service covered", {**identity(), "rcp": tree([grant("*", "Deny")])}, {"vocabulary": Covered("svc")}, DENIED, ()),
    ("7 a Deny at any level", {**identity(), "rcp": tree([grant("*")], [grant("*"), grant("*", "Deny")], [grant("*")])}, {},
     DENIED, ()),
    ("7 callers from outside of the organization",
     {**identity(), "resource": [grant("*")], "rcp": tree([grant("*"), grant("*", "Deny", Condition={
         "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})])},
     {"principal": STRANGER, "context": {"aws:PrincipalOrgID": "o-2"}}, DENIED, ()),
    ("7 callers from inside of it",
     {**identity(), "rcp": tree([grant("*"), grant("*", "Deny", Condition={
         "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})])},
     {"context": {"aws:PrincipalOrgID": "o-1"}}, ALLOW, ()),
    ("7 grants nothing", {"rcp": tree([grant("*")])}, {}, NO, ("identity",)),
    ("7 Bedrock is not covered", {**identity(), "rcp": tree([grant("*", "Deny")])},
     {"action": "bedrock:InvokeModel", "resource": MODEL, "vocabulary": Covered("s3", "sts", "kms")}, ALLOW, ()),
    # 8. SCPs
    ("8 every level must allow", {**identity(), "scp": tree([FULL], [NOTHING], [FULL])}, {}, NO, ("scp",)),
    ("8 union within a level", {**identity(), "scp": tree([NOTHING, FULL])}, {}, ALLOW, ()),
    ("8 a level without policies allows nothing", {**identity(), "scp": tree([FULL], [])}, {}, NO, ("scp",)),
    ("8 binds root", {"scp": tree([NOTHING])}, {"principal": ROOT}, NO, ("scp",)),
    ("8 grants nothing", {"scp": tree([FULL])}, {}, NO, ("identity",)),
    ("8 not service-linked roles", {**identity(), "scp": tree([DENY])}, {"principal": LINKED}, ALLOW, ()),
    ("8 their sessions, told by aws:PrincipalArn", {**identity(), "scp": tree([DENY])},
     {"principal": LINKED_SESSION, "context": {"aws:PrincipalArn": LINKED}}, ALLOW, ()),
    ("8 a name alone exempts nobody", {**identity(), "scp": tree([DENY])}, {"principal": LINKED_SESSION}, DENIED, ()),
    ("8 not services", {"resource": [grant({"Service": "ec2.amazonaws.com"})], "scp": tree([DENY])},
     {"principal": "ec2.amazonaws.com"}, ALLOW, ()),
    ("8 not anonymous callers", {"resource": [grant("*")], "scp": tree([DENY])}, {"principal": "*"}, ALLOW, ()),
    ("8 resource policies cannot lift it", {"resource": [grant({"AWS": ROLE})], "scp": tree([NOTHING])}, {}, NO, ("scp",)),
    ("8 the role's account is not asked, the caller's is",
     {**identity(), "resource": [grant({"AWS": STRANGER})], "scp": tree([FULL, DENY])}, {"principal": STRANGER}, DENIED, ()),
    ("8 binds federated users", {**identity(), "session": named(FULL), "scp": tree([DENY])}, {"principal": FEDERATED}, DENIED, ()),
    ("8 not identity providers", {"resource": [grant({"Federated": PROVIDER})], "scp": tree([DENY])},
     {"principal": PROVIDER}, ALLOW, ()),
    ("8 a Deny at the top, whatever is allowed below", {**identity(), "scp": tree([FULL, DENY], [FULL], [FULL])}, {}, DENIED, ()),
    ("8 the root user by aws:PrincipalArn", {"scp": tree([FULL, {**DENY, "Condition": {
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}}])}, {"principal": ROOT}, DENIED, ()),
    # 9. VPC endpoint policy
    ("9 must allow", {**identity(), "vpc_endpoint": named({**NOTHING, "Principal": "*"})}, {}, NO, ("vpc_endpoint",)),
    ("9 default policy", {**identity(), "vpc_endpoint": named(grant("*"))}, {}, ALLOW, ()),
    ("9 its Principal counts", {**identity(), "vpc_endpoint": named(grant({"AWS": STRANGER}))}, {}, NO,
     ("vpc_endpoint",)),
    ("9 its Principal, account", {**identity(), "vpc_endpoint": named(grant({"AWS": ACCOUNT}))}, {}, ALLOW, ()),
    ("9 replaces nothing", {"vpc_endpoint": named(grant("*"))}, {}, NO, ("identity",)),
    ("9 its Deny", {**identity(), "vpc_endpoint": named(grant("*"), grant({"AWS": ROLE}, "Deny"))}, {"principal": SESSION},
     DENIED, ()),
    ("9 its Principal, session of the role", {**identity(), "vpc_endpoint": named(grant({"AWS": ROLE}))},
     {"principal": SESSION}, ALLOW, ()),
    ("9 binds root", {"vpc_endpoint": named({**NOTHING, "Principal": "*"})}, {"principal": ROOT}, NO, ("vpc_endpoint",)),
    ("9 binds service-linked roles", {**identity(), "vpc_endpoint": []}, {"principal": LINKED}, NO, ("vpc_endpoint",)),
    ("9 a grant of the resource does not lift it", {"resource": [grant("*")], "vpc_endpoint": []}, {}, NO, ("vpc_endpoint",)),
    # 10. resource policy in the same account
    ("10 user: regardless of the boundary",
     {"permissions_boundary": named(NOTHING), "resource": [grant({"AWS": USER})]}, {"principal": USER}, ALLOW, ()),
    ("10 role: the boundary limits", {"permissions_boundary": named(NOTHING), "resource": [grant({"AWS": ROLE})]},
     {"principal": SESSION}, NO, ("permissions_boundary",)),
    ("10 role: the session policy limits", {"session": named(NOTHING), "resource": [grant({"AWS": ROLE})]},
     {"principal": SESSION}, NO, ("session",)),
    ("10 session: nothing limits",
     {"permissions_boundary": named(NOTHING), "session": named(NOTHING), "resource": [grant({"AWS": SESSION})]},
     {"principal": SESSION}, ALLOW, ()),
    ("10 federated user: nothing limits",
     {"permissions_boundary": named(NOTHING), "session": named(NOTHING), "resource": [grant({"AWS": FEDERATED})]},
     {"principal": FEDERATED}, ALLOW, ()),
    ("10 *: nothing limits",
     {"permissions_boundary": named(NOTHING), "session": named(NOTHING), "resource": [
         grant("*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}})]}, {"principal": SESSION}, ALLOW, ()),
    ("10 account: all limit",
     {**identity(), "permissions_boundary": named(NOTHING), "session": named(NOTHING), "resource": [grant({"AWS": ROOT})]},
     {"principal": SESSION}, NO, ("permissions_boundary", "session")),
    ("10 an explicit deny in the boundary still counts",
     {"permissions_boundary": named(DENY), "resource": [grant({"AWS": USER})]}, {"principal": USER}, DENIED, ()),
    ("10 account and identity", {**identity(), "resource": [grant({"AWS": ROOT})]}, {}, ALLOW, ()),
    ("10 user: the SCP still limits",
     {"resource": [grant({"AWS": USER})], "scp": tree([NOTHING])}, {"principal": USER}, NO, ("scp",)),
    ("10 role: an empty session policy list limits", {"session": [], "resource": [grant({"AWS": ROLE})]},
     {"principal": SESSION}, NO, ("session",)),
    ("10 role and session named: nothing limits",
     {"permissions_boundary": [], "session": [], "resource": [grant({"AWS": [ROLE, SESSION]})]}, {"principal": SESSION},
     ALLOW, ()),
    ("10 the strongest of several grants counts",
     {"permissions_boundary": [], "resource": [grant({"AWS": ACCOUNT}), grant({"AWS": ROLE}), grant("*")]}, {}, ALLOW, ()),
    ("10 a stronger grant whose condition fails does not",
     {"permissions_boundary": [], "resource": [
         grant({"AWS": ROLE}), grant("*", Condition={"Bool": {"aws:SecureTransport": "true"}})]}, {}, NO,
     ("permissions_boundary",)),
    ("10 federated user named by account: all limit", {**identity(), "resource": [grant({"AWS": ACCOUNT})]},
     {"principal": FEDERATED}, NO, ("session",)),
    ("10 federated user without session policy, named", {"resource": [grant({"AWS": FEDERATED})]},
     {"principal": FEDERATED}, ALLOW, ()),
    ("10 the resource's account decides what is the same",
     {"permissions_boundary": [], "resource": [grant({"AWS": USER})]},
     {"principal": USER, "resource": OBJECT, "resource_account": OTHER}, NO, ("identity", "permissions_boundary")),
    # 11-14
    ("11 identity must allow", {"identity": []}, {}, NO, ("identity",)),
    ("11 any of the policies", {"identity": [*named(NOTHING), *named(FULL)]}, {}, ALLOW, ()),
    ("12 boundary must allow", {**identity(), "permissions_boundary": named(NOTHING)}, {}, NO, ("permissions_boundary",)),
    ("12 boundary never grants", {"permissions_boundary": named(FULL)}, {}, NO, ("identity",)),
    ("13 session policy must allow", {**identity(), "session": named(NOTHING)}, {"principal": SESSION}, NO, ("session",)),
    ("13 session policy never grants", {"session": named(FULL)}, {"principal": SESSION}, NO, ("identity",)),
    ("13 no session policy, role session", identity(), {"principal": SESSION}, ALLOW, ()),
    ("13 no session policy, federated user", identity(), {"principal": FEDERATED}, NO, ("session",)),
    ("13 federated user with session policy", {**identity(), "session": named(FULL)}, {"principal": FEDERATED}, ALLOW, ()),
    ("14 default", {}, {}, NO, ("identity",)),
    ("14 root needs nothing", {}, {"principal": ROOT}, ALLOW, ()),
    ("14 root, denied by the resource", {"resource": [grant({"AWS": ROOT}, "Deny")]}, {"principal": ROOT}, DENIED, ()),
    ("14 root session with a task policy", {"session": named(NOTHING)}, {"principal": ROOT}, NO, ("session",)),
    ("12 several boundary policies are one", {**identity(), "permissions_boundary": [*named(NOTHING), *named(FULL)]}, {},
     ALLOW, ()),
    ("12 an empty boundary allows nothing", {**identity(), "permissions_boundary": []}, {}, NO, ("permissions_boundary",)),
    ("12 root has none", {"permissions_boundary": named(NOTHING)}, {"principal": ROOT}, ALLOW, ()),
    ("13 any of several session policies", {**identity(), "session": [*named(NOTHING), *named(FULL)]},
     {"principal": SESSION}, ALLOW, ()),
    ("13 a Deny in one of them", {**identity(), "session": [*named(FULL), *named(DENY)]}, {"principal": SESSION}, DENIED, ()),
    ("13 a federated user's user must allow too", {"session": named(FULL)}, {"principal": FEDERATED}, NO, ("identity",)),
    ("14 root by its account id", {}, {"principal": ACCOUNT}, ALLOW, ()),
    ("14 root of the account, RCP without an Allow", {"rcp": tree([NOTHING])}, {"principal": ROOT}, NO, ("rcp",)),
    # 15. across accounts
    ("15 both sides", {**identity(), "resource": [grant({"AWS": STRANGER})]}, {"principal": STRANGER}, ALLOW, ()),
    ("15 account suffices on the resource side", {**identity(), "resource": [grant({"AWS": OTHER})]},
     {"principal": STRANGER}, ALLOW, ()),
    ("15 * suffices", {**identity(), "resource": [grant("*")]}, {"principal": STRANGER}, ALLOW, ()),
    ("15 identity side missing", {"resource": [grant({"AWS": STRANGER})]}, {"principal": STRANGER}, NO, ("identity",)),
    ("15 resource side missing", identity(), {"principal": STRANGER}, NO, ("resource",)),
    ("15 both missing", {}, {"principal": STRANGER}, NO, ("identity", "resource")),
    ("15 boundary always limits",
     {**identity(), "permissions_boundary": named(NOTHING), "resource": [grant("*")]}, {"principal": STRANGER}, NO,
     ("permissions_boundary",)),
    ("15 session always limits",
     {**identity(), "session": named(NOTHING), "resource": [grant("*")]},
     {"principal": f"arn:aws:sts::{OTHER}:assumed-role/Stranger/s"}, NO, ("session",)),
    ("15 the caller's SCP limits", {**identity(), "resource": [grant("*")], "scp": tree([NOTHING])},
     {"principal": STRANGER}, NO, ("scp",)),
    ("15 root of another account", {"resource": [grant({"AWS": OTHER})]}, {"principal": f"arn:aws:iam::{OTHER}:root"},
     ALLOW, ()),
    ("15 root of another account, not named", {}, {"principal": f"arn:aws:iam::{OTHER}:root"}, NO, ("resource",)),
    ("15 resource_account decides", identity(), {"resource": "arn:aws:s3:::b/k", "resource_account": OTHER}, NO,
     ("resource",)),
    ("15 everything is missing", {"permissions_boundary": [], "session": [], "scp": tree([]), "rcp": tree([]),
                                  "vpc_endpoint": []},
     {"principal": f"arn:aws:sts::{OTHER}:assumed-role/Stranger/s"}, NO,
     ("identity", "resource", "permissions_boundary", "session", "scp", "rcp", "vpc_endpoint")),
    ("15 a grant to the session does not lift the session policy",
     {**identity(), "session": named(NOTHING), "resource": [grant({"AWS": f"arn:aws:sts::{OTHER}:assumed-role/Stranger/s"})]},
     {"principal": f"arn:aws:sts::{OTHER}:assumed-role/Stranger/s"}, NO, ("session",)),
    ("15 the resource's own account as principal is not the caller's", {**identity(), "resource": [grant({"AWS": ACCOUNT})]},
     {"principal": STRANGER}, NO, ("resource",)),
    ("15 the resource's RCP", {**identity(), "resource": [grant("*")], "rcp": tree([grant("*"), grant("*", "Deny")])},
     {"principal": STRANGER}, DENIED, ()),
    ("15 resource_account before the ARN's", identity(), {"resource_account": OTHER}, NO, ("resource",)),
    # 16. no account in the ARN: the caller's
    ("16 foundation model", identity(), {"resource": MODEL, "action": "bedrock:InvokeModel"}, ALLOW, ()),
    ("16 guardrail of another account", identity(),
     {"resource": f"arn:aws:bedrock:us-east-1:{OTHER}:guardrail/g", "action": "bedrock:ApplyGuardrail"}, NO, ("resource",)),
    ("16 S3 without resource_account is the caller's", identity(), {"resource": OBJECT}, ALLOW, ()),
    ("16 aws:ResourceAccount of S3 is what resource_account says",
     {**identity(Condition={"StringEquals": {"aws:ResourceAccount": OTHER}}), "resource": [grant("*")]},
     {"resource": OBJECT, "resource_account": OTHER}, ALLOW, ()),
    ("16 guardrail of another account, shared", {**identity(), "resource": [grant({"AWS": ACCOUNT})]},
     {"resource": f"arn:aws:bedrock:us-east-1:{OTHER}:guardrail/g", "action": "bedrock:ApplyGuardrail"}, ALLOW, ()),
    ("16 no resource policy, another account: through a role alone", identity(),
     {"resource": f"arn:aws:bedrock:us-east-1:{OTHER}:inference-profile/p", "action": "bedrock:InvokeModel"}, NO, ("resource",)),
    # 17. KMS keys
    ("17 identity alone is not enough", identity(), {"action": "kms:Decrypt", "resource": KEY}, NO, ("resource",)),
    ("17 key policy names nobody", {**identity(), "resource": [grant({"AWS": STRANGER})]},
     {"action": "kms:Decrypt", "resource": KEY}, NO, ("resource",)),
    ("17 delegated to the account", {**identity(), "resource": [grant({"AWS": ROOT})]},
     {"action": "kms:Decrypt", "resource": KEY}, ALLOW, ()),
    ("17 delegated, identity missing", {"resource": [grant({"AWS": ROOT})]}, {"action": "kms:Decrypt", "resource": KEY},
     NO, ("identity",)),
    ("17 key policy names the role", {"resource": [grant({"AWS": ROLE})]}, {"action": "kms:Decrypt", "resource": KEY},
     ALLOW, ()),
    ("17 root needs the key policy", {"resource": [grant({"AWS": ROLE})]},
     {"principal": ROOT, "action": "kms:Decrypt", "resource": KEY}, NO, ("resource",)),
    ("17 root named", {"resource": [grant({"AWS": ROOT})]}, {"principal": ROOT, "action": "kms:Decrypt", "resource": KEY},
     ALLOW, ()),
    ("17 actions without a key", identity(), {"action": "kms:CreateKey", "resource": "*"}, ALLOW, ()),
    ("17 kms:RetireGrant is outside of RCPs",
     {**identity(), "resource": [grant({"AWS": ROOT})], "rcp": tree([grant("*", "Deny")])},
     {"action": "kms:RetireGrant", "resource": KEY}, ALLOW, ()),
    ("17 across accounts, key policy alone", {"resource": [grant({"AWS": OTHER})]},
     {"principal": STRANGER, "action": "kms:Decrypt", "resource": KEY}, NO, ("identity",)),
    ("17 across accounts, both", {**identity(), "resource": [grant({"AWS": OTHER})]},
     {"principal": STRANGER, "action": "kms:Decrypt", "resource": KEY}, ALLOW, ()),
    ("17 delegated with a condition that fails",
     {**identity(), "resource": [grant({"AWS": ROOT}, Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})]},
     {"action": "kms:Decrypt", "resource": KEY}, NO, ("resource",)),
    ("17 and holds",
     {**identity(), "resource": [grant({"AWS": ROOT}, Condition={"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}})]},
     {"action": "kms:Decrypt", "resource": KEY, "context": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}, ALLOW, ()),
    ("17 * in the key policy needs no identity policy", {"resource": [
        grant("*", Condition={"StringEquals": {"kms:CallerAccount": ACCOUNT}})]},
     {"action": "kms:Decrypt", "resource": KEY, "context": {"kms:CallerAccount": ACCOUNT}}, ALLOW, ()),
    ("17 aliases have no policy", identity(), {"action": "kms:CreateAlias", "resource": ALIAS}, ALLOW, ()),
    ("17 case of the action", identity(), {"action": "KMS:decrypt", "resource": KEY}, NO, ("resource",)),
    ("17 a service", {"resource": [grant({"Service": "logs.amazonaws.com"})]},
     {"principal": "logs.amazonaws.com", "action": "kms:Decrypt", "resource": KEY}, ALLOW, ()),
    # 18. STS
    ("18 trust policy must allow", identity(), {"action": "sts:AssumeRole", "resource": ROLE, "principal": USER}, NO,
     ("resource",)),
    ("18 naming the principal suffices", {"resource": [{"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}]},
     {"action": "sts:AssumeRole", "resource": ROLE, "principal": USER}, ALLOW, ()),
    ("18 naming the account needs identity",
     {"resource": [{"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "sts:AssumeRole"}]},
     {"action": "sts:AssumeRole", "resource": ROLE, "principal": USER}, NO, ("identity",)),
    ("18 across accounts both",
     {**identity(), "resource": [{"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}]},
     {"action": "sts:AssumeRole", "resource": ROLE, "principal": STRANGER}, ALLOW, ()),
    ("18 service assumes", {"resource": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]},
     {"action": "sts:AssumeRole", "resource": ROLE, "principal": "ec2.amazonaws.com"}, ALLOW, ()),
    ("18 SAML", {"resource": [{"Effect": "Allow", "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/p"},
                               "Action": "sts:AssumeRoleWithSAML"}]},
     {"action": "sts:AssumeRoleWithSAML", "resource": ROLE, "principal": f"arn:aws:iam::{ACCOUNT}:saml-provider/p"}, ALLOW, ()),
    ("18 GetCallerIdentity needs nothing", {}, {"action": "sts:GetCallerIdentity", "resource": "*"}, ALLOW, ()),
    ("18 GetCallerIdentity even under a Deny", {"identity": named(DENY), "scp": tree([DENY])},
     {"action": "STS:getCallerIdentity", "resource": "*"}, ALLOW, ()),
    ("18 naming the role suffices for its sessions",
     {"resource": [{"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "sts:AssumeRole"}]},
     {"action": "sts:AssumeRole", "resource": PATHED, "principal": SESSION}, ALLOW, ()),
    ("18 a role does not trust itself unasked", identity(), {"action": "sts:AssumeRole", "resource": ROLE}, NO, ("resource",)),
    ("18 naming the account, identity allows",
     {**identity(), "resource": [{"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}]},
     {"action": "sts:AssumeRole", "resource": ROLE, "principal": USER}, ALLOW, ()),
    ("18 the caller's SCP binds",
     {**identity(), "resource": [{"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}],
      "scp": tree([NOTHING])}, {"action": "sts:AssumeRole", "resource": ROLE, "principal": STRANGER}, NO, ("scp",)),
    ("18 the role's RCP binds",
     {**identity(), "resource": [{"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}],
      "rcp": tree([grant("*"), grant("*", "Deny")])}, {"action": "sts:AssumeRole", "resource": ROLE, "principal": STRANGER},
     DENIED, ()),
    ("18 tagging the session is trusted apart",
     {**identity(), "resource": [{"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}]},
     {"action": "sts:TagSession", "resource": ROLE, "principal": USER}, NO, ("resource",)),
    ("18 root cannot assume a role, trusted or not",
     {"resource": [{"Effect": "Allow", "Principal": {"AWS": OTHER}, "Action": "sts:AssumeRole"}]},
     {"action": "sts:AssumeRole", "resource": ROLE, "principal": f"arn:aws:iam::{OTHER}:root"}, NO, ("identity",)),
    ("18 nor one of its own account", {"resource": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]},
     {"action": "STS:assumerole", "resource": ROLE, "principal": ROOT}, NO, ("identity",)),
    ("18 web identity, condition on the token",
     {"resource": [{"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"StringEquals": {"x.io:aud": "sts.amazonaws.com"}, "StringLike": {"x.io:sub": "repo:o/*"}}}]},
     {"action": "sts:AssumeRoleWithWebIdentity", "resource": ROLE, "principal": PROVIDER,
      "context": {"x.io:aud": "sts.amazonaws.com", "x.io:sub": "repo:o/r:ref:main"}}, ALLOW, ()),
    ("18 another token",
     {"resource": [{"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity",
                    "Condition": {"StringLike": {"x.io:sub": "repo:o/*"}}}]},
     {"action": "sts:AssumeRoleWithWebIdentity", "resource": ROLE, "principal": PROVIDER,
      "context": {"x.io:sub": "repo:other/r"}}, NO, ("resource",)),
    ("18 another provider",
     {"resource": [{"Effect": "Allow", "Principal": {"Federated": PROVIDER}, "Action": "sts:AssumeRoleWithWebIdentity"}]},
     {"action": "sts:AssumeRoleWithWebIdentity", "resource": ROLE, "principal": PROVIDER + "/y"}, NO, ("resource",)),
    ("18 nobody signs: GetCallerIdentity has nobody to name", {}, {"principal": "*", "action": "sts:GetCallerIdentity",
                                                                   "resource": "*"}, NO, ("resource",)),
    # 19. services
    ("19 identity policies do not count", identity(), {"principal": "ec2.amazonaws.com"}, NO, ("resource",)),
    ("19 RCP binds", {"resource": [grant("*")], "rcp": tree([grant("*"), grant("*", "Deny")])},
     {"principal": "ec2.amazonaws.com"}, DENIED, ()),
    ("19 unless it exempts services", {"resource": [grant("*")], "rcp": tree([
        grant("*"), grant("*", "Deny", Condition={"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})])},
     {"principal": "ec2.amazonaws.com"}, ALLOW, ()),
    ("19 the account does not mean its services", {"resource": [grant({"AWS": ACCOUNT})]},
     {"principal": "ec2.amazonaws.com"}, NO, ("resource",)),
    ("19 confused deputy, the right source",
     {"resource": [grant({"Service": "sns.amazonaws.com"}, Condition={
         "ArnLike": {"aws:SourceArn": f"arn:aws:sns:*:{ACCOUNT}:*"}, "StringEquals": {"aws:SourceAccount": ACCOUNT}})]},
     {"principal": "sns.amazonaws.com",
      "context": {"aws:SourceArn": f"arn:aws:sns:us-east-1:{ACCOUNT}:t", "aws:SourceAccount": ACCOUNT}}, ALLOW, ()),
    ("19 confused deputy, another's source",
     {"resource": [grant({"Service": "sns.amazonaws.com"}, Condition={"StringEquals": {"aws:SourceAccount": ACCOUNT}})]},
     {"principal": "sns.amazonaws.com", "context": {"aws:SourceAccount": OTHER}}, NO, ("resource",)),
    ("19 aws:PrincipalServiceName", {"resource": [
        grant("*", Condition={"StringEquals": {"aws:PrincipalServiceName": "sns.amazonaws.com"}})]},
     {"principal": "sns.amazonaws.com"}, ALLOW, ()),
    # 20. anonymous
    ("20 nothing allows", {}, {"principal": "*"}, NO, ("resource",)),
    ("20 account principals do not mean it", {"resource": [grant({"AWS": ACCOUNT})]}, {"principal": "*"}, NO, ("resource",)),
    ("20 * does", {"resource": [grant("*")]}, {"principal": "*"}, ALLOW, ()),
    ("20 RCP", {"resource": [grant("*")], "rcp": tree([NOTHING])}, {"principal": "*"}, NO, ("rcp",)),
    ("20 endpoint", {"resource": [grant("*")], "vpc_endpoint": named({**NOTHING, "Principal": "*"})}, {"principal": "*"},
     NO, ("vpc_endpoint",)),
    ("20 a public bucket", {"resource": [{**grant("*"), "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}]},
     {"principal": "*", "action": "s3:GetObject", "resource": OBJECT, "resource_account": ACCOUNT}, ALLOW, ()),
    ("20 a public bucket under an RCP", {"resource": [grant("*")], "rcp": tree([grant("*"), grant("*", "Deny", Condition={
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}})])},
     {"principal": "*", "action": "s3:GetObject", "resource": OBJECT, "vocabulary": Covered("s3")}, DENIED, ()),
    ("20 a condition on who calls", {"resource": [grant("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})]},
     {"principal": "*"}, NO, ("resource",)),
    ("20 aws:PrincipalAccount says anonymous",
     {"resource": [grant("*", Condition={"StringEquals": {"aws:PrincipalAccount": "anonymous"}})]}, {"principal": "*"}, ALLOW, ()),
    ("20 it does not say whether a service calls",
     {"resource": [grant("*", Condition={"Null": {"aws:PrincipalIsAWSService": "true"}})]}, {"principal": "*"}, ALLOW, ()),
    ("20 NotPrincipal Allow means it too",
     {"resource": [{"Effect": "Allow", "NotPrincipal": {"AWS": OTHER}, "Action": "*", "Resource": "*"}]},
     {"principal": "*"}, ALLOW, ()),
    # 21. forward access sessions are told by context keys
    ("21 through a service", identity(Condition={"ForAnyValue:StringEquals": {"aws:CalledVia": "x.amazonaws.com"}}),
     {"context": {"aws:CalledVia": ["x.amazonaws.com"], "aws:ViaAWSService": True}}, ALLOW, ()),
    ("21 directly", identity(Condition={"Bool": {"aws:ViaAWSService": "true"}}),
     {"context": {"aws:ViaAWSService": False}}, NO, ("identity",)),
    ("21 the address is the service's, unless it calls for somebody",
     {"identity": named(FULL, {**DENY, "Condition": {
         "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool": {"aws:ViaAWSService": "false"}}})},
     {"context": {"aws:SourceIp": "52.0.0.1", "aws:ViaAWSService": True}}, ALLOW, ()),
    ("21 a caller's own address counts",
     {"identity": named(FULL, {**DENY, "Condition": {
         "NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool": {"aws:ViaAWSService": "false"}}})},
     {"context": {"aws:SourceIp": "52.0.0.1", "aws:ViaAWSService": False}}, DENIED, ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policies", "request_", "outcome", "missing"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_point(policies, request_, outcome, missing):
    decision = ask(policies, **request_)
    assert decision.outcome == outcome
    assert decision.missing == missing


def test_every_number_has_cases():
    assert {int(case[0].split()[0]) for case in CASES} == set(range(1, 22))


def because(decision):
    return [(reason.policy_type, reason.statement, reason.effect) for reason in decision.because]


def test_an_allow_names_every_allowing_statement_identity_and_resource_first():
    decision = ask(
        {
            "identity": named({**FULL, "Sid": "Mine"}),
            "permissions_boundary": named(NOTHING, FULL),
            "resource": [grant({"AWS": ROOT})],
            "scp": tree([FULL], [FULL]),
            "vpc_endpoint": named(grant("*")),
        }
    )
    assert because(decision) == [
        ("identity", "Mine", "Allow"),
        ("resource", "0", "Allow"),
        ("permissions_boundary", "1", "Allow"),
        ("scp", "0", "Allow"),
        ("scp", "0", "Allow"),
        ("vpc_endpoint", "0", "Allow"),
    ]


def test_an_explicit_deny_names_every_matching_deny():
    decision = ask(
        {
            "identity": named(FULL, {**DENY, "Sid": "No"}),
            "scp": tree([FULL, DENY]),
            "vpc_endpoint": named(DENY),
        }
    )
    assert because(decision) == [
        ("identity", "No", "Deny"),
        ("scp", "1", "Deny"),
        ("vpc_endpoint", "0", "Deny"),
    ]


def test_an_unreadable_principal_is_an_error():
    with pytest.raises(ValueError, match="is not a principal"):
        ask({}, principal="arn:aws:iam::111122223333:group/g")
