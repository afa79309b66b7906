"""Receipts and other papers of a person's, kept sealed, and which transaction each belongs to."""
