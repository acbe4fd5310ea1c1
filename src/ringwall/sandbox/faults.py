"""AWS errors on the wire: spelled as each service spells them, in each protocol's shape."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.sax import saxutils

from ringwall.sandbox import models, serialize
from ringwall.sandbox.call import AwsError
from ringwall.sandbox.wire import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN_INVALID = "The security token included in the request is invalid."  # noqa: S105 - an error text
_TOKEN_EXPIRED = "The security token included in the request is expired"  # noqa: S105 - an error text
_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_EC2_INVALID = "AWS was not able to validate the provided access credentials"

# kind of fault -> family of services -> (code, status, message)
_FAULTS: Mapping[str, Mapping[str, tuple[str, int, str]]] = {
    "missing": {
        "json": ("MissingAuthenticationTokenException", 403, "Missing Authentication Token"),
        "query": ("MissingAuthenticationToken", 403, "Request is missing Authentication Token"),
        "ec2": ("AuthFailure", 401, _EC2_INVALID),
        "s3": ("AccessDenied", 403, "Access Denied"),
    },
    "unknown-key": {
        "json": ("UnrecognizedClientException", 403, _TOKEN_INVALID),
        "query": ("InvalidClientTokenId", 403, _TOKEN_INVALID),
        "ec2": ("AuthFailure", 401, _EC2_INVALID),
        "s3": (
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
    },
    "token": {
        "json": ("UnrecognizedClientException", 403, _TOKEN_INVALID),
        "query": ("InvalidClientTokenId", 403, _TOKEN_INVALID),
        "ec2": ("AuthFailure", 401, _EC2_INVALID),
        "s3": ("InvalidToken", 400, "The provided token is malformed or otherwise invalid."),
    },
    "signature": {
        "json": ("InvalidSignatureException", 403, _SIGNATURE),
        "query": ("SignatureDoesNotMatch", 403, _SIGNATURE),
        "ec2": ("AuthFailure", 401, _EC2_INVALID),
        "s3": (
            "SignatureDoesNotMatch",
            403,
            _SIGNATURE.split(" Check", maxsplit=1)[0] + " Check your key and signing method.",
        ),
    },
    "expired": {
        "json": ("ExpiredTokenException", 403, _TOKEN_EXPIRED),
        "query": ("ExpiredToken", 403, _TOKEN_EXPIRED),
        "ec2": ("RequestExpired", 400, "Request has expired."),
        "s3": ("ExpiredToken", 400, "The provided token has expired."),
    },
    "skew": {
        "json": ("InvalidSignatureException", 403, "Signature expired or not yet current"),
        "query": ("SignatureDoesNotMatch", 403, "Signature expired or not yet current"),
        "ec2": ("RequestExpired", 400, "Request has expired."),
        "s3": (
            "RequestTimeTooSkewed",
            403,
            "The difference between the request time and the current time is too large.",
        ),
    },
    "incomplete": {
        "json": ("IncompleteSignatureException", 400, "Authorization header is not well-formed"),
        "query": ("IncompleteSignature", 400, "Authorization header is not well-formed"),
        "ec2": ("AuthFailure", 401, _EC2_INVALID),
        "s3": ("AuthorizationHeaderMalformed", 400, "The authorization header is malformed"),
    },
    "hash": {
        "json": ("InvalidSignatureException", 403, _SIGNATURE),
        "query": ("SignatureDoesNotMatch", 403, _SIGNATURE),
        "ec2": ("AuthFailure", 401, _EC2_INVALID),
        "s3": (
            "XAmzContentSHA256Mismatch",
            400,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ),
    },
    "url-expired": {
        "json": ("InvalidSignatureException", 403, "Signature expired"),
        "query": ("SignatureDoesNotMatch", 403, "Signature expired"),
        "ec2": ("RequestExpired", 400, "Request has expired."),
        "s3": ("AccessDenied", 403, "Request has expired"),
    },
    "denied": {
        "json": ("AccessDeniedException", 403, "Access denied"),
        "query": ("AccessDenied", 403, "Access denied"),
        "ec2": ("UnauthorizedOperation", 403, "You are not authorized to perform this operation."),
        "s3": ("AccessDenied", 403, "Access Denied"),
    },
    "malformed": {
        "json": ("SerializationException", 400, "The request could not be read"),
        "query": ("MalformedInput", 400, "The request could not be read"),
        "ec2": ("InvalidParameterValue", 400, "The request could not be read"),
        "s3": (
            "MalformedXML",
            400,
            "The XML you provided was not well-formed or did not validate against our published schema",
        ),
    },
    "unknown-operation": {
        "json": ("UnknownOperationException", 404, "The operation is not known"),
        "query": ("InvalidAction", 400, "Could not find the operation"),
        "ec2": ("InvalidAction", 400, "The action is not valid for this web service."),
        "s3": ("MethodNotAllowed", 405, "The specified method is not allowed against this resource."),
    },
    "too-large": {
        "json": ("RequestEntityTooLargeException", 413, "The request body is larger than 25 MB"),
        "query": ("RequestEntityTooLarge", 413, "The request body is larger than 25 MB"),
        "ec2": ("RequestEntityTooLarge", 413, "The request body is larger than 25 MB"),
        "s3": ("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size."),
    },
}
_DENIED_CODES = {"sns": ("AuthorizationError", 403), "cloudwatch": ("AccessDenied", 403)}
# awsJson services answer authentication and authorization errors with 400, restJson ones with 403.
_JSON_STATUS = 400


# What XML 1.0 cannot hold, not even escaped.
_UNWRITABLE = dict.fromkeys({*range(32)} - {9, 10, 13}, "\N{REPLACEMENT CHARACTER}")


def escape(text: str) -> str:
    """A text as it may stand in an XML element."""
    return saxutils.escape(text.translate(_UNWRITABLE))


def family(service: str | None) -> str:
    """How a service spells its faults: ``json``, ``query``, ``ec2`` or ``s3``."""
    if service is None:
        return "json"
    if service in {"s3", "ec2"}:
        return service
    return "query" if service in {"iam", "sts", "sns", "cloudwatch"} else "json"


def fault(kind: str, service: str | None, message: str | None = None) -> AwsError:
    """The error of a kind as a service spells it."""
    code, status, text = _FAULTS[kind][family(service)]
    if kind == "denied" and service in _DENIED_CODES:
        code, status = _DENIED_CODES[service]
    if service and status == 403 and models.protocol(service) == "json":
        status = _JSON_STATUS
    return AwsError(code, message or text, status)


def write(
    error: AwsError, service: str | None, protocol: str, request_id: str, *, resource: str = ""
) -> HttpResponse:
    """An error in a protocol's shape."""
    if protocol == "rest-xml":
        return _s3(error, request_id, resource)
    if protocol == "query":
        return _query(error, service, request_id)
    if protocol == "ec2":
        return _ec2(error, request_id)
    if protocol == "smithy-rpc-v2-cbor":
        return _cbor(error, service, request_id)
    return _json(error, service, protocol, request_id)


