"""Filling in the forms of pages, as a person does."""

from __future__ import annotations

import re
from html import unescape

from .serving import Client, page

_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


async def form(client: Client, path: str, **typed: str) -> dict[str, str]:
    """The form at ``path`` as somebody fills it in."""
    hidden = {name: unescape(value) for name, value in _HIDDEN.findall(await page(client, path))}
    return {**hidden, "reason": "a film set", **typed}


async def give(client: Client, path: str, **typed: str) -> tuple[int, str]:
    """The status, and where it leads; or what the page says."""
    answer = await client.post(path, data=await form(client, path, **typed), allow_redirects=False)
    return answer.status, answer.headers.get("Location", "") or await answer.text()
