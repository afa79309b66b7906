"""Image builders: how an image comes to be in the registry, a module each, by one contract."""
