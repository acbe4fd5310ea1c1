"""Amazon Bedrock on this machine: control plane, runtime, agents, and the effects of calls (logs, metrics)."""
