"""Models of an account's own: customized, imported, deployed, with throughput of their own, copied, evaluated."""