def _shape_name(service: str | None, code: str) -> str:
    """Name of the exception shape for a code (they differ where a service has ``error.code``)."""
    if service is None:
        return code
    for shape in models.service_model(service).error_shapes:
        if shape.metadata.get("error", {}).get("code") == code:
            return str(shape.name)
    return code


def _json(error: AwsError, service: str | None, protocol: str, request_id: str) -> HttpResponse:
    content_type = "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1"
    headers = {"Content-Type": content_type, "x-amzn-RequestId": request_id, "x-amzn-ErrorType": error.code}
    body = {"__type": error.code, "message": error.message, **error.extra}
    if service == "cloudwatch":
        headers["x-amzn-query-error"] = f"{error.code};{_fault_party(error)}"
        body["__type"] = _shape_name(service, error.code)
    if protocol == "rest-json":
        del body["__type"]
    return HttpResponse(error.status, headers, json.dumps(body, default=str).encode())


def _cbor(error: AwsError, service: str | None, request_id: str) -> HttpResponse:
    headers = {
        "Content-Type": "application/cbor",
        "smithy-protocol": "rpc-v2-cbor",
        "x-amzn-RequestId": request_id,
        "x-amzn-query-error": f"{error.code};{_fault_party(error)}",
    }
    body = serialize.cbor_text_map({"__type": _shape_name(service, error.code), "message": error.message})
    return HttpResponse(error.status, headers, body)


def _fault_party(error: AwsError) -> str:
    return "Receiver" if error.status >= 500 else "Sender"


def _query(error: AwsError, service: str | None, request_id: str) -> HttpResponse:
    namespace = models.service_model(service).metadata.get("xmlNamespace", "") if service else ""
    body = (
        f'<ErrorResponse xmlns="{namespace}"><Error><Type>{_fault_party(error)}</Type><Code>{escape(error.code)}</Code>'
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )
    return HttpResponse(
        error.status, {"Content-Type": "text/xml", "x-amzn-RequestId": request_id}, body.encode()
    )


def _ec2(error: AwsError, request_id: str) -> HttpResponse:
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Response><Errors><Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message></Error>"
        f"</Errors><RequestID>{request_id}</RequestID></Response>"
    )
    return HttpResponse(error.status, {"Content-Type": "text/xml;charset=UTF-8"}, body.encode())


def _s3(error: AwsError, request_id: str, resource: str) -> HttpResponse:
    short_id = request_id[:16].upper()
    extra = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in error.extra.items())
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>{extra}"
        f"<Resource>{escape(resource)}</Resource><RequestId>{short_id}</RequestId></Error>"
    )
    headers = {"Content-Type": "application/xml", "x-amz-request-id": short_id}
    return HttpResponse(error.status, headers, body.encode())
