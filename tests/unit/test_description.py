"""The code of networks: what is counted is what is written, and what is written can be read again."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.engine import config, stack
from trainables.compression.bits import Counter, Reader, Writer
from trainables.compression.description import Decoder, description_lengths, encode_network, parts_of
from trainables.compression.huffman import canonical, code_lengths
from trainables.compression.masks import Masks, unit_masks
from trainables.compression.quantizing import cluster_values, uniform
from trainables.compression.writing import Encoding, Part, as_it_is
from trainables.seeding import generator
from trainables.stack.interfaces import MODELS
from trainables.stack.model import StackedModel


def some_masks(model: StackedModel, share: float) -> Masks:
    draw = generator(3, "masks")
    return {n: torch.rand(t.shape, generator=draw) < share for n, t in model.tensors().items() if n.endswith("weight")}


def books(written: Encoding, kind: str) -> Encoding:
    def coded(part: Part) -> Part:
        if kind == "kmeans":
            return part.with_book(cluster_values(part, 5, per_channel=False))
        bits, channel = int(kind[0]), kind.endswith("channel")
        symmetric = "affine" not in kind
        return part.with_book(uniform(part, bits, symmetric=symmetric, per_channel=channel, rule="mse"))

    return Encoding({name: coded(part) for name, part in written.parts.items()}, written.expand)


@given(values=st.lists(st.integers(1, 10**9), max_size=20), unary=st.lists(st.integers(0, 40), max_size=20))
def test_numbers_are_read_as_they_were_written(values: list[int], unary: list[int]) -> None:
    writer = Writer()
    writer.unary(np.array(unary, dtype=np.int64))
    for value in values:
        writer.gamma(value)
    floats = np.array([0.1, -3.5e-20, 7], dtype=np.float32)
    writer.floats(floats)
    reader = Reader(writer.message())
    assert reader.unary(len(unary)).tolist() == unary
    assert [reader.gamma() for _ in values] == values
    assert reader.floats(3).tolist() == floats.tolist()
    assert reader.place == writer.bits
    assert writer.bits == sum(unary) + len(unary) + sum(2 * v.bit_length() - 1 for v in values) + 96


def test_a_message_that_ends_too_early_is_refused() -> None:
    writer = Writer()
    writer.fixed_width([1, 2], 4)
    with pytest.raises(ValueError, match="ends after 8 bits, 12 were asked for"):
        Reader(writer.message()).fixed_width(3, 4)


@given(counts=st.lists(st.integers(0, 1000), min_size=2, max_size=64).filter(lambda c: sum(x > 0 for x in c) > 1))
def test_huffman_lies_within_a_bit_of_the_entropy_and_is_free_of_prefixes(counts: list[int]) -> None:
    lengths = code_lengths(counts)
    total = sum(counts)
    entropy = -sum(c / total * math.log2(c / total) for c in counts if c)
    mean = sum(c * n for c, n in zip(counts, lengths.tolist(), strict=True)) / total
    assert entropy - 1e-9 <= mean < entropy + 1
    assert sum(2.0**-n for n in lengths.tolist() if n) == pytest.approx(1), "Kraft: nothing is wasted"
    words = [f"{w:0{n}b}" for w, n in zip(canonical(lengths).tolist(), lengths.tolist(), strict=True) if n]
    assert not any(a != b and b.startswith(a) for a in words for b in words)
    assert not any(n for c, n in zip(counts, lengths.tolist(), strict=True) if not c)


def test_a_symbol_that_is_alone_has_a_word() -> None:
    assert code_lengths([0, 7, 0]).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    "kind", ["plain", "kmeans", "1", "1 affine channel", "2", "3 affine", "8 channel", "4 affine channel"]
)
@pytest.mark.parametrize("kept", [1.0, 0.98, 0.3, 0.02])
def test_every_number_is_read_again_and_the_length_is_the_message_s(kind: str, kept: float) -> None:
    model = stack()
    masks = some_masks(model, kept)
    model = model.with_tensors({n: t * masks[n] if n in masks else t for n, t in model.tensors().items()})
    written = as_it_is(model, masks)
    if kind != "plain":
        written = books(written, kind)
    lengths = description_lengths(model, written, None)
    names = [name for name, _ in parts_of(model, written)]
    assert names[:3] == [f"layers.{place}.weight" for place in range(3)]
    for k in range(model.networks):
        message, bits = encode_network(model, written, None, k)
        assert bits == lengths[k]
        assert len(message) == math.ceil(bits / 8)
        read = Decoder(message).parts(len(names))
        for (_, part), found in zip(parts_of(model, written), read, strict=True):
            assert torch.equal(found[0], part.values[k])
        again = written.expand({name: found for name, found in zip(names, read, strict=True) if name in written.parts})
        assert all(torch.equal(again[name][0], written.weights()[name][k]) for name in again)


def test_lengths_are_those_of_the_numbers_that_are_left() -> None:
    model = stack()
    plain = description_lengths(model, as_it_is(model), None)
    assert plain[0] == plain[2]
    assert 0 < plain[0] - 32 * model.parameters_per_network < 40 * 6
    masks = some_masks(model, 0.1)
    kept = [sum(int(mask[k].sum()) for mask in masks.values()) for k in range(3)]
    masked = description_lengths(model, as_it_is(model, masks), None)
    biases = 16 + 12 + 10
    count = sum(mask[0].numel() for mask in masks.values())
    for k in range(3):
        entropy = count * (-0.1 * math.log2(0.1) - 0.9 * math.log2(0.9))
        mask_bits = masked[k] - 32 * (kept[k] + biases)
        assert 0.8 * entropy < mask_bits < 1.25 * entropy + 40 * 6
    eight = description_lengths(model, books(as_it_is(model), "8"), None)
    one = description_lengths(model, books(as_it_is(model), "1"), None)
    weights = model.parameters_per_network - biases
    assert all(bits < 8 * weights + 32 * biases + 500 for bits in eight)
    assert all(weights < bits - 32 * biases < weights + 500 for bits in one)


def test_a_mask_that_costs_more_than_it_saves_is_left_out() -> None:
    model = stack()
    tensors = model.tensors()
    masks = {n: torch.ones_like(t, dtype=torch.bool) for n, t in tensors.items() if n.endswith("weight")}
    for mask in masks.values():
        mask[:, 0, 0] = False
    model = model.with_tensors({n: t * masks[n] if n in masks else t for n, t in tensors.items()})
    assert description_lengths(model, as_it_is(model, masks), None) <= description_lengths(model, as_it_is(model), None)


@pytest.mark.parametrize("name", ["mlp", "resnet20"])
def test_networks_without_some_units_are_written_as_the_small_ones_they_are(name: str) -> None:
    trial = config(model__name=name, model__width=8)
    model = MODELS.get(name)()
    made = model.build(trial.model, model.widths(trial.model), (1, 8, 8), 10, [generator(0), generator(1)])
    alive = [torch.rand(2, width, generator=generator(4)) < 0.6 for width in made.widths]
    for units in alive:
        units[:, 0] = True
    masks = unit_masks(made, alive)
    masked = made.with_tensors({n: t * masks[n] if n in masks else t for n, t in made.tensors().items()})
    for kind in ("plain", "3 affine channel", "kmeans"):
        written = as_it_is(masked, masks)
        lengths = description_lengths(masked, written if kind == "plain" else books(written, kind), masks)
        for k in range(2):
            small = made.select([k]).keep_units([row[k].nonzero().t() for row in alive])
            if kind == "plain":
                assert lengths[k] == description_lengths(small, as_it_is(small), None)[0]
            else:
                assert lengths[k] < description_lengths(small, as_it_is(small), None)[0] / 2


def test_counting_is_writing() -> None:
    counter, writer = Counter(), Writer()
    for sink in (counter, writer):
        sink.gamma(17)
        sink.fixed_width([3, 1], 2)
        sink.words(np.array([5, 1]), np.array([3, 1]))
    assert counter.bits == writer.bits == 9 + 4 + 4
