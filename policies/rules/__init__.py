"""Rules: a module a service. Every module of this folder is part of the pack; nothing else lists them."""
