"""The ``bedrock`` service: guardrails, policies on them, invocation logging, models and profiles."""
