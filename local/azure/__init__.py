"""The embedded Azure."""
