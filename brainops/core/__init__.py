"""What every other room stands on: errors, clock, secrets, JSON at the edge, logs, and the API's base classes."""
