"""Reading a mail: pure functions from bytes to what a run sees. Nothing of Django, the network or files in here."""
