"""A person's consents: asked for, authorised at the bank, watched, revoked; and what proves it."""
