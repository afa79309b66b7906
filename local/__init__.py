"""The embedded Azure: the same program on one machine, with no subscription."""
