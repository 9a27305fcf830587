"""What the commands about learning share: an operator's errors, and bars while they work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from agents.detection.learning.errors import LearningFailed

from .errors import OperatorError


@contextmanager
def told_to_operators() -> Iterator[None]:
    """Import the learning package and use it within: what goes wrong is an ``OperatorError``."""
    try:
        yield
    except LearningFailed as error:
        raise OperatorError(str(error)) from error
    except ModuleNotFoundError as error:
        raise OperatorError(
            f"{error.name} is not installed: pip install firebreak[train]"
        ) from error


@contextmanager
def bars() -> Iterator[Callable[[str, int, int], None]]:
    """What is called with what is being done, how much of it is done, and of how much.

    A bar for each, on stderr, where that is a terminal.
    """
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        yield show
