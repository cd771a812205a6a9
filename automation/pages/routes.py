"""Routes of pages for people without a login."""

from django.urls import path

from automation.pages.hosted_forms import form_page

urlpatterns = [path("forms/<uuid:trigger_id>", form_page, name="hosted-form")]
