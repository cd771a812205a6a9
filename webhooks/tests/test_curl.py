"""A delivery as a command: the real curl sends what came, and nothing of it runs in the shell."""

from __future__ import annotations

import http.server
import shutil
import subprocess
import threading
from urllib.parse import unquote

import pytest

from webhooks.models import WebhookEvent
from webhooks.services import curl
from webhooks.tests import make
from webhooks.tests.make import ROOT, Sender

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here"),
]


@pytest.fixture
def recorder(settings):
    """A server that keeps what it is sent, at the address that webhooks are said to have."""
    seen = []

    class Keeper(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append((self.path, dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Nothing to say."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.BRAINOPS_PUBLIC_URL = f"http://127.0.0.1:{server.server_port}"
    yield seen
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"ref": "refs/heads/main"}',
        b"@/etc/passwd",
        'it\'s $(touch /tmp/never) `id` "quoted" \\ ä\n'.encode(),
        b"\x00\x01\xff\xfe",
        b"",
        b"'\x03\ntouch /tmp/never\n\x1b[201~",
        b"a\r\nb",
    ],
    ids=["json", "at-sign", "shell", "binary", "empty", "keys", "lines"],
)
def test_the_command_sends_the_same_body_address_and_headers(recorder, raw):
    endpoint = make.endpoint(scheme="none")
    Sender(endpoint).post(
        raw, {"X-Note": 'it\'s "so" $HOME', "X-Api-Key": "hidden"}, query="a=1&b=%C3%A4", content_type="text/plain"
    )
    event = WebhookEvent.objects.select_related("endpoint").get()

    done = subprocess.run(
        ["/bin/sh", "-c", curl.command(event)],
        check=False,
        capture_output=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "X_API_KEY": "k3y"},
    )

    assert done.returncode == 0, done.stderr
    path, headers, body = recorder[0]
    assert (path, body) == (f"{endpoint.path}?a=1&b=%C3%A4", raw)
    assert (headers["x-note"], headers["x-api-key"]) == ('it\'s "so" $HOME', "k3y")
    assert headers.get("Content-Type") == ("text/plain" if raw else None)


def test_a_command_holds_no_key_that_a_terminal_would_obey_when_it_is_pasted():
    endpoint = make.endpoint(scheme="none")
    Sender(endpoint).post(b"\x03\n\x1b[201~rm", {"X-Note": "a\x1b[201~b"}, content_type="text/plain")

    said = curl.command(WebhookEvent.objects.select_related("endpoint").get())

    assert [letter for letter in said if letter != "\n" and not letter.isprintable()] == []


@pytest.mark.parametrize("path", ["a b/{x,y}/[1-3]?z#w/ä", "../up"], ids=["odd", "up"])
def test_the_path_behind_the_address_is_sent_as_it_came(recorder, path):
    endpoint = make.endpoint(scheme="none")
    Sender(endpoint).post(b"{}", {})
    WebhookEvent.objects.update(path=path)

    command = curl.command(WebhookEvent.objects.select_related("endpoint").get())
    subprocess.run(["/bin/sh", "-c", command], check=True, capture_output=True, timeout=60)

    assert [unquote(sent) for sent, _, _ in recorder] == [f"{endpoint.path}/{path}"]


def test_the_answer_says_which_proofs_are_missing(endpoint, owner):
    Sender(endpoint).send({"ref": "main"}, delivery="d-1")
    event = WebhookEvent.objects.get()

    shown = owner.get(f"{ROOT}/{endpoint.id}/events/{event.id}/curl").json()

    assert '-H "x-hub-signature-256: $X_HUB_SIGNATURE_256"' in shown["command"]
    assert shown["notes"][0].startswith("Proofs are not kept: set X_HUB_SIGNATURE_256")
    assert make.SECRET not in shown["command"]
