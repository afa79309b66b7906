"""The local Entra tenant: directory and tokens."""
