"""Requests made from the OpenAPI document by a program that knows nothing else of us."""
