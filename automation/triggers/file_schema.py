"""The config of file triggers: its fields, and which of them belong to which place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.durations import DURATION_PATTERN
from automation.reading.asking import FIELDS
from automation.triggers.contract import First
from automation.triggers.file_listing import CONTENT, ITEMS
from automation.triggers.file_opening import LOCAL, S3, SFTP, SSH_PORT
from automation.triggers.file_patterns import USUALLY_LEFT_OUT
from automation.triggers.file_settling import DELETE, LEAVE, MARK, MOVE

Json = Any

VERSION, FILE = "version", "file"
MOST_DEPTH = 20
DEFAULTS: Mapping[str, Json] = {
    "folder": "",
    "include": ["*"],
    "exclude": [*USUALLY_LEFT_OUT],
    "recursive": False,
    "depth": 5,
    "min_bytes": 0,
    "stable_for": "2s",
    "every": "30s",
    "first": First.SKIP.value,
    "dedupe": VERSION,
    "deliver": FILE,
    "after": LEAVE,
}
OF_PLACE: Mapping[str, Mapping[str, Json]] = {  # further defaults
    SFTP: {"port": SSH_PORT},
    S3: {"region": "us-east-1", "path_style": False},
}
NEEDED: Mapping[str, tuple[str, ...]] = {
    LOCAL: ("root",),
    SFTP: ("host", "username", "host_keys"),
    S3: ("bucket", "access_key_id", "secret_key_secret"),
}
ONLY: Mapping[str, tuple[str, ...]] = {
    LOCAL: ("root",),
    SFTP: ("host", "port", "username", "host_keys", "password_secret", "private_key_secret"),
    S3: (
        *("bucket", "endpoint", "region", "path_style"),
        *("access_key_id", "secret_key_secret", "session_token_secret"),
    ),
}
_SECRET = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,99}$", "x-hint": "the name of a secret"}
_PATTERNS = {
    "type": "array",
    "items": {"type": "string", "minLength": 1, "maxLength": 200},
    "maxItems": 20,
}

SCHEMA: Mapping[str, Json] = {
    "type": "object",
    "required": ["where"],
    "additionalProperties": False,
    "properties": {
        "where": {
            "enum": [LOCAL, SFTP, S3],
            "title": "Where",
            "description": "A folder of the server's machine, an SFTP server, or a bucket that speaks S3.",
        },
        "root": {
            "type": "string",
            "maxLength": 50,
            "title": "Root",
            "description": "Of local folders: one of the roots that the operator has opened.",
            "examples": ["orders"],
        },
        "folder": {
            "type": "string",
            "maxLength": 1000,
            "title": "Folder",
            "description": "Below the root; on an SFTP server a path; in a bucket what keys begin with.",
            "default": "",
            "examples": ["incoming", "/home/orders/in"],
        },
        "host": {
            "type": "string",
            "minLength": 1,
            "maxLength": 253,
            "title": "Host",
            "description": "Of the SFTP server.",
            "examples": ["sftp.example.com"],
        },
        "port": {
            "type": "integer",
            "minimum": 1,
            "maximum": 65535,
            "title": "Port",
            "description": "Of the SFTP server. 22 and 2222 are open; an operator may open others.",
            "default": SSH_PORT,
        },
        "username": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "title": "User name",
            "description": "Of the login at the SFTP server.",
            "examples": ["orders"],
        },
        "password_secret": {
            **_SECRET,
            "title": "Password",
            "description": "The secret of this workspace that holds the password.",
            "examples": ["SFTP_PASSWORD"],
        },
        "private_key_secret": {
            **_SECRET,
            "title": "Private key",
            "description": "The secret that holds a private key without a passphrase, instead of a password.",
            "examples": ["SFTP_KEY"],
        },
        "host_keys": {
            "type": "array",
            "items": {
                "type": "string",
                "pattern": "^SHA256:[A-Za-z0-9+/]{43}$",
                "x-hint": "a fingerprint as ssh-keygen -l shows it: SHA256:…",
            },
            "minItems": 1,
            "maxItems": 5,
            "title": "Host keys",
            "description": "Fingerprints of the server's keys; no other server is spoken to.",
            "examples": [["SHA256:uNiVztksCsDhcc0u9e8BrrJXVqDneTDI2k5hRZ5pU5Y"]],
        },
        "bucket": {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$",
            "x-hint": "the name of a bucket",
            "title": "Bucket",
            "description": "The name of the bucket.",
            "examples": ["acme-orders"],
        },
        "endpoint": {
            "type": "string",
            "pattern": "^https?://[^/?#@]+$",
            "maxLength": 300,
            "x-hint": "https://host, without a path",
            "title": "Endpoint",
            "description": "Of other services than Amazon's that speak S3.",
            "examples": ["https://minio.example.com"],
        },
        "region": {
            "type": "string",
            "pattern": "^[a-z0-9-]{1,40}$",
            "title": "Region",
            "description": "Of the bucket.",
            "default": "us-east-1",
            "examples": ["eu-central-1"],
        },
        "path_style": {
            "type": "boolean",
            "title": "Path style",
            "description": "The bucket's name stands in the path, as MinIO and others want it.",
            "default": False,
        },
        "access_key_id": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "title": "Access key id",
            "description": "Of the key that may read the bucket.",
            "examples": ["AKIAIOSFODNN7EXAMPLE"],
        },
        "secret_key_secret": {
            **_SECRET,
            "title": "Secret access key",
            "description": "The secret of this workspace that holds the key.",
            "examples": ["S3_SECRET_KEY"],
        },
        "session_token_secret": {
            **_SECRET,
            "title": "Session token",
            "description": "The secret that holds the token of temporary credentials.",
            "examples": ["S3_SESSION_TOKEN"],
        },
        "include": {
            **_PATTERNS,
            "minItems": 1,
            "title": "Include",
            "description": "Patterns of names, or of paths where they hold a slash: *.csv, 2026/**/*.json.",
            "default": ["*"],
            "examples": [["*.csv", "*.xlsx"]],
        },
        "exclude": {
            **_PATTERNS,
            "title": "Exclude",
            "description": "Patterns of files that are left alone.",
            "default": [*USUALLY_LEFT_OUT],
            "examples": [["*.tmp", ".*"]],
        },
        "recursive": {
            "type": "boolean",
            "title": "Folders inside",
            "description": "Look into folders inside of the folder, too.",
            "default": False,
        },
        "depth": {
            "type": "integer",
            "minimum": 1,
            "maximum": MOST_DEPTH,
            "title": "Depth",
            "description": "How many levels of folders are looked into, the folder itself included.",
            "default": 5,
        },
        "min_bytes": {
            "type": "integer",
            "minimum": 0,
            "title": "Smallest size",
            "description": "Smaller files are left alone; 1 leaves empty ones.",
            "default": 0,
        },
        "max_bytes": {
            "type": "integer",
            "minimum": 1,
            "title": "Largest size",
            "description": "Larger files are left alone. Without it, one beyond the installation's limit is refused.",
            "examples": [10_000_000],
        },
        "stable_for": {
            "type": "string",
            "pattern": DURATION_PATTERN,
            "x-hint": 'a duration such as "10s"',
            "title": "Stable for",
            "description": "A file is taken when its size and time have stood still for so long, over two looks.",
            "default": "2s",
            "examples": ["10s", "1m"],
        },
        "every": {
            "type": "string",
            "pattern": DURATION_PATTERN,
            "x-hint": 'a duration such as "30s"',
            "title": "Every",
            "description": "From one look to the next.",
            "default": "30s",
            "examples": ["30s", "5m"],
        },
        "first": {
            "enum": [one.value for one in First],
            "title": "What is there already",
            "description": "Files that stand there before the trigger: leave them (skip) or start runs (all).",
            "default": First.SKIP.value,
        },
        "dedupe": {
            "enum": [VERSION, CONTENT],
            "title": "The same file",
            "description": "Known by path, time and size (version), or by its content, whatever it is called.",
            "default": VERSION,
        },
        "deliver": {
            "enum": [FILE, ITEMS],
            "title": "Deliver",
            "description": "One run for each file, or one for each of its rows, elements or lines (items).",
            "default": FILE,
        },
        "read": {
            "type": "object",
            "additionalProperties": False,
            "properties": FIELDS,
            "title": "How to read",
            "description": "Of files that are delivered by items.",
            "examples": [{"delimiter": ";", "nulls": ["NA"]}],
        },
        "after": {
            "enum": [LEAVE, MARK, MOVE, DELETE],
            "title": "Afterwards",
            "description": "Leave a taken file, mark it by an empty file beside it (.done), move or delete it.",
            "default": LEAVE,
        },
        "move_to": {
            "type": "string",
            "minLength": 1,
            "maxLength": 1000,
            "title": "Move to",
            "description": "A folder below the same root, a path on the server, a prefix in the bucket.",
            "examples": ["done"],
        },
    },
}
