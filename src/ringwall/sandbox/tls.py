"""Certificates: a private CA, and a leaf for each name that a client asks for (SNI)."""

from __future__ import annotations

import ssl
import threading
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

_DOMAINS = (".amazonaws.com", ".api.aws")
_MAX_LEAVES = 1000
_NAME = "Ringwall sandbox"


def _kept(path: Path) -> trustme.CA:
    if path.exists():
        text = path.read_bytes()
        return trustme.CA.from_pem(cert_bytes=text, private_key_bytes=text)
    ca = trustme.CA(organization_name=_NAME)
    draft = path.with_name(f"{path.name}.new")
    draft.touch(mode=0o600)
    draft.write_bytes(ca.private_key_pem.bytes() + ca.cert_pem.bytes())
    draft.replace(path)  # there whole or not at all
    return ca


class Certificates:
    """The sandbox's CA.

    Args:
        keep: file that keeps the CA, with its key, for the next start; without one the key never leaves the process.
    """

    def __init__(self, keep: Path | None = None) -> None:
        self._ca = _kept(keep) if keep else trustme.CA(organization_name=_NAME)
        self._lock = threading.Lock()
        self._leaves: dict[str, ssl.SSLContext] = {}
        self.context = self._leaf("localhost", "localhost", "127.0.0.1")
        self.context.sni_callback = self._choose

    def write_bundle(self, path: Path) -> None:
        """Write the CA's certificate as PEM."""
        self._ca.cert_pem.write_to_path(str(path))

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name and name.lower().endswith(_DOMAINS):
            connection.context = self._for_name(name.lower())

    def _for_name(self, name: str) -> ssl.SSLContext:
        with self._lock:
            if name not in self._leaves and len(self._leaves) >= _MAX_LEAVES:
                self._leaves.clear()
            if name not in self._leaves:
                self._leaves[name] = self._leaf(name, name)
            return self._leaves[name]

    def _leaf(self, common_name: str, *names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Common names are limited to 64 characters; the names that count are the alternative ones.
        self._ca.issue_cert(*names, common_name=common_name[:64]).configure_cert(context)
        return context
