"""InvokeFlow: nodes run one after the other, each when what it waits for is there; the output nodes' values are streamed.

Who invokes a flow needs its alias alone (and ``kms:Decrypt`` on its key); the nodes work with its execution role, which
must trust Bedrock for this flow. What a node may not do, or what is not there, is an exception in the stream.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_InvokeFlow.html
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.agents.flow_aliases import find_alias, version_of
from ringwall.sandbox.bedrock.agents.flow_definition import (
    DEFAULT,
    Definition,
    conditions_of,
    definition_of,
    inputs_of,
    outputs_of,
)
from ringwall.sandbox.bedrock.agents.flow_expressions import ExpressionError, extract, holds
from ringwall.sandbox.bedrock.agents.flow_nodes import WORKERS
from ringwall.sandbox.bedrock.agents.flows import DRAFT, decrypt
from ringwall.sandbox.bedrock.faults import fault, invalid
from ringwall.sandbox.bedrock.runtime.converse import asynchronously
from ringwall.sandbox.bedrock.service_role import ServiceRole
from ringwall.sandbox.call import AwsError, Call, Output, not_carried_out
from ringwall.sandbox.models import operation_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ringwall.sandbox.bedrock.scope import Operation, Scope
    from ringwall.sandbox.bedrock.state import Tagged

_RUNS = frozenset({"Input", "Output", "Condition", "Iterator", "Collector", *WORKERS})
_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Number": (int, float),
    "Boolean": (bool,),
    "Object": (dict,),
    "Array": (list,),
}

Event = dict[str, Any]


def invoke(scope: Scope, call: Call) -> Output:
    """InvokeFlow: the version that the alias leads to, or the prepared draft behind the test alias."""
    given = call.parameters
    flow, alias = find_alias(scope, call, given["flowAliasIdentifier"])
    number = alias.shape["routingConfiguration"][0].get("flowVersion", DRAFT) if alias else DRAFT
    kept = version_of(call, flow, number)
    if kept.shape["status"] != "Prepared":
        raise invalid(f"The flow {flow.shape['id']} is not prepared.")
    decrypt(scope, call, kept)
    definition = definition_of(kept.shape.get("definition"))
    lacking = sorted({node["type"] for node in definition.nodes.values()} - _RUNS)
    if lacking:
        raise not_carried_out(call.service, call.operation, f"with {' and '.join(lacking)} nodes")
    iterators = set(definition.of_type("Iterator"))
    if any(definition.inside(one) & iterators for one in iterators):
        raise not_carried_out(call.service, call.operation, "with an iterator inside of another")
    run = _Run(scope, call, kept, definition)
    start = run.enter(given["inputs"])
    execution = given.get("executionId") or str(uuid.uuid4())
    return Output({"executionId": execution}, events=asynchronously(_events(run, start)))


def _events(run: _Run, start: str) -> Iterator[Event]:
    """The run's events, with failures as the operation declares them."""
    try:
        yield from run.events(start)
    except ExpressionError as error:
        raise invalid(f"The flow failed: {error}.") from error
    except AwsError as error:
        raise _declared(run.call, error) from error


def _declared(call: Call, error: AwsError) -> AwsError:
    if error.code in _DENIED:
        return fault(call.service, "AccessDeniedException", error.message)
    declared = {shape.name for shape in operation_model(call.service, call.operation).error_shapes}
    if error.code in declared:
        return error
    return fault(call.service, "DependencyFailedException", f"{error.code}: {error.message}")


