"""Deployment: plan, apply, drift and destroy, over a desired and an observed Estate.

plan.make_plan      what has to change, purely from two Estates
effects             what those changes newly allow and newly deny
apply.apply         makes the changes, in order, safe to kill
drift.find_drift    what changed behind the declaration's back
destroy             the way back, keeping data and the keys it needs
"""
