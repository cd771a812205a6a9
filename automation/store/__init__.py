"""Hand-written SQL, one file a statement, and the bell that tells workers to look."""
