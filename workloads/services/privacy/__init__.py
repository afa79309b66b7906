"""A person's rights over their data: everything of theirs as an export, and its erasure with a receipt."""
