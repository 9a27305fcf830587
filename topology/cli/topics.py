"""``firebreak topics``: the brokers' topics against the plan."""

from __future__ import annotations

from pathlib import Path

import click
from confluent_kafka.admin import AdminClient

from ..broker import resolve_bootstrap
from ..settings import load_settings
from ..topic_admin import TOPICS_FILE, apply_changes, load_plan, open_admin, read_topics
from ..topic_plan import Difference, Topic, compare

_file_option = click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=TOPICS_FILE,
    help="The plan.  [default: the shipped deploy/topics.yaml]",
)


@click.group()
def topics() -> None:
    """Bring the topics to the plan, or check them against it."""


@topics.command()
@_file_option
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--grow", is_flag=True, help="Allow more partitions, which moves streams.")
def apply(file: Path, dry_run: bool, grow: bool) -> None:
    """Create and change topics as planned.

    Nothing is changed where anything is refused. Exits with 1 if anything was refused or failed.
    """
    admin, plan, difference = _compare(file, grow)
    _show(difference)
    if difference.refused:
        raise SystemExit(1)
    if dry_run or not difference.changes:
        return
    applied = apply_changes(admin, plan, difference.changes)
    for problem in applied.problems:
        click.secho(f"! {problem}", fg="red")
    click.echo(f"{len(applied.done)} done, {len(applied.failed)} failed")
    if applied.problems:
        raise SystemExit(1)


@topics.command()
@_file_option
def check(file: Path) -> None:
    """Say where the topics differ from the plan; exits with 1 if they do."""
    _, _, difference = _compare(file, grow=True)
    _show(difference)
    if difference:
        raise SystemExit(1)


def _compare(file: Path, grow: bool) -> tuple[AdminClient, tuple[Topic, ...], Difference]:
    settings = load_settings()
    plan = load_plan(file)
    admin = open_admin(settings, resolve_bootstrap(settings))
    return admin, plan, compare(plan, read_topics(admin, plan), grow=grow)


def _show(difference: Difference) -> None:
    for change in difference.changes:
        click.secho(f"~ {change}", fg="yellow")
    for refused in difference.refused:
        click.secho(f"! {refused}", fg="red")
    if not difference:
        click.echo("all topics are as planned")
