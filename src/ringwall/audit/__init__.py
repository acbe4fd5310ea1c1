"""Audit: collection, verdicts, evidence, reports."""
