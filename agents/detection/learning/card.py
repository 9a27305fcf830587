"""The model card of a trained bundle, as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..manifest import Isotonic, Manifest
from .corpus import Corpus
from .evaluation import Evaluation, Figures, Rate, Separation
from .heads import Trained
from .splitting import Split

_NEVER = """\
- That somebody did something, or is somebody. The score is of one picture; it knows no person,
  no intent and no law.
- That a stream is harmless because nothing fired. Weapons that are small, far, half hidden or of a
  kind that was not trained on are missed.
- That a score is the chance that an attack is under way. It is calibrated for footage like the
  training sources with both classes equally frequent; attacks are far rarer than that.
- That figures on these sources hold on others. Look at the number of sources before the number of
  frames: frames of one source are alike, and the intervals take them for independent."""


def write_card(
    *,
    manifest: Manifest,
    corpus: Corpus,
    split: Split,
    trained: Mapping[str, Trained],
    held_out: Evaluation,
    out_of_fold: Sequence[Figures],
    notes: Sequence[str],
) -> str:
    """``held_out`` is of the finished bundle on the sources held out, ``out_of_fold`` of heads
    that never saw the source they score, on the sources trained on."""
    kept = [signal.name for signal in manifest.signals if signal.name not in trained]
    return (
        "\n\n".join(
            [
                f"# {manifest.name} {manifest.version}",
                f"Signals trained here: {', '.join(trained)}. Taken over from the backbone as "
                f"they were: {', '.join(kept) or 'none'}.",
                "## Intended use",
                "One of several inputs to a decision that people see each time: whether a sampled "
                "frame of a live stream shows a real firearm, and whether it is play or film. Not "
                "for identifying people, not as evidence, not for acting without a person who "
                "looks.",
                "## What must never be concluded from the score",
                _NEVER,
                "## Held-out sources",
                "Never trained on, nor used for any choice. Judged by this bundle as it is loaded: "
                f"{held_out.execution}.",
                *(_figures(held_out.figures) if split.held_out else ["No source was held out."]),
                "## Sources trained on",
                "Each scored by a head that had not seen it: sources are left out in turn, at "
                "least one with the signal and one without at a time. Regularisation, "
                "calibration and threshold were chosen on these scores, so the rates flatter a "
                "little; they are of several heads, which lowers the AUC.",
                *(
                    [paragraph for figures in out_of_fold for paragraph in _figures(figures)]
                    or ["None: a class has one source only, so that no choice could be tested."]
                ),
                "## How it was made",
                "\n".join(_facts(corpus, split, trained, notes)),
                "## Footage",
                _footage_table(corpus, split),
            ]
        )
        + "\n"
    )


def _figures(figures: Figures) -> Iterable[str]:
    yield _rates_table(figures.rates)
    if figures.separations:
        yield _separations_table(figures.separations)
    for one in figures.calibrations:
        yield (
            f"Expected calibration error of {one.signal} on {one.frames} frames: "
            f"{one.expected_error:.3f}."
        )


def _rates_table(rates: Iterable[Rate]) -> str:
    rows = [
        (
            rate.source,
            rate.label,
            rate.signal,
            {1: "has it", 0: "has it not", None: "unknown"}[rate.truth],
            str(rate.frames),
            str(rate.fired),
            f"{rate.rate:.3f}",
            f"{rate.ci95[0]:.3f} to {rate.ci95[1]:.3f}",
        )
        for rate in rates
    ]
    heads = ("source", "label", "signal", "truth", "frames", "fired", "rate", "95 %")
    return _table(heads, rows)


def _separations_table(separations: Iterable[Separation]) -> str:
    rows = [
        (
            one.signal,
            one.source or "all of them",
            f"{one.positives} / {one.negatives}",
            f"{one.auc:.3f} ({one.auc_ci95[0]:.3f} to {one.auc_ci95[1]:.3f})",
            f"{one.recall:.3f} ({one.recall_ci95[0]:.3f} to {one.recall_ci95[1]:.3f})",
        )
        for one in separations
    ]
    heads = ("signal", "positives of", "positives / negatives", "AUC", "recall at FPR 0.005")
    return _table(heads, rows)


def _facts(
    corpus: Corpus, split: Split, trained: Mapping[str, Trained], notes: Sequence[str]
) -> Iterable[str]:
    yield f"- Corpus {corpus.digest}: {len(corpus.frames)} frames of {len(corpus.sources)} sources."
    yield f"- Trained on {', '.join(sorted(split.training))}."
    yield f"- Held out: {', '.join(sorted(split.held_out)) or 'none'}."
    for name, one in trained.items():
        calibration = (
            f"isotonic, {len(one.calibration.scores)} knots"
            if isinstance(one.calibration, Isotonic)
            else f"temperature {one.calibration.temperature:g}"
        )
        chosen = "chosen" if one.out_of_fold is not None else "not chosen: too few sources"
        yield (
            f"- {name}: logistic regression on the frozen backbone's embeddings, C {one.penalty:g} "
            f"({chosen}), calibration {calibration}, threshold {one.threshold:g}."
        )
    yield from (f"- {note}" for note in notes)


def _footage_table(corpus: Corpus, split: Split) -> str:
    rows = []
    for name in sorted(corpus.sources):
        frames = [frame for frame in corpus.frames if frame.source == name]
        side = "held out" if name in split.held_out else "trained on"
        labels = ", ".join(sorted({frame.label for frame in frames}))
        source = corpus.sources[name]
        about = (source.provenance or "").replace("\n", " ").replace("|", "/")
        rows.append((name, labels, str(len(frames)), side, source.licence, about))
    return _table(("source", "label", "frames", "", "licence", "provenance"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
