"""Base classes of the REST API: JSON in and out, problems, pages, entity tags, schema."""
