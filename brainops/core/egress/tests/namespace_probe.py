"""Run inside a network namespace of its own: where do requests through the door really arrive?

In there every address of interest, public, private and metadata, is on the loopback interface, a server that counts
listens on all of them, and DNS is ours. Nothing can leave the machine. Prints one JSON document.
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog

from brainops.core.egress.allow import parse_allow_list
from brainops.core.egress.client import Client
from brainops.core.egress.errors import EgressError
from brainops.core.egress.message import Request

IPV4 = [
    "169.254.169.254",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "198.18.0.1",
    "93.184.216.34",
    "1.1.1.1",
]
IPV6 = ["fd00:ec2::254", "fec0::1", "64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "2002:a9fe:a9fe::", "2606:4700:4700::1111"]
# One list of answers per lookup; the last one stays.
NAMES = {
    "rebind.test": [["93.184.216.34"], ["169.254.169.254"]],
    "multi.test": [["93.184.216.34", "169.254.169.254"]],
    "good.test": [["93.184.216.34"]],
    "inner.test": [["10.0.0.1"]],
    "metadata.google.internal": [["169.254.169.254"]],
}
hits: list[str] = []


class Victim(BaseHTTPRequestHandler):
    """Remembers on which address it was reached. `/to-metadata` tries to send the caller inside."""

    def do_GET(self):
        hits.append(self.connection.getsockname()[0].removeprefix("::ffff:"))
        self.send_response(302 if self.path == "/to-metadata" else 200)
        self.send_header("Location", "http://169.254.169.254/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Everywhere(ThreadingHTTPServer):
    """Listens on every address, IPv4 and IPv6."""

    address_family = socket.AF_INET6
    daemon_threads = True

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def build_world():
    """Put the addresses on the loopback interface and make DNS ours."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in IPV4:
        subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    for address in IPV6:
        subprocess.run(["ip", "-6", "addr", "add", f"{address}/128", "dev", "lo"], check=False, capture_output=True)
    with tempfile.NamedTemporaryFile("w", delete=False) as file:
        file.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    subprocess.run(["mount", "--bind", file.name, "/etc/resolv.conf"], check=True)
    threading.Thread(target=serve_names, daemon=True).start()
    threading.Thread(target=Everywhere(("::", 80), Victim).serve_forever, daemon=True).start()


def serve_names():
    """Answer A questions from NAMES (RFC 1035); everything else does not exist."""
    lookups = {name: itertools.chain(lists, itertools.repeat(lists[-1])) for name, lists in NAMES.items()}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 53))
        while True:
            question, peer = server.recvfrom(512)
            name, end = read_name(question)
            is_a = question[end : end + 2] == b"\0\1"
            found = next(lookups[name]) if is_a and name in lookups else []
            flags = 0x8180 | (0 if name in lookups else 3)
            head = question[:2] + struct.pack(">HHHHH", flags, 1, len(found), 0, 0) + question[12 : end + 4]
            records = [b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4" + socket.inet_aton(address) for address in found]
            server.sendto(head + b"".join(records), peer)


def read_name(question):
    """Read the name a DNS question begins with; give it and the offset of what follows."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1").lower())
        at += 1 + question[at]
    return ".".join(labels), at + 1


def outcome(client, url, **options):
    """Send one request and name how it ended."""
    try:
        return str(client.send(Request("GET", url, total_seconds=3, **options)).status)
    except EgressError as error:
        return error.code


def probe(urls):
    """Send everything; tell how each ended and where requests arrived."""
    # Without a guard the request would arrive: a count of zero below means something.
    urllib.request.urlopen("http://169.254.169.254/", timeout=3).close()
    control = list(hits)
    hits.clear()
    client = Client(parse_allow_list(""))
    outcomes = {url: outcome(client, url) for url in urls}
    outcomes["rebind, first"] = outcome(client, "http://rebind.test/")
    client.pool.clear()
    outcomes["rebind, second"] = outcome(client, "http://rebind.test/")
    outcomes["redirect"] = outcome(client, "http://good.test/to-metadata", max_redirects=3)
    client.pool.clear()
    return {"control": control, "outcomes": outcomes, "hits": sorted(set(hits))}


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    build_world()
    json.dump(probe(json.load(sys.stdin)), sys.stdout)
