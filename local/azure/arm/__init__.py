"""The ARM endpoint: table of types, validation, store, operations, authorization."""
