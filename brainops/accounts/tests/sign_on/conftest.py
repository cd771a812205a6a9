"""Providers for the tests of single sign-on: a real one in its own process, and one that lies."""

import subprocess
import sys
from pathlib import Path

import pytest

from brainops.accounts.models import User
from brainops.accounts.services import oidc_metadata
from brainops.accounts.tests.conftest import PASSWORD
from brainops.accounts.tests.provider import hostile as lies
from brainops.accounts.tests.sign_on.calls import CALLBACK, SECRET
from brainops.core.identity_providers import Provider

SERVER = Path(__file__).parents[1] / "provider" / "server.py"


@pytest.fixture(scope="session")
def issuer():
    """The address of a real provider in a process of its own."""
    command = [sys.executable, "-W", "ignore", str(SERVER), CALLBACK]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") as process:
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture
def use(settings):
    """Configure providers."""
    settings.BRAINOPS_PUBLIC_URL = "http://testserver"
    settings.BRAINOPS_OIDC_PROVIDERS = {}
    oidc_metadata.publisher.cache_clear()

    def configure(id_: str, issuer: str, **options):
        provider = Provider(
            id=id_, name=id_.title(), issuer=issuer, client_id="brainops", client_secret=SECRET, **options
        )
        settings.BRAINOPS_OIDC_PROVIDERS = {**settings.BRAINOPS_OIDC_PROVIDERS, id_: provider}
        return provider

    yield configure
    oidc_metadata.publisher.cache_clear()


@pytest.fixture
def honest(use, issuer) -> Provider:
    return use("honest", issuer)


@pytest.fixture
def liar(use):
    provider = lies.HostileProvider()
    use("liar", provider.issuer)
    yield provider
    provider.close()


@pytest.fixture
def root(db) -> User:
    return User.objects.create_superuser("root@example.com", PASSWORD)
