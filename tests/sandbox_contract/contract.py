"""The contract with AWS, tried on a sandbox, and the page that says how it went (``docs/sandbox.md``)."""

from collections import Counter

from botocore.exceptions import ClientError

from ringwall.sandbox.bedrock.fidelity import FIDELITY
from sandbox_contract.authorizations import AUTHORIZATIONS
from sandbox_contract.caller import outcome
from sandbox_contract.operations import POSITIVE, filled, keep
from sandbox_contract.rejections import REJECTIONS

APPROXIMATE = {
    ("cloudwatch", "describe_alarm_history"): "state changes and actions; no configuration updates",
    ("cloudwatch", "get_dashboard"): "kept and shown",
    ("cloudwatch", "put_dashboard"): "kept and shown",
    ("cloudwatch", "put_composite_alarm"): "without suppression of actions, which is refused",
    ("cloudwatch", "get_metric_data"): "of the last day; expressions as for alarms",
    ("cloudwatch", "put_metric_alarm"): (
        "metric math without SEARCH, SQL and anomaly detection, which are refused; actions reach SNS topics and EventBridge alone"
    ),
    ("events", "put_targets"): "SNS topics and log groups receive; other targets are kept and get nothing",
    ("iam", "generate_credential_report"): "ready at once; what keys were used for is not kept",
    ("sns", "publish"): "kept with the topic; subscribers outside of the sandbox get nothing",
    ("sns", "subscribe"): "no confirmation is sent",
    (
        "logs",
        "put_metric_filter",
    ): "terms, regular expressions and JSON properties; patterns of space-delimited events are refused",
    (
        "organizations",
        "create_policy",
    ): "SCPs, RCPs and Bedrock policies are in force; other types are kept and shown",
    ("s3", "put_bucket_lifecycle_configuration"): "kept and shown; nothing expires",
}
"""Why an operation that moto keeps state for is not exactly AWS's."""

STREAMS = ("stream", "body", "completion", "responseStream")
"""Members of answers whose parts come one after the other."""

_HEAD = """# What the sandbox does as AWS does

<!-- Written by scripts/generate_sandbox_docs.py from a run of the contract tests; do not edit. -->

`ringwall sandbox` is tried against a contract: {operations} calls that AWS takes, {rejections} that it rejects, and
{authorizations} decisions about who may do what. Each row below was run. A row marked *approximate* or *partial* says
where the sandbox is simpler than AWS; every other row behaves as AWS's documentation says, except that changes are
effective at once where AWS takes seconds, and that nothing is throttled.

An operation that is not in the first table is authenticated, authorized and recorded like any other, and then answers
501 `NotImplementedException` with its name. Where a service is moto's, more
operations than these are there; they are not part of the contract.
"""

_SECTIONS = {
    "operations": ("Operations", ("Service", "Operation", "Fidelity", "Note")),
    "rejections": ("What is rejected", ("Call", "Operation", "AWS's code", "The sandbox's")),
    "authorizations": ("Who may", ("Caller's policies", "Operation", "AWS", "The sandbox")),
}


def name_of(operation):
    """An operation in AWS's spelling."""
    return "".join(part.title() for part in operation.split("_"))


def run_operations(scene):
    """Every call that AWS takes. Raises what a call raises."""
    for name, calls in POSITIVE.items():
        service = name.strip()  # a service may have its turn twice
        client = scene.organizations if service == "organizations" else scene.client(service)
        for operation, parameters, kept in calls:
            answer = getattr(client, operation)(**filled(parameters, scene))
            for _ in next((answer[name] for name in STREAMS if name in answer), ()):
                pass
            keep(scene, answer, kept)
            fidelity = FIDELITY.get(service, {}).get(name_of(operation))
            note = APPROXIMATE.get((service, operation))
            level = fidelity.level if fidelity else "approximate" if note else "exact"
            yield service, name_of(operation), level, fidelity.note if fidelity else note or ""


def run_rejections(scene):
    """Every call that AWS rejects, with the code that the sandbox gives."""
    for what, service, operation, parameters, codes in REJECTIONS:
        code = rejected(scene, service, operation, parameters)
        yield what, f"{service}:{name_of(operation)}", " or ".join(codes.split()), code


def rejected(scene, service, operation, parameters):
    """The code of one rejection, or ``accepted``."""
    given = parameters(scene)
    keys = given.pop("as", {})
    client = scene.client(service, parameter_validation=False, **keys)
    try:
        getattr(scene.organizations if service == "organizations" else client, operation)(**given)
    except ClientError as error:
        return error.response["Error"]["Code"]
    finally:
        while scene.undo:
            scene.undo.pop()()
    return "accepted"


def run_authorizations(scene):
    """Every decision, AWS's and the sandbox's."""
    for case in AUTHORIZATIONS:
        what, _, (service, operation, _), allowed, _ = case
        yield (
            what,
            f"{service}:{name_of(operation)}",
            "allowed" if allowed else "denied",
            outcome(scene, case),
        )


def wrong(rows):
    """Rows of rejections or decisions in which the sandbox differs from AWS."""
    return [row for row in rows if row[3] not in row[2].split(" or ")]


def page(**tables):
    """The page, from the rows of each run."""
    counted = {name: len(rows) for name, rows in tables.items()}
    parts = [_HEAD.format(**counted)]
    for name, (title, columns) in _SECTIONS.items():
        rows = sorted(set(tables[name])) if name == "operations" else tables[name]
        parts.append(f"## {title}\n")
        if name == "operations":
            levels = Counter(row[2] for row in rows)
            parts.append(", ".join(f"{count} {level}" for level, count in sorted(levels.items())) + ".\n")
        parts.append(_table(columns, rows))
    return "\n".join(parts)


def _table(columns, rows):
    lines = ["| " + " | ".join(row) + " |" for row in (columns, ["---"] * len(columns), *rows)]
    return "\n".join(lines) + "\n"
