"""The coming months: balances projected from what recurs and what usually happens, with their uncertainty."""
