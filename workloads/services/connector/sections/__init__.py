"""The sections of a bank's profile: each says one thing about how the bank wants to be asked."""
