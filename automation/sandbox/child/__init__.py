"""The other side: a process that knows nothing of the product and passes code on to the interpreter.

It is started by path with an empty environment and imports the standard library and pydantic-monty, nothing else.
"""
