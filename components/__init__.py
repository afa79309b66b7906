"""Azure building blocks: one Pulumi ComponentResource a module."""
