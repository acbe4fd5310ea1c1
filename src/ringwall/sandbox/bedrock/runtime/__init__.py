"""The ``bedrock-runtime`` service: inference, guardrails on it, and what is said of it."""
