"""The readable report: the figures of ``eval.json`` as tables, and how they came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .markdown import NONE, rate, seconds, table
from .report_frames import (
    about_encodings,
    about_fictional,
    about_firearm,
    about_localisation,
    about_sources,
)

_MET = {True: "yes", False: "**no**", None: "not measured"}


def write_report(found: Mapping[str, Any], figures: Sequence[tuple[str, str]]) -> str:
    """The report, Markdown; ``figures`` are file names and captions."""
    return "\n".join(
        [
            *_opening(found),
            *_aims(found["aims"]),
            *about_firearm(found),
            *about_localisation(found),
            *about_sources(found["sources"]),
            *about_fictional(found["fictional"]),
            *about_encodings(found["by_encoding"]),
            *_stream_hours(found["stream_hours"]),
            *_seconds(found),
            *_calibration(found["calibration"]),
            "## Plots",
            "",
            *(f"{caption}.\n\n![{caption}]({name})\n" for name, caption in figures),
        ]
    )


def _opening(found: Mapping[str, Any]) -> list[str]:
    bundle, policy = found["bundle"], found["policy"]
    return [
        f"# Evaluation of {bundle['label']}",
        "",
        f"Bundle digest `{bundle['digest']}`, {found['execution']}. "
        f"Policy {policy['label']}, digest `{policy['digest']}`, on windows in which a "
        f"firearm signal of {found['windows']['hit']:g} is a hit. Seed {found['seed']}.",
        "",
        "In brackets: 95 % intervals. Shares: Wilson's. AUC: bootstrap. Events in hours: exact "
        f"Poisson. Frames of video are taken {found['frames_per_second']:g} a second, encoded as "
        f"the sampler does ({found['encodings'][0]}) where nothing else is said. Frames of a clip "
        "resemble each other, so intervals over frames are too narrow where clips are few: the "
        "number of clips stands beside them.",
        "",
        *(f"- Footage missing, `{name}`: {why}" for name, why in found["skipped"].items()),
        "",
    ]


def _aims(aims: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        [
            aim["what"],
            aim["aim"],
            NONE if aim["reached"] is None else f"{aim['reached']:.4g}",
            _MET[aim["met"]],
        ]
        for aim in aims
    ]
    return ["## Aims", "", *table(["figure", "aim", "measured", "met"], rows)]


def _stream_hours(kinds: Mapping[str, Any]) -> list[str]:
    lines = [
        "## False escalations and takedowns",
        "",
        "Detections of the test clips, recorded once for each encoding, go through the windows and "
        "the policy of the topology as sessions of 10 to 120 minutes: clips in random order, each "
        "entered at a random moment, sampled at 1 to 5 frames a second, in one of the encodings. "
        "A session is escalated once, and ends when it is taken down. Rates are per 1,000 hours.",
        "",
        "**These hours are not independent: they are the distinct minutes over and over.** The "
        "rates over distinct footage count what happens within the same half minute of a clip "
        "once; those are the intervals to believe about footage not seen.",
        "",
    ]
    headings = ["sessions of", "hours", "distinct minutes", "clips", "escalated", "taken down"]
    headings += ["escalations", "takedowns", "escalations, distinct", "takedowns, distinct"]
    lines += table(headings, (row for kind, one in kinds.items() for row in _kind(kind, one)))
    for kind, one in kinds.items():
        if one["escalated_in"]:
            clips = ", ".join(f"{name} ({n})" for name, n in one["escalated_in"].items())
            lines += [f"Escalated, {kind}: {clips}.", ""]
    return lines


def _kind(kind: str, one: Mapping[str, Any]) -> list[list[Any]]:
    """A row for the kind, and one for each of its sources and encodings where there are several."""
    distinct = one["distinct"]
    minutes = [f"{distinct['minutes']:.1f}", distinct["clips"]]
    known = [rate(distinct, "escalations"), rate(distinct, "takedowns")]
    groups = [by for by in (one["by_source"], one["by_encoding"]) if len(by) > 1]
    parts = [
        (f"{kind}, {name}", part, [NONE] * 2, [NONE] * 2)
        for by in groups
        for name, part in by.items()
    ]
    return [
        [
            name,
            f"{part['hours']:,.0f}",
            *footage,
            part["escalations"],
            part["takedowns"],
            rate(part, "escalations"),
            rate(part, "takedowns"),
            *over_distinct,
        ]
        for name, part, footage, over_distinct in [(kind, one, minutes, known), *parts]
    ]


def _seconds(found: Mapping[str, Any]) -> list[str]:
    effects = {effect: found[f"seconds_to_{effect}"] for effect in ("escalation", "takedown")}
    headings = ["effect", "median", "95th percentile", "drills played", "missed", "before onset"]
    return [
        "## Time from onset",
        "",
        "Drills with a labelled first firearm, spliced after 30 to 120 seconds of ordinary test "
        "footage and re-sampled like the sessions. Event time: what the topology takes to compute "
        "comes on top. The photographs are not used for this: a still held for seconds is no "
        f"footage. Distinct drills: {effects['takedown']['distinct_sequences']}.",
        "",
        *table(
            headings,
            (
                [
                    effect,
                    seconds(one["median"]),
                    seconds(one["p95"]),
                    one["n"] + one["before_onset"],
                    one["missed"],
                    one["before_onset"],
                ]
                for effect, one in effects.items()
            ),
        ),
    ]


def _calibration(calibration: Mapping[str, Any]) -> list[str]:
    return [
        "## Calibration",
        "",
        "At the proportions tested, which are not those of live streams.",
        "",
        *table(
            ["signal", "expected calibration error", "positives", "negatives"],
            (
                [name, f"{one['ece']:.3f}", one["positives"], one["negatives"]]
                for name, one in calibration.items()
            ),
        ),
    ]