@dataclass
class _Run:
    """One invocation of a flow.

    Attributes:
        kept: the version that runs.
        values: what nodes gave, by node and output.
        satisfied: conditions that hold, by node and name.
        collected: what collectors got so far from the rounds of an iterator, by node.
    """

    scope: Scope
    call: Call
    kept: Tagged
    definition: Definition
    values: dict[tuple[str, str], Any] = field(default_factory=dict)
    satisfied: set[tuple[str, str]] = field(default_factory=set)
    collected: dict[str, list[Any]] = field(default_factory=dict)

    def enter(self, inputs: list[Mapping[str, Any]]) -> str:
        """Take in the request's input; the name of the input node.

        Raises:
            AwsError: ``ValidationException``: it does not name the flow's input node and its output.
        """
        if len(inputs) != 1:
            raise invalid("A flow takes exactly one input.")
        name, output = inputs[0].get("nodeName"), inputs[0].get("nodeOutputName")
        node = self.definition.nodes.get(str(name))
        if node is None or node["type"] != "Input" or output not in outputs_of(node):
            raise invalid(f"The flow has no input node {name} with the output {output}.")
        value = inputs[0]["content"].get("document")
        _check_type(str(name), str(output), outputs_of(node)[str(output)], value)
        self.values[str(name), str(output)] = value
        return str(name)

    def events(self, start: str) -> Iterator[Event]:
        """Run every node that is reached."""
        role_arn, arn = self.kept.shape["executionRoleArn"], self.kept.arn
        role = ServiceRole(self.scope, self.call, role_arn, arn, "BedrockFlow")
        yield from self._nodes(role, [name for name in self.definition.order if name != start])
        yield {"flowCompletionEvent": {"completionReason": "SUCCESS"}}

    def _nodes(self, role: ServiceRole, names: list[str]) -> Iterator[Event]:
        """Run those of some nodes that are reached, in order."""
        done: set[str] = set()
        for name in names:
            node = self.definition.nodes[name]
            inputs = None if name in done else self._inputs(name, node)
            if inputs is None:
                continue
            yield from self._traced("nodeInputTrace", name, "nodeInputName", inputs)
            if node["type"] == "Iterator":
                inside = self.definition.inside(name)
                done |= inside
                yield from self._rounds(role, name, inputs, [one for one in names if one in inside])
            else:
                yield from self._node(role, name, node, inputs)

    def _rounds(
        self, role: ServiceRole, name: str, inputs: Mapping[str, Any], inside: list[str]
    ) -> Iterator[Event]:
        """Run what follows an iterator once for each member of its array; collectors take in what each round gives."""
        collectors = [
            one
            for one in self.definition.of_type("Collector")
            if any(connection["source"] in {name, *inside} for connection in self.definition.into(one))
        ]
        self.collected |= {one: [] for one in collectors}
        array = inputs["array"]
        for item in array:
            self.values = {key: value for key, value in self.values.items() if key[0] not in inside}
            self.satisfied = {one for one in self.satisfied if one[0] not in inside}
            yield from self._give(name, {"arrayItem": item, "arraySize": len(array)})
            yield from self._nodes(role, inside)
            for collector in collectors:
                taken = self._taken(collector, self.definition.nodes[collector])
                if taken is not None:
                    self.collected[collector].append(taken["arrayItem"])

    def _inputs(self, name: str, node: Mapping[str, Any]) -> dict[str, Any] | None:
        """A node's inputs; ``None`` for a node that is not reached. A collector's are those of all rounds together."""
        if name in self.collected:
            items = self.collected[name]
            return {"arrayItem": items, "arraySize": len(items)}
        return self._taken(name, node)

    def _taken(self, name: str, node: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the connections to a node bring it; ``None`` where something lacks."""
        into = self.definition.into(name)
        conditions = [one for one in into if one["type"] == "Conditional"]
        if not into or (conditions and not any(self._holds(one) for one in conditions)):
            return None
        wanted, found = inputs_of(node), {}
        for one in into:
            joined = (one.get("configuration") or {}).get("data")
            if joined is None or (one["source"], joined["sourceOutput"]) not in self.values:
                continue
            input_ = joined["targetInput"]
            whole = self.values[one["source"], joined["sourceOutput"]]
            found[input_] = extract(wanted[input_]["expression"], whole)
            _check_type(name, input_, wanted[input_]["type"], found[input_])
        return found if found.keys() == wanted.keys() else None

    def _holds(self, connection: Mapping[str, Any]) -> bool:
        condition = connection["configuration"]["conditional"]["condition"]
        return (connection["source"], condition) in self.satisfied

    def _node(
        self, role: ServiceRole, name: str, node: Mapping[str, Any], inputs: Mapping[str, Any]
    ) -> Iterator[Event]:
        if node["type"] == "Output":
            for value in inputs.values():
                content = {"document": value}
                yield {
                    "flowOutputEvent": {"nodeName": name, "nodeType": "FlowOutputNode", "content": content}
                }
        elif node["type"] == "Condition":
            condition = _first(node, inputs)
            self.satisfied.add((name, condition))
            satisfied = {"nodeName": name, "satisfiedConditions": [{"conditionName": condition}]}
            yield from self._trace("conditionNodeResultTrace", satisfied)
        elif node["type"] in WORKERS:
            member, work = WORKERS[node["type"]]
            outputs = work(self.scope, self.call, role, node["configuration"][member], inputs)
            yield from self._give(name, outputs)
        elif node["type"] == "Collector":
            yield from self._give(name, {"collectedArray": inputs["arrayItem"]})

    def _give(self, name: str, outputs: Mapping[str, Any]) -> Iterator[Event]:
        """Keep those outputs of a node that its definition has."""
        for output, type_ in outputs_of(self.definition.nodes[name]).items():
            if output not in outputs:
                raise invalid(f"The node {name} gives no {output}.")
            _check_type(name, output, type_, outputs[output])
            self.values[name, output] = outputs[output]
        yield from self._traced("nodeOutputTrace", name, "nodeOutputName", outputs)

    def _traced(self, kind: str, node: str, member: str, values: Mapping[str, Any]) -> Iterator[Event]:
        fields = [{member: name, "content": {"document": value}} for name, value in values.items()]
        yield from self._trace(kind, {"nodeName": node, "fields": fields})

    def _trace(self, kind: str, trace: Event) -> Iterator[Event]:
        if self.call.parameters.get("enableTrace"):
            now = self.scope.platform.now()
            yield {"flowTraceEvent": {"trace": {kind: {**trace, "timestamp": now}}}}


def _first(node: Mapping[str, Any], inputs: Mapping[str, Any]) -> str:
    """The first condition that holds, in their order; the default one where none does."""
    for one in conditions_of(node):
        if one["name"] != DEFAULT and holds(one["expression"], inputs):
            return str(one["name"])
    return DEFAULT


def _check_type(node: str, name: str, type_: str, value: Any) -> None:
    fits = isinstance(value, _TYPES[type_]) and (type_ == "Boolean" or not isinstance(value, bool))
    if not fits:
        raise invalid(f"{name} of the node {node} is not of the type {type_}.")


OPERATIONS: dict[str, Operation] = {"InvokeFlow": invoke}
