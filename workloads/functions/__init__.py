"""The function app: tells the platform's services of what Azure's own services tell of."""
