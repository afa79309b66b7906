"""Constraints: what Azure refuses, as data in ../constraints.yaml, and one evaluation for whoever enforces it.

Both the embedded Azure (local/azure/arm/constraints.py) and the policy pack (policies/rules/constraints.py) ask here.
Nothing but the standard library and PyYAML is imported, so that asking is cheap.
"""
