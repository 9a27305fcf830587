"""Decoder processes as a worker uses them: one for each thread that decodes.

A frame that ends its decoder is tried once more, alone and by a new one, before it is blamed: what
an earlier frame did to the memory can end a later one. One that keeps its decoder at work for too
long is not tried again. Frames beside it are decoded anew.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import psutil

from schemas import FrameSampled

from ..dead_letters import DeadLetterCause, Rejection
from ..publishing import ProcessUnfit
from .decode import DecodeBounds, out_of_bounds
from .decoder_memory import Answer, Crash, Memory, Piece, Refusal, Request, Standing, room
from .decoder_process import LONGEST_MESSAGE
from .manifest import InputSpec
from .resize import Pixels

_START_SECONDS = 60.0
_LOOK_SECONDS = 0.1
_SILENCE_SECONDS = 60.0
"""Without progress, however little CPU was had: longer than a machine is held up by anything."""
_STOP_SECONDS = 5.0
_STARTS = 3

Decoded = Pixels | Rejection
_CAUSES = frozenset(DeadLetterCause)

_decode_message = msgspec.msgpack.Decoder(Answer | Crash).decode
_encode = msgspec.msgpack.Encoder().encode


class DecodersLost(ProcessUnfit):
    """No decoder process can be kept running."""


class _Gone(Exception):
    """The process is of no more use."""


class _Ended(Exception):
    """The decoder ended on a frame, and another has taken its place."""

    def __init__(self, index: int, why: Refusal, *, final: bool) -> None:
        super().__init__(why.detail)
        self.index = index
        self.why = why
        self.final = final


class Decoders:
    """Decodes on as many threads at a time as call it. ``ahead`` processes are begun at once."""

    def __init__(self, bounds: DecodeBounds, ahead: int) -> None:
        self._bounds = bounds
        self._idle: queue.LifoQueue[DecoderProcess] = queue.LifoQueue()
        for _ in range(ahead):
            self._idle.put(DecoderProcess(bounds))

    def decode(self, spec: InputSpec, frames: Sequence[FrameSampled]) -> list[Decoded]:
        """One outcome a frame, in order: its picture as ``spec`` wants it, or why it has none.

        Raises ``DecodersLost``.
        """
        outcomes: list[Decoded | None] = [out_of_bounds(frame, self._bounds) for frame in frames]
        left = [number for number, outcome in enumerate(outcomes) if outcome is None]
        suspects: list[int] = []
        while left or suspects:
            batch = left or suspects[:1]
            lengths = [len(frames[number].payload) for number in batch]
            batch = batch[: room(spec, lengths, self._bounds.payload_bytes)]
            try:
                found = self._ask(spec, [frames[number] for number in batch])
            except _Ended as ended:
                blamed = batch[ended.index]
                if ended.final or blamed in suspects:
                    outcomes[blamed] = Rejection(
                        DeadLetterCause(ended.why.cause),
                        f"{frames[blamed].codec}: {ended.why.detail}",
                        frames[blamed].stream_id,
                    )
                    batch = [blamed]
                else:
                    suspects.append(blamed)
                    left.remove(blamed)
                    continue
            else:
                for number, outcome in zip(batch, found, strict=True):
                    outcomes[number] = outcome
            left = [number for number in left if number not in batch]
            suspects = [number for number in suspects if number not in batch]
        return [outcome for outcome in outcomes if outcome is not None]

    def close(self) -> None:
        """End the processes that are not in use."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()

    def _ask(self, spec: InputSpec, frames: Sequence[FrameSampled]) -> list[Decoded]:
        """Raises ``_Ended``, and ``DecodersLost`` once several processes were lost."""
        for _ in range(_STARTS):
            process = self._take()
            try:
                found = process.decode(spec, frames)
            except _Gone:
                process.close()
                continue
            except _Ended:
                self._idle.put(process)
                raise
            except BaseException:
                process.close()
                raise
            self._idle.put(process)
            return found
        raise DecodersLost(f"{_STARTS} decoder processes in turn ended or did not answer")

    def _take(self) -> DecoderProcess:
        try:
            return self._idle.get_nowait()
        except queue.Empty:
            return DecoderProcess(self._bounds)


