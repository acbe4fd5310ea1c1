"""Sessions of the AWS SDK that share what botocore reads from its data files.

Each botocore session parses endpoint rules and service models for itself, a tenth of a second for the one and up to a
third for some of the others. They are data of the installed package, the same for everybody, so one loader serves all
sessions that are made here.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
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


def base_session(
    profile: str | None = None, *, keys: dict[str, str] | None = None, events: Any = None
) -> Any:
    """A ``botocore.session.Session`` with the shared loader. Arguments and errors as of :func:`new_session`.

    ``events`` is the emitter that holds its handlers; ``None`` = botocore makes one.
    """
    session = importlib.import_module("botocore.session").Session(profile=profile, event_hooks=events)
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


def command_session(profile: str | None = None) -> Any:
    """A ``botocore.session.Session`` for the calls that Ringwall itself makes.

    Its clients know the operations that Ringwall calls and no others, and events by the names that botocore gives them now:
    parsing the rest, and looking every name up among those of 2018, is a fifth of what a command takes. Models of the user's
    own (``AWS_DATA_PATH``) come first as ever. Arguments and errors as of :func:`new_session`.
    """
    hooks = importlib.import_module("botocore.hooks")
    emitter = hooks.HierarchicalEmitter()
    session = base_session(profile, events=emitter)
    session.register_component("event_emitter", hooks.EventAliaser(emitter, event_aliases={}))
    path = session.get_config_variable("data_path")
    session.register_component("data_loader", data_loader(path, lean=True))
    return session


def read_whole_models(session: Any) -> None:
    """Let the clients that are made from here on know all operations."""
    session.register_component("data_loader", data_loader(session.get_config_variable("data_path")))


@lru_cache(maxsize=8)
def data_loader(data_path: str | None = None, *, lean: bool = False) -> Any:
    """The loader for a search path beside botocore's own, as ``botocore.loaders.create_loader`` makes it, but once.

    Args:
        data_path: directories, as ``AWS_DATA_PATH`` names them.
        lean: whether models hold nothing but the operations that Ringwall calls.
    """
    return importlib.import_module("ringwall.estate.loader").loader(data_path, lean=lean)
