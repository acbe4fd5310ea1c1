"""moto's view of botocore's service models: the ones that the gateway has read, with what moto adds to some of them.

moto reads each model for itself, after it has looked through the directories of all services; EC2's alone takes a tenth
of a second.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

from ringwall.estate.sessions import data_loader

_SERVICE = "service-2"


def share() -> None:
    """Let moto read service models where the gateway does."""
    utils: Any = importlib.import_module("moto.core.utils")
    load = utils._load_service_model  # noqa: SLF001 - moto has no other way
    if load.__module__ != __name__:
        loader = utils.create_loader()
        loader.file_loader = data_loader().file_loader

        def shared(service: str, type_name: str) -> Any:
            return _model(loader, service) if type_name == _SERVICE else load(service, type_name)

        utils._load_service_model = shared  # noqa: SLF001


def _model(loader: Any, service: str) -> Any:
    version = loader.determine_latest_version(service, _SERVICE)
    if any(_extras(data_loader(), service, version)):  # what botocore adds for its clients, moto goes without
        model = loader.load_data(f"{service}/{version}/{_SERVICE}")
    else:
        model = data_loader().load_service_model(service, _SERVICE)
    for extras in _extras(loader, service, version):
        model = _merged(model, extras.get("merge", {}))
    return model


def _extras(loader: Any, service: str, version: str) -> Iterator[dict[str, Any]]:
    found: Iterator[dict[str, Any]] = loader._find_extras(service, _SERVICE, version)  # noqa: SLF001 - as its own code does
    return found


def _merged(base: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Both, as botocore merges them, but without a change of the base, which is not moto's alone."""
    merged = dict(base)
    for name, value in more.items():
        present = merged.get(name)
        if isinstance(present, Mapping) and isinstance(value, Mapping):
            merged[name] = _merged(present, value)
        else:
            merged[name] = value
    return merged
