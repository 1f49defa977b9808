"""Measures against other packages (`tests/golden/oracles.py`), closed forms and dense linear algebra."""

import json
import math

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge

from tests.engine import look, stack
from tests.golden import oracles
from trainables.looking import similarity, spectra
from trainables.looking.clustering import cluster
from trainables.looking.curvature import largest_eigenvalues, traces
from trainables.measures.alignment import centre_angles, frame_potential
from trainables.measures.intrinsic_dimension import two_nearest
from trainables.measures.linear_probe import probe_accuracy
from trainables.pausing import finish
from trainables.seeding import generator

SAID = json.loads((oracles.HERE / "oracles.json").read_text())


@pytest.mark.parametrize("name", list(SAID["matrices"]))
def test_power_law_and_ranks_are_those_of_powerlaw_and_weightwatcher(name: str) -> None:
    """weightwatcher does not divide by N, and finds σ² from the smoothed spectrum: its spikes are fewer than ours."""
    said, matrix = SAID["matrices"][name], oracles.matrices()[name]
    values = spectra.eigenvalues(torch.from_numpy(matrix)[None])
    tail, longer = spectra.tails(values), max(matrix.shape)
    for package, scale in (("powerlaw", 1.0), ("weightwatcher", longer)):
        assert tail.alpha.item() == pytest.approx(said[f"{package} alpha"], rel=1e-9)
        assert tail.least.item() * scale == pytest.approx(said[f"{package} xmin"], rel=1e-6)
        assert tail.distance.item() == pytest.approx(said[f"{package} D"], rel=1e-9)
    assert float(values.sum() / values[0, -1]) == pytest.approx(said["weightwatcher stable_rank"], rel=1e-5)
    assert float(values[0, -1]) * longer == pytest.approx(said["weightwatcher lambda_max"], rel=1e-5)
    assert int(spectra.bulk(values, longer).spikes) >= said["weightwatcher num_spikes"] >= 1


def test_cka_is_that_of_pytorch_cka() -> None:
    """Which shows what comes out negative as 0."""
    layers = {name: similarity.gram(torch.from_numpy(values)[None]) for name, values in oracles.answers().items()}
    for pair, said in SAID["cka"].items():
        first, second = pair.split(", ")
        assert max(0.0, similarity.cka(layers[first], layers[second]).item()) == pytest.approx(said, abs=1e-9)


def test_intrinsic_dimension_is_about_that_of_scikit_dimension() -> None:
    """Which fits a line where we take the likelihood."""
    for name, cloud in oracles.points().items():
        found = two_nearest(torch.from_numpy(cloud)[None], 0.1).item()
        assert found == pytest.approx(SAID["two nearest neighbours"][name], rel=0.03)


@pytest.mark.parametrize(("longer", "shorter"), [(300, 300), (600, 300), (1500, 300)])
def test_gaussian_matrices_have_the_bulk_of_the_closed_form(longer: int, shorter: int) -> None:
    matrix = 0.5 * torch.randn(1, longer, shorter, generator=generator(1, longer), dtype=torch.float64)
    values = spectra.eigenvalues(matrix)
    low, high = spectra.edges(longer, shorter, 0.25)
    assert high == pytest.approx(0.25 * (1 + math.sqrt(shorter / longer)) ** 2)
    assert values[0, -1].item() == pytest.approx(high, rel=0.03)
    assert values[0, 0].item() == pytest.approx(low, abs=0.01)
    fit = spectra.bulk(values, longer)
    assert fit.variance.item() == pytest.approx(0.25, rel=0.02)
    assert fit.edge.item() == pytest.approx(high, rel=0.02)
    assert fit.distance.item() < 0.02


@pytest.mark.parametrize("ratio", [0.2, 0.5, 1.0])
def test_the_distribution_function_integrates_the_density(ratio: float) -> None:
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    # x = low + (high − low)·sin²(t), which takes the singularity away.
    t = np.linspace(0, math.pi / 2, 200_001)
    x = low + (high - low) * np.sin(t) ** 2
    speed = 2 * (high - low) * np.sin(t) * np.cos(t)
    with np.errstate(invalid="ignore", divide="ignore"):
        density = np.nan_to_num(np.sqrt((high - x) * (x - low)) / (2 * math.pi * ratio * x) * speed)
    whole = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(t))])
    some = slice(20_000, None, 20_000)
    theirs = spectra.marchenko_pastur(torch.from_numpy(x[some]), ratio)
    assert theirs.numpy() == pytest.approx(whole[some], abs=2e-5)


