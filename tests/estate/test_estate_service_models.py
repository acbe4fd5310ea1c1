"""The cut service models: all that Ringwall calls is in them, and means what it means in botocore's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

from ringwall.estate.connection import Connection, _Shared
from ringwall.estate.kinds import registry, surveyed
from ringwall.estate.loader import LEAN
from ringwall.estate.sessions import command_session, data_loader

SERVICES = sorted(path.name for path in LEAN.iterdir())
ABSENT = "DescribeInstances"
"""An operation that Ringwall has no use for."""


def _model(service: str, *, lean: bool) -> ServiceModel:
    return ServiceModel(data_loader(lean=lean).load_service_model(service, "service-2"), service)


def _told(shape: Shape | None, seen: dict[str, Any]) -> Any:
    """A shape and all that it is made of, as far as botocore makes anything of it."""
    if shape is None:
        return None
    if shape.name not in seen:
        told = seen[shape.name] = [shape.type_name, dict(shape.metadata), dict(shape.serialization)]
        if isinstance(shape, StructureShape):
            told.append(
                {
                    name: (_told(item, seen), dict(item.serialization), dict(item.metadata))
                    for name, item in shape.members.items()
                }
            )
        elif shape.type_name == "list":
            told.append(_told(shape.member, seen))
        elif shape.type_name == "map":
            told += [_told(shape.key, seen), _told(shape.value, seen)]
        seen[shape.name] = told
    return shape.name


def _operation(operation: OperationModel) -> Any:
    seen: dict[str, Any] = {}
    names = [_told(shape, seen) for shape in (operation.input_shape, operation.output_shape)]
    errors = [_told(shape, seen) for shape in operation.error_shapes]
    return operation.http, operation.auth_type, operation.endpoint, names, errors, seen


@pytest.mark.parametrize("service", SERVICES)
def test_an_operation_means_what_it_means_to_botocore(service: str) -> None:
    lean, whole = _model(service, lean=True), _model(service, lean=False)
    assert lean.metadata == whole.metadata
    assert lean.client_context_parameters == whole.client_context_parameters
    assert lean.operation_names
    for name in lean.operation_names:
        assert _operation(lean.operation_model(name)) == _operation(whole.operation_model(name)), name


def test_what_is_read_as_a_matter_of_course_is_in_them() -> None:
    """Every permission that the kinds' tables list for reading, where an operation of that name exists."""
    for kind in (*registry().values(), *surveyed().values()):
        for permission in kind.permissions.read:
            service, _, operation = permission.partition(":")
            if service not in SERVICES or operation not in _model(service, lean=False).operation_names:
                continue
            assert operation in _model(service, lean=True).operation_names, permission


def test_an_operation_that_is_not_in_them_is_found_all_the_same() -> None:
    session = command_session()
    session.set_credentials("AKIA", "secret", "token")
    aws = Connection(session, "us-east-1", _Shared("", "http://127.0.0.1:1", "run"))
    assert not hasattr(aws._client("ec2"), "describe_instances")
    client, method = aws._method("ec2", ABSENT)
    assert method == client.describe_instances
    assert aws._method("ec2", "NoSuchOperation")[1] is None


def test_the_users_own_models_come_first(tmp_path: Path) -> None:
    paths = data_loader(str(tmp_path), lean=True).search_paths
    assert paths.index(str(tmp_path)) < paths.index(str(LEAN))
    assert paths.index(str(LEAN)) == len(paths) - 2
