"""``python -m ringwall``."""

from ringwall.cli import main

main()
