"""Code books against torch's own kernels and scikit-learn's k-means."""

import pytest
import torch
from sklearn.cluster import KMeans

from trainables.compression.clustering import cluster, nearest
from trainables.compression.quantizing import Rule, cluster_values, uniform
from trainables.compression.writing import Part
from trainables.seeding import generator

WEIGHTS = torch.randn(3, 40, 24, generator=generator(0, "weights")) * 0.1 + 0.02
KERNELS = torch.randn(3, 6, 5, 3, 3, generator=generator(0, "kernels"))


def values(part: Part, bits: int, **how: bool | Rule) -> torch.Tensor:
    settings: dict[str, bool | Rule] = {"symmetric": True, "per_channel": False, "rule": "range", **how}
    return part.with_book(uniform(part, bits, **settings)).values  # type: ignore[arg-type]


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("weights", [WEIGHTS, KERNELS])
def test_a_layer_is_quantized_as_torch_does_it(bits: int, weights: torch.Tensor) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    symmetric, affine = values(Part(weights), bits), values(Part(weights), bits, symmetric=False)
    for k in range(3):
        one = weights[k]
        scale = float(one.abs().max() / ((2**bits - 1) / 2))
        assert torch.equal(symmetric[k], torch.fake_quantize_per_tensor_affine(one, scale, 0, low, high))
        span = one.max().clamp_min(0) - one.min().clamp_max(0)
        scale = float(span / (2**bits - 1))
        zero = int(torch.round(low - one.min().clamp_max(0) / scale).clamp(low, high))
        assert torch.equal(affine[k], torch.fake_quantize_per_tensor_affine(one, scale, zero, low, high))
        assert len(affine[k].unique()) <= 2**bits


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize(("weights", "channels"), [(WEIGHTS, 2), (KERNELS, 1)])
def test_channels_are_quantized_as_torch_does_it(bits: int, weights: torch.Tensor, channels: int) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    part = Part(weights, channels=channels)
    symmetric = values(part, bits, per_channel=True)
    affine = values(part, bits, per_channel=True, symmetric=False)
    for k in range(3):
        one = weights[k]
        rows = one.movedim(channels - 1, 0).flatten(1)
        scale, zero = rows.abs().amax(dim=1) / ((2**bits - 1) / 2), torch.zeros(len(rows), dtype=torch.int32)
        expected = torch.fake_quantize_per_channel_affine(one, scale, zero, channels - 1, low, high)
        assert torch.equal(symmetric[k], expected)
        bottom, top = rows.amin(dim=1).clamp_max(0), rows.amax(dim=1).clamp_min(0)
        scale = (top - bottom) / (2**bits - 1)
        zero = torch.round(low - bottom / scale).clamp(low, high).to(torch.int32)
        expected = torch.fake_quantize_per_channel_affine(one, scale, zero, channels - 1, low, high)
        assert torch.equal(affine[k], expected)


def test_one_bit_is_the_sign_times_the_mean_and_two_bits_of_the_range_are_worse() -> None:
    weights = torch.randn(3, 300, 100, generator=generator(2))
    part = Part(weights)
    one = values(part, 1)
    mean = weights.abs().mean(dim=(1, 2), keepdim=True)
    assert torch.allclose(one, torch.where(weights >= 0, mean, -mean))

    def error(found: torch.Tensor) -> torch.Tensor:
        return (found - weights).square().mean(dim=(1, 2))

    assert (error(values(part, 2)) > error(one)).all(), "with the scale of the largest weight most become 0"
    assert (error(values(part, 2, rule="mse")) < error(one)).all()
    aside = Part(weights + 1)
    affine = values(aside, 1, symmetric=False)
    assert (error(affine - 1) < error(one) * 1.01).all()
    assert (error(values(aside, 1) - 1) > 1.5 * error(one)).all()
    assert [len(row.unique()) for row in affine] == [2, 2, 2]


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("symmetric", [True, False])
def test_the_smallest_error_is_no_larger_than_that_of_the_range(bits: int, symmetric: bool) -> None:
    errors = [
        (values(Part(WEIGHTS), bits, rule=rule, symmetric=symmetric) - WEIGHTS).square().sum()
        for rule in ("mse", "range")
    ]
    assert errors[0] <= errors[1]


def test_masked_weights_stay_zero_and_count_for_nothing() -> None:
    kept = torch.rand(WEIGHTS.shape, generator=generator(1)) < 0.5
    wild = torch.where(kept, WEIGHTS, 1e6)
    for book in (
        uniform(Part(wild, kept), 3, symmetric=True, per_channel=False, rule="mse"),
        uniform(Part(wild, kept), 1, symmetric=False, per_channel=False, rule="mse"),
        cluster_values(Part(wild, kept), 4, per_channel=False),
    ):
        found = Part(wild, kept).with_book(book).values
        assert not found[~kept].any()
        assert (found[kept] - WEIGHTS[kept]).square().mean() < WEIGHTS[kept].square().mean()


def test_a_network_s_code_book_does_not_depend_on_the_others() -> None:
    for made in (
        lambda part: uniform(part, 3, symmetric=False, per_channel=True, rule="mse"),
        lambda part: uniform(part, 1, symmetric=True, per_channel=False, rule="mse"),
        lambda part: cluster_values(part, 9, per_channel=False),
        lambda part: cluster_values(part, 4, per_channel=True),
    ):
        together = Part(WEIGHTS, channels=2).with_book(made(Part(WEIGHTS, channels=2))).values
        for k in range(3):
            alone = Part(WEIGHTS[k : k + 1], channels=2)
            assert torch.equal(alone.with_book(made(alone)).values[0], together[k])


@pytest.mark.parametrize("count", [2, 3, 4, 8, 16, 64, 256])
def test_k_means_is_no_worse_than_scikit_learn_s_with_as_many_tries(count: int) -> None:
    """Lloyd's algorithm from three starts in both; ours add joins and splits, theirs draw k-means++ starts."""
    draws = generator(5)
    normal = torch.randn(2000, generator=draws)
    laplace = torch.distributions.Laplace(0, 1).icdf(torch.rand(2000, generator=draws) * 0.998 + 0.001)
    rows = torch.stack([normal, laplace])
    centres, symbols = cluster(rows, torch.ones_like(rows, dtype=torch.bool), count)
    ours = (centres.gather(1, symbols.long()) - rows).double().square().sum(dim=1)
    for row, cost in zip(rows, ours.tolist(), strict=True):
        theirs = KMeans(count, n_init=3, random_state=0).fit(row[:, None].double().numpy()).inertia_
        assert cost <= theirs * 1.0005
        start = torch.linspace(float(row.min()), float(row.max()), count)[:, None].double().numpy()
        assert cost <= KMeans(count, init=start, n_init=1).fit(row[:, None].double().numpy()).inertia_ * 1.0005


def test_clusters_of_few_numbers() -> None:
    row = torch.tensor([[3.0, 1.0, 1.0, 3.0, 7.0]])
    everything = torch.ones_like(row, dtype=torch.bool)
    centres, symbols = cluster(row, everything, 3)
    assert centres.tolist() == [[1.0, 3.0, 7.0]]
    assert symbols.tolist() == [[1, 0, 0, 1, 2]]
    centres, symbols = cluster(row, everything, 8)
    assert torch.equal(centres.gather(1, symbols.long()), row), "more clusters than numbers: nothing is lost"
    assert cluster(row, ~everything, 2)[0].tolist() == [[0.0, 0.0]]
    assert nearest(torch.tensor([[2.0]]), torch.tensor([[1.0, 3.0]])).tolist() == [[1]]
