"""The SMTP server that takes mail for triggers (RFC 5321). It relays nothing and sends nothing."""
