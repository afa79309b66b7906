"""Which messages a subscription takes: rules with SQL or correlation filters."""
