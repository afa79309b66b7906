"""Sections of the settings: a typed model per block, a module a concern; camelCase in YAML, snake_case in Python."""
