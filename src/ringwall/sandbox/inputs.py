"""What AWS refuses in a call's input by the shapes of its model alone, before it looks at what the call names.

Bedrock's plane asks :func:`check` itself; for moto's services it comes before every other check of a call. Codes are the
services' own: most answer with one for all constraints, Organizations with a sentence for each, CloudWatch with the
exceptions that an operation declares, EC2 and S3 with their own.

https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html (``ValidationError``)
https://docs.aws.amazon.com/organizations/latest/APIReference/API_CreatePolicy.html (``InvalidInputException``)
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.sandbox.call import AwsError
from ringwall.sandbox.hooks import ANY, Hooks
from ringwall.sandbox.models import operation_model
from ringwall.sandbox.shapes import Violation, violations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ringwall.sandbox.turn import Turn

_CODES = {
    "cloudtrail": "ValidationException",
    "cloudwatch": "ValidationError",
    "events": "ValidationException",
    "iam": "ValidationError",
    "kms": "ValidationException",
    "logs": "InvalidParameterException",
    "sns": "ValidationError",
    "sts": "ValidationError",
}
"""The code for every constraint; of the services that are not here, Bedrock's are ``ValidationException``."""

_TRAIL_CODES = {
    "Name": "InvalidTrailNameException",
    "TrailName": "InvalidTrailNameException",
    "EventSelectors": "InvalidEventSelectorsException",
    "AdvancedEventSelectors": "InvalidEventSelectorsException",
    "EventCategory": "InvalidEventCategoryException",
    "MaxResults": "InvalidMaxResultsException",
}
_ORGANIZATIONS = {
    "required": "You must include a value for all required parameters.",
    "enum": "You specified an invalid value.",
    "pattern": "You provided a value that does not match the required pattern.",
    "shortest": "You provided a string parameter that is shorter than allowed.",
    "longest": "You provided a string parameter that is longer than allowed.",
    "least": "You provided a numeric parameter that has a smaller value than allowed.",
    "most": "You provided a numeric parameter that has a larger value than allowed.",
}
# What S3 does with other values of these headers is not documented.
_S3_UNCHECKED = frozenset({"RequestPayer", "ChecksumMode", "OptionalObjectAttributes", "ObjectLockEventHold"})


def check(service: str, operation: str, parameters: Mapping[str, Any]) -> None:
    """Check an operation's input against its model.

    Raises:
        AwsError: in the service's spelling; where it names constraints, every one that is violated.
    """
    found = violations(service, operation, parameters)
    if found:
        spelled = _SPELLED.get(service)
        error = spelled(operation, found) if spelled else _plain(service, operation, found)
        if error is not None:
            raise error


def _plain(service: str, operation: str, found: Sequence[Violation]) -> AwsError:
    del operation
    code = _CODES.get(service, "ValidationException")
    return AwsError(code, _listed(found, as_written=service.startswith("bedrock")))


def _listed(found: Sequence[Violation], *, as_written: bool = False) -> str:
    plural = "" if len(found) == 1 else "s"
    shown = found if as_written else [_lowered(one) for one in found]
    return f"{len(found)} validation error{plural} detected: {'; '.join(map(str, shown))}"


def _lowered(one: Violation) -> Violation:
    """With the path as AWS writes it: ``roleName`` for RoleName."""
    parts = (part[:1].lower() + part[1:] for part in one.path.split("."))
    return Violation(one.kind, ".".join(parts), one.value, one.constraint)


def _cloudtrail(operation: str, found: Sequence[Violation]) -> AwsError:
    del operation
    code = _TRAIL_CODES.get(found[0].path.split(".")[0], _CODES["cloudtrail"])
    return AwsError(code, _listed(found))


def _cloudwatch(operation: str, found: Sequence[Violation]) -> AwsError:
    declared = {shape.name for shape in operation_model("cloudwatch", operation).error_shapes}
    first = found[0]
    if first.kind == "required" and "MissingRequiredParameterException" in declared:
        return AwsError("MissingParameter", f"The parameter {first.path} is required.")
    if "InvalidParameterValueException" in declared:
        message = f"The parameter {first.path} is invalid: {first.constraint}"
        return AwsError("InvalidParameterValue", message)
    return _plain("cloudwatch", operation, found)


def _organizations(operation: str, found: Sequence[Violation]) -> AwsError:
    del operation
    return AwsError("InvalidInputException", _ORGANIZATIONS.get(found[0].kind, _ORGANIZATIONS["enum"]))


def _ec2(operation: str, found: Sequence[Violation]) -> AwsError:
    del operation
    first = found[0]
    if first.kind == "required":
        return AwsError("MissingParameter", f"The request must contain the parameter {first.path}")
    name = first.path.rpartition(".")[2]
    return AwsError(
        "InvalidParameterValue",
        f"Value ({first.value}) for parameter {name[:1].lower()}{name[1:]} is invalid.",
    )


def _s3(operation: str, found: Sequence[Violation]) -> AwsError | None:
    shape = operation_model("s3", operation).input_shape
    for one in found:
        name, _, inside = one.path.partition(".")
        if name in _S3_UNCHECKED:
            continue
        where = shape.members[name].serialization.get("location")
        if where is not None:
            return AwsError("InvalidArgument", f"{name}: {one.constraint}", extra={"ArgumentName": name})
        if not inside and one.kind == "required":
            return AwsError("MissingRequestBodyError", "Request Body is empty")
        return AwsError(
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
        )
    return None


_SPELLED: Mapping[str, Callable[[str, Sequence[Violation]], AwsError | None]] = {
    "cloudtrail": _cloudtrail,
    "cloudwatch": _cloudwatch,
    "ec2": _ec2,
    "organizations": _organizations,
    "s3": _s3,
}


def _check_turn(turn: Turn) -> None:
    check(turn.call.service, turn.call.operation, turn.parameters)


INPUTS = Hooks(before={(service, ANY): _check_turn for service in {*_CODES, *_SPELLED}})
