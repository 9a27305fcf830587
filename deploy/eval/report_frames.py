"""The part of the report that is about single frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .markdown import share, table, value


def about_firearm(found: Mapping[str, Any]) -> list[str]:
    firearm = found["firearm"]
    lines = ["## Firearm", ""]
    if reason := firearm.get("reason"):
        return [*lines, f"Not measured: {reason}.", "", *_recall(found["recall"])]
    lines += [
        f"{firearm['positives']} photographs with firearms against each test source of ordinary "
        "footage, and against all of it in each encoding that it may come in. Against fewer than "
        "200 frames a false-positive rate of 0.5 % means none.",
        "",
    ]
    headings = ["negatives", "frames", "clips", "AUC", "recall at a false-positive rate of 0.5 %"]
    against = [
        *firearm["by_source"].items(),
        *((f"all ordinary, {name}", one) for name, one in firearm["by_encoding"].items()),
    ]
    lines += table(
        headings,
        (
            [
                name,
                one["negatives"],
                one["clips"],
                value(one, "auc"),
                value(one, "recall_at_fpr_0.005"),
            ]
            for name, one in against
        ),
    )
    lines += [
        f"The threshold at which 0.5 % of all ordinary frames fire is "
        f"{firearm['threshold_at_fpr_0.005']:.3g}; the bundle's own is {firearm['threshold']:g}.",
        "",
    ]
    return [*lines, *_recall(found["recall"])]


def _recall(recall: Mapping[str, Any]) -> list[str]:
    return [
        "Recall at the bundle's own threshold; of drills the frames that their label says show a "
        "firearm:",
        "",
        *table(
            ["positives", "frames", "firearm", "firearm, and not taken for fiction"],
            (
                [name, one["frames"], share(one, "_firearm_alone"), share(one)]
                for name, one in recall.items()
            ),
        ),
    ]


def about_localisation(found: Mapping[str, Any]) -> list[str]:
    lines = ["## Localisation", ""]
    measured = found["localisation"]
    if measured is None:
        return [*lines, f"Not measured: {found['localisation_reason']}.", ""]
    return [
        *lines,
        "The bundle draws no boxes. Covering one part of the picture after another shows where its "
        "signal comes from; the pointing game asks whether that place is inside a labelled box. "
        "The centre of the picture and a random place stand beside it.",
        "",
        *table(
            ["photographs", "n", "inside a box", "centre inside", "random place inside"],
            (
                [name, one["n"], share(one), f"{one['centre']:.1%}", f"{one['chance']:.1%}"]
                for name, one in measured.items()
            ),
        ),
    ]


def about_sources(sources: Mapping[str, Any]) -> list[str]:
    return [
        "## Frames judged a real firearm",
        "",
        "By test source. A real firearm: `firearm` at or above its threshold and `fictional`, "
        "where the bundle has it, below its own.",
        "",
        *table(
            ["source", "kind", "clips", "frames", "real firearm", "firearm alone"],
            (
                [
                    name,
                    one["kind"],
                    one["clips"],
                    one["frames"],
                    share(one),
                    share(one, "_firearm_alone"),
                ]
                for name, one in sources.items()
            ),
        ),
    ]


def about_fictional(fictional: Mapping[str, Any] | None) -> list[str]:
    lines = ["## Fictional", ""]
    if fictional is None:
        return [*lines, "The bundle has no signal `fictional`.", ""]
    return [
        *lines,
        f"On at {fictional['threshold']:g}. AUC of each test source of games and films against all "
        "ordinary test footage. Where it is on in photographs and drills, it would keep what is "
        "real from being taken down.",
        "",
        *table(
            ["source", "kind", "frames", "AUC", "on"],
            (
                [name, one["kind"], one["frames"], value(one, "auc"), share(one)]
                for name, one in fictional["by_source"].items()
            ),
        ),
    ]


def about_encodings(encodings: Mapping[str, Any]) -> list[str]:
    """What coarser pictures change: the same rates in each encoding."""
    measured = list(encodings.values())
    rows = [
        [name, what, *(f"{one[part][name][rate]:.2%}" for one in measured)]
        for part in ("sources", "recall")
        for name in measured[0][part]
        for what, rate in (("firearm", "rate_firearm_alone"), ("real firearm", "rate"))
    ]
    if measured[0]["fictional"] is not None:
        on = [one["fictional"]["by_source"] for one in measured]
        rows += [[name, "fictional", *(f"{one[name]['rate']:.2%}" for one in on)] for name in on[0]]
    return [
        "## By encoding",
        "",
        "Share of frames in which it is on. Few live streams are as clean as the first encoding.",
        "",
        *table(["source", "signal", *encodings], sorted(rows)),
    ]
