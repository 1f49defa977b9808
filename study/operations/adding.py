"""Configurations of one's own for a study that exists, from any process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from study.config.yaml_files import read_yaml
from study.errors import UsageError
from study.ledger import Ledger
from study.settings import machine
from study.settings.inputs import compare_inputs
from study.settings.study_file import trials_in
from trainables.problems import problems_in


def add(ledger: Ledger, configurations: Sequence[Mapping[str, Any]]) -> None:
    """Puts them into the queue; a driver makes explore trials with the next free numbers of them.

    Raises:
        UsageError: One of them is no valid trial, its data set can't be had or is not what it was; then none is added.
    """
    config = ledger.config
    trials = []
    for place, params in enumerate(configurations, start=1):
        try:
            trials.append(config.space.config(params, config.seed))
        except ValueError as error:
            raise UsageError(each.said_at(f"configuration {place}:") for each in problems_in(error)) from None
    machine.DataSets().prepare(
        config.model_copy(update={"configurations": tuple(dict(params) for params in configurations)})
    )
    ledger.record_inputs(compare_inputs(ledger, trials))
    ledger.add(configurations)


def read_configurations(path: Path) -> list[dict[str, Any]]:
    """A YAML file with a list of trials, `- {model.width: 64, data.label_noise: 1}`, perhaps under `configurations:`.

    Raises:
        UsageError: It can't be read, or holds something else.
    """
    content = read_yaml(path)
    trials = content.get("configurations") if isinstance(content, dict) and len(content) == 1 else content
    try:
        return trials_in(trials)
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
