"""What every kind of noise and of inputs keeps, whoever wrote it."""

import pytest
import torch

from trainables.config import DataConfig, is_clean
from trainables.data.conditions import INPUT_KINDS, NOISES, is_placebo
from trainables.data.trial_data import pixel_statistics
from trainables.seeding import generator

LABELS, NUMBERS = torch.arange(1000) % 10, torch.arange(2000.0).view(1000, 2)
IMAGES = torch.randint(0, 256, (50, 3, 4, 5), generator=generator(0, "images")).to(torch.uint8)


@pytest.mark.parametrize("name", NOISES.names())
def test_noise_is_of_something_and_draws_from_its_generator_alone(name: str) -> None:
    noise = NOISES.get(name)()
    random = torch.get_rng_state()
    of_classes, of_numbers = (type(noise).is_for(has_classes=has_classes) for has_classes in (True, False))
    assert of_classes or of_numbers
    for share in (0.0, 0.3, 1.0):
        if of_classes:
            noisy = noise.labels(LABELS, share, 10, generator(1))
            assert noisy.dtype == torch.int64
            assert set(noisy.tolist()) <= set(range(10))
            assert torch.equal(noisy, noise.labels(LABELS, share, 10, generator(1)))
            assert torch.equal(noisy, LABELS) == (share == 0)
            names = noise.renaming(share, 10, generator(1))
            assert names is None or torch.equal(noisy, names[LABELS])
            accuracy = noise.iid_accuracy(share, 0.9, 10)
            assert accuracy is None or 0 <= accuracy <= 1
            assert names is None or noise.leaves_rule, "what only renames leaves a rule"
        if of_numbers:
            assert torch.equal(noise.numbers(NUMBERS, share, generator(1)), NUMBERS) == (share == 0)
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("name", NOISES.names())
def test_the_formula_for_noisy_test_labels_is_what_the_noise_does(name: str) -> None:
    """A network that is right on a share .8 of clean labels, held against very many noisy ones."""
    noise, many = NOISES.get(name)(), torch.arange(200_000) % 10
    said = torch.where(torch.arange(200_000) % 50 < 40, many, (many + 3) % 10)
    expected = noise.iid_accuracy(0.4, 0.8, 10)
    if expected is not None:
        found = float((noise.labels(many, 0.4, 10, generator(2)) == said).double().mean())
        # five standard errors
        assert found == pytest.approx(expected, abs=0.006)


@pytest.mark.parametrize("name", INPUT_KINDS.names())
def test_inputs_keep_their_form_and_draw_from_named_generators_alone(name: str) -> None:
    kind, random = INPUT_KINDS.get(name)(), torch.get_rng_state()
    seen, again, other = (kind.inputs(IMAGES, *pixel_statistics(IMAGES), 7, trial, "train") for trial in (1, 1, 2))
    assert (seen.shape, seen.dtype) == (IMAGES.shape, torch.uint8)
    assert torch.equal(seen, again)
    assert torch.equal(seen, IMAGES) == torch.equal(seen, other) == kind.keeps_inputs
    assert kind.leaves_rule or not kind.keeps_inputs
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("inputs", INPUT_KINDS.names())
@pytest.mark.parametrize("kind", NOISES.names())
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_condition_is_clean_a_placebo_or_has_to_be_memorised(share: float, kind: str, inputs: str) -> None:
    clean, placebo = is_clean(share, inputs), is_placebo(share, kind, inputs)
    assert clean == DataConfig(label_noise=share, noise_kind=kind, inputs=inputs).clean
    assert not (clean and placebo)
    if not INPUT_KINDS.get(inputs).leaves_rule or (share > 0 and not NOISES.get(kind).leaves_rule):
        assert not clean
        assert not placebo


@pytest.mark.parametrize(
    ("field", "said"), [("noise_kind", "there is no kind of noise 'unifrom'. Did you mean 'uniform'"),
                        ("inputs", "there is no kind of inputs 'unifrom'. Allowed: gaussian,")]
)  # fmt: skip
def test_kinds_that_are_not_there_are_named(field: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        DataConfig.model_validate({field: "unifrom"})


def test_a_data_set_and_a_kind_of_inputs_of_one_name_do_not_mix() -> None:
    data = DataConfig.model_validate({"name": "gaussian", "inputs": "gaussian", "gaussian": {"features": 5}})
    assert data.options_of("name") == {"features": 5}
    assert data.options_of("inputs") == {}
