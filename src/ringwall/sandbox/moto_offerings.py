"""Where EC2's instance types are on offer: ninety tables of moto's, each read when somebody asks for its Region.

moto reads all of them as its EC2 is imported, a fourth of the time that this takes. A perimeter has no instances.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_DIRECTORY = "instance_type_offerings"
_MODULE = "moto.ec2.models.instance_types"


class Offerings(dict[str, Any]):
    """What is on offer by Region, for a type of location such as ``availability-zone``.

    Args:
        location_type: the type.
        files: moto's resource by Region.
        read: reads a resource.
    """

    def __init__(self, location_type: str, files: dict[str, str], read: Callable[[str], Any]) -> None:
        super().__init__()
        self._location_type = location_type
        self._files = files
        self._read = read

    def __missing__(self, region: str) -> Any:
        offered = self._read(self._files[region])
        for offering in offered:
            offering["LocationType"] = self._location_type
        self[region] = offered
        return offered

    def get(self, region: str, default: Any = None) -> Any:
        """What is on offer in a Region."""
        return self[region] if region in self._files else default


@contextmanager
def read_when_asked() -> Iterator[None]:
    """Meanwhile moto's EC2 may be imported, and reads no such table."""
    utilities: Any = importlib.import_module("moto.utilities.utils")
    read = utilities.load_resource
    files: dict[str, dict[str, str]] = {}

    def later(resource: str) -> Any:
        path = PurePosixPath(resource)
        if path.parent.parent.name != _DIRECTORY:
            return read(resource)
        files.setdefault(path.parent.name, {})[path.name.split(".")[0]] = resource
        return []

    utilities.load_resource = later
    try:
        yield
    finally:
        utilities.load_resource = read
        for location_type, by_region in files.items():
            offerings = Offerings(location_type, by_region, read)
            sys.modules[_MODULE].INSTANCE_TYPE_OFFERINGS[location_type] = offerings
