"""The ledger: one history of a person's transactions at all banks, each there once."""
