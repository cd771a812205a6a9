"""Give up root for the servers that refuse to run as root.

PostgreSQL refuses uid 0, and initdb wants its uid to have a passwd entry. As root we
enter a user namespace in which root appears as `nobody`: outside it the files stay
root's, so a checkout under a closed /root works too. Where the kernel forbids that
(default Docker seccomp, some distributions), we become another system user instead.
"""

import ctypes
import functools
import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWUSER = 0x10000000
SYSTEM_USERS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """What a child does about root: keep its user, enter a namespace, or change user."""

    way: str  # "same", "namespace" or "user"
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` to the account, so that the child can write there."""
        if self.way == "user":
            os.chown(path, self.uid, self.gid)


@functools.cache
def unprivileged() -> Account:
    """The account servers run under: ours, or the best way out of root on this machine."""
    if os.geteuid() != 0:
        return Account("same", os.getuid(), os.getgid())
    nobody = pwd.getpwnam("nobody")
    inside = Account("namespace", nobody.pw_uid, nobody.pw_gid)
    if sys.platform == "linux" and _works_in_child(inside):
        return inside
    entry = _first_system_user()
    return Account("user", entry.pw_uid, entry.pw_gid)


def become(account: Account) -> None:
    """Turn the calling process, a fresh child, into `account`. There is no way back."""
    if account.way == "namespace":
        _enter_namespace(account)
    elif account.way == "user":
        os.setgroups([account.gid])
        os.setgid(account.gid)
        os.setuid(account.uid)


def reachable(path: Path, account: Account) -> bool:
    """Whether `account` may walk down to `path` (every directory above it is searchable)."""
    if account.way != "user":
        return True
    return all(_searchable(directory, account) for directory in path.resolve().parents)


def _searchable(directory: Path, account: Account) -> bool:
    facts = directory.stat()
    if facts.st_uid == account.uid:
        return bool(facts.st_mode & 0o100)
    if facts.st_gid == account.gid:
        return bool(facts.st_mode & 0o010)
    return bool(facts.st_mode & 0o001)


def _enter_namespace(account: Account) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"unshare(CLONE_NEWUSER): {os.strerror(code)}")
    # The kernel takes a gid map from an unprivileged writer only after "deny".
    for name, value in (
        ("setgroups", "deny"),
        ("uid_map", f"{account.uid} 0 1"),
        ("gid_map", f"{account.gid} 0 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as stream:
            stream.write(value)


def _works_in_child(account: Account) -> bool:
    child = os.fork()
    if child == 0:
        try:
            become(account)
            os._exit(0)
        except OSError:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return status == 0


def _first_system_user() -> pwd.struct_passwd:
    for name in SYSTEM_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise OSError(
        f"PostgreSQL refuses to run as root, and none of the users {', '.join(SYSTEM_USERS)} exists. "
        "Run as an ordinary user, or create one of them."
    )
