"""A real control plane, and a node that runs pods as processes."""
