"""What is wrong with the definition of a flow, as ValidateFlowDefinition and PrepareFlow say it.

The kinds of findings and their details are the API's; AWS's texts and which findings are warnings are not documented:
here a node that nothing reaches is a warning, everything else an error. Loops are not looked into.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_FlowValidation.html
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ringwall.sandbox.bedrock.agents.flow_expressions import ExpressionError, check_condition, check_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT = "default"
"""Name of the condition that needs no expression: what is left."""
_UNCONFIGURED = frozenset({"Input", "Output", "Iterator", "Collector", "LoopInput"})
_WARNINGS = frozenset({"UnreachableNode"})

Finding = dict[str, Any]


@dataclass(frozen=True)
class Definition:
    """A flow's nodes and connections.

    Attributes:
        nodes: by name.
        connections: in order.
    """

    nodes: Mapping[str, Mapping[str, Any]]
    connections: Sequence[Mapping[str, Any]]

    def into(self, name: str) -> list[Mapping[str, Any]]:
        """The connections that end at a node."""
        return [one for one in self.connections if one["target"] == name]

    def of_type(self, type_: str) -> list[str]:
        """Names of the nodes of a type."""
        return [name for name, node in self.nodes.items() if node["type"] == type_]

    def inside(self, iterator: str) -> frozenset[str]:
        """Nodes that run for each member of an iterator's array: what it leads to, up to a collector."""
        found: set[str] = set()
        waiting = [iterator]
        while waiting:
            source = waiting.pop()
            led_to = {one["target"] for one in self.connections if one["source"] == source} & set(self.nodes)
            new = {name for name in led_to - found if self.nodes[name]["type"] != "Collector"}
            found |= new
            waiting += new
        return frozenset(found)

    @cached_property
    def order(self) -> list[str]:
        """The nodes, each after those that connect to it; those of a circle are left out."""
        waiting = {name: {one["source"] for one in self.into(name)} & set(self.nodes) for name in self.nodes}
        ordered: list[str] = []
        while ready := [name for name, sources in waiting.items() if sources <= set(ordered)]:
            ordered += ready
            waiting = {name: sources for name, sources in waiting.items() if name not in ready}
        return ordered


def definition_of(shape: Mapping[str, Any] | None) -> Definition:
    """A definition from the API's shape of it."""
    given = shape or {}
    nodes = {node["name"]: node for node in given.get("nodes") or ()}
    return Definition(nodes, list(given.get("connections") or ()))


def outputs_of(node: Mapping[str, Any]) -> dict[str, str]:
    """Types of a node's outputs, by name."""
    return {one["name"]: one["type"] for one in node.get("outputs") or ()}


