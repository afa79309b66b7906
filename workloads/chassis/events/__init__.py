"""Events between services: CloudEvents, written with the change they tell of, handled once."""
