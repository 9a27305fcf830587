"""Where keys and elements of a TOML file stand, whatever the file looks like."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.decision.toml_lines import Path, lines_of
from agents.detection.learning.toml import to_toml

TEXT = '''\
# [not.a.table]
a = 1 # b = 2
"quoted \\"key\\" # x".'also = this' = "# ] }"

[[rule]]
all = [
  { measure = "x", any = [ {p = 1},
    {q = [2, 3]} ] },  # ] }
  """
  [[rule]]
  c = 1 ""\\""""",
  \'\'\'
it's \'\'\',
]
[rule.sub.deep]
when = 1979-05-27 07:32:00
[[rule]]
[[rule.inner]]
d = ''
[[ rule . inner ]]
d = ""
'''
LINES: dict[Path, int] = {
    ("a",): 2,
    ('quoted "key" # x', "also = this"): 3,
    ("rule", 0): 5,
    ("rule", 0, "all"): 6,
    ("rule", 0, "all", 0): 7,
    ("rule", 0, "all", 0, "measure"): 7,
    ("rule", 0, "all", 0, "any", 0, "p"): 7,
    ("rule", 0, "all", 0, "any", 1): 8,
    ("rule", 0, "all", 0, "any", 1, "q", 1): 8,
    ("rule", 0, "all", 1): 9,
    ("rule", 0, "all", 2): 12,
    ("rule", 0, "sub", "deep"): 15,
    ("rule", 0, "sub", "deep", "when"): 16,
    ("rule", 1): 17,
    ("rule", 1, "inner", 0, "d"): 19,
    ("rule", 1, "inner", 1, "d"): 21,
}


def paths(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every table, element and leaf of a document, with its path."""
    if path:
        yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from paths(item, (*path, number))


def test_each_key_and_each_element_is_found_on_its_line() -> None:
    found = lines_of(TEXT)
    assert {path: found.get(path) for path in LINES} == LINES
    assert {path for path, _ in paths(tomllib.loads(TEXT))} <= found.keys()


def test_windows_line_ends_count_once() -> None:
    assert lines_of("a = 1\r\n\r\nb = 2\r\n") == {("a",): 1, ("b",): 3}


_leaves = st.one_of(st.integers(), st.booleans(), st.text(), st.floats(allow_nan=False))
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)
    ),
    max_leaves=8,
)
_documents = st.dictionaries(st.text(), _values, max_size=4)


@given(_documents)
def test_nothing_of_a_document_is_left_out(document: dict[str, Any]) -> None:
    text = to_toml(document)
    assert {path for path, _ in paths(tomllib.loads(text))} == lines_of(text).keys()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=4), st.data())
def test_a_leaf_is_on_the_line_it_is_written_on(shape: list[int], data: st.DataObject) -> None:
    numbers = iter(range(10**6, 10**7))
    document = {
        f"table{at}": [
            {"list": [next(numbers) for _ in range(count)], "leaf": next(numbers)}
            for _ in range(data.draw(st.integers(1, 3)))
        ]
        for at, count in enumerate(shape)
    }
    text = to_toml(document)
    lines = text.split("\n")
    found = lines_of(text)
    leaves = [(path, it) for path, it in paths(document) if isinstance(it, int)]
    assert all(str(leaf) in lines[found[path] - 1] for path, leaf in leaves)
