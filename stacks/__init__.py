"""The Pulumi program: settings, platform, aggregator."""
