"""Rules about knowledge bases, custom models, siblings and logs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, get_args

from ringwall.perimeter.finding import Data, Finding, Path, items, mapping, texts
from ringwall.perimeter.nearest import did_you_mean
from ringwall.perimeter.siblings import UNGUARDED, SiblingName

SIBLING_ENDPOINTS = {"bedrock-mantle": "bedrock-mantle", "bedrock-agentcore": "bedrock-agentcore"}
"""Siblings that have VPC endpoints of their own."""
DATA_IDENTIFIERS = (
    "AwsSecretKey", "OpenSshPrivateKey", "PgpPrivateKey", "PkcsPrivateKey", "PuttyPrivateKey", "IpAddress",
    "BankAccountNumber", "CreditCardExpiration", "CreditCardNumber", "CreditCardSecurityCode",
    "DrugEnforcementAgencyNumber", "HealthcareProcedureCode", "HealthInsuranceCardNumber", "HealthInsuranceClaimNumber",
    "HealthInsuranceNumber", "MedicareBeneficiaryNumber", "NationalDrugCode", "NationalInsuranceNumber",
    "NationalProviderId", "NhsNumber", "PersonalHealthNumber", "Address", "CepCode", "Cnpj", "CpfCode",
    "DriversLicense", "ElectoralRollNumber", "EmailAddress", "IndividualTaxIdentificationNumber", "InseeCode",
    "LatLong", "Name", "NationalIdentificationNumber", "NieNumber", "NifNumber", "PassportNumber",
    "PermanentResidenceNumber", "PhoneNumber", "PostalCode", "RgNumber", "SocialInsuranceNumber", "Ssn", "TaxId",
    "VehicleIdentificationNumber", "ZipCode",
)  # fmt: skip
"""Managed data identifiers of CloudWatch Logs, without the country that some carry (``Ssn-US``)
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL-managed-data-identifiers.html)."""


def _declared_uses(data: Data, path: Path, named: Any, kinds: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Names of uses that are there, and are of a kind that fits."""
    there = mapping(data, "uses")
    for index, name in texts(named):
        if name not in there:
            yield (*path, index), f"{name} is not declared under uses{did_you_mean(name, there)}"
        elif kinds and mapping(there, name).get("kind") not in kinds:
            yield (*path, index), f"{name} is of another kind; it must be {' or '.join(kinds)}"


def _siblings_are_bounded(data: Data) -> Iterator[Finding]:
    endpoints = items(mapping(data, "network").get("endpoints"))
    for name, sibling in mapping(data, "siblings").items():
        path = ("siblings", name)
        if name not in get_args(SiblingName):
            continue
        section = mapping(sibling)
        yield from _declared_uses(data, (*path, "uses"), section.get("uses"), ("invoke", "operator"))
        if name in UNGUARDED and section.get("without_guardrail") is not True:
            yield (
                path,
                "knows neither guardrails nor invocation logging: say without_guardrail: true, or leave it closed",
            )
        if name == "bedrock-mantle" and not section.get("models"):
            yield path, "needs models: the ids that may be invoked there"
        if name != "bedrock-mantle" and section.get("models"):
            yield (*path, "models"), "only bedrock-mantle is held to models"
        endpoint = SIBLING_ENDPOINTS.get(name)
        if endpoint and endpoint not in endpoints:
            yield path, f"needs the endpoint {endpoint}: add it to network.endpoints"


def _own_resources(data: Data) -> Iterator[Finding]:
    """Models, stores and roles by ARN are the declared account's, in the source Region."""
    account, source = data.get("account"), mapping(data, "regions").get("source")
    named: list[tuple[Path, Any]] = [
        (("models", name), value) for name, value in mapping(data, "models").items()
    ]
    for name, base in mapping(data, "knowledge_bases").items():
        named += [
            (("knowledge_bases", name, key), mapping(base).get(key)) for key in ("vector_store", "secret")
        ]
    custom = mapping(data, "custom_models")
    named += [(("custom_models", "customizers", i), role) for i, role in texts(custom.get("customizers"))]
    named += [(("service_roles", i), role) for i, role in texts(data.get("service_roles"))]
    for path, value in named:
        fields = str(value).split(":", 5)
        if fields[0] != "arn" or len(fields) < 6:
            continue
        if isinstance(account, str) and fields[4] not in ("", account):
            yield path, f"belongs to account {fields[4]}, the declaration is for {account}"
        if isinstance(source, str) and fields[3] not in ("", source):
            yield path, f"is in {fields[3]}; it must be in {source}"


def _bases_are_known_once(data: Data) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name, base in mapping(data, "knowledge_bases").items():
        known = mapping(base).get("id")
        if isinstance(known, str) and known in seen:
            yield ("knowledge_bases", name, "id"), f"{known} is the id of {seen[known]} already"
        elif isinstance(known, str):
            seen[known] = name


def _custom_models_are_invoked_by_uses(data: Data) -> Iterator[Finding]:
    path = ("custom_models", "invokers")
    yield from _declared_uses(
        data, path, mapping(data, "custom_models").get("invokers"), ("invoke", "retrieve", "operator")
    )


def _masks_are_known(data: Data) -> Iterator[Finding]:
    for index, name in texts(mapping(data, "logging").get("mask")):
        stem = re.sub(r"-[A-Z]{2}$", "", name)
        if stem not in DATA_IDENTIFIERS:
            guess = did_you_mean(stem, DATA_IDENTIFIERS)
            yield ("logging", "mask", index), f"{name} is no data identifier of CloudWatch Logs{guess}"


def _account_can_be_bound(data: Data) -> Iterator[Finding]:
    """No service control policy binds the management account.

    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    account = data.get("account")
    role = str(mapping(data, "organization").get("management_role", "")).split(":")
    if isinstance(account, str) and len(role) > 4 and account == role[4]:
        yield ("account",), "is the management account, which no service control policy binds"


RULES: tuple[Callable[[Data], Iterator[Finding]], ...] = (
    _siblings_are_bounded,
    _own_resources,
    _account_can_be_bound,
    _bases_are_known_once,
    _custom_models_are_invoked_by_uses,
    _masks_are_known,
)
