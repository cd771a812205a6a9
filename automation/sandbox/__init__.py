"""Where the Python of code steps runs: in processes of its own, never in this one.

`pool` lends children, `process` holds one of them, `child` is what runs on the other side.
"""
