"""Mailboxes over IMAP4rev1 (RFC 3501), on connections whose address the outbound door has checked."""
