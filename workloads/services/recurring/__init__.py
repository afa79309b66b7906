"""Payments that recur: series found in the history, when each comes next, and when one did not come."""
