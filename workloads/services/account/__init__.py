"""A person's accounts at all banks, each there once however often it is connected again, and their balances."""
