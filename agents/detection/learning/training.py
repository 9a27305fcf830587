"""From a corpus and a backbone to a bundle with heads of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec
import numpy as np
from threadpoolctl import threadpool_limits

from ..bundle import load_bundle
from ..manifest import KNOWN_SIGNALS, Manifest, ModelSpec, SignalSpec
from .backbone import CPU, Backbone, OnProgress, embed_frames
from .card import write_card
from .corpus import Corpus, Frame
from .errors import LearningFailed
from .evaluation import Evaluation, Figures, Judged, evaluate, judge_frames, measure
from .heads import Examples, Trained, train_head
from .joining import join_heads, output_name
from .splitting import Split, hold_out, split_sources
from .toml import to_toml

CARD = "MODEL_CARD.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be trained, and how.

    ``fpr`` is the share of frames without the signal that may reach its threshold. ``held_out``
    are the sources to hold out; none named: chosen by ``seed``. ``name`` is the bundle's.
    """

    signals: tuple[str, ...] = ("fictional",)
    held_out: tuple[str, ...] = ()
    fpr: float = 0.01
    seed: int = 0
    name: str | None = None
    threads: int = 1


def train(
    corpus: Corpus, backbone: Backbone, out: Path, plan: Plan, on_progress: OnProgress
) -> Evaluation:
    """Write a bundle to ``out``, which is there whole or not at all; what held-out sources say.

    The same corpus, backbone and plan give the same bytes of each file. Raises ``LearningFailed``,
    ``BundleInvalid``.
    """
    if out.exists():
        raise LearningFailed(f"{out} is there already: a bundle is never changed, name another")
    split = (
        hold_out(corpus.frames, plan.signals, plan.held_out)
        if plan.held_out
        else split_sources(corpus.frames, plan.signals, plan.seed)
    )
    used = [f for f in corpus.frames if f.source in split.training and _labels(f, plan.signals)]
    # In an order of their own, so that it doesn't matter when they were added.
    used.sort(key=lambda frame: frame.sha256)
    embeddings = embed_frames(backbone, corpus, used, plan.threads, on_progress)
    trained: dict[str, Trained] = {}
    out_of_fold: list[Figures] = []
    # On one thread sums are always added up in the same order.
    with threadpool_limits(1):
        for signal in plan.signals:
            known = [index for index, frame in enumerate(used) if signal in frame.signals]
            examples = Examples(
                embeddings[known],
                np.array([used[index].signals[signal] for index in known], np.int64),
                np.array([used[index].source for index in known]),
            )
            on_fit = partial(on_progress, f"fitting {signal}")
            trained[signal] = train_head(examples, plan.fpr, plan.seed, on_fit)
            out_of_fold += _out_of_fold(signal, trained[signal], [used[index] for index in known])
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as beside:
        # Made by mkdir, so that it has the permissions of any other folder.
        folder = Path(beside, "bundle")
        folder.mkdir()
        manifest, notes = _write_bundle(
            folder,
            backbone,
            trained,
            plan,
            corpus_digest=corpus.digest,
            learned_from=_provenance(corpus, split, plan),
        )
        held_out = _measure(folder, corpus, split, on_progress)
        card = write_card(
            manifest=manifest,
            corpus=corpus,
            split=split,
            trained=trained,
            held_out=held_out,
            out_of_fold=out_of_fold,
            notes=notes,
        ).encode()
        (folder / CARD).write_bytes(card)
        files = {**manifest.files, CARD: sha256(card).hexdigest()}
        _write_manifest(folder, msgspec.structs.replace(manifest, files=files, card=CARD))
        digest = load_bundle(folder, [CPU], threads=1).digest
        folder.rename(out)
    return msgspec.structs.replace(held_out, bundle_digest=digest)


def _labels(frame: Frame, signals: Sequence[str]) -> bool:
    return any(signal in frame.signals for signal in signals)


def _out_of_fold(signal: str, trained: Trained, frames: Sequence[Frame]) -> list[Figures]:
    if trained.out_of_fold is None:
        return []
    judged = Judged(frames, [signal], trained.out_of_fold[:, None])
    return [measure(judged, {signal: trained.threshold})]


def _measure(folder: Path, corpus: Corpus, split: Split, on_progress: OnProgress) -> Evaluation:
    bundle = load_bundle(folder, [CPU], threads=1)
    frames = [frame for frame in corpus.frames if frame.source in split.held_out]
    frames.sort(key=lambda frame: frame.sha256)
    return evaluate(bundle, corpus, judge_frames(bundle, corpus, frames, on_progress))


def _write_bundle(
    folder: Path,
    backbone: Backbone,
    trained: Mapping[str, Trained],
    plan: Plan,
    *,
    corpus_digest: str,
    learned_from: str,
) -> tuple[Manifest, list[str]]:
    """Everything but the card; and what is to be said of the models in it."""
    before = backbone.bundle.manifest
    kept = [signal for signal in before.signals if signal.name not in trained]
    contents = {model.file: (backbone.folder / model.file).read_bytes() for model in before.models}
    used = contents[backbone.bundle.execution.model_file]
    name = output_name(used, {signal.output for signal in kept})
    models: list[ModelSpec] = []
    notes = [f"Backbone {backbone.bundle.label}, {backbone.bundle.execution.model_file}."]
    files: dict[str, bytes] = {}
    for model in before.models:
        heads = [one.head for one in trained.values()]
        joined = join_heads(contents[model.file], heads, name, backbone.output)
        if joined is None:
            notes.append(f"{model.file} of the backbone is left out: it has no float embeddings.")
            continue
        if model.file != backbone.bundle.execution.model_file:
            notes.append(
                f"{model.file} ({model.precision}) has the same heads, which were fitted on "
                f"{backbone.bundle.execution.model_file}."
            )
        models.append(model)
        files[model.file] = joined
    if not models:
        raise LearningFailed(f"{backbone.folder}: no model of it has float embeddings to join to")
    for other in before.files.keys() - contents.keys() - {before.card}:
        files[other] = (backbone.folder / other).read_bytes()
    for file, content in files.items():
        (folder / file).write_bytes(content)
    manifest = Manifest(
        format=2,
        name=plan.name or f"{before.name}-trained",
        version=corpus_digest[:12],
        licence=before.licence,
        provenance=f"{before.provenance.strip()} {learned_from}",
        files={file: sha256(files[file]).hexdigest() for file in sorted(files)},
        input=before.input,
        models=tuple(models),
        signals=(*kept, *_signals(trained, name)),
    )
    _write_manifest(folder, manifest)
    return manifest, notes


def _signals(trained: Mapping[str, Trained], output: str) -> list[SignalSpec]:
    return [
        SignalSpec(
            name=name,
            output=output,
            activation="sigmoid",
            classes=(number,),
            threshold=one.threshold,
            calibration=one.calibration,
            custom=name not in KNOWN_SIGNALS,
        )
        for number, (name, one) in enumerate(trained.items())
    ]


def _provenance(corpus: Corpus, split: Split, plan: Plan) -> str:
    sources = "; ".join(
        f"{name} ({corpus.sources[name].licence})" for name in sorted(split.training)
    )
    return (
        f"Heads for {', '.join(plan.signals)} trained with seed {plan.seed} on the corpus "
        f"{corpus.digest}, of which: {sources}."
    )


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    text = to_toml(msgspec.to_builtins(manifest))
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
