"""How botocore's data files are read: as botocore does it, in less time.

Imported with botocore, which is imported late (:mod:`ringwall.estate.sessions`).
"""

from __future__ import annotations

import gzip
import json
from os.path import isfile
from pathlib import Path
from typing import Any

from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import Loader, create_loader

LEAN = Path(__file__).with_name("service_models")
"""botocore's models, cut to the operations that Ringwall calls (scripts/generate_service_models.py)."""


def loader(data_path: str | None, *, lean: bool) -> Loader:
    """See :func:`ringwall.estate.sessions.data_loader`."""
    paths = list(create_loader(data_path).search_paths)
    if lean:
        paths.insert(paths.index(Loader.BUILTIN_DATA_PATH), str(LEAN))
    return _Loader(paths, _DataFiles(), include_default_search_paths=False)


class _Loader(Loader):  # type: ignore[misc]
    """Finds a model without looking through all services first, which are more than 400 directories."""

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """What botocore's own answers.

        Raises:
            botocore.exceptions.UnknownServiceError: there is no such service.
            botocore.exceptions.DataNotFoundError: it has no such model.
        """
        try:
            version = api_version or self.determine_latest_version(service_name, type_name)
        except DataNotFoundError:
            known = self.list_available_services(type_name)
            raise UnknownServiceError(
                service_name=service_name, known_service_names=", ".join(known)
            ) from None
        model = self.load_data(f"{service_name}/{version}/{type_name}")
        self._extras_processor.process(model, self._find_extras(service_name, type_name, version))
        return model


class _DataFiles:
    """botocore's data files as plain dictionaries, which keep their order too and are read in half of the time."""

    _suffixes = (".json", ".json.gz")
    """In the order in which botocore looks for them."""

    def exists(self, path: str) -> bool:
        """Whether there is such a file, named without its suffix."""
        return self._file(path) is not None

    def load_file(self, path: str) -> Any | None:
        """What the file of that name, without its suffix, holds; ``None`` where there is none."""
        file = self._file(path)
        if file is None:
            return None
        content = Path(file).read_bytes()
        return json.loads(gzip.decompress(content) if file.endswith(".gz") else content)

    def _file(self, path: str) -> str | None:
        for suffix in self._suffixes:
            if isfile(path + suffix):  # noqa: PTH113 - asked of a thousand files, which takes a Path ten times as long
                return path + suffix
        return None
