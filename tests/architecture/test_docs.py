"""The pages hold together: links lead somewhere, settings are those of the code, nothing of one machine is in them."""

import re
from pathlib import Path

import pytest

from tests.architecture.source import CHECKOUT

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
SETTING = re.compile(r"\b(BRAINOPS_[A-Z][A-Z_]*[A-Z])\b")
READ = re.compile(r"""env\.\w+\(\s*"(\w+)\"""")
# What belongs to somebody's machine, or was left for later.
FOLDERS = ("home", "Users", "tmp", "work", "root")
STRAYS = re.compile(rf"/(?:{'|'.join(FOLDERS)})/|\b(?:TODO|FIXME|TBD|XXX)\b")


def _pages() -> list[Path]:
    folders = (CHECKOUT / "docs", CHECKOUT / "integrations")
    return [*sorted(CHECKOUT.glob("*.md")), *(page for folder in folders for page in sorted(folder.rglob("*.md")))]


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def _anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ +(.+)$", _text(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _leads_nowhere(page: Path, link: str) -> bool:
    if "://" in link or link.startswith("mailto:"):
        return False
    path, _, anchor = link.partition("#")
    target = (page.parent / path) if path else page
    return not target.exists() or bool(anchor and target.suffix == ".md" and anchor not in _anchors(target))


PAGES = [pytest.param(page, id=page.relative_to(CHECKOUT).as_posix()) for page in _pages()]
OPERATIONS = _text(CHECKOUT / "docs/operations.md")
SETTINGS = ("brainops/settings.py", "brainops/rates.py", "brainops/inbound_mail.py")
SETTINGS_READ = [name for file in SETTINGS for name in READ.findall((CHECKOUT / file).read_text(encoding="utf-8"))]


def documented_settings() -> set[str]:
    """The variables in the tables of operations.md; `…_X` and the table of limits shorten some of them."""
    limits = OPERATIONS.partition("| variable `BRAINOPS_LIMIT_…`")[2].partition("\n\n")[0]
    shortened = {f"BRAINOPS_LIMIT_{word}" for word in re.findall(r"`([A-Z_]+)`", limits)}
    shortened |= {f"BRAINOPS_RETENTION_{word}" for word in re.findall(r"`…_([A-Z_]+)`", OPERATIONS)}
    return shortened | set(re.findall(r"`([A-Z][A-Z_]+)`", OPERATIONS))


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    assert [link for link in LINK.findall(_text(page)) if _leads_nowhere(page, link)] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_what_belongs_to_one_machine_or_is_unfinished(page):
    assert STRAYS.findall(_text(page)) == []


def test_the_readme_leads_to_every_page():
    linked = set(LINK.findall(_text(CHECKOUT / "README.md")))

    assert {f"docs/{page.name}" for page in (CHECKOUT / "docs").glob("*.md")} - linked == set()


def test_every_decision_stands_in_the_list():
    folder = CHECKOUT / "docs/adr"
    listed = LINK.findall(_text(folder / "README.md"))

    assert listed == sorted(page.name for page in folder.glob("0*.md"))


@pytest.mark.parametrize("name", SETTINGS_READ)
def test_every_setting_is_on_the_page_of_operations(name):
    assert name in documented_settings()


def test_no_page_names_a_setting_that_is_not_there():
    rooms = (CHECKOUT / room for room in ("brainops", "bin", "automation", "webhooks", "integrations"))
    files = [CHECKOUT / "Procfile", *(path for room in rooms for path in room.rglob("*") if path.is_file())]
    code = {name for path in files if path.suffix in ("", ".py") for name in SETTING.findall(path.read_text("utf-8"))}

    named = {name for page in _pages() for name in SETTING.findall(_text(page))}

    assert {name for name in named if name not in code} == set()
