"""What can be done with accounts: one verb a function."""
