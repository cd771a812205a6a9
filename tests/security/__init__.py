"""The promises of docs/security.md that belong to no single room."""
