"""Makes the table of types from the Pulumi SDK and the azure-mgmt-* wheels (development time only)."""
