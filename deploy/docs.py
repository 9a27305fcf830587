"""Draws ``docs/decision.md`` from the decision's transition table: ``python -m deploy.docs``."""

from __future__ import annotations

from pathlib import Path

from agents.decision.machine import TRANSITIONS
from agents.decision.states import Ask, Input, Refusal, State

PATH = Path(__file__).parent.parent / "docs/decision.md"

_HEAD = """\
# What is decided of a stream

Drawn from `agents/decision/machine.py` by `python -m deploy.docs`; a test holds the two equal.

A stream's session is in one of seven states. What happens to it leads to another and asks for
something on the way, or is refused with a reason. The diagram leaves out what changes no state;
the table has every pair.
"""


def decision_page() -> str:
    """The page as it should be."""
    return "\n".join([_HEAD, "```mermaid", *_diagram(), "```", "", *_tables(), ""])


def _diagram() -> list[str]:
    ways: dict[tuple[State, State], list[str]] = {}
    for (state, given), transition in TRANSITIONS.items():
        if transition.to is not state:
            ways.setdefault((state, transition.to), []).append(given)
    lines = ["stateDiagram-v2", f"    [*] --> {_name(State.CLEAR)}"]
    for (state, to), inputs in sorted(ways.items()):
        lines.append(f"    {_name(state)} --> {_name(to)}: {', '.join(sorted(inputs))}")
    return lines


def _tables() -> list[str]:
    lines = []
    for state in State:
        lines += [f"## {state}", "", "| input | to | asks for | refused as |", "|---|---|---|---|"]
        for given in Input:
            transition = TRANSITIONS[state, given]
            to = "" if transition.to is state else transition.to
            asks = ", ".join(transition.asks)
            lines.append(f"| {given} | {to} | {asks} | {transition.refusal or ''} |")
        lines.append("")
    lines += ["## Words", "", *_words(Input), *_words(Ask), *_words(Refusal)]
    return lines


def _words(members: type[Input] | type[Ask] | type[Refusal]) -> list[str]:
    names = ", ".join(f"`{member}`" for member in members)
    return [f"- {members.__name__}: {names}"]


def _name(state: State) -> str:
    return state.replace("-", "_")


if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(decision_page())
