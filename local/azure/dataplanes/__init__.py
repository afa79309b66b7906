"""The data planes behind the embedded Azure."""
