"""Reachability: who in a stack can reach whom, computed from what the stack declares; docs/reachability.md."""
