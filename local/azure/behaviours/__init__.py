"""What single ARM types do beyond being stored, a module each."""
