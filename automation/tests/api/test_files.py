"""GET /files/{id}: the bytes, as an attachment and nothing else, to those who may see runs."""

from __future__ import annotations

import pytest

from automation.services import files
from brainops.accounts.models import Role

pytestmark = pytest.mark.django_db

PAGE = b"<script>alert(1)</script>"


def kept(api, name="page.html", data=PAGE):
    return files.keep(api.workspace.id, name, "text/html", data)["$file"]


def test_a_file_is_downloaded_and_never_shown(owner):
    answer = owner.get(f"/files/{kept(owner)}")

    shown = ("Content-Type", "Content-Length", "Content-Disposition", "X-Content-Type-Options", "Cache-Control")
    assert b"".join(answer.streaming_content) == PAGE
    assert [answer[name] for name in shown] == [
        "application/octet-stream",
        str(len(PAGE)),
        'attachment; filename="page.html"',
        "nosniff",
        "no-store",
    ]
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"


def test_a_name_cannot_add_a_header(owner):
    name = 'a"\r\nSet-Cookie: x=1; ü.csv'

    answer = owner.get(f"/files/{kept(owner, name)}")

    assert answer["Content-Disposition"] == (
        "attachment; filename*=utf-8''a%22%EF%BF%BD%EF%BF%BDSet-Cookie%3A%20x%3D1%3B%20%C3%BC.csv"
    )
    assert "Set-Cookie" not in answer


def test_members_read_files_and_strangers_find_none(owner, member, stranger):
    path = f"/files/{kept(owner)}"

    assert [api.get(path).status_code for api in (owner, member(Role.VIEWER), stranger)] == [200, 200, 404]
