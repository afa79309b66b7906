"""The only way out to banks: XS2A requests as each profile wants them, answers in one form, a ledger of calls."""
