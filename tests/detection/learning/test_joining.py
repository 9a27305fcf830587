"""Heads in the graph of their backbone."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from agents.detection.learning.heads import Head
from agents.detection.learning.joining import join_heads, output_name

from ..tiny_bundle import SIDE, tiny_model

HEADS = [Head(np.array([1.0, 2.0, 3.0]), 0.5), Head(np.array([-1.0, 0.0, 0.25]), 0.0)]
BATCH = np.random.default_rng(0).normal(0, 1, (5, 3, SIDE, SIDE)).astype(np.float32)


def run(model: bytes, *outputs: str) -> list[np.ndarray]:
    session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
    return [np.asarray(found) for found in session.run(list(outputs), {"x": BATCH})]


def joined(model: bytes, heads: list[Head], name: str = "heads") -> bytes:
    made = join_heads(model, heads, name)
    assert made is not None
    return made


def test_the_graph_computes_what_the_heads_do_and_what_it_did_before() -> None:
    emb, logits = run(tiny_model(), "emb", "logits")
    made, logits_after = run(joined(tiny_model(), HEADS), "heads", "logits")
    expected = np.stack([head.logits(emb) for head in HEADS], axis=1)
    assert made == pytest.approx(expected, abs=1e-6)
    assert (logits_after == logits).all()


def test_heads_trained_anew_take_the_place_of_those_before() -> None:
    twice = joined(joined(tiny_model(), HEADS), HEADS[:1])
    assert twice == joined(tiny_model(), HEADS[:1])


def test_heads_that_are_still_read_are_left_alone() -> None:
    before = joined(tiny_model(), HEADS)
    assert output_name(before, {"logits"}) == "heads"
    assert output_name(before, {"logits", "heads"}) == "heads_2"
    after = joined(before, HEADS[:1], "heads_2")
    assert run(after, "heads")[0] == pytest.approx(run(before, "heads")[0])


def test_a_model_without_embeddings_takes_no_heads() -> None:
    assert join_heads(tiny_model(embedding="features"), HEADS, "heads") is None


def test_the_same_heads_give_the_same_bytes() -> None:
    assert joined(tiny_model(), HEADS) == joined(tiny_model(), HEADS)
    onnx.checker.check_model(onnx.load_model_from_string(joined(tiny_model(), HEADS)))
