"""Flows: expressions, what is wrong with a definition, versions and aliases, and what runs."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringwall.sandbox.bedrock.agents.flow_definition import validations
from ringwall.sandbox.bedrock.agents.flow_expressions import ExpressionError, check_path, extract, holds
from ringwall.sandbox.call import AwsError
from sandbox_bedrock.bedrock_fakes import ACCOUNT, NOVA, REGION, USER, Bedrock, FakePlatform, events_of

ROLE = f"arn:aws:iam::{ACCOUNT}:role/Flow"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/12345678-1234-1234-1234-123456789012"
WHOLE = {
    "animals": {"mammals": ["cat", "dog"], "reptiles": ["snake", "turtle", "iguana"]},
    "organisms": {"mammals": ["rabbit", "horse", "mouse"], "flowers": ["lily", "daisy"]},
    "numbers": [1, 2, 3, 5, 8],
}
# The first rows are the user guide's own.
FOUND = {
    "$.data": WHOLE,
    "$.data.numbers": [1, 2, 3, 5, 8],
    "$.data.animals.reptiles[2]": "iguana",
    "$.data.numbers[0, 3]": [1, 5],
    "$.data.organisms.mammals[1:]": ["horse", "mouse"],
    "$.data.*.mammals": [["cat", "dog"], ["rabbit", "horse", "mouse"]],
    "$.data.numbers[:2]": [1, 2],
    "$.data.numbers[-1]": 8,
    "$.data['animals'].mammals[0]": "cat",
    "$.data.numbers[*]": [1, 2, 3, 5, 8],
    "$.data.*.fish": [],
}


@pytest.mark.parametrize(("expression", "value"), FOUND.items(), ids=FOUND)
def test_an_expression_finds_its_part(expression, value):
    assert extract(expression, WHOLE) == value


@pytest.mark.parametrize(
    "expression", ["$", "data", "$.data.", "$.data[", "$.data[a]", "$.dataset", "$.data..x"]
)
def test_a_malformed_expression_is_one(expression):
    with pytest.raises(ExpressionError):
        check_path(expression)


@pytest.mark.parametrize(
    "expression", ["$.data.plants", "$.data.numbers[9]", "$.data.numbers.x", "$.data[0]"]
)
def test_a_part_that_is_not_there_is_said(expression):
    with pytest.raises(ExpressionError):
        extract(expression, WHOLE)


INPUTS = {"price": 12, "stock": 0, "name": "pump", "urgent": True}
HOLDS = {
    "price > 10": True,
    "price >= 12 and stock == 0": True,
    "price < 10 or name == 'pump'": True,
    'name != "valve"': True,
    "not (stock == 0)": False,
    "not urgent": False,
    "urgent": True,
    "urgent == true and not false": True,
    "price < 10 or stock > 0 and urgent": False,
    "(price < 10 or urgent) and stock == 0": True,
    "price == 12.0": True,
}


@pytest.mark.parametrize(("expression", "value"), HOLDS.items(), ids=HOLDS)
def test_a_condition_holds_or_does_not(expression, value):
    assert holds(expression, INPUTS) is value


@pytest.mark.parametrize(
    "expression",
    ["", "price", "price >", "> 1", "price > 1 2", "(price > 1", "weight > 1", "name > 1", "price & 1"],
)
def test_a_condition_that_cannot_be_decided_is_said(expression):
    with pytest.raises(ExpressionError):
        holds(expression, INPUTS)


@given(
    st.lists(st.tuples(st.sampled_from(["and", "or"]), st.booleans(), st.booleans()), max_size=6),
    st.booleans(),
)
def test_conditions_are_decided_as_python_decides_them(parts, first):
    words = [str(first).lower()]
    for joint, negated, value in parts:
        words += [joint, *(["not"] if negated else []), str(value).lower()]
    text = " ".join(words)
    meaning = text.replace("true", "True").replace("false", "False")
    assert holds(text, {}) is eval(meaning, {"__builtins__": {}})


# Definitions


def node(name, type_, inputs=(), outputs=(), **configuration):
    shaped = {"name": name, "type": type_, "configuration": configuration}
    if inputs:
        shaped["inputs"] = [{"name": n, "type": t, "expression": "$.data"} for n, t in inputs]
    if outputs:
        shaped["outputs"] = [{"name": n, "type": t} for n, t in outputs]
    return shaped


def data(source, output, target, input_):
    joined = {"sourceOutput": output, "targetInput": input_}
    name = f"{source}To{target}{input_}"
    return {
        "type": "Data",
        "name": name,
        "source": source,
        "target": target,
        "configuration": {"data": joined},
    }


def when(source, condition, target):
    configuration = {"conditional": {"condition": condition}}
    name = f"{source}{condition}To{target}"
    return {
        "type": "Conditional",
        "name": name,
        "source": source,
        "target": target,
        "configuration": configuration,
    }


def asks(text="Tell me about {{topic}}.", guardrail=None, model=NOVA):
    inline = {
        "modelId": model,
        "templateType": "TEXT",
        "templateConfiguration": {"text": {"text": text, "inputVariables": [{"name": "topic"}]}},
    }
    settings = {"sourceConfiguration": {"inline": inline}}
    if guardrail:
        settings["guardrailConfiguration"] = {
            "guardrailIdentifier": guardrail,
            "guardrailVersion": "DRAFT",
        }
    return node("Ask", "Prompt", [("topic", "String")], [("modelCompletion", "String")], prompt=settings)


def start(type_="String"):
    return node("Start", "Input", outputs=[("document", type_)], input={})


def end(name="End", type_="String"):
    return node(name, "Output", [("document", type_)], output={})


def line(*middle, into="topic", out="modelCompletion", types=("String", "String")):
    """Input, one node, output."""
    (worker,) = middle
    connections = [
        data("Start", "document", worker["name"], into),
        data(worker["name"], out, "End", "document"),
    ]
    return {"nodes": [start(types[0]), worker, end(type_=types[1])], "connections": connections}


PROMPT = line(asks())
PRICE = {"name": "Dear", "expression": "price > 10"}
BRANCHES = {
    "nodes": [
        start("Object"),
        {
            **node(
                "Choose", "Condition", condition={"conditions": [PRICE, {"name": "default"}]}
            ),
            "inputs": [{"name": "price", "type": "Number", "expression": "$.data.price"}],
        },
        {**end("Dear"), "inputs": [{"name": "document", "type": "String", "expression": "$.data.name"}]},
        {**end("Cheap"), "inputs": [{"name": "document", "type": "String", "expression": "$.data.name"}]},
    ],
    "connections": [
        data("Start", "document", "Choose", "price"),
        data("Start", "document", "Dear", "document"),
        data("Start", "document", "Cheap", "document"),
        when("Choose", "Dear", "Dear"),
        when("Choose", "default", "Cheap"),
    ],
}  # fmt: skip


def changed(definition, change):
    made = copy.deepcopy(definition)
    change(made)
    return made


def expression_of(definition, text):
    definition["nodes"][1]["inputs"][0]["expression"] = text


WRONG = {
    "MissingStartingNodes": (PROMPT, lambda d: d["nodes"].pop(0)),
    "MissingEndingNodes": (PROMPT, lambda d: d["nodes"].pop()),
    "MissingNodeConfiguration": (PROMPT, lambda d: d["nodes"][1].pop("configuration")),
    "MalformedNodeInputExpression": (PROMPT, lambda d: expression_of(d, "topic")),
    "MissingDefaultCondition": (BRANCHES, lambda d: d["nodes"][1]["configuration"]["condition"]["conditions"].pop()),
    "DuplicateConditionExpression": (
        BRANCHES,
        lambda d: d["nodes"][1]["configuration"]["condition"]["conditions"].append({**PRICE, "name": "Again"}),
    ),
    "MalformedConditionExpression": (
        BRANCHES,
        lambda d: d["nodes"][1]["configuration"]["condition"]["conditions"].append({"name": "Odd", "expression": "weight > 1"}),
    ),
    "UnknownConnectionSource": (PROMPT, lambda d: d["connections"][0].update(source="Nobody")),
    "UnknownConnectionTarget": (PROMPT, lambda d: d["connections"][0].update(target="Nobody")),
    "UnknownConnectionSourceOutput": (PROMPT, lambda d: d["connections"][0]["configuration"]["data"].update(sourceOutput="text")),
    "UnknownConnectionTargetInput": (PROMPT, lambda d: d["connections"][0]["configuration"]["data"].update(targetInput="text")),
    "UnknownConnectionCondition": (BRANCHES, lambda d: d["connections"].append(when("Choose", "Other", "Cheap"))),
    "MissingConnectionConfiguration": (PROMPT, lambda d: d["connections"][0].pop("configuration")),
    "IncompatibleConnectionDataType": (PROMPT, lambda d: d["nodes"][1]["inputs"][0].update(type="Number")),
    "DuplicateConnections": (PROMPT, lambda d: d["connections"].append({**d["connections"][0], "name": "Again"})),
    "CyclicConnection": (PROMPT, lambda d: d["connections"][0].update(source="Ask", configuration={"data": {"sourceOutput": "modelCompletion", "targetInput": "topic"}})),
    "UnreachableNode": (PROMPT, lambda d: d["nodes"].append(end("Lost"))),
    "UnfulfilledNodeInput": (PROMPT, lambda d: d["nodes"][1]["inputs"].append({"name": "more", "type": "String", "expression": "$.data"})),
    "MultipleNodeInputConnections": (PROMPT, lambda d: d["connections"].append(data("Start", "document", "End", "document"))),
}  # fmt: skip


@pytest.mark.parametrize("definition", [PROMPT, BRANCHES])
def test_nothing_is_wrong_with_a_right_definition(definition):
    assert validations(definition) == []


@pytest.mark.parametrize(("kind", "case"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_is_found_by_its_kind(bedrock, kind, case):
    definition = changed(*case)
    found = bedrock.call("ValidateFlowDefinition", definition=definition)["validations"]
    assert kind in {one["type"] for one in found}
    (mine,) = [one for one in found if one["type"] == kind][:1]
    assert list(mine["details"]) == [kind[0].lower() + kind[1:]]
    assert mine["severity"] == ("Warning" if kind == "UnreachableNode" else "Error")


# Flows in the plane


@pytest.fixture
def bedrock():
    return Bedrock(FakePlatform())


def make(bedrock, definition=PROMPT, name="flow", **more):
    given = {"name": name, "executionRoleArn": ROLE, "definition": definition, **more}
    return bedrock.call("CreateFlow", **given)["id"]


def ready(bedrock, definition=PROMPT, **more):
    flow = make(bedrock, definition, **more)
    assert bedrock.call("PrepareFlow", flowIdentifier=flow)["status"] == "Prepared"
    return flow


def published(bedrock, definition=PROMPT, **more):
    flow = ready(bedrock, definition, **more)
    number = bedrock.call("CreateFlowVersion", flowIdentifier=flow)["version"]
    route = [{"flowVersion": number}]
    alias = bedrock.call("CreateFlowAlias", flowIdentifier=flow, name="live", routingConfiguration=route)[
        "id"
    ]
    return flow, alias


def entry(document):
    return [{"nodeName": "Start", "nodeOutputName": "document", "content": {"document": document}}]


def run(bedrock, flow, document="pumps", alias="TSTALIASID", **more):
    given = {"flowIdentifier": flow, "flowAliasIdentifier": alias, "inputs": entry(document), **more}
    return bedrock.call("InvokeFlow", **given)


def said(events):
    return [one["flowOutputEvent"]["content"]["document"] for one in events if "flowOutputEvent" in one]


def test_a_flow_is_made_changed_and_deleted(bedrock):
    flow = make(bedrock, description="first", tags={"team": "plant"})
    shown = bedrock.call("GetFlow", flowIdentifier=flow)
    assert (shown["status"], shown["version"], shown["definition"]) == ("NotPrepared", "DRAFT", PROMPT)
    assert bedrock.call("GetFlow", flowIdentifier=shown["arn"]) == shown
    bedrock.call("UpdateFlow", flowIdentifier=flow, name="renamed", executionRoleArn=ROLE)
    changed_ = bedrock.call("GetFlow", flowIdentifier=flow)
    assert (changed_["name"], "description" in changed_, "definition" in changed_) == (
        "renamed",
        False,
        False,
    )
    (listed,) = bedrock.call("ListFlows")["flowSummaries"]
    assert listed["name"] == "renamed"
    tags = bedrock.call("ListTagsForResource", service="bedrock-agent", resourceArn=shown["arn"])["tags"]
    assert tags == {"team": "plant"}
    bedrock.call("DeleteFlow", flowIdentifier=flow)
    assert bedrock.refusal("GetFlow", flowIdentifier=flow).code == "ResourceNotFoundException"


def test_a_flow_with_errors_is_not_prepared(bedrock):
    flow = make(bedrock, changed(*WRONG["UnknownConnectionSource"]))
    assert bedrock.call("PrepareFlow", flowIdentifier=flow)["status"] == "Failed"
    assert bedrock.refusal("CreateFlowVersion", flowIdentifier=flow).code == "ValidationException"
    error = bedrock.refusal(
        "InvokeFlow", flowIdentifier=flow, flowAliasIdentifier="TSTALIASID", inputs=entry("x")
    )
    assert error.code == "ValidationException"
    shown = bedrock.call("GetFlow", flowIdentifier=flow)
    assert "UnknownConnectionSource" in {one["type"] for one in shown["validations"]}


def test_a_version_stays_as_it_was(bedrock):
    flow, alias = published(bedrock)
    bedrock.call("UpdateFlow", flowIdentifier=flow, name="flow", executionRoleArn=ROLE)
    version = bedrock.call("GetFlowVersion", flowIdentifier=flow, flowVersion="1")
    assert version["definition"] == PROMPT
    assert said(run(bedrock, flow, alias=alias))
    assert bedrock.refusal("DeleteFlow", flowIdentifier=flow).code == "ConflictException"
    given = {"flowIdentifier": flow, "flowVersion": "1"}
    assert bedrock.refusal("DeleteFlowVersion", **given).code == "ConflictException"
    bedrock.call("DeleteFlowAlias", flowIdentifier=flow, aliasIdentifier=alias)
    bedrock.call("DeleteFlowVersion", **given)
    bedrock.call("UpdateFlow", flowIdentifier=flow, name="flow", executionRoleArn=ROLE, definition=PROMPT)
    bedrock.call("PrepareFlow", flowIdentifier=flow)
    assert bedrock.call("CreateFlowVersion", flowIdentifier=flow)["version"] == "2"
    listed = bedrock.call("ListFlowVersions", flowIdentifier=flow)["flowVersionSummaries"]
    assert [one["version"] for one in listed] == ["2"]
    bedrock.call("DeleteFlow", flowIdentifier=flow, skipResourceInUseCheck=True)


def test_an_alias_leads_to_a_version_that_is_there(bedrock):
    flow, alias = published(bedrock)
    named = {"flowIdentifier": flow, "aliasIdentifier": alias}
    shown = bedrock.call("GetFlowAlias", **named)
    assert shown["arn"].endswith(f":flow/{flow}/alias/{alias}")
    nowhere = {"name": "other", "routingConfiguration": [{"flowVersion": "9"}]}
    assert (
        bedrock.refusal("CreateFlowAlias", flowIdentifier=flow, **nowhere).code == "ResourceNotFoundException"
    )
    twice = {"name": "live", "routingConfiguration": [{"flowVersion": "1"}]}
    assert bedrock.refusal("CreateFlowAlias", flowIdentifier=flow, **twice).code == "ConflictException"
    draft = {"name": "renamed", "routingConfiguration": [{"flowVersion": "DRAFT"}]}
    assert bedrock.call("UpdateFlowAlias", **named, **draft)["name"] == "renamed"
    (listed,) = bedrock.call("ListFlowAliases", flowIdentifier=flow)["flowAliasSummaries"]
    assert listed["routingConfiguration"] == [{"flowVersion": "DRAFT"}]
    unknown = {"flowIdentifier": flow, "aliasIdentifier": "ABCDEFGHIJ"}
    assert bedrock.refusal("GetFlowAlias", **unknown).code == "ResourceNotFoundException"


def test_a_token_makes_one_thing_and_a_name_is_had_once(bedrock):
    token = {"clientToken": "t" * 33}
    first = make(bedrock, **token)
    assert make(bedrock, **token) == first
    error = bedrock.refusal("CreateFlow", name="flow", executionRoleArn=ROLE)
    assert error.code == "ConflictException"
    bedrock.call("PrepareFlow", flowIdentifier=first)
    version = bedrock.call("CreateFlowVersion", flowIdentifier=first, **token)
    assert bedrock.call("CreateFlowVersion", flowIdentifier=first, **token) == version
    other = f"arn:aws:iam::{'9' * 12}:role/Flow"
    assert bedrock.refusal("CreateFlow", name="x", executionRoleArn=other).code == "ValidationException"


def test_a_prompt_node_runs_its_model_with_the_execution_role(bedrock):
    flow, alias = published(bedrock)
    events = run(bedrock, flow, "pumps", alias)
    ((answer,), completion) = (said(events), events[-1])
    assert answer.endswith("Tell me about pumps.")
    assert completion == {"flowCompletionEvent": {"completionReason": "SUCCESS"}}
    ((principal, assumed, context),) = bedrock.platform.named("sts:AssumeRole")
    assert (principal, assumed["RoleArn"]) == ("bedrock.amazonaws.com", ROLE)
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:flow/{flow}"
    assert context == {"aws:sourceaccount": (ACCOUNT,), "aws:sourcearn": (arn,)}
    ((caller, asked, _),) = bedrock.platform.named("bedrock-runtime:Converse")
    assert (caller, asked["modelId"]) == (ROLE, NOVA)


def test_a_prompt_nodes_guardrail_is_applied(bedrock):
    flow = ready(bedrock, line(asks(guardrail=bedrock.guardrail())))
    assert said(run(bedrock, flow, "nightjar")) == ["IN"]


def test_a_chat_prompt_has_its_roles(bedrock):
    worker = asks()
    inline = worker["configuration"]["prompt"]["sourceConfiguration"]["inline"]
    inline["templateType"] = "CHAT"
    inline["inferenceConfiguration"] = {"text": {"maxTokens": 50}}
    inline["templateConfiguration"] = {
        "chat": {
            "system": [{"text": "Answer in {{language}}."}],
            "messages": [{"role": "user", "content": [{"text": "About {{topic}}?"}]}],
        }
    }
    run(bedrock, ready(bedrock, line(worker)))
    ((_, asked, _),) = bedrock.platform.named("bedrock-runtime:Converse")
    assert asked["messages"] == [{"role": "user", "content": [{"text": "About pumps?"}]}]
    assert asked["system"] == [{"text": "Answer in {{language}}."}]
    assert asked["inferenceConfig"] == {"maxTokens": 50}


@pytest.mark.parametrize(("price", "branch"), [(12, "Dear"), (9, "Cheap"), (10, "Cheap")])
def test_the_first_condition_that_holds_decides_the_branch(bedrock, price, branch):
    events = run(bedrock, ready(bedrock, BRANCHES), {"price": price, "name": "pump"}, enableTrace=True)
    outputs = [one["flowOutputEvent"] for one in events if "flowOutputEvent" in one]
    assert [(one["nodeName"], one["content"]["document"]) for one in outputs] == [(branch, "pump")]
    traces = [one["flowTraceEvent"]["trace"] for one in events if "flowTraceEvent" in one]
    (decided,) = [one["conditionNodeResultTrace"] for one in traces if "conditionNodeResultTrace" in one]
    assert decided["satisfiedConditions"] == [{"conditionName": "Dear" if branch == "Dear" else "default"}]


RETRIEVES = {
    "retrieved": ({}, "retrievalResults", "Array"),
    "answered": ({"modelId": NOVA}, "outputText", "String"),
}


@pytest.mark.parametrize(("settings", "output", "type_"), RETRIEVES.values(), ids=RETRIEVES)
def test_a_knowledge_base_node_asks_with_the_execution_role(bedrock, settings, output, type_):
    found = [{"content": {"text": "oil"}}]
    bedrock.platform.answers |= {
        "bedrock-agent-runtime:Retrieve": {"retrievalResults": found},
        "bedrock-agent-runtime:RetrieveAndGenerate": {"output": {"text": "Oil it."}},
    }
    settings = {
        "knowledgeBaseId": "KBQUICKST1",
        "guardrailConfiguration": {"guardrailIdentifier": "abc", "guardrailVersion": "1"},
        **settings,
    }
    worker = node(
        "Look", "KnowledgeBase", [("retrievalQuery", "String")], [(output, type_)], knowledgeBase=settings
    )
    flow = ready(bedrock, line(worker, into="retrievalQuery", out=output, types=("String", type_)))
    assert said(run(bedrock, flow)) == [found if type_ == "Array" else "Oil it."]
    name = "Retrieve" if type_ == "Array" else "RetrieveAndGenerate"
    ((caller, asked, _),) = bedrock.platform.named(f"bedrock-agent-runtime:{name}")
    assert caller == ROLE
    assert "{'guardrailId': 'abc', 'guardrailVersion': '1'}" in str(asked)


def test_an_agent_node_asks_an_agent(bedrock):
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:agent-alias/AGENTQUIC1/ALIASQUIC1"
    worker = node(
        "Help",
        "Agent",
        [("agentInputText", "String")],
        [("agentResponse", "String")],
        agent={"agentAliasArn": arn},
    )
    flow = ready(bedrock, line(worker, into="agentInputText", out="agentResponse"))
    (answer,) = said(run(bedrock, flow, "hello"))
    assert answer.endswith("hello")
    ((caller, asked, _),) = bedrock.platform.named("bedrock-agent-runtime:InvokeAgent")
    assert (caller, asked["agentId"], asked["agentAliasId"]) == (ROLE, "AGENTQUIC1", "ALIASQUIC1")


def test_storage_and_retrieval_nodes_use_s3(bedrock):
    bucket = {"serviceConfiguration": {"s3": {"bucketName": "flow-bucket"}}}
    keep = node(
        "Keep",
        "Storage",
        [("content", "String"), ("objectKey", "String")],
        [("s3Uri", "String")],
        storage=bucket,
    )
    stored = line(keep, into="content", out="s3Uri")
    stored["connections"].append(data("Start", "document", "Keep", "objectKey"))
    assert said(run(bedrock, ready(bedrock, stored), "notes")) == ["s3://flow-bucket/notes"]
    ((caller, put, _),) = bedrock.platform.named("s3:PutObject")
    assert (caller, put["Body"]) == (ROLE, b"notes")
    bedrock.platform.answers["s3:GetObject"] = {"Body": b"what was kept"}
    look = node("Look", "Retrieval", [("objectKey", "String")], [("s3Content", "String")], retrieval=bucket)
    flow = ready(bedrock, line(look, into="objectKey", out="s3Content"), name="other")
    assert said(run(bedrock, flow, "notes")) == ["what was kept"]


def each(*, collected):
    """A flow that asks about each member of an array."""
    through = node(
        "Each",
        "Iterator",
        [("array", "Array")],
        [("arrayItem", "String"), ("arraySize", "Number")],
        iterator={},
    )
    gathered = node(
        "All",
        "Collector",
        [("arrayItem", "String"), ("arraySize", "Number")],
        [("collectedArray", "Array")],
        collector={},
    )
    connections = [data("Start", "document", "Each", "array"), data("Each", "arrayItem", "Ask", "topic")]
    if not collected:
        connections.append(data("Ask", "modelCompletion", "End", "document"))
        return {"nodes": [start("Array"), through, asks(), end()], "connections": connections}
    connections += [
        data("Ask", "modelCompletion", "All", "arrayItem"),
        data("Each", "arraySize", "All", "arraySize"),
        data("All", "collectedArray", "End", "document"),
    ]
    return {
        "nodes": [start("Array"), through, asks(), gathered, end(type_="Array")],
        "connections": connections,
    }


ABOUT = [
    f"[ringwall stand-in for amazon.nova-pro-v1:0] Tell me about {topic}." for topic in ("pumps", "valves")
]


@pytest.mark.parametrize(("collected", "outputs"), [(False, ABOUT), (True, [ABOUT])])
def test_an_iterator_runs_what_follows_for_each_member(bedrock, collected, outputs):
    definition = each(collected=collected)
    assert validations(definition) == []
    flow = ready(bedrock, definition)
    assert said(run(bedrock, flow, ["pumps", "valves"])) == outputs
    assert said(run(bedrock, flow, [])) == ([[]] if collected else [])
    assert len(bedrock.platform.named("bedrock-runtime:Converse")) == 2


def test_an_iterator_inside_of_another_is_refused_by_name(bedrock):
    definition = each(collected=False)
    inner = {**copy.deepcopy(definition["nodes"][1]), "name": "Inner"}
    definition["nodes"].append(inner)
    definition["nodes"][1]["outputs"][0]["type"] = "Array"
    definition["connections"][1] = data("Each", "arrayItem", "Inner", "array")
    definition["connections"].append(data("Inner", "arrayItem", "Ask", "topic"))
    flow = ready(bedrock, definition)
    given_ = {"flowIdentifier": flow, "flowAliasIdentifier": "TSTALIASID", "inputs": entry([["x"]])}
    error = bedrock.refusal("InvokeFlow", **given_)
    assert (error.status, "iterator inside of another" in error.message) == (501, True)


def test_a_member_of_the_wrong_type_stops_the_flow(bedrock):
    output = bedrock.output(
        "InvokeFlow",
        flowIdentifier=ready(bedrock, each(collected=True)),
        flowAliasIdentifier="TSTALIASID",
        inputs=entry(["pumps", 7]),
    )
    with pytest.raises(AwsError, match="arrayItem of the node Each is not of the type String"):
        events_of(output)


def test_nodes_that_the_sandbox_lacks_are_named(bedrock):
    worker = node(
        "Work",
        "LambdaFunction",
        [("codeHookInput", "String")],
        [("functionResponse", "String")],
        lambdaFunction={"lambdaArn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f"},
    )
    flow = ready(bedrock, line(worker, into="codeHookInput", out="functionResponse"))
    error = bedrock.refusal(
        "InvokeFlow", flowIdentifier=flow, flowAliasIdentifier="TSTALIASID", inputs=entry("x")
    )
    assert (error.status, "LambdaFunction nodes" in error.message) == (501, True)


FAILS = {
    "the role does not trust Bedrock": ("sts:AssumeRole", "AccessDenied", "AccessDeniedException"),
    "the role may not run the model": (
        "bedrock-runtime:Converse",
        "AccessDeniedException",
        "AccessDeniedException",
    ),
    "the model is throttled": ("bedrock-runtime:Converse", "ThrottlingException", "ThrottlingException"),
    "the model fails": ("bedrock-runtime:Converse", "ModelErrorException", "DependencyFailedException"),
}


@pytest.mark.parametrize(("refused", "code", "shown"), FAILS.values(), ids=FAILS)
def test_what_fails_in_a_node_is_an_exception_in_the_stream(bedrock, refused, code, shown):
    flow = ready(bedrock)
    bedrock.platform.refused[refused] = code
    output = bedrock.output(
        "InvokeFlow", flowIdentifier=flow, flowAliasIdentifier="TSTALIASID", inputs=entry("pumps")
    )
    with pytest.raises(AwsError) as caught:
        events_of(output)
    assert caught.value.code == shown


@pytest.mark.parametrize(
    "inputs",
    [
        [],
        entry("x") * 2,
        [{**entry("x")[0], "nodeName": "End"}],
        [{**entry("x")[0], "nodeOutputName": "text"}],
        entry(7),
        entry(True),
    ],
)
def test_what_a_flow_does_not_take_in_is_refused(bedrock, inputs):
    flow = ready(bedrock)
    error = bedrock.refusal(
        "InvokeFlow", flowIdentifier=flow, flowAliasIdentifier="TSTALIASID", inputs=inputs
    )
    assert error.code == "ValidationException"


def test_a_flow_under_a_key_is_encrypted_and_decrypted_by_each_caller(bedrock):
    flow, alias = published(bedrock, customerEncryptionKeyArn=KEY)
    context = {"aws:bedrock-flows:arn": f"arn:aws:bedrock:{REGION}:{ACCOUNT}:flow/{flow}"}
    ((maker, made, through),) = bedrock.platform.named("kms:GenerateDataKey")
    assert (maker, made["EncryptionContext"]) == (USER, context)
    assert through["kms:viaservice"] == (f"bedrock.{REGION}.amazonaws.com",)
    run(bedrock, flow, alias=alias)
    user, used, _ = bedrock.platform.named("kms:Decrypt")[-1]
    assert (user, used["EncryptionContext"], used["CiphertextBlob"]) == (USER, context, b"wrapped")
    bedrock.platform.refused["kms:Decrypt"] = "AccessDeniedException"
    for operation, given_ in (
        ("GetFlow", {}),
        ("PrepareFlow", {}),
        ("GetFlowVersion", {"flowVersion": "1"}),
        ("InvokeFlow", {"flowAliasIdentifier": alias, "inputs": entry("x")}),
    ):
        error = bedrock.refusal(operation, flowIdentifier=flow, **given_)
        assert error.code == "AccessDeniedException", operation
    metadata = bedrock.call("GetFlow", flowIdentifier=flow, includedData="METADATA_ONLY")
    assert "definition" not in metadata


def test_the_trail_names_the_alias_and_hides_what_was_asked(bedrock):
    flow, alias = published(bedrock)
    named = {"flowIdentifier": flow, "flowAliasIdentifier": alias}
    trail = bedrock.output("InvokeFlow", **named, inputs=entry("a secret")).trail
    assert trail["requestParameters"] == {**named, "inputs": "HIDDEN_DUE_TO_SECURITY_REASONS"}
    arn = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:flow/{flow}/alias/{alias}"
    assert trail["resources"] == [{"accountId": ACCOUNT, "type": "AWS::Bedrock::FlowAlias", "ARN": arn}]