class DecoderProcess:
    """One process, used by one thread at a time. It is begun and not waited for."""

    def __init__(self, bounds: DecodeBounds) -> None:
        self._bounds = bounds
        self._memory = Memory.create(bounds.payload_bytes)
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._number = 0
        self._ready = False
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # this very Python, and one of our modules
                [
                    *(sys.executable, "-m", f"{__package__}.decoder_process"),
                    *map(str, (theirs.fileno(), self._memory.descriptor, os.getpid())),
                    *map(str, (bounds.payload_bytes, bounds.pixels)),
                ],
                pass_fds=(theirs.fileno(), self._memory.descriptor),
                # Nothing of the worker's environment, in which there may be secrets.
                env={"PYTHONPATH": str(Path(__file__).parents[2])},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def decode(self, spec: InputSpec, frames: Sequence[FrameSampled]) -> list[Decoded]:
        """One outcome a frame, of as many as there is room for. Raises ``_Ended``, ``_Gone``."""
        try:
            self._await_ready()
            self._number += 1
            self._channel.send(_encode(Request(self._number, spec, list(self._pieces(frames)))))
            refusals = self._answer(len(frames))
        except (OSError, msgspec.DecodeError) as error:
            raise _Gone(str(error)) from error
        return [
            # Copied: the place is the next picture's soon.
            self._memory.picture(index, spec).copy()
            if refusal is None
            else Rejection(DeadLetterCause(refusal.cause), refusal.detail, frame.stream_id)
            for index, (frame, refusal) in enumerate(zip(frames, refusals, strict=True))
        ]

    def close(self) -> None:
        """End it. It ends by itself once nobody holds the channel's other end."""
        self._channel.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for child in self._children():
                child.kill()
            self._process.kill()
            self._process.wait()
        self._memory.close()

    def _await_ready(self) -> None:
        if self._ready:
            return
        self._channel.settimeout(_START_SECONDS)
        if not self._channel.recv(LONGEST_MESSAGE):
            raise _Gone("it ended before it was ready")
        self._channel.settimeout(_LOOK_SECONDS)
        self._ready = True

    def _pieces(self, frames: Iterable[FrameSampled]) -> Iterable[Piece]:
        start = 0
        for frame in frames:
            length = len(frame.payload)
            self._memory.put(start, frame.payload)
            yield Piece(frame.codec, frame.width, frame.height, start, length)
            start += length

    def _answer(self, frames: int) -> list[Refusal | None]:
        """Raises ``_Ended``, ``_Gone``, ``OSError``, ``msgspec.DecodeError``."""
        watch = _Watch(self._process.pid, self._memory, self._bounds.seconds)
        while True:
            try:
                message = self._channel.recv(LONGEST_MESSAGE)
            except TimeoutError:
                watch.look()
                continue
            if not message:
                raise _Gone("it ended")
            match _decode_message(message):
                case Answer(number, refusals) if number == self._number:
                    known = all(it is None or it.cause in _CAUSES for it in refusals)
                    if len(refusals) != frames or not known:
                        raise _Gone("no answer to what was asked")
                    return refusals
                case Crash(by_signal, code, standing) if standing.request == self._number:
                    if standing.index >= frames:
                        raise _Gone("ended on a frame that there is not")
                    why, final = watch.why(standing, by_signal, code)
                    raise _Ended(standing.index, why, final=final)

    def _children(self) -> list[psutil.Process]:
        return _children(self._process.pid)


class _Watch:
    """Sees to it that a decoder gets on, by the CPU time that it has had and not by the clock: a
    machine may be busy with other things."""

    def __init__(self, keeper: int, memory: Memory, seconds: float) -> None:
        self._keeper = keeper
        self._memory = memory
        self._seconds = seconds
        self._standing: Standing | None = None
        self._cpu = 0.0
        self._since = 0.0
        self._ended: tuple[Standing, bool] | None = None

    def look(self) -> None:
        """End a decoder that has been at one frame for too long. Raises ``_Gone``."""
        standing, child = self._memory.standing, next(iter(_children(self._keeper)), None)
        now = time.monotonic()
        with suppress(psutil.Error):
            cpu = 0.0 if child is None else sum(child.cpu_times()[:2])
            if standing != self._standing:
                self._standing, self._cpu, self._since = standing, cpu, now
            elif child is not None and standing.request and cpu - self._cpu > self._seconds:
                self._end(child, standing, busy=True)
            elif now - self._since > _SILENCE_SECONDS:
                if child is None or not standing.request:
                    raise _Gone("it does not answer")
                self._end(child, standing, busy=False)

    def why(self, standing: Standing, by_signal: int, code: int) -> tuple[Refusal, bool]:
        """Why the decoder ended where it stood, and whether that says enough of the frame."""
        if self._ended is not None and self._ended[0] == standing:
            busy = self._ended[1]
            detail = f"over {self._seconds:g} s of CPU" if busy else "no progress"
            return Refusal(DeadLetterCause.DECODE_TOO_SLOW, detail), busy
        how = signal.Signals(by_signal).name if by_signal else f"exit code {code}"
        return Refusal(DeadLetterCause.DECODER_CRASHED, f"the decoder ended by {how}"), False

    def _end(self, child: psutil.Process, standing: Standing, *, busy: bool) -> None:
        self._ended = (standing, busy)
        child.kill()


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.Error:
        return []
