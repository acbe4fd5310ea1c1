"""What jobs and models of one's own have in common: found by name or ARN, named once, made once per token, listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.scope import page
from ringwall.sandbox.bedrock.state import ID_LENGTH, Tagged, new_id
from ringwall.sandbox.call import AwsError, Call, Output
from ringwall.sandbox.models import operation_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record.

    Attributes:
        noun: what messages call it.
        home: the attribute of :class:`~ringwall.sandbox.bedrock.state.Regional` that holds its records, by id.
        arn: member of its shape with its ARN.
        name: member with its name.
        created: member with its creation time.
        unique: whether a name is had once.
    """

    noun: str
    home: str
    arn: str
    name: str
    created: str = "creationTime"
    unique: bool = True

    def all(self, scope: Scope, call: Call) -> dict[str, Tagged]:
        """The records of the caller's account in the Region, by id."""
        found: dict[str, Tagged] = getattr(scope.home(call), self.home)
        return found

    def get(self, records: Mapping[str, Tagged], identifier: str) -> Tagged | None:
        """The record with a name or ARN; names are as good as ARNs, ids alone are not."""
        member = self.arn if identifier.startswith("arn:") else self.name
        return next((one for one in tuple(records.values()) if one.shape[member] == identifier), None)

    def find(self, scope: Scope, call: Call, identifier: str) -> Tagged:
        """As :meth:`get`.

        Raises:
            AwsError: ``ResourceNotFoundException``.
        """
        found = self.get(self.all(scope, call), identifier)
        if found is None:
            message = f"The {self.noun} {identifier} could not be found."
            raise fault(call.service, "ResourceNotFoundException", message)
        return found

    def check_name(self, scope: Scope, call: Call, name: str) -> None:
        """Refuse a name that another record has.

        Raises:
            AwsError: ``ConflictException`` from operations that declare it, else ``ValidationException``. AWS's own
                words for it are not documented.
        """
        known = tuple(self.all(scope, call).values())
        if self.unique and any(one.shape[self.name] == name for one in known):
            raise conflict(call, f"A {self.noun} with the name {name} already exists.")

    def keep(self, scope: Scope, call: Call, record: Tagged) -> None:
        """Keep a new record, under the last part of its ARN, and under the call's token.

        Raises:
            AwsError: as :meth:`check_name`, where another call was quicker.
        """
        key = record.arn.rpartition("/")[2]
        with scope.state.lock:
            self.check_name(scope, call, record.shape[self.name])
            self.all(scope, call)[key] = record
            scope.note_made(call, key)
        scope.platform.changed()

    def remove(self, scope: Scope, call: Call, record: Tagged) -> None:
        """Keep a record no longer."""
        del self.all(scope, call)[record.arn.rpartition("/")[2]]
        scope.platform.changed()

    def made_before(self, scope: Scope, call: Call) -> Tagged | None:
        """The record that a call with the same token made."""
        key = scope.made_before(call)
        return self.all(scope, call).get(key) if key else None


def conflict(call: Call, message: str) -> AwsError:
    """A ``ConflictException``, or a ``ValidationException`` where the operation does not declare that."""
    declared = {shape.name for shape in operation_model(call.service, call.operation).error_shapes}
    if "ConflictException" in declared:
        return fault(call.service, "ConflictException", message)
    return invalid(message)


def new_arn(scope: Scope, call: Call, resource: str) -> str:
    """ARN of a new resource of a type: ``model-import-job`` gives ``.../model-import-job/abcdefghijkl``."""
    return scope.home(call).arn(f"{resource}/{new_id(ID_LENGTH)}")


def tags_at(call: Call, parameter: str) -> dict[str, str]:
    """Tags of a list parameter."""
    return {tag["key"]: tag["value"] for tag in call.parameters.get(parameter) or ()}


def given(call: Call, *names: str) -> dict[str, Any]:
    """Those of some parameters that a call has."""
    return {name: call.parameters[name] for name in names if call.parameters.get(name) is not None}


def getter(kind: Kind, parameter: str) -> Operation:
    """A Get operation: the record, as far as the operation shows it."""

    def get(scope: Scope, call: Call) -> Output:
        shape = dict(kind.find(scope, call, call.parameters[parameter]).shape)
        shown = operation_model(call.service, call.operation).output_shape.members
        return Output({name: value for name, value in shape.items() if name in shown})

    return get


# List operations' filters: the member that must have the value.
_EQUAL: Mapping[str, str] = {
    "statusEquals": "status",
    "modelStatus": "modelStatus",
    "modelArnEquals": "modelArn",
    "baseModelArnEquals": "baseModelArn",
    "foundationModelArnEquals": "baseModelArn",
    "sourceAccountEquals": "sourceAccountId",
    "sourceModelArnEquals": "sourceModelArn",
    "applicationTypeEquals": "applicationType",
}
_AFTER = ("creationTimeAfter", "createdAfter")
_BEFORE = ("creationTimeBefore", "createdBefore")
_NAMED = ("nameContains", "targetModelNameContains")


def lister(kind: Kind, answer: str, members: Mapping[str, str]) -> Operation:
    """A List operation: by the filters that it takes, the newest first unless asked otherwise.

    Args:
        kind: what it lists.
        answer: member of the response that holds the summaries.
        members: members of a summary, by the member of the record's shape that each shows.
    """

    def list_(scope: Scope, call: Call) -> Output:
        shapes = [
            one.shape
            for one in tuple(kind.all(scope, call).values())
            if _fits(kind, one.shape, call.parameters)
        ]
        if call.parameters.get("sortOrder") != "Ascending":
            shapes.reverse()
        summaries = [
            {name: shape[member] for name, member in members.items() if member in shape} for shape in shapes
        ]
        shown, token = page(summaries, call.parameters)
        return Output({answer: shown, **token})

    return list_


def _fits(kind: Kind, shape: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    tests = (
        (_AFTER, lambda value: shape[kind.created] >= value),
        (_BEFORE, lambda value: shape[kind.created] <= value),
        (_NAMED, lambda value: value in shape[kind.name]),
    )
    given = {name: value for name, value in wanted.items() if value is not None}
    return all(shape.get(_EQUAL[name]) == value for name, value in given.items() if name in _EQUAL) and all(
        test(given[name]) for names, test in tests for name in names if name in given
    )


def same(*names: str) -> dict[str, str]:
    """Members that a summary shows under their own names."""
    return {name: name for name in names}


def in_use(records: Iterable[Tagged], member: str, arn: str) -> bool:
    """Whether a record names an ARN."""
    return any(one.shape.get(member) == arn for one in records)
