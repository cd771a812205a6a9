"""A bucket of S3, or of what speaks its language (MinIO, Ceph, R2): listed, read, moved and deleted through the door.

Every request is one of the outbound door (`brainops.core.egress.http`): addresses are checked, times and sizes bounded.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from brainops.core import clock
from brainops.core.egress import http
from integrations.runner.s3_signing import NO_BODY, Credentials, encoded_path, encoded_query, signed_headers

PIECE_BYTES = 4 << 20  # of one GET
PAGE_KEYS = 1000  # the most S3 lists at once
MOST_PAGES = 1000  # of one listing; a service that repeats itself is not followed for ever
SECONDS = 60.0  # of one request
_SHOWN_CHARACTERS = 300


class S3Error(Exception):
    """What a bucket refused. `code` is S3's own (`AccessDenied`, `NoSuchBucket`), `status` HTTP's."""

    def __init__(self, code: str, message: str, *, status: int, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of a bucket. `etag` is without its quotes."""

    key: str
    size: int
    etag: str
    modified_at: datetime | None = None


class Bucket:
    """One bucket. `endpoint` is `https://host[:port]`; `path_style` puts the bucket's name into the path."""

    def __init__(
        self,
        name: str,
        credentials: Credentials,
        *,
        endpoint: str,
        path_style: bool = False,
        send: Callable[[http.Request], http.Answer] = http.send,
    ) -> None:
        self.name = name
        self._credentials = credentials
        self._send = send
        parts = urlsplit(endpoint)
        self._scheme = parts.scheme
        self._host = parts.netloc if path_style else f"{name}.{parts.netloc}"
        self._base = f"/{name}" if path_style else ""

    def objects(self, prefix: str, *, delimiter: str = "") -> Iterator[Stored]:
        """The objects whose keys begin with a prefix, in the order of their keys; page after page.

        With a delimiter only those that have none behind the prefix. Raises S3Error, EgressError.
        """
        token = ""
        for _ in range(MOST_PAGES):
            query = {"list-type": "2", "prefix": prefix, "max-keys": str(PAGE_KEYS), "encoding-type": "url"}
            query |= {"delimiter": delimiter} if delimiter else {}
            query |= {"continuation-token": token} if token else {}
            page = _parsed(self._request("GET", "/", query=query).body)
            yield from (_object(node) for node in page if _name(node) == "Contents")
            token = _text(page, "NextContinuationToken") if _text(page, "IsTruncated") == "true" else ""
            if not token:
                return
        raise S3Error("TooManyPages", f"The bucket lists more than {MOST_PAGES:,} pages.", status=502)

    def read(self, found: Stored) -> Iterator[bytes]:
        """The bytes of an object as it was found, piece by piece. Raises S3Error (412: it is another one now)."""
        for start in range(0, found.size, PIECE_BYTES):
            end = min(start + PIECE_BYTES, found.size) - 1
            headers = {"Range": f"bytes={start}-{end}", "If-Match": f'"{found.etag}"'}
            body = self._request("GET", self._path(found.key), headers=headers).body
            if len(body) != end - start + 1:
                raise S3Error("Incomplete", f"{found.key[:80]!r} came with too few bytes.", status=502)
            yield body

    def head(self, key: str) -> Stored | None:
        """What an object is now; None when it is not there."""
        try:
            answer = self._request("HEAD", self._path(key))
        except S3Error as error:
            if error.status == 404:
                return None
            raise
        size = answer.headers.get("content-length", "0")
        return Stored(key, int(size) if size.isdigit() else 0, answer.headers.get("etag", "").strip('"'))

    def delete(self, key: str) -> None:
        """Delete an object; one that is not there is no error."""
        self._request("DELETE", self._path(key))

    def put(self, key: str, body: bytes) -> None:
        """Write an object."""
        self._request("PUT", self._path(key), body=body)

    def copy(self, found: Stored, to: str) -> None:
        """Copy an object as it was found within the bucket."""
        source = encoded_path(f"/{self.name}/{found.key}")
        headers = {"x-amz-copy-source": source, "x-amz-copy-source-if-match": f'"{found.etag}"'}
        answer = self._request("PUT", self._path(to), headers=headers)
        if _name(_parsed(answer.body)) == "Error":  # S3 says 200 before it has copied
            raise _refusal(answer)

    def _path(self, key: str) -> str:
        return f"/{key}"

    def _request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> http.Answer:
        query, path = query or {}, self._base + path
        signed = signed_headers(
            self._credentials,
            method,
            host=self._host,
            path=path,
            query=query,
            headers=headers or {},
            body_sha256=hashlib.sha256(body).hexdigest() if body else NO_BODY,
            now=clock.now(),
        )
        url = f"{self._scheme}://{self._host}{encoded_path(path)}"
        if query:
            url = f"{url}?{encoded_query(query)}"
        answer = self._send(http.Request(method, url, signed, body, total_seconds=SECONDS, is_repeatable=True))
        if not 200 <= answer.status < 300:
            raise _refusal(answer)
        return answer


def _object(node: Element) -> Stored:
    key, size = unquote(_text(node, "Key").replace("+", " ")), _text(node, "Size")
    return Stored(
        key, int(size) if size.isdigit() else 0, _text(node, "ETag").strip('"'), _at(_text(node, "LastModified"))
    )


def _at(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _refusal(answer: http.Answer) -> S3Error:
    code, message = "", ""
    try:
        said = _parsed(answer.body)
        code, message = _text(said, "Code"), _text(said, "Message")
    except S3Error:
        pass  # an answer of a proxy, or to HEAD
    code = code or {403: "AccessDenied", 404: "NotFound", 412: "PreconditionFailed"}.get(answer.status, "HttpStatus")
    shown = f": {message[:_SHOWN_CHARACTERS]}" if message else ""
    wait = _seconds(answer.headers.get("retry-after", ""))
    return S3Error(
        code[:60],
        f"The bucket answered {answer.status} {code[:60]}{shown}",
        status=answer.status,
        retry_after_seconds=wait,
    )


def _seconds(retry_after: str) -> float | None:
    if retry_after.isdigit():
        return float(retry_after[:6])
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - clock.now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _parsed(body: bytes) -> Element:
    try:
        parsed: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise S3Error("NoXml", "The bucket's answer is no XML that can be read.", status=502) from error
    return parsed


def _name(node: Element) -> str:
    return node.tag.rpartition("}")[2]


def _text(node: Element, name: str) -> str:
    found: Any = next((child.text for child in node if _name(child) == name), None)
    return found or ""
