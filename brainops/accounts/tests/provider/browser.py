"""A person at the provider: follows the address of a visit, logs in, and comes back with the answer's parameters."""

import json
from http.client import HTTPConnection
from urllib.parse import parse_qs, quote, urlencode, urlsplit


class Answer(dict):
    """The parameters that the provider sent the browser back with."""


def visit(url: str, *, name: str, claims: dict) -> Answer:
    """Go to the provider, log in there as `name`, and return what the callback's address says."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    try:
        target = f"{parts.path}?{parts.query}"
        body = urlencode({"username": name, "claims": json.dumps(claims)})
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", f"/login?next={quote(target, safe='')}", body, form)
        logged_in = connection.getresponse()
        logged_in.read()
        cookie = logged_in.headers["Set-Cookie"].partition(";")[0]
        connection.request("GET", logged_in.headers["Location"], headers={"Cookie": cookie})
        back = connection.getresponse()
        back.read()
        assert back.status == 302, back.status
        return Answer({key: values[0] for key, values in parse_qs(urlsplit(back.headers["Location"]).query).items()})
    finally:
        connection.close()
