"""The whole platform as `make up` leaves it, driven from outside as a person does."""
