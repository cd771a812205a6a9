"""From the source of a template to syntax trees with exact positions.

Jinja2's parser does the grammar; nothing else of Jinja2 runs.
"""
