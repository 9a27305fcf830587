"""The frozen model that heads are trained on, and what it makes of the frames of a corpus."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas import FrameSampled

from ...dead_letters import Rejection
from ..bundle import EMBEDDING, ModelBundle, load_bundle
from ..decode import DecodeBounds, Decoder
from ..execution import Execution, open_session
from ..resize import Pixels
from . import variants
from .corpus import Corpus, Frame, write_whole
from .errors import LearningFailed

CPU = "CPUExecutionProvider"
SHIPPED = Path(__file__).parents[1] / "bundles" / "lite0"
_BOUNDS = DecodeBounds(payload_bytes=64 * 1024 * 1024, pixels=7680 * 4320)

OnProgress = Callable[[str, int, int], None]
"""Told what is being done, how many are done, and of how many."""
Embeddings = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Backbone:
    """A bundle whose float32 model makes embeddings, its ``output``, and the folder it is from."""

    folder: Path
    bundle: ModelBundle
    output: str


def load_backbone(folder: Path, output: str = EMBEDDING) -> Backbone:
    """On the CPU and one thread, where the same frame always gives the same bytes.

    Raises ``BundleInvalid``.
    """
    bundle = load_bundle(folder, [CPU], threads=1)
    full = next((m for m in bundle.manifest.models if m.precision == "float32"), None)
    if full is not None and full.file != bundle.execution.model_file:
        session = open_session((folder / full.file).read_bytes(), CPU, threads=1)
        execution = Execution(CPU, full.file, full.precision)
        bundle = replace(bundle, execution=execution, session=session)
    return Backbone(folder, bundle, output)


def embed_frames(
    backbone: Backbone,
    corpus: Corpus,
    frames: Sequence[Frame],
    threads: int,
    on_progress: OnProgress,
) -> Embeddings:
    """Embeddings ``[frames, variants, size]``, from the corpus's cache where it has them.

    Raises ``LearningFailed`` for a frame that can't be read, ``BundleInvalid`` for a model without
    embeddings, ``InferenceFailed``.
    """
    manifest = backbone.bundle.manifest
    # What an embedding follows from, besides the frame: model, how frames are put to it, variants.
    model = manifest.files[backbone.bundle.execution.model_file]
    key = sha256(
        msgspec.json.encode([model, backbone.output, manifest.input, variants.NAME])
    ).hexdigest()
    cache = corpus.folder / "embeddings" / key[:16]
    decoder = Decoder(manifest.input, _BOUNDS)

    def embed(frame: Frame) -> Embeddings:
        path = cache / frame.sha256[:2] / f"{frame.sha256}.npy"
        if path.exists():
            found: Embeddings = np.load(path)
            return found
        pictures = variants.variants(corpus.read(frame))
        # One by one: what a model makes of a frame may differ in the last bit with its batch.
        made = np.concatenate(
            [
                backbone.bundle.embed([_pixels(decoder, frame, picture)], backbone.output)
                for picture in pictures
            ]
        )
        content = io.BytesIO()
        np.save(content, made)
        write_whole(path, content.getvalue())
        return made

    embedded = []
    with ThreadPoolExecutor(threads, thread_name_prefix="embed") as pool:
        for made in pool.map(embed, frames):
            embedded.append(made)
            on_progress("embedding", len(embedded), len(frames))
    return np.stack(embedded)


def decode_frames(bundle: ModelBundle, corpus: Corpus, frames: Sequence[Frame]) -> list[Pixels]:
    """``frames`` as the model is to see them. Raises ``LearningFailed``."""
    decoder = Decoder(bundle.manifest.input, _BOUNDS)
    return [_pixels(decoder, frame, corpus.read(frame)) for frame in frames]


def _pixels(decoder: Decoder, frame: Frame, picture: bytes) -> Pixels:
    """By the way that frames of live streams go."""
    sample = FrameSampled(
        stream_id=frame.source,
        session_id=frame.original,
        shard_id="corpus",
        sequence=0,
        captured_at=0,
        codec="jpeg",
        width=0,
        height=0,
        payload=picture,
    )
    pixels = decoder.decode(sample)
    if isinstance(pixels, Rejection):
        raise LearningFailed(f"{frame.file}: {pixels.detail}")
    return pixels
