"""The addresses of the provider. It believes whoever logs in: `POST /login?next=…` with a name and the claims to tell."""

import json

from django.contrib.auth import get_user_model, login
from django.http import HttpResponseRedirect
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator

CLIENT_ID, CLIENT_SECRET = "brainops", "a secret: of/the client"
CLAIMS = {}


class Validator(OAuth2Validator):
    oidc_claim_scope = None  # tell everything, whatever the scope

    def get_additional_claims(self, request):
        return CLAIMS[request.user.username]


def make_client(redirect_uri: str) -> None:
    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        redirect_uris=redirect_uri,
        algorithm=Application.RS256_ALGORITHM,
        skip_authorization=True,
    )


@csrf_exempt
def log_in(request):
    user, _ = get_user_model().objects.get_or_create(username=request.POST["username"])
    CLAIMS[user.username] = json.loads(request.POST["claims"])
    login(request, user)
    return HttpResponseRedirect(request.GET["next"])


urlpatterns = [path("login", log_in), path("", include("oauth2_provider.urls"))]
