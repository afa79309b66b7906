"""What happened, as a chain in which nothing can be changed or left out unnoticed; pseudonyms only."""
