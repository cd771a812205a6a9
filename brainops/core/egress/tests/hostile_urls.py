"""URLs that must never lead inside, and a few that must stay open."""

from __future__ import annotations

import json
from pathlib import Path

# What security pages and bug reports of this class list; names are answered by the test's own resolver.
CLOSED = (
    "http://localhost/",
    "http://LOCALHOST./",
    "http://127.0.0.1/",
    "http://127.0.0.2/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://[::]/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:169.254.169.254]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[fe80::1]/",
    "http://[fec0::1]/",
    "http://[fd00:ec2::254]/",
    "http://169.254.169.254/latest/meta-data/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://192.0.0.192/",
    "http://168.63.129.16/",
    "http://198.18.0.1/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://user@127.0.0.1/",
    "http://93.184.216.34@127.0.0.1/",
    "http://127.0.0.1#@93.184.216.34/",
    "http://127.0.0.1?@93.184.216.34/",
    "http://93.184.216.34\\@127.0.0.1/",
    "http://127.0.0.1\\@93.184.216.34/",
    "http://127。0。0。1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://localhoſt/",
    "http://127.0.0.1%2f@93.184.216.34/",
    "http://93.184.216.34:80@127.0.0.1:80/",
    "http://93.184.216.34 @127.0.0.1/",
    "http://93.184.216.34\t@127.0.0.1/",
    "http://127.0.0.1:80\r\nX: y/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:80/_GET",
    "ftp://127.0.0.1:80/",
    "unix:///var/run/docker.sock",
    "//127.0.0.1/",
    "http:///127.0.0.1/",
    "http:127.0.0.1/",
    "http:\\\\127.0.0.1/",
    "http://multi.test/",
    "http://inner.test/",
)
OPEN = (
    "http://93.184.216.34/",
    "http://[2606:4700:4700::1111]/",
    "http://good.test/",
    "http://[::ffff:93.184.216.34]/",
)

SHARED_CASES = Path(__file__).resolve().parents[5] / "shared" / "cases" / "ssrf_urls.jsonl"


def shared_cases(path: Path = SHARED_CASES):
    """Read the cases that stand beside the checkout; none when they do not."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
