"""Stand-in for the azure-native provider: maps a resource to the ARM request and back; the endpoint alone judges."""
