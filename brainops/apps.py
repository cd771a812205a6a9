"""The admin's app: Django's own, on our site. Apart from `site.py`, which needs the models to be loaded."""

from django.contrib.admin import apps


class AdminConfig(apps.AdminConfig):
    """Put every `admin.site` on BrainOpsSite."""

    default_site = "brainops.site.BrainOpsSite"
