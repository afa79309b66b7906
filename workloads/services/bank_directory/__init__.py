"""The banks that can be connected: found by name, country and BIC, and whether each answers now."""
