"""LoginLimit: how full the bucket of login attempts of one account or network is."""

from __future__ import annotations

from django.db import models


class LoginLimit(models.Model):
    """One bucket. It lives in PostgreSQL, so that logins stay limited when Redis is away.

    `full_until` is the theoretical arrival time of the generic cell rate algorithm (ITU-T I.371): one instant a bucket.
    The key is a hash: nobody reads from a dump who tried to log in.
    """

    key = models.CharField(max_length=64, primary_key=True)
    full_until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["full_until"], name="login_limit_expiry")]  # the sweep of old rows

    def __str__(self) -> str:
        return f"bucket {self.key[:8]} until {self.full_until:%H:%M:%S}"
