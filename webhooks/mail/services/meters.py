"""What is counted of mails. In a file of its own: the process that shows it is not the one that counts."""

from __future__ import annotations

from brainops.core.metrics import Counter

MAILS = Counter("brainops_mails_total", "Mails that came over SMTP, for each receiver, by the answer.", ("answer",))
