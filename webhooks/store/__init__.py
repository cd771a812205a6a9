"""Hand-written statements of the intake, one file a statement."""
