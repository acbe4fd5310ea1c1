"""Errors of the Bedrock APIs, with the HTTP status that each service's model gives them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ringwall.sandbox.call import AwsError
from ringwall.sandbox.models import service_model


@lru_cache(maxsize=8)
def _statuses(service: str) -> dict[str, int]:
    model = service_model(service)
    return {
        shape.name: int(shape.metadata.get("error", {}).get("httpStatusCode", 400))
        for shape in model.error_shapes
    }


def fault(service: str, code: str, message: str, **extra: Any) -> AwsError:
    """An error in the spelling and with the status of a service (``bedrock-runtime``)."""
    return AwsError(code, message, _statuses(service).get(code, 400), extra)


def invalid(message: str) -> AwsError:
    """A ValidationException, which has the same status everywhere."""
    return AwsError("ValidationException", message, 400)
