"""Opening the place that a file trigger watches: with its secrets, through the doors that guard each of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from django.conf import settings

from automation.triggers.contract import Config, Poll, SourceError
from automation.triggers.file_places import bucket, server
from automation.triggers.file_places.bucket import BucketFolder
from automation.triggers.file_places.contract import Place
from automation.triggers.file_places.local import LocalFolder
from brainops.core.egress import http
from brainops.core.file_roots import parse_roots
from integrations.runner.s3 import Bucket
from integrations.runner.s3_signing import Credentials
from integrations.runner.sftp import Login

LOCAL, SFTP, S3 = "local", "sftp", "s3"
SSH_PORT = 22


@contextmanager
def opened(poll: Poll) -> Iterator[Place]:
    """The place. Raises SourceError and EgressError, also for what happens while it is open."""
    config = poll.trigger.config
    with ExitStack() as stack:
        if config["where"] == LOCAL:
            yield _local(poll, config)
        elif config["where"] == SFTP:
            yield stack.enter_context(server.opened(_login(poll, config), config["folder"]))
        else:
            stack.enter_context(bucket.told())
            yield _bucket(poll, config)


def endpoint_of(config: Config) -> str:
    """The address of the service that holds a bucket."""
    return str(config.get("endpoint") or f"https://s3.{config['region']}.amazonaws.com")


def address_of(config: Config) -> str:
    """Where the files are, in one line for people."""
    if config["where"] == LOCAL:
        return f"{config['root']}:/{config['folder'].strip('/')}"
    if config["where"] == SFTP:
        return f"sftp://{config['username']}@{config['host']}:{config['port']}/{config['folder'].lstrip('/')}"
    return f"s3://{config['bucket']}/{prefix_of(config)}"


def prefix_of(config: Config) -> str:
    """What the keys of a bucket's folder begin with."""
    folder = str(config["folder"]).strip("/")
    return f"{folder}/" if folder else ""


def _local(poll: Poll, config: Config) -> Place:
    root = parse_roots(settings.BRAINOPS_FILE_ROOTS).get(config["root"])
    if root is None or not root.is_open_to(poll.trigger.workspace_id):
        said = (
            f"The root {config['root']!r} is not open to this workspace. An operator can open it: BRAINOPS_FILE_ROOTS."
        )
        raise SourceError(said, code="unknown_root")
    return LocalFolder(root.folder, config["folder"])


def _login(poll: Poll, config: Config) -> Login:
    host, port = config["host"], config["port"]

    def secret(name: str) -> str:
        return poll.secret(config[name], host=f"{host}:{port}") if name in config else ""

    return Login(
        host,
        port,
        config["username"],
        frozenset(config["host_keys"]),
        password=secret("password_secret"),
        private_key=secret("private_key_secret"),
    )


def _bucket(poll: Poll, config: Config) -> Place:
    endpoint = endpoint_of(config)
    host = urlsplit(endpoint).netloc

    def secret(name: str) -> str:
        return poll.secret(config[name], host=host) if name in config else ""

    credentials = Credentials(
        config["access_key_id"], secret("secret_key_secret"), config["region"], secret("session_token_secret")
    )
    found = Bucket(
        config["bucket"], credentials, endpoint=endpoint, path_style=config["path_style"], send=http.client().send
    )
    return BucketFolder(found, prefix_of(config))
