"""Guardrail evaluation: text and a guardrail's policies in, an assessment in the API's shape out. Pure functions.

What is exact: custom words, regular expressions, the shapes of structured PII with their check digits, actions per
direction, masks, units. What is approximate, and labelled so in the sandbox's fidelity table: content filters, prompt
attacks, denied topics, contextual grounding, and the PII types NAME and ADDRESS. AWS decides those with models; here
they are documented lexical heuristics, so a sandbox run tests wiring and policy, never the quality of a filter.
"""
