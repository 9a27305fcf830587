"""What ``firebreak sample`` shows while it runs."""

from __future__ import annotations

from time import monotonic

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from topology.sampler import RunReport, SourceProgress, SourceSpec, redact


class Display:
    """A bar for each source on a terminal, and failures as they come, on stderr."""

    def __init__(self, specs: tuple[SourceSpec, ...]) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[frames]} frames"),
            TextColumn("{task.fields[rate]:.1f}/s"),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._started = monotonic()
        self._names = {s.stream_id: f"{s.stream_id} ({redact(s.location)})" for s in specs}
        self._told: set[str] = set()
        self._tasks: dict[str, TaskID] = {
            spec.stream_id: self._progress.add_task(
                escape(spec.stream_id), total=None, frames=0, rate=0.0
            )
            for spec in specs
        }

    def __enter__(self) -> Display:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, progress: SourceProgress) -> None:
        """Called on the sources' threads."""
        if progress.done and progress.failure is not None:
            self._tell(progress.stream_id, progress.failure)
        total = progress.position if progress.done else progress.duration
        elapsed = monotonic() - self._started
        self._progress.update(
            self._tasks[progress.stream_id],
            total=total,
            completed=progress.position,
            frames=progress.frames,
            rate=progress.frames / elapsed if elapsed > 0 else 0.0,
        )

    def tell_failures(self, report: RunReport) -> None:
        """Those that were not told when they happened, and what was lost of each source."""
        for source in report.sources:
            if source.failure is not None and source.stream_id not in self._told:
                self._tell(source.stream_id, source.failure)
            if source.refused:
                self._tell(source.stream_id, f"{source.refused} frames were too large to send")
            if source.damaged:
                self._tell(source.stream_id, f"{source.damaged} damaged packets skipped")

    def _tell(self, stream_id: str, what: str) -> None:
        self._told.add(stream_id)
        line = Text(f"{self._names[stream_id]}: {what}")
        self._progress.console.print(line, soft_wrap=True)