@pytest.mark.parametrize(("longer", "shorter"), [(60, 60), (80, 40), (200, 40)])
def test_few_gaussian_matrices_have_a_spike(longer: int, shorter: int) -> None:
    """At most .07 of them; the bare edge would find one in .15 to .30."""
    found = spectra.bulk(
        spectra.eigenvalues(torch.randn(1500, longer, shorter, generator=generator(2, longer, shorter))), longer
    )
    assert (found.spikes > 0).double().mean().item() <= 0.07
    assert (found.beyond > 0).double().mean().item() > 0.1


def test_a_planted_spike_is_found() -> None:
    matrix = torch.randn(1, 400, 200, generator=generator(3), dtype=torch.float64)
    for number, strength in enumerate((80.0, 120.0)):
        ends = [torch.randn(n, generator=generator(4, number, n), dtype=torch.float64) for n in (400, 200)]
        matrix = matrix + strength * torch.outer(*(end / end.norm() for end in ends))
    fit = spectra.bulk(spectra.eigenvalues(matrix), 400)
    assert fit.spikes.item() == 2
    assert fit.variance.item() == pytest.approx(1, rel=0.02)


def test_curvature_is_that_of_the_dense_hessian() -> None:
    model = stack(2, sizes=(20, 3, 10))
    viewed = look(model)
    some = viewed.sample.first(32)
    tensors = [p.detach().double() for p in model.parameters()]
    shapes = [tensor[0].shape for tensor in tensors]
    sizes = [shape.numel() for shape in shapes]
    whole = []
    for k in range(2):

        def loss(flat: torch.Tensor, k: int = k) -> torch.Tensor:
            parts = [part.view(1, *shape) for part, shape in zip(flat.split(sizes), shapes, strict=True)]
            w, b, v, c = parts
            x = some.inputs[k : k + 1].flatten(2).double()
            logits = torch.relu(x @ w + b) @ v + c
            return torch.nn.functional.cross_entropy(logits[0], some.labels[k])

        flat = torch.cat([tensor[k].flatten() for tensor in tensors])
        whole.append(torch.autograd.functional.hessian(loss, flat))
    names = [name for name, _ in model.named_parameters()]

    def product(vectors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return viewed.hessian_product(vectors, 32)

    def drawn(k: int, name: str) -> dict[str, torch.Tensor]:
        draws = generator(5, name, k)
        return {n: torch.randn((1, *shape), generator=draws) for n, shape in zip(names, shapes, strict=True)}

    largest = finish(largest_eigenvalues(product, [drawn(k, "start") for k in range(2)], 60))
    theirs = [torch.linalg.eigvalsh(matrix)[-1].item() for matrix in whole]
    assert largest.tolist() == pytest.approx(theirs, rel=1e-4)
    signs = [[{n: v.sign() for n, v in drawn(k, f"signs {i}").items()} for k in range(2)] for i in range(200)]
    trace = finish(traces(product, signs))
    assert trace.tolist() == pytest.approx([matrix.trace().item() for matrix in whole], rel=0.1)


def test_clusters_and_angles_are_those_of_scikit_learn() -> None:
    points = torch.randn(2, 60, 5, generator=generator(6), dtype=torch.float64)
    points = points / points.norm(dim=2, keepdim=True)
    centres, nearest = cluster(points, 4, [generator(7, k) for k in range(2)])
    for k in range(2):
        theirs = KMeans(4, n_init=20, random_state=0).fit(points[k].numpy())
        ours = (points[k] - centres[k][nearest[k]]).square().sum().item()
        assert ours == pytest.approx(theirs.inertia_, rel=0.03)
        again = KMeans(4, init=centres[k].numpy(), n_init=1).fit(points[k].numpy())
        assert again.inertia_ == pytest.approx(ours)
        assert again.labels_.tolist() == nearest[k].tolist()
    angles = centre_angles(points, 4, [generator(7, k) for k in range(2)])
    own = torch.take_along_dim(centres, nearest[..., None], dim=1)
    cosines = (points * own).sum(2) / own.norm(dim=2)
    assert angles.numpy() == pytest.approx(cosines.arccos().rad2deg().numpy(), abs=1e-4)


def test_frame_potential_of_tight_frames() -> None:
    assert frame_potential(torch.eye(5, dtype=torch.float64)[None]).item() == pytest.approx(1 / 5)
    turns = torch.arange(3, dtype=torch.float64) * 2 * math.pi / 3
    star = torch.stack([turns.cos(), turns.sin()], 1)[None]
    assert frame_potential(star).item() == pytest.approx(1 / 2)
    many = torch.randn(1, 400, 30, generator=generator(8), dtype=torch.float64)
    isotropic = frame_potential(many / many.norm(dim=2, keepdim=True)).item()
    assert isotropic == pytest.approx(1 / 400 + 399 / (400 * 30), rel=0.01)


def test_probes_are_ridge_regressions() -> None:
    draws = np.random.default_rng(3)
    x, y = draws.standard_normal((100, 8)), draws.integers(0, 3, 100)
    x[:, 0] += 2 * y
    cut, best = 80, 0.0
    length = ((x[:cut] - x[:cut].mean(0)) ** 2).sum(1).mean()
    for penalty in (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0):
        # The mean eigenvalue of the Gram matrix is the mean squared length.
        ridge = Ridge(alpha=penalty * length).fit(x[:cut], np.eye(3)[y[:cut]])
        best = max(best, (ridge.predict(x[cut:]).argmax(1) == y[cut:]).mean())
    found = probe_accuracy(torch.from_numpy(x)[None], {"given": torch.from_numpy(y)[None]}, 3, cut)
    assert found["given"].item() == pytest.approx(best)


def test_collapse_is_0_where_classes_are_points_and_grows_with_their_spread() -> None:
    labels = torch.arange(60)[None] % 3
    corners = torch.eye(3, dtype=torch.float64)[labels]
    assert similarity.collapse(corners, labels, 3).item() == pytest.approx(0, abs=1e-12)
    spread = torch.randn(1, 60, 3, generator=generator(9), dtype=torch.float64)
    found = [similarity.collapse(corners + scale * spread, labels, 3).item() for scale in (0.1, 0.2)]
    x, own = (corners + 0.1 * spread)[0].numpy(), labels[0].numpy()
    means = np.stack([x[own == c].mean(0) for c in range(3)])
    within = (x - means[own]).T @ (x - means[own]) / 60
    centred = means - means.mean(0)
    theirs = np.trace(within @ np.linalg.pinv(centred.T @ centred / 3, rcond=1e-6)) / 3
    assert found[0] == pytest.approx(theirs)
    assert found[1] > 3 * found[0]


def test_a_matrix_of_few_directions_has_no_power_law() -> None:
    """What rounding makes of the other eigenvalues is no spectrum."""
    ends = [torch.randn(1, *shape, generator=generator(10, *shape)) for shape in ((128, 20), (20, 64))]
    values = spectra.eigenvalues(ends[0] @ ends[1])
    assert int((values > 0).sum()) > spectra.LEAST_FITTED
    assert spectra.tails(values).alpha.isnan().all()


def test_points_that_nearly_coincide_have_the_dimension_of_the_others() -> None:
    """Distances of close points survive: twenty clumps, each of 20 points on a plane a millionth of their distance."""
    draws = generator(11)
    plane = torch.randn(400, 2, generator=draws, dtype=torch.float64) @ torch.randn(2, 30, generator=draws).double()
    clumps = torch.randn(20, 30, generator=draws, dtype=torch.float64).repeat_interleave(20, 0)
    found = two_nearest((clumps + 1e-8 * plane)[None], 0.1).item()
    separate = two_nearest((clumps + 1e-2 * plane)[None], 0.1).item()
    assert found == pytest.approx(separate, rel=0.05)
    assert found == pytest.approx(2, abs=0.4)
