"""Gets the Pulumi engine and the other tools onto the machine; standard library only."""
