"""Lint: what is wrong with a policy document, a template or a declaration, before anything is deployed.

One module for each rule in :mod:`ringwall.lint.rules`; its docstring is its page, with a bad and a good example.
:func:`registry` lists them, :func:`lint_text`, :func:`lint_bytes` and :func:`lint_file` apply them.
"""

from __future__ import annotations

from ringwall.lint.engine import MAX_BYTES, lint_bytes, lint_file, lint_text
from ringwall.lint.rule import POLICY_TYPES, Finding, PolicyType, Rule
from ringwall.lint.rules import registry, rule

__all__ = [
    "MAX_BYTES",
    "POLICY_TYPES",
    "Finding",
    "PolicyType",
    "Rule",
    "lint_bytes",
    "lint_file",
    "lint_text",
    "registry",
    "rule",
]
