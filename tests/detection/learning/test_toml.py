"""What is written as TOML is read as what it was."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.detection.learning.toml import to_toml

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_value = st.one_of(
    _text, st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(allow_nan=False)
)
_inline = st.dictionaries(_text, _value, max_size=3)
_table = st.dictionaries(_text, st.one_of(_value, _inline, st.lists(_value), st.lists(_inline)))


@given(st.dictionaries(_text, st.one_of(_value, _table, st.lists(_table, min_size=1))))
def test_tables_are_read_as_they_were_written(tables: dict[str, Any]) -> None:
    assert tomllib.loads(to_toml(tables)) == tables


def test_what_is_none_is_left_out() -> None:
    assert to_toml({"a": None, "b": {"c": None, "d": 1}}) == "[b]\nd = 1\n"
