"""The config of e-mail triggers as JSON Schema: form, checks and documentation are made from it."""

from __future__ import annotations

from collections.abc import Mapping

from automation.engine.durations import DURATION_PATTERN
from automation.models.variable import LONGEST_NAME
from automation.triggers.contract import Config, First, Json
from webhooks.mail.imap.connection import Security
from webhooks.mail.message.automatic import Ignore

AFTER = ("nothing", "seen", "move", "delete")
DEFAULTS: Mapping[str, Json] = {"from": [], "subject_contains": "", "ignore": Ignore.AUTOMATIC.value}
MAILBOX_DEFAULTS: Mapping[str, Json] = {
    "security": Security.TLS.value,
    "folder": "INBOX",
    "unseen": False,
    "first": First.SKIP.value,
    "after": AFTER[0],
    "every": "1m",
    "idle": False,
}
_LINE = {"type": "string", "minLength": 1, "pattern": r"^[^\u0000-\u001f\u007f]+$"}  # nothing that ends a line of IMAP

MAILBOX: Config = {
    "type": "object",
    "title": "Mailbox",
    "description": "A mailbox that is read over IMAP.",
    "required": ["host", "username", "password_secret"],
    "additionalProperties": False,
    "properties": {
        "host": {**_LINE, "title": "Server", "maxLength": 253, "examples": ["imap.example.com"]},
        "port": {
            "type": "integer",
            "title": "Port",
            "description": "Left out: 993 with TLS, else 143.",
            "minimum": 1,
            "maximum": 65_535,
            "examples": [993],
        },
        "security": {
            "enum": [one.value for one in Security],
            "title": "Security",
            "description": "tls: from the first byte. starttls: before the login. none: only to hosts of the "
            "installation's own network that an operator has opened.",
            "default": MAILBOX_DEFAULTS["security"],
        },
        "username": {**_LINE, "title": "User name", "maxLength": 320, "examples": ["support@example.com"]},
        "password_secret": {
            **_LINE,
            "title": "Secret with the password",
            "description": "The name of a secret of this workspace.",
            "maxLength": LONGEST_NAME,
            "examples": ["support_mailbox"],
        },
        "folder": {**_LINE, "title": "Folder", "maxLength": 255, "default": MAILBOX_DEFAULTS["folder"]},
        "unseen": {
            "type": "boolean",
            "title": "Unread mails only",
            "description": "Mails that somebody has read before it looks start nothing.",
            "default": MAILBOX_DEFAULTS["unseen"],
        },
        "first": {
            "enum": [one.value for one in First],
            "title": "Mails that are there already",
            "description": "skip: they start nothing. all: each one starts a run.",
            "default": MAILBOX_DEFAULTS["first"],
        },
        "after": {
            "enum": list(AFTER),
            "title": "Afterwards",
            "description": "What is done with a mail that started a run: nothing, mark it as read, move or delete it.",
            "default": MAILBOX_DEFAULTS["after"],
        },
        "move_to": {
            **_LINE,
            "title": "Move to",
            "description": "The folder that mails are moved to. It has to be there.",
            "maxLength": 255,
            "examples": ["Done"],
        },
        "every": {
            "type": "string",
            "title": "Look every",
            "description": "The time between two looks: 10s to 1d.",
            "pattern": DURATION_PATTERN,
            "x-hint": 'a duration such as "1m"',
            "default": MAILBOX_DEFAULTS["every"],
            "examples": ["30s", "5m"],
        },
        "idle": {
            "type": "boolean",
            "title": "Be told of new mails",
            "description": "Keep a connection on which the server tells of new mails at once (IDLE), beside the looks.",
            "default": MAILBOX_DEFAULTS["idle"],
        },
    },
}

CONFIG_SCHEMA: Config = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "mailbox": MAILBOX,
        "address": {
            "type": "boolean",
            "title": "Address of its own",
            "description": "True: the trigger gets an address, and each mail that is sent there starts a run.",
        },
        "from": {
            "type": "array",
            "title": "Senders",
            "description": "Only mails that say they are from one of these: an address, or @ and a domain. "
            "Empty: from anybody. Nobody proves a sender: it keeps noise away, not liars.",
            "items": {"type": "string", "minLength": 3, "maxLength": 320, "pattern": r"^[^\s@]*@[^\s@]+$"},
            "uniqueItems": True,
            "maxItems": 100,
            "default": DEFAULTS["from"],
            "examples": [["billing@example.com", "@example.org"]],
        },
        "subject_contains": {
            "type": "string",
            "title": "Words of the subject",
            "description": "Only mails whose subject holds this, in small or capital letters.",
            "maxLength": 200,
            "default": DEFAULTS["subject_contains"],
            "examples": ["invoice"],
        },
        "ignore": {
            "enum": [one.value for one in Ignore],
            "title": "Mails that start nothing",
            "description": "automatic: all that say a machine sent them (RFC 3834), lists too. replies: "
            "automatic replies and bounces. nothing: only what this installation sent itself.",
            "default": DEFAULTS["ignore"],
        },
        "max_bytes": {
            "type": "integer",
            "title": "Largest mail, in bytes",
            "description": "Larger ones start nothing; the ledger says so.",
            "minimum": 1024,
            "examples": [5 << 20],
        },
    },
}

EXAMPLES: tuple[Config, ...] = (
    {
        "mailbox": {
            "host": "imap.example.com",
            "username": "support@example.com",
            "password_secret": "support_mailbox",
            "after": "move",
            "move_to": "Done",
        },
        "ignore": "replies",
    },
    {
        "mailbox": {
            "host": "imap.example.com",
            "security": "starttls",
            "username": "invoices",
            "password_secret": "invoices_mailbox",
            "unseen": True,
            "every": "5m",
        },
        "from": ["@example.org"],
        "subject_contains": "invoice",
    },
    {"address": True, "from": ["billing@example.com"], "max_bytes": 5 << 20},
)
