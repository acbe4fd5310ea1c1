"""``AWS::Bedrock::EnforcedGuardrailConfiguration``: a guardrail on every call of the account in this Region.

Follows https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-enforcements.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ringwall.estate.kind import Permissions
from ringwall.estate.kinds.base import allowing
from ringwall.estate.kinds.guardrail_fields import lower, upper
from ringwall.estate.kinds.limits import Limit
from ringwall.estate.kinds.singleton import Singleton

if TYPE_CHECKING:
    from ringwall.estate.aws import Aws
    from ringwall.estate.model import Resource

GONE = "ResourceNotFoundException"
CONFIG = "GuardrailInferenceConfig"


class EnforcedGuardrail(Singleton):
    """The account's enforced guardrail. One that the organization set (``Owner``) is not ours to change."""

    type = "AWS::Bedrock::EnforcedGuardrailConfiguration"
    slug = "enforced-guardrail"
    read_only = ("Arn", "ConfigId", "Owner", "InputTags")
    permissions = Permissions(
        ("bedrock:ListEnforcedGuardrailsConfiguration",),
        (
            "bedrock:PutEnforcedGuardrailConfiguration",
            "bedrock:DeleteEnforcedGuardrailConfiguration",
            "bedrock:GetGuardrail",
        ),
    )
    limits = (
        Limit(f"{CONFIG}.GuardrailIdentifier", required=True, longest=2048),
        Limit(f"{CONFIG}.GuardrailVersion", required=True, pattern=r"[1-9][0-9]{0,7}"),
        Limit(f"{CONFIG}.SelectiveContentGuarding.System", choices=("SELECTIVE", "COMPREHENSIVE")),
        Limit(f"{CONFIG}.SelectiveContentGuarding.Messages", choices=("SELECTIVE", "COMPREHENSIVE")),
        Limit(f"{CONFIG}.ModelEnforcement.IncludedModels", shortest=1),
    )

    def read(self, aws: Aws) -> Iterator[Resource]:
        """The configuration, if there is one."""
        listed = aws.pages("bedrock", "ListEnforcedGuardrailsConfiguration", "guardrailsConfig")
        shared = aws.evidence()
        for item in listed:
            config: dict[str, Any] = {
                "GuardrailIdentifier": item.get("guardrailArn") or item.get("guardrailId"),
                "GuardrailVersion": item.get("guardrailVersion"),
            }
            for name in ("selectiveContentGuarding", "modelEnforcement"):
                if item.get(name):
                    config[name[:1].upper() + name[1:]] = upper(item[name])
            properties = {
                CONFIG: config,
                "ConfigId": item.get("configId"),
                "Owner": item.get("owner", "ACCOUNT"),
                "InputTags": item.get("inputTags"),
            }
            kept = {key: value for key, value in properties.items() if value is not None}
            yield self.seen(aws, str(item.get("configId", self.slug)), kept, evidence=shared)

    def _same_place(self, desired: Resource, observed: Resource) -> bool:
        return super()._same_place(desired, observed) and observed.get("Owner", "ACCOUNT") == "ACCOUNT"

    def canonical(self, name: str, value: Any) -> Any:
        """The guardrail by its id; what Bedrock takes where nothing is said."""
        if name != CONFIG or not isinstance(value, Mapping):
            return super().canonical(name, value)
        found = dict(value)
        if isinstance(found.get("GuardrailIdentifier"), str):
            found["GuardrailIdentifier"] = found["GuardrailIdentifier"].rsplit("/", 1)[-1]
        found["SelectiveContentGuarding"] = {
            "System": "COMPREHENSIVE",
            "Messages": "COMPREHENSIVE",
            **(found.get("SelectiveContentGuarding") or {}),
        }
        models = found.get("ModelEnforcement") or {}
        found["ModelEnforcement"] = {
            "IncludedModels": sorted(models.get("IncludedModels") or ["ALL"]),
            "ExcludedModels": sorted(models.get("ExcludedModels") or []),
        }
        return found

    def create(self, aws: Aws, desired: Resource) -> Resource:
        """Set it."""
        return self._put(aws, desired, {})

    def update(self, aws: Aws, observed: Resource, desired: Resource) -> Resource:
        """Replace it in place, so that there is no moment without it."""
        if not self.differs(observed, desired, CONFIG):
            return self.written(aws, desired, observed.id, ConfigId=observed.id, Owner="ACCOUNT")
        return self._put(aws, desired, {"configId": observed.id})

    def _put(self, aws: Aws, desired: Resource, which: Mapping[str, str]) -> Resource:
        config = lower(desired.properties[CONFIG])
        models = config.get("modelEnforcement")
        if models is not None:
            models.setdefault("includedModels", ["ALL"])
            models.setdefault("excludedModels", [])
        answer = aws.call(
            "bedrock", "PutEnforcedGuardrailConfiguration", guardrailInferenceConfig=config, **which
        )
        config_id = str(answer.get("configId") or which.get("configId") or self.slug)
        return self.written(aws, desired, config_id, ConfigId=config_id, Owner="ACCOUNT")

    def removable(self, observed: Resource) -> bool:
        """Not what the organization set."""
        return bool(observed.get("Owner", "ACCOUNT") == "ACCOUNT")

    def delete(self, aws: Aws, observed: Resource) -> None:
        """Remove it."""
        with allowing(GONE):
            aws.call("bedrock", "DeleteEnforcedGuardrailConfiguration", configId=observed.id)
