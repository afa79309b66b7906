"""Monthly budgets: what may be spent on which categories, what is left, and what rolls into the next month."""
