"""``firebreak acls``: what the brokers grant, against the plan."""

from __future__ import annotations

from pathlib import Path

import click

from ..acl_admin import ACLS_FILE, AclsNotApplied, apply_grants, load_acls, read_grants
from ..acl_plan import besides, missing
from ..broker import resolve_bootstrap
from ..settings import load_settings
from ..topic_admin import open_admin

_file_option = click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=ACLS_FILE,
    help="The plan.  [default: the shipped deploy/acls.yaml]",
)


@click.group()
def acls() -> None:
    """Grant what the plan lists, or check what is granted against it.

    Needs a principal that may alter ACLs. What is granted besides is told, and left for you to
    take back.
    """


@acls.command()
@_file_option
@click.option("--dry-run", is_flag=True, help="Show what would be granted, and grant nothing.")
def apply(file: Path, dry_run: bool) -> None:
    """Grant what is missing. Exits with 1 if the brokers did not take all of it."""
    settings = load_settings()
    planned = load_acls(file)
    admin = open_admin(settings, resolve_bootstrap(settings))
    lacking = missing(planned, read_grants(admin))
    for grant in lacking:
        click.secho(f"+ {grant}", fg="yellow")
    if not lacking:
        click.echo("all is granted as planned")
    if dry_run:
        return
    failed = [f"{it}: {why}" for it, why in apply_grants(admin, lacking) if why is not None]
    if failed:
        raise AclsNotApplied("\n".join(failed))


@acls.command()
@_file_option
def check(file: Path) -> None:
    """Say what is missing and what is granted besides; exits with 1 if anything is."""
    settings = load_settings()
    planned = load_acls(file)
    granted = read_grants(open_admin(settings, resolve_bootstrap(settings)))
    lacking, excess = missing(planned, granted), besides(planned, granted)
    for grant in lacking:
        click.secho(f"+ {grant}", fg="yellow")
    for grant in excess:
        click.secho(f"! {grant}: granted besides", fg="red")
    if lacking or excess:
        raise SystemExit(1)
    click.echo("all is granted as planned")
