"""The declaration: ``ringwall.yaml`` -> :class:`Perimeter`, typed, all errors at once, with line numbers."""

from ringwall.perimeter.loader import load, loads
from ringwall.perimeter.model import Perimeter

__all__ = ["Perimeter", "load", "loads"]
