"""Pages for people who need not be staff: they come by the link of a mail."""
