"""The entry of the bare list: `granian --interface wsgi benchmarks.bare_wsgi:application`."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
settings.ROOT_URLCONF = "benchmarks.bare"
settings.MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]  # says how long an answer is

application = get_wsgi_application()
