"""Every member of every operation that the sandbox carries out, with a value just outside of what its model allows."""

import pytest

from ringwall.sandbox import inputs
from ringwall.sandbox.call import AwsError
from ringwall.sandbox.models import operation_model, service_model

CODES = {
    "bedrock": "ValidationException",
    "bedrock-agent": "ValidationException",
    "bedrock-agent-runtime": "ValidationException",
    "bedrock-runtime": "ValidationException",
    "cloudtrail": "ValidationException InvalidTrailNameException InvalidEventSelectorsException "
    "InvalidEventCategoryException InvalidMaxResultsException",
    "cloudwatch": "ValidationError MissingParameter InvalidParameterValue",
    "ec2": "MissingParameter InvalidParameterValue",
    "events": "ValidationException",
    "iam": "ValidationError",
    "kms": "ValidationException",
    "logs": "InvalidParameterException",
    "organizations": "InvalidInputException",
    "s3": "InvalidArgument MalformedXML MissingRequestBodyError",
    "sns": "ValidationError",
    "sts": "ValidationError",
}
LONGEST = 200_000
RELAXED = {"GuardrailTopicDefinition"}  # longer in the STANDARD tier than the model says


def outside(shape):
    """Values that a shape does not allow, each by one constraint."""
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if shape.name in RELAXED:
        return
    if shape.type_name == "string":
        if shape.metadata.get("enum"):
            yield "NoSuchValue"
        if most is not None and most < LONGEST:
            yield "a" * (most + 1)
        if least:
            yield "a" * (least - 1)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        yield from [most + 1] if most is not None else []
        yield from [least - 1] if least is not None else []
    elif shape.type_name == "list" and shape.member.type_name == "string":
        yield from ([value] for value in outside(shape.member))


def mutants(shape, path=(), depth=0):
    """(path, value) of each member, also inside of structures and lists, with a value outside of its model."""
    if shape.type_name == "list":
        yield from mutants(shape.member, (*path, 0), depth)
    if shape.type_name != "structure" or depth > 4 or getattr(shape, "is_document_type", False):
        return
    for name, member in shape.members.items():
        for value in outside(member):
            yield (*path, name), value
        yield from mutants(member, (*path, name), depth + 1)


def nested(path, value):
    """Parameters that hold a value at a path."""
    for part in reversed(path):
        value = [value] if part == 0 else {part: value}
    return value


def refusal(service, operation, parameters):
    with pytest.raises(AwsError) as caught:
        inputs.check(service, operation, parameters)
    return caught.value


def written(path):
    """A path as AWS writes it: ``tags.1.member.key``."""
    return ".".join("1.member" if part == 0 else part for part in path)


def operations(service):
    """Names and input shapes of a service's operations that take any input."""
    for operation in service_model(service).operation_names:
        shape = operation_model(service, operation).input_shape
        if shape is not None:
            yield operation, shape


@pytest.mark.parametrize("service", CODES)
def test_what_is_required_is_missed(service):
    for operation, shape in operations(service):
        if shape.required_members:
            assert refusal(service, operation, {}).code in CODES[service].split(), operation


@pytest.mark.parametrize("service", sorted({*CODES} - {"ec2"}))
def test_what_is_just_outside_is_refused(service):
    for operation, shape in operations(service):
        for path, value in mutants(shape):
            found = [one.path for one in inputs.violations(service, operation, nested(path, value))]
            wanted = written((*path, 0) if isinstance(value, list) else path)
            assert wanted in found, (operation, path, value)


SENTENCES = {
    "IAM": (
        "iam", "CreateUser", {"UserName": "a b"},
        ("1 validation error detected: Value 'a b' at 'userName' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\w+=,.@-]+"),
    ),
    "KMS": (
        "kms", "ListKeys", {"Limit": 1001},
        ("1 validation error detected: Value '1001' at 'limit' failed to satisfy constraint: Member must have value less "
        "than or equal to 1000"),
    ),
    "Logs": (
        "logs", "CreateLogStream", {"logGroupName": "g"},
        "1 validation error detected: Value null at 'logStreamName' failed to satisfy constraint: Member must not be null",
    ),
    "Organizations": (
        "organizations", "ListPolicies", {"Filter": "SERVICE_CONTROL_POLICY", "MaxResults": 21},
        "You provided a numeric parameter that has a larger value than allowed.",
    ),
    "EC2": ("ec2", "DeleteVpc", {}, "The request must contain the parameter VpcId"),
    "CloudWatch": ("cloudwatch", "PutMetricData", {}, "The parameter Namespace is required."),
}  # fmt: skip


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "sentence"), SENTENCES.values(), ids=SENTENCES
)
def test_each_service_says_it_in_its_own_words(service, operation, parameters, sentence):
    assert refusal(service, operation, parameters).message == sentence


def test_headers_of_s3_whose_other_values_are_not_documented_pass():
    inputs.check("s3", "GetObject", {"Bucket": "bucket", "Key": "key", "RequestPayer": "nobody"})
    error = refusal("s3", "CreateBucket", {"Bucket": "bucket", "ObjectOwnership": "nobody"})
    assert error.code == "InvalidArgument"


def test_a_refusal_in_xml_can_be_read(world, helpers):
    iam = world.client("iam", parameter_validation=False)
    assert helpers.code_of(iam.create_user, UserName="a\x01b") == "ValidationError"
    assert "a�b" in helpers.message_of(iam.create_user, UserName="a\x01b")


def test_what_lacks_its_name_is_not_kept(world, helpers):
    """A role or rule without name would make every later listing fail."""
    iam = world.client("iam", parameter_validation=False)
    assert helpers.code_of(iam.create_user) == "ValidationError"
    assert iam.list_users()["Users"]
