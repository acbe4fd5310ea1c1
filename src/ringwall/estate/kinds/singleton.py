"""Settings of which an account has one in each Region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringwall.estate.kinds.base import BaseKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ringwall.estate.model import Resource


class Singleton(BaseKind):
    """A setting that is there once for each account and Region, or not at all. Nothing tells whose it is."""

    taggable = False
    slug: str = ""

    def match(self, desired: Resource, observed: tuple[Resource, ...]) -> Resource | None:
        """The only one."""
        return next((item for item in observed if self._same_place(desired, item)), None)

    def physical_id(self, desired: Resource) -> str:  # noqa: ARG002 - there is only one
        """A name of ours: AWS gives it none."""
        return self.slug

    def identity(self, resource: Resource, physical_id: str) -> Mapping[str, str]:  # noqa: ARG002 - the id says all
        """The id alone."""
        return {"Id": physical_id}
