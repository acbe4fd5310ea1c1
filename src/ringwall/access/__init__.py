"""Estate -> the policies that bear on a request or a principal: the one place that knows which apply to whom.

Prove, who-can, why, plan, audit and the sandbox all ask here, so they cannot disagree.
"""

from ringwall.access.actors import Actor, Route, actors, routes
from ringwall.access.bearing import Access, PrincipalEntry

__all__ = ["Access", "Actor", "PrincipalEntry", "Route", "actors", "routes"]
