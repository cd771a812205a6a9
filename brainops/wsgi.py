"""The web process's entry: `granian --interface wsgi brainops.wsgi:application`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
# No request is worth a statement of half a minute; workers and commands have no such limit.
os.environ.setdefault("BRAINOPS_STATEMENT_TIMEOUT_MS", "30000")

application = get_wsgi_application()

from brainops.core import shared_metrics, tracing  # noqa: E402 - models first

shared_metrics.start_thread()
tracing.start()
