"""Services of e-mail triggers."""
