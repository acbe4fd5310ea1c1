"""The ``bedrock-agent`` and ``bedrock-agent-runtime`` services, as far as access to them goes."""
