"""Help: articles, which are data of the repository, and each person's tickets."""
