"""E-mail that starts runs: mailboxes that are read over IMAP, and addresses that mail is sent to over SMTP."""
