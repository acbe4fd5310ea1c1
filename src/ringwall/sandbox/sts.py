"""STS: the sandbox's own, because every other part rests on whose session a request belongs to.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ringwall.iam.parser import PolicySyntaxError, parse_policy
from ringwall.sandbox import mfa
from ringwall.sandbox.call import AwsError, Output, not_carried_out
from ringwall.sandbox.credentials import Caller

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringwall.iam.policy import Policy
    from ringwall.sandbox.backend import Moto
    from ringwall.sandbox.credentials import Credentials, Session
    from ringwall.sandbox.turn import Turn

_NAME = re.compile(r"[\w+=,.@-]{2,64}\Z")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/([\w+=,.@/-]+)\Z")
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}\Z")
_HOUR = 3600
_MAX_POLICY = 2048
_MAX_TAGS = 50


class Sts:
    """Sessions and identities."""

    def __init__(self, moto: Moto, credentials: Credentials) -> None:
        self._moto = moto
        self._credentials = credentials
        self._operations: Mapping[str, Callable[[Turn], Output]] = {
            "GetCallerIdentity": self._identity,
            "AssumeRole": self._assume_role,
            "GetSessionToken": self._session_token,
            "GetFederationToken": self._federation_token,
            "GetAccessKeyInfo": self._key_info,
        }

    def check(self, turn: Turn) -> None:
        """Refuse malformed parameters and wrong codes, as STS does before it looks at policies.

        With a right one the call itself is authorized as made with MFA.

        Raises:
            AwsError: ``ValidationError``, or ``AccessDenied`` where authentication failed.
        """
        parameters = turn.parameters
        name = parameters.get("RoleSessionName")
        if turn.call.operation == "AssumeRole":
            _require(
                _ROLE_ARN.match(str(parameters.get("RoleArn", ""))), f"{parameters.get('RoleArn')} is invalid"
            )
            _require(name and _NAME.match(name), _constraint("roleSessionName", name, r"[\w+=,.@-]*"))
        _length("sourceIdentity", parameters.get("SourceIdentity"), _NAME)
        _length("externalId", parameters.get("ExternalId"), _EXTERNAL_ID)
        _require(len(parameters.get("Tags") or ()) <= _MAX_TAGS, "The number of tags exceeds the limit of 50")
        if mfa.authenticate(turn):
            turn.asking.context["aws:multifactorauthpresent"] = ("true",)

    def handle(self, turn: Turn) -> Output:
        """Answer a call that has been authorized.

        Raises:
            AwsError: in STS's spelling.
        """
        operation = self._operations.get(turn.call.operation)
        if operation is None:
            raise not_carried_out("sts", turn.call.operation)
        return operation(turn)

    @staticmethod
    def _identity(turn: Turn) -> Output:
        caller = turn.known_caller
        return Output({"UserId": caller.user_id, "Account": caller.account, "Arn": caller.arn})

    @staticmethod
    def _key_info(turn: Turn) -> Output:
        return Output({"Account": turn.call.account})

    def _assume_role(self, turn: Turn) -> Output:
        parameters = turn.parameters
        match = _ROLE_ARN.match(parameters["RoleArn"])
        assert match is not None
        account, name = match[1], match[2].rsplit("/", 1)[-1]
        with self._moto.locked():
            role = self._moto.store("iam", account)
            found = next((item for item in role.roles.values() if item.name == name), None)
            tags = {
                tag["Key"]: tag["Value"]
                for tag in role.tagger.list_tags_for_resource(parameters["RoleArn"])["Tags"]
            }
        if found is None or str(found.arn) != parameters["RoleArn"]:
            # Authorization has refused already; nobody learns which roles exist.
            raise AwsError(
                "AccessDenied", f"Not authorized to perform: sts:AssumeRole on {parameters['RoleArn']}", 403
            )
        seconds = self._role_duration(turn, int(found.max_session_duration or _HOUR))
        before = turn.caller
        passed = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags") or ()}
        inherited = (
            {key: before.tags[key] for key in before.transitive if key in before.tags} if before else {}
        )
        _refuse_overlap(passed, inherited)
        session = parameters["RoleSessionName"]
        caller = Caller(
            arn=f"arn:aws:sts::{account}:assumed-role/{name}/{session}",
            account=account,
            user_id=f"{found.id}:{session}",
            kind="AssumedRole",
            tags={**tags, **passed, **inherited},
            transitive=(*inherited, *(parameters.get("TransitiveTagKeys") or ())),
            session_policies=self._session_policies(turn, account),
            issued=turn.call.time,
            expires=turn.call.time + timedelta(seconds=seconds),
            mfa="TokenCode" in parameters,
            source_identity=parameters.get("SourceIdentity") or (before.source_identity if before else None),
            session_name=session,
        )
        # A service that assumes a role before each delivery would otherwise leave a session behind each time.
        opened = self._credentials.open_session(caller, kept=turn.insider is None)
        output: dict[str, Any] = {
            "Credentials": _credentials(opened),
            "AssumedRoleUser": {"AssumedRoleId": caller.user_id, "Arn": caller.arn},
        }
        if caller.session_policies is not None:
            output["PackedPolicySize"] = 1 + sum(
                len(str(policy.document)) for policy in caller.session_policies
            ) * 100 // (4 * _MAX_POLICY)
        if caller.source_identity:
            output["SourceIdentity"] = caller.source_identity
        return Output(output)

    @staticmethod
    def _role_duration(turn: Turn, longest: int) -> int:
        chained = turn.caller is not None and turn.caller.kind == "AssumedRole"
        seconds = int(turn.parameters.get("DurationSeconds") or _HOUR)
        if chained and seconds > _HOUR:
            raise AwsError(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            )
        _bounds(seconds, 900, 43200)
        _require(
            seconds <= longest,
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        )
        return seconds

    def _session_policies(self, turn: Turn, account: str) -> tuple[Policy, ...] | None:
        parameters = turn.parameters
        texts: list[tuple[str, Any]] = []
        if parameters.get("Policy"):
            _require(
                len(parameters["Policy"]) <= _MAX_POLICY, "1 validation error detected: policy is too long"
            )
            texts.append(("session policy", parameters["Policy"]))
        named = parameters.get("PolicyArns") or ()
        texts.extend((item["arn"], self._managed(account, item["arn"])) for item in named)
        return tuple(_parsed(text, name) for name, text in texts) if texts else None

    def _managed(self, account: str, arn: str) -> Any:
        with self._moto.locked():
            policy = self._moto.store("iam", account).managed_policies.get(arn)
            if policy is None:
                raise AwsError("ValidationError", f"The policy {arn} does not exist or is not attachable.")
            return next(
                item.document for item in policy.versions if item.version_id == policy.default_version_id
            )

    def _session_token(self, turn: Turn) -> Output:
        before = turn.known_caller
        if before.kind != "User":
            raise AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
        seconds = int(turn.parameters.get("DurationSeconds") or 12 * _HOUR)
        _bounds(seconds, 900, 36 * _HOUR)
        caller = Caller(
            arn=before.arn,
            account=before.account,
            user_id=before.user_id,
            tags=before.tags,
            issued=turn.call.time,
            expires=turn.call.time + timedelta(seconds=seconds),
            mfa="TokenCode" in turn.parameters,
        )
        return Output({"Credentials": _credentials(self._credentials.open_session(caller))})

    def _federation_token(self, turn: Turn) -> Output:
        before = turn.known_caller
        if before.kind != "User" or before.issued is not None:
            raise AwsError("AccessDenied", "Cannot call GetFederationToken with session credentials", 403)
        seconds = int(turn.parameters.get("DurationSeconds") or 12 * _HOUR)
        _bounds(seconds, 900, 36 * _HOUR)
        name = turn.parameters["Name"]
        policies = self._session_policies(turn, before.account)
        caller = Caller(
            arn=f"arn:aws:sts::{before.account}:federated-user/{name}",
            account=before.account,
            user_id=f"{before.account}:{name}",
            kind="FederatedUser",
            tags={tag["Key"]: tag["Value"] for tag in turn.parameters.get("Tags") or ()},
            session_policies=policies if policies is not None else (),
            issued=turn.call.time,
            expires=turn.call.time + timedelta(seconds=seconds),
            session_name=name,
        )
        user = {"FederatedUserId": caller.user_id, "Arn": caller.arn}
        return Output(
            {"Credentials": _credentials(self._credentials.open_session(caller)), "FederatedUser": user}
        )


def _credentials(session: Session) -> dict[str, Any]:
    return {
        "AccessKeyId": session.caller.access_key,
        "SecretAccessKey": session.secret,
        "SessionToken": session.token,
        "Expiration": session.caller.expires,
    }


def _parsed(text: Any, name: str) -> Policy:
    try:
        return parse_policy(json.loads(text) if isinstance(text, str) else text, name=name)
    except (PolicySyntaxError, ValueError) as error:
        raise AwsError(
            "MalformedPolicyDocument", f"The policy is not in the valid JSON format: {error}"
        ) from error


def _refuse_overlap(passed: Mapping[str, str], inherited: Mapping[str, str]) -> None:
    both = sorted(set(passed) & set(inherited))
    if both:
        raise AwsError(
            "InvalidParameterValue", f"One of the specified transitive tag keys can't be set: {both}"
        )


def _bounds(seconds: int, least: int, most: int) -> None:
    bound = ("greater than or equal to", least) if seconds < least else ("less than or equal to", most)
    _require(
        least <= seconds <= most,
        f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: "
        f"Member must have value {bound[0]} {bound[1]}",
    )


def _length(name: str, value: Any, pattern: re.Pattern[str]) -> None:
    _require(value is None or pattern.match(str(value)), _constraint(name, value, pattern.pattern))


def _constraint(name: str, value: Any, pattern: str) -> str:
    return (
        f"1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {pattern}"
    )


def _require(condition: Any, message: str) -> None:
    if not condition:
        raise AwsError("ValidationError", message)
