"""Services: one function a verb. Permission scope, transaction, rows, audit entry, and the bell after the commit."""
