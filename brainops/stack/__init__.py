"""Everything around the product that starts it: servers, supervisor, launcher commands, test servers.

Imports nothing else of ours, so that it can start, watch and diagnose the rest.
"""
