"""Asks the on-call view's API, as the command line does.

The token goes to the origin that is set and nowhere else: redirects are not followed, and the
server's certificate is verified.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import IO, Any, TypeVar
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

import msgspec
from pydantic import SecretStr

from .errors import OperatorError
from .settings import Settings

T = TypeVar("T")

_SECONDS = 10.0
_MOST_BYTES = 64 * 1024 * 1024


class ApiUnreachable(OperatorError):
    """The view does not answer, or what answers is none: see FIREBREAK_API_URL."""


class ApiRefused(OperatorError):
    """The view refused: the message says why. ``status`` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class _Problem(msgspec.Struct, frozen=True):
    title: str = ""
    detail: str = ""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_told: Any, **_more: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Api:
    """The view at ``origin``, asked by whoever ``token`` names."""

    origin: str
    token: SecretStr
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def get(self, path: str, answer: type[T], **query: str | int) -> T:
        """What is at ``path``. Raises ``ApiUnreachable``, ``ApiRefused``."""
        asked = f"{path}?{urlencode(query)}" if query else path
        # What may be waited for comes on top of what the way may take.
        return self._ask(asked, None, answer, _SECONDS + int(query.get("wait", 0)))

    def post(self, path: str, body: Mapping[str, object], answer: type[T]) -> T:
        """What ``path`` answers to ``body``. Raises ``ApiUnreachable``, ``ApiRefused``."""
        return self._ask(path, msgspec.json.encode(body), answer, _SECONDS)

    def _ask(self, path: str, body: bytes | None, answer: type[T], seconds: float) -> T:
        request = Request(self.origin + path, body)  # noqa: S310  # settings take https, or http to this machine
        request.add_header("Authorization", f"Bearer {self.token.get_secret_value()}")
        request.add_header("Content-Type", "application/json")
        opener = build_opener(_NoRedirects, HTTPSHandler(context=self.tls))
        try:
            with opener.open(request, timeout=seconds) as told:
                raw = _read(told)
        except HTTPError as error:
            with error:
                raise ApiRefused(_why(error, self.origin), error.code) from None
        except (URLError, HTTPException, OSError) as error:
            why = error.reason if isinstance(error, URLError) else error
            raise ApiUnreachable(f"{self.origin} can't be reached: {why}") from error
        try:
            return msgspec.json.decode(raw, type=answer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ApiUnreachable(
                f"what answers at {self.origin} is no Firebreak of this version: {error}"
            ) from error


def open_api(settings: Settings) -> Api | None:
    """The view that is set, if one is. Raises ``ApiUnreachable`` where it can't be asked so."""
    if settings.api_url is None:
        return None
    if settings.api_token is None:
        raise ApiUnreachable("FIREBREAK_API_URL needs FIREBREAK_API_TOKEN")
    try:
        tls = ssl.create_default_context(cafile=settings.api_ca_file)
    except OSError as error:
        raise ApiUnreachable(f"FIREBREAK_API_CA_FILE: {error}") from error
    return Api(settings.api_url, settings.api_token, tls)


def part(text: str) -> str:
    """``text`` as one part of a path."""
    return quote(text, safe="")


def _read(told: IO[bytes]) -> bytes:
    raw = told.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise ApiUnreachable(f"the answer is longer than {_MOST_BYTES} bytes")
    return raw


def _why(error: HTTPError, origin: str) -> str:
    """What the view said, and what is to be done about it where that is known."""
    try:
        problem = msgspec.json.decode(_read(error), type=_Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, HTTPException, OSError):
        return f"what answers at {origin} is no Firebreak, or is behind a proxy: HTTP {error.code}"
    said = problem.detail or problem.title
    match error.code:
        case 401:
            return f"FIREBREAK_API_TOKEN is not taken: {said}"
        case 403:
            return f"the token's role does not allow this: {said}"
        case 429:
            return f"too many requests, try again in {error.headers.get('Retry-After', 'a few')} s"
        case _:
            return said
