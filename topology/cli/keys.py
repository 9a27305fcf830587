"""``firebreak keys``: what decisions are signed with."""

from __future__ import annotations

import os
from pathlib import Path

import click

from schemas.signatures import KeyInvalid, Signer, key_set, new_private_key

from ..errors import OperatorError


class KeyUnusable(OperatorError):
    """A file that is no key, or is there already."""


@click.group()
def keys() -> None:
    """Make keys that decisions are signed with, and tell takedown services the public halves.

    To rotate: make a new key, give the set of both to everyone who verifies, then start the workers
    with the new one. Take the old one out of the set when none of its records are read any more.
    """


@keys.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new(file: Path) -> None:
    """Write a new private key to FILE, for FIREBREAK_SIGNING_KEY, and print its id."""
    key = new_private_key()
    try:
        # Its owner's alone from the beginning, and never over a key that is there.
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise KeyUnusable(f"{file}: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(key)
    click.echo(Signer(key).key_id)


@keys.command()
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
def public(files: tuple[Path, ...]) -> None:
    """Print the public halves of FILES, private or public keys, for FIREBREAK_DECISION_KEYS."""
    texts = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
            key_set([text])
        except (OSError, UnicodeDecodeError, KeyInvalid) as error:
            raise KeyUnusable(f"{file}: {error}") from error
        texts.append(text)
    click.echo(key_set(texts))
