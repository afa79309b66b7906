"""A bank to test against: Berlin Group NextGenPSD2 XS2A 1.3.11, account information, redirect SCA. Never in prod."""
