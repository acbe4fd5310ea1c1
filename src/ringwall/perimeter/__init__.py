"""The declaration: ``ringwall.yaml`` -> :class:`Perimeter`, typed, all errors at once, with line numbers."""

from ringwall.perimeter.loader import cautioned, load, load_all, loads, loads_all
from ringwall.perimeter.model import Perimeter

__all__ = ["Perimeter", "cautioned", "load", "load_all", "loads", "loads_all"]
