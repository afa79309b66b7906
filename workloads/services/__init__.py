"""The microservices, a folder each."""
