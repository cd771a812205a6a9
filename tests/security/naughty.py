"""Texts that break programs, in our own selection; BRAINOPS_BLNS names a blns.json (Big List of Naughty Strings) to use instead."""

from __future__ import annotations

import json
import os
from pathlib import Path

WORDS = ["", "undefined", "null", "NULL", "nil", "None", "true", "False", "NaN", "-Infinity", "then", "constructor"]
PLACES = [
    "__proto__",
    "__class__",
    "hasOwnProperty",
    "toString",
    "prototype.polluted",
    "../../etc/passwd",
    "..\\..\\boot.ini",
]
NUMBERS = [
    "0",
    "-0",
    "1e309",
    "0x1F",
    "1,000.00",
    "1.000,00",
    "01000",
    "9" * 90,
    "1/0",
    "0.0000000001",
    "٣",
    "²",
    "½",
    "Ⅷ",
]
SIGNS = [
    "'",
    '"',
    "`",
    "\\",
    "\\\\",
    "''",
    '""',
    '<>?:"{}|_+',
    ",./;'[]\\-=",
    "!@#$%^&*()",
    "%",
    "%%",
    "%s%n",
    "{0}",
    "{{",
    "}}",
]
SPACES = [
    " ",
    "\t",
    "\n",
    "\r\n",
    "\u00a0",
    "\u2028",
    "\u2029",
    "\u200b",
    "\ufeff",
    "a\u0000b",
    "\u0007bell",
    "\x1b[31mred",
    "\x7f",
]
SCRIPTS = [
    "Ω≈ç√∫",
    "田中さん",
    "울란바토르",
    "الكتاب",
    "ทดสอบ",
    "ﬁ ﬂ ﬀ",
    "ẞß ſ",
    "İıIi",
    "Å A\u030a",
    "𝔅𝔯𝔞𝔦𝔫",
    "𠜎𠜱",
    "ｆｕｌｌ",
]
MARKS = [
    "\u202eright to left",
    "a\u0300\u0301\u0302\u0303\u0304" * 8,
    "\u2066hidden\u2069",
    "\ud7ff\ue000",
    "\ufffe\uffff",
]
FACES = ["👾", "👩‍👩‍👧‍👦", "🇪🇺🇯🇵", "👍🏿", "1️⃣", "(╯°□°)╯︵ ┻━┻", "❤️" * 30]
SQL = [
    "'; drop table automation_run; --",
    "' or '1'='1",
    "1) union select null--",
    "\\'; select pg_sleep(9)--",
    "%' and 1=1 --",
    "$$",
]
PAGES = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "java\tscript:alert(1)",
    '<a href="javascript:alert(1)">x</a>',
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>@import 'javascript:alert(1)';</style>",
    '<!--<img src="--><img src=x onerror=alert(1)//">',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<plaintext>",
    "]]><script>alert(1)</script>",
    "<math><mtext></p><mglyph><style><img src=x onerror=alert(1)>",
]
TEMPLATES = [
    "{{ 7*7 }}",
    "{% debug %}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{ ''.__class__.__mro__ }}",
    "{{ inputs }}",
    "%(x)s",
]
SHELLS = [
    "$(touch /tmp/x)",
    "`id`",
    "; ls",
    "| cat /etc/passwd",
    "&& true",
    "-rf",
    "--help",
    "$HOME",
    "%USERPROFILE%",
    "\\\\host\\share",
]
TABLES = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1+1", "\r=1+1"]
HEADERS = ["a\r\nSet-Cookie: b=c", "a\nBcc: eve@example.com", "=?utf-8?q?=0d=0aBcc:?=", "host:port", "user@[127.0.0.1]"]
LONG = ["x" * 200, "word " * 60, "-" * 300, "ß" * 128]

OWN = [
    *(WORDS + PLACES + NUMBERS + SIGNS + SPACES + SCRIPTS + MARKS + FACES + SQL),
    *(PAGES + TEMPLATES + SHELLS + TABLES + HEADERS + LONG),
]
_FILE = os.environ.get("BRAINOPS_BLNS")
STRINGS: list[str] = json.loads(Path(_FILE).read_text(encoding="utf-8")) if _FILE else OWN
