"""The node agent: registers a node and runs the pods bound to it as processes."""
