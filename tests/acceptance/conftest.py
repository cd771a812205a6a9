"""The product as its users have it: web and workers as processes, reached over HTTP only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.management import call_command

from benchmarks.product import Product
from tests.live import Receiver, Web, Workers


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def workers(transactional_db: None, receiver: Receiver) -> Iterator[Workers]:
    workers = Workers(receiver.address)
    yield workers
    workers.stop()


@pytest.fixture
def web(transactional_db: None, receiver: Receiver) -> Iterator[Web]:
    web = Web(receiver.address)
    yield web
    web.stop()


@pytest.fixture
def product(web: Web, capsys: pytest.CaptureFixture[str]) -> Product:
    """The API with a builder's key, made as an operator makes it."""
    call_command("create_api_key", user="ada", workspace="shop", role="builder")
    return Product(web.url, capsys.readouterr().out.strip())