def inputs_of(node: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """A node's inputs, by name."""
    return {one["name"]: one for one in node.get("inputs") or ()}


def conditions_of(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The conditions of a condition node, in order."""
    return list(((node.get("configuration") or {}).get("condition") or {}).get("conditions") or ())


def validations(shape: Mapping[str, Any] | None) -> list[Finding]:
    """Everything that is wrong with a definition."""
    definition = definition_of(shape)
    return [
        *_ends(definition),
        *(found for name, node in definition.nodes.items() for found in _node(name, node)),
        *(found for one in definition.connections for found in _connection(definition, one)),
        *_together(definition),
    ]


def errors(findings: Sequence[Finding]) -> list[Finding]:
    """Those findings that keep a flow from being prepared."""
    return [one for one in findings if one["severity"] == "Error"]


def _finding(type_: str, message: str, **details: str) -> Finding:
    return {
        "type": type_,
        "severity": "Warning" if type_ in _WARNINGS else "Error",
        "message": message,
        "details": {type_[0].lower() + type_[1:]: details},
    }


def _ends(definition: Definition) -> Iterator[Finding]:
    if len(definition.of_type("Input")) != 1:
        yield _finding("MissingStartingNodes", "A flow needs exactly one Input node.")
    if not definition.of_type("Output"):
        yield _finding("MissingEndingNodes", "A flow needs an Output node.")


def _node(name: str, node: Mapping[str, Any]) -> Iterator[Finding]:
    if node["type"] not in _UNCONFIGURED and not node.get("configuration"):
        yield _finding("MissingNodeConfiguration", f"The node {name} has no configuration.", node=name)
    for input_ in node.get("inputs") or ():
        try:
            check_path(input_["expression"])
        except ExpressionError as error:
            text = f"The input {input_['name']} of the node {name} is malformed: {error}."
            yield _finding(
                "MalformedNodeInputExpression", text, node=name, input=input_["name"], cause=str(error)
            )
    if node["type"] == "Condition":
        yield from _conditions(name, node)


def _conditions(name: str, node: Mapping[str, Any]) -> Iterator[Finding]:
    conditions = conditions_of(node)
    if all(one["name"] != DEFAULT for one in conditions):
        yield _finding("MissingDefaultCondition", f"The node {name} has no default condition.", node=name)
    expressions = [one["expression"] for one in conditions if one.get("expression")]
    for expression, count in Counter(expressions).items():
        if count > 1:
            text = f"The node {name} has the expression {expression} more than once."
            yield _finding("DuplicateConditionExpression", text, node=name, expression=expression)
    for one in conditions:
        if one["name"] == DEFAULT:
            continue
        try:
            check_condition(one.get("expression", ""), tuple(inputs_of(node)))
        except ExpressionError as error:
            text = f"The condition {one['name']} of the node {name} is malformed: {error}."
            yield _finding(
                "MalformedConditionExpression", text, node=name, condition=one["name"], cause=str(error)
            )


def _connection(definition: Definition, connection: Mapping[str, Any]) -> Iterator[Finding]:
    name = connection["name"]
    source, target = (definition.nodes.get(connection[side]) for side in ("source", "target"))
    if source is None:
        yield _finding(
            "UnknownConnectionSource", f"The source of {name} is no node of the flow.", connection=name
        )
    if target is None:
        yield _finding(
            "UnknownConnectionTarget", f"The target of {name} is no node of the flow.", connection=name
        )
    configuration = (connection.get("configuration") or {}).get(connection["type"].lower())
    if configuration is None:
        yield _finding(
            "MissingConnectionConfiguration", f"The connection {name} has no configuration.", connection=name
        )
    elif source is not None and target is not None:
        yield from _joined(name, configuration, source, target)


def _joined(
    name: str, configuration: Mapping[str, Any], source: Mapping[str, Any], target: Mapping[str, Any]
) -> Iterator[Finding]:
    """What is wrong with what a connection joins."""
    if "condition" in configuration:
        if all(one["name"] != configuration["condition"] for one in conditions_of(source)):
            text = f"The condition of {name} is none of the node {source['name']}."
            yield _finding("UnknownConnectionCondition", text, connection=name)
        return
    output = outputs_of(source).get(configuration["sourceOutput"])
    input_ = inputs_of(target).get(configuration["targetInput"])
    if output is None:
        text = f"The output of {name} is none of the node {source['name']}."
        yield _finding("UnknownConnectionSourceOutput", text, connection=name)
    if input_ is None:
        text = f"The input of {name} is none of the node {target['name']}."
        yield _finding("UnknownConnectionTargetInput", text, connection=name)
    # An expression may take a part of another type out of an array or object.
    if output and input_ and output not in {"Object", "Array"} and output != input_["type"]:
        text = f"The connection {name} joins {output} to {input_['type']}."
        yield _finding("IncompatibleConnectionDataType", text, connection=name)


def _together(definition: Definition) -> Iterator[Finding]:
    """What is wrong with the connections as a whole."""
    ends = Counter(
        (one["source"], one["target"], str(one.get("configuration"))) for one in definition.connections
    )
    for (source, target, _), count in ends.items():
        if count > 1:
            text = f"The nodes {source} and {target} are connected twice in the same way."
            yield _finding("DuplicateConnections", text, source=source, target=target)
    for one in definition.connections:
        known = one["source"] in definition.nodes and one["target"] in definition.nodes
        if known and not {one["source"], one["target"]} & set(definition.order):
            text = f"The connection {one['name']} is part of a circle."
            yield _finding("CyclicConnection", text, connection=one["name"])
    for name, node in definition.nodes.items():
        yield from _reached(definition, name, node)


def _reached(definition: Definition, name: str, node: Mapping[str, Any]) -> Iterator[Finding]:
    into = definition.into(name)
    if not into and node["type"] != "Input":
        yield _finding("UnreachableNode", f"No connection leads to the node {name}.", node=name)
        return
    fed = Counter(
        (one.get("configuration") or {}).get("data", {}).get("targetInput")
        for one in into
        if one["type"] == "Data"
    )
    conditional = any(one["type"] == "Conditional" for one in into)
    for input_ in inputs_of(node):
        if not fed[input_]:
            text = f"Nothing leads to the input {input_} of the node {name}."
            yield _finding("UnfulfilledNodeInput", text, node=name, input=input_)
        if fed[input_] > 1 and not conditional and not _exclusive(definition, into):
            text = f"Several connections lead to the input {input_} of the node {name}."
            yield _finding("MultipleNodeInputConnections", text, node=name, input=input_)


def _exclusive(definition: Definition, into: Sequence[Mapping[str, Any]]) -> bool:
    """Whether connections come from different branches behind conditions, of which one runs."""
    sources = [one["source"] for one in into]
    return all(any(c["type"] == "Conditional" for c in definition.into(source)) for source in sources)
