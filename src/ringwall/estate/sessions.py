"""Sessions of the AWS SDK that share what botocore reads from its data files.

Each botocore session parses endpoint rules and service models for itself, a tenth of a second for the one and up to a
third for some of the others. They are data of the installed package, the same for everybody, so one loader serves all
sessions that are made here.
"""

from __future__ import annotations

import gc
import gzip
import importlib
import json
from functools import lru_cache
from os.path import isfile
from pathlib import Path
from typing import Any


def new_session(
    *, profile: str | None = None, region: str | None = None, keys: dict[str, str] | None = None
) -> Any:
    """A ``boto3.Session``.

    Args:
        profile: of the shared configuration; ``None`` = the SDK's choice.
        region: default Region of its clients; ``None`` = the SDK's choice.
        keys: ``AccessKeyId``, ``SecretAccessKey`` and ``SessionToken`` as STS gives them; ``None`` = the SDK's chain.

    Raises:
        botocore.exceptions.ProfileNotFound: there is no such profile.
    """
    return boto3_session(base_session(profile, keys=keys), region)


def base_session(profile: str | None = None, *, keys: dict[str, str] | None = None) -> Any:
    """A ``botocore.session.Session`` with the shared loader. Arguments and errors as of :func:`new_session`."""
    session = importlib.import_module("botocore.session").Session(profile=profile)
    session.register_component("data_loader", data_loader(session.get_config_variable("data_path")))
    # The global endpoint of STS is in us-east-1, outside of the perimeter's Regions and endpoints.
    session.set_config_variable("sts_regional_endpoints", "regional")
    if keys is not None:
        session.set_credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"))
    return session


def boto3_session(base: Any, region: str | None = None) -> Any:
    """A ``boto3.Session`` over a session of :func:`base_session`."""
    session = importlib.import_module("boto3").Session(botocore_session=base, region_name=region)
    # Every boto3 session tells its loader where boto3's own data are.
    paths = base.get_component("data_loader").search_paths
    paths[:] = dict.fromkeys(paths)
    return session


def forget_models() -> None:
    """Give back the memory that botocore's models take, for whoever makes no call any more; sessions are to be gone."""
    data_loader.cache_clear()
    gc.collect()


@lru_cache(maxsize=8)
def data_loader(data_path: str | None = None) -> Any:
    """The loader for a search path beside botocore's own, as ``botocore.loaders.create_loader`` makes it, but once."""
    loader = importlib.import_module("botocore.loaders").create_loader(data_path)
    loader.file_loader = _DataFiles()
    return loader


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
