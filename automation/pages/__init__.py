"""Pages for people without a login."""
