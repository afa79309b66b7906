"""What the Makefile calls: up, down, clean, env, recover, traces."""
