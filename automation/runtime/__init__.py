"""What lives inside a worker process: the threads that claim, execute, write, breathe and tick."""
