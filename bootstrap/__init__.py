"""Bootstrap: the program run once a subscription, before the first deployment of any stack."""
