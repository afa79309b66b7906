"""What each transaction is: merchant and category, by rules, knowledge and the person's word, which stays."""
