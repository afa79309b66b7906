"""The ARM endpoint: type table, store, validation, operations."""
