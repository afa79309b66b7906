"""Stand-ins for Pulumi plugins that can't be had."""
