"""Entra ID of the one local tenant: directory, tokens, workload-identity exchange."""
