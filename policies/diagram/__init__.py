"""Diagram: a picture of a stack, drawn from its plan: zones, what stands in them, private endpoints, identities."""
