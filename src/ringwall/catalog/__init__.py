"""What AWS and Bedrock are, as data: actions, condition keys, operations, models, endpoints, compliance programs.

``load()`` gives the vocabulary of the policy language; ``catalog.operations`` maps API calls to the authorizations
that they need; ``catalog.bedrock``, ``catalog.models``, ``catalog.profiles`` and ``catalog.frameworks`` are tables.
"""

from __future__ import annotations

from ringwall.catalog.reference import Action, Catalog, ResourceType, Service, load

__all__ = ["Action", "Catalog", "ResourceType", "Service", "load"]
