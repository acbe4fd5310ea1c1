"""Delivery of model invocation logs and metrics, with the rights that AWS's services would need for it."""
