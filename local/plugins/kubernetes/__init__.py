"""Stand-in for the kubernetes provider: server-side apply through the official Python client, and waiting."""
