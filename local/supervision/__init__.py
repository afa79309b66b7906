"""Starts the daemons of an instance, keeps them running, and stops everything."""
