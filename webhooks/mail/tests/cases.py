"""Mails to test with: made ones, and those of the scenarios where they stand beside the checkout."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default as policy
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "cases" / "scenarios" / "mail"
needs_cases = pytest.mark.skipif(not FOLDER.is_dir(), reason="the mails of the scenarios are not beside this checkout")


def case_mails() -> dict[str, bytes]:
    """The odd messages of CPython's test suite, by name."""
    return {path.stem: path.read_bytes() for path in sorted(FOLDER.glob("*.txt"))}


def subject_of(raw: bytes) -> str | None:
    """As Python's email package decodes it."""
    return message_from_bytes(raw, policy=policy)["subject"]


def letter(number: int = 1, *, head: str = "", body: str = "Hello.", message_id: str | None = "") -> bytes:
    """A plain mail. `head` are further headers, each with its line end."""
    own = "" if message_id is None else f"Message-ID: {message_id or f'<{number}@shop.example>'}\r\n"
    return (
        f"From: Ada <ada@shop.example>\r\nTo: support@in.example\r\nSubject: Letter {number}\r\n"
        f"Date: Mon, 23 Nov 2026 09:00:0{number % 10} +0100\r\n{own}{head}\r\n{body}\r\n"
    ).encode()


def with_attachment(number: int = 1, *, name: str = "bill.pdf", data: str = "JVBERi0xLjcK") -> bytes:
    """A mail with a text, its HTML and a file."""
    head = f"From: Ada <ada@shop.example>\r\nSubject: Bill {number}\r\nMessage-ID: <bill-{number}@shop.example>\r\n"
    return (
        f'{head}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="m"\r\n\r\n'
        '--m\r\nContent-Type: multipart/alternative; boundary="a"\r\n\r\n'
        "--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGr\u00fc\u00dfe\r\n"
        "--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Gr\u00fc\u00dfe</p>\r\n--a--\r\n"
        f'--m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename="{name}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{data}\r\n--m--\r\n"
    ).encode()
