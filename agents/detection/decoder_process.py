"""The process that frames are decoded in: ``python -m agents.detection.decoder_process``.

Decoders are C that strangers' bytes go through. A fault in one ends this process and not the
worker, and what it may do here is little: it has none of the worker's environment, memory up to a
limit, no file to write, and leaves no core dump, which would hold frames.

What is started keeps a child and makes a new one, within milliseconds, whenever the child has
ended: by a fault, by the worker's hand, or by itself so that what has leaked is given back.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
import time
from functools import cache
from pathlib import Path

import msgspec

from schemas import FrameSampled

from ..dead_letters import DeadLetterCause, Rejection
from .decode import DecodeBounds, Decoder
from .decoder_memory import Answer, Crash, Memory, Piece, Refusal, Request, Standing
from .manifest import InputSpec

LONGEST_MESSAGE = 1024 * 1024
_FRAMES_A_CHILD = 50_000
"""After so many frames a child makes way for a new one."""
_MAKE_WAY = 3
_ORPHAN_SECONDS = 1.0
_FIXED_BYTES = 1024**3
_BYTES_A_PIXEL = 17 * 3
"""Up to 16 reference pictures and the one in work, of three bytes a pixel."""
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38

_decode_request = msgspec.msgpack.Decoder(Request).decode
_encode = msgspec.msgpack.Encoder().encode


def main() -> None:
    """Serve the worker whose ends of channel and memory are named by file descriptor."""
    channel_fd, memory_fd, worker, payload_bytes, pixels = (int(it) for it in sys.argv[1:])
    bounds = DecodeBounds(payload_bytes, pixels)
    channel = socket.socket(fileno=channel_fd)
    memory = Memory(memory_fd, payload_bytes)
    _confine(bounds)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    # A terminal's Ctrl-C is for the worker, which lets frames in work be decoded.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    channel.send(b"ready")
    while True:
        keeper = os.getpid()
        child = os.fork()
        if child == 0:
            _end_with(keeper)
            os._exit(_serve(channel, memory, bounds))
        status = _await(child, worker)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return
        if code != _MAKE_WAY:
            crash = Crash(max(-code, 0), max(code, 0), memory.standing)
            try:
                channel.send(_encode(crash))
            except OSError:
                return


def _confine(bounds: DecodeBounds) -> None:
    """For this process and its children, for good."""
    held = _virtual_bytes()
    room = held + _FIXED_BYTES + _BYTES_A_PIXEL * bounds.pixels
    for what, most in (
        (resource.RLIMIT_AS, room),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _, hard = resource.getrlimit(what)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (limit, limit))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def _virtual_bytes() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:  # not Linux
        return _FIXED_BYTES
    return pages * resource.getpagesize()


def _end_with(keeper: int) -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != keeper:
        os._exit(0)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def _await(child: int, worker: int) -> int:
    """How ``child`` ended. Where the ``worker`` is gone, the child is ended too."""
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return status
        if os.getppid() != worker:
            os.kill(child, signal.SIGKILL)
            os._exit(0)
        signal.sigtimedwait([signal.SIGCHLD], _ORPHAN_SECONDS)


def _serve(channel: socket.socket, memory: Memory, bounds: DecodeBounds) -> int:
    """Decode until the channel is closed, or for long enough; the exit code says which."""
    done = 0
    while done < _FRAMES_A_CHILD:
        memory.standing = Standing(os.getpid(), 0, 0)
        message = channel.recv(LONGEST_MESSAGE)
        if not message:
            return 0
        request = _decode_request(message)
        refusals = []
        for index, piece in enumerate(request.pieces):
            memory.standing = Standing(os.getpid(), request.number, index)
            refusals.append(_decode(memory, bounds, request.spec, index, piece))
        channel.send(_encode(Answer(request.number, refusals)))
        done += len(request.pieces)
    return _MAKE_WAY


def _decode(
    memory: Memory, bounds: DecodeBounds, spec: InputSpec, index: int, piece: Piece
) -> Refusal | None:
    """Put the picture in its place, or say why there is none."""
    frame = FrameSampled(
        stream_id="",
        session_id="",
        shard_id="",
        sequence=0,
        captured_at=0,
        codec=piece.codec,
        width=piece.width,
        height=piece.height,
        payload=memory.payload(piece.start, piece.length),
    )
    try:
        decoded = _decoder(spec, bounds).decode(frame)
    except MemoryError:
        return Refusal(DeadLetterCause.UNDECODABLE_PAYLOAD, f"{frame.codec}: out of memory")
    if isinstance(decoded, Rejection):
        return Refusal(decoded.cause, decoded.detail)
    memory.picture(index, spec)[:] = decoded
    return None


@cache
def _decoder(spec: InputSpec, bounds: DecodeBounds) -> Decoder:
    return Decoder(spec, bounds, time.thread_time)


if __name__ == "__main__":
    main()
