"""Where verdicts are shown: the command, the report's first screen, the summary, MLflow's tags."""

import json
from pathlib import Path

import pytest

from search_spaces.claims import Claim, Equivalent, Greater, Less
from search_spaces.quantities import Association, Metric, Twins
from study import cli
from study.answer.deciding import verdicts
from study.answer.standing import Standing
from study.answer.verdict import Verdicts
from study.execution.finishing import gist
from study.report import write_report
from study.report.figure import Picture, figures
from study.report.material import Material
from tests.unit.report_frames import Recipe, make
from tests.unit.test_until_decided import config, opened, run

pytestmark = pytest.mark.slow

CONTRAST = Twins(metric="compressibility/auc")
CLAIMS = (
    Claim(name="earlier", says="They <break> earlier.", quantity=CONTRAST, comparison=Greater(matters=0.05),
          by="data.label_noise"),
    Claim(name="follows", says="One follows the other.", comparison=Less(),
          quantity=Association(first=Metric(metric="compressibility/auc"), second=Metric(metric="gap/accuracy"))),
)  # fmt: skip
PLACEBO = Claim(name="nothing", says="Nothing happens.", quantity=CONTRAST, comparison=Equivalent(matters=0.05),
                role="placebo")  # fmt: skip


def shown(tmp_path: Path, claims: tuple[Claim, ...]) -> tuple[str, Verdicts]:
    study, trials, networks = make(Recipe(failed=0))
    space = study.space.model_copy(update={"claims": claims})
    plan = trials[["number", *(name for name in trials.columns if name.startswith(("data.", "model.", "compr")))]]
    found = verdicts(space, trials, networks, plan=plan, standing=Standing(24, 24, 24), courses=True)
    study = study.model_copy(update={"space": space})
    page = write_report(study, trials, networks, found, tmp_path / "report")
    return page.read_text(), found


def test_the_first_screen_has_each_claim_as_a_sentence_with_its_verdict(tmp_path: Path) -> None:
    page, found = shown(tmp_path, CLAIMS)
    first = page[: page.index('class="card hero"')]
    assert '<section class="verdict supported"><h3>They &lt;break&gt; earlier.</h3><p class="word">Supported' in first
    assert "One follows the other." in first
    assert "noise 0.25: supported" in first
    assert "All 24 planned trials have ended" in first
    assert json.loads((tmp_path / "report" / "verdicts.json").read_text()) == json.loads(json.dumps(found.as_dict()))


def test_a_failing_placebo_stands_first(tmp_path: Path) -> None:
    page, found = shown(tmp_path, (*CLAIMS, PLACEBO))
    assert [one.claim for one in found.failed_placebos] == ["nothing"]
    block = page[page.index('class="claims"') :]
    assert block.index("A placebo fails") < block.index("Nothing happens.") < block.index("earlier.")


def test_a_study_of_which_nothing_is_asked_says_so(tmp_path: Path) -> None:
    page, _ = shown(tmp_path, ())
    assert "No claims: nothing was stated" in page
    assert not (tmp_path / "report" / "verdicts.json").exists()


def test_mlflow_gets_tags_that_name_each_claim_once_and_numbers(tmp_path: Path) -> None:
    _, found = shown(tmp_path, CLAIMS)
    said = gist(found)
    numbers = {f"claim/{name}{end}" for name in ("earlier", "follows") for end in ("", "/low", "/high", "/n")}
    assert set(said) == {"claim.earlier", "claim.follows", "ockham.assurance", "ockham.answer", *numbers}
    assert said["claim.earlier"].startswith("supported: ")
    assert said["claim/earlier"] == found.finding_of("earlier").estimate
    assert gist(shown(tmp_path, ())[1]) == {}


def test_the_command_says_it_in_words_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(opened(config(tmp_path)), 1.0)
    assert cli.main(["verdicts", "tiny", "--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Supported: Losses are positive. Estimate ")
    assert "Ended at 12 of 48 planned trials." in said
    assert cli.main(["verdicts", "tiny", "--json", "--home", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["study"], found["guarantee"], found["findings"][0]["verdict"]) == ("tiny", "any time", "supported")
    assert cli.main(["status", "tiny", "--home", str(tmp_path)]) == 0
    assert "loss_is_positive: supported, " in capsys.readouterr().out
    assert cli.main(["status", "tiny", "--json", "--home", str(tmp_path)]) == 0
    assert json.loads(capsys.readouterr().out)["claims"][0]["n"] == 12


def test_an_open_claim_says_about_how_many_more_units_it_needs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(opened(config(tmp_path)), 1.0, at_most=5)
    assert cli.main(["status", "tiny", "--home", str(tmp_path)]) == 0
    assert "loss_is_positive: open, " in (said := capsys.readouterr().out)
    assert "more trials" in said


def test_a_claim_stated_with_data_is_exploratory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(opened(config(tmp_path)), 1.0)
    file = tmp_path / "later.yaml"
    file.write_text(
        "- name: above_a_half\n  says: Losses lie above a half.\n  quantity: {kind: metric, metric: train/loss}\n"
        "  comparison: {kind: greater, than: 0.5}\n"
    )
    home = ["--home", str(tmp_path)]
    assert cli.main(["claim", "tiny", str(file), *home]) == 0
    assert "as exploratory: above_a_half" in capsys.readouterr().out
    assert cli.main(["verdicts", "tiny", *home]) == 0
    said = capsys.readouterr().out
    assert said.index("Losses are positive") < said.index("(1 claim tried)") < said.index("Losses lie above a half.")
    assert cli.main(["claim", "tiny", str(file), *home]) == 2
    assert "above_a_half already" in capsys.readouterr().err
    file.write_text("- name: narrow\n  says: So.\n  by: training.lr\n  quantity: {kind: metric, metric: train/loss}\n"
                    "  comparison: {kind: less}\n")  # fmt: skip
    assert cli.main(["claim", "tiny", str(file), *home]) == 2
    assert "training.lr, which this study does not span" in " ".join(capsys.readouterr().err.split())
    file.write_text("- name: odd\n  says: So.\n  quantity: {kind: metre, metric: train/loss}\n")
    assert cli.main(["claim", "tiny", str(file), *home]) == 2
    assert "claim odd: quantity" in " ".join(capsys.readouterr().err.split())


def test_spaces_say_what_a_study_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["spaces", "redundancy"]) == 0
    said = capsys.readouterr().out
    assert "memorising_breaks_earlier" in said
    assert "placebo, with data.noise_kind=renamed" in " ".join(said.split())


def test_the_legend_names_the_verdict_of_every_mark() -> None:
    study, trials, networks = make(Recipe(failed=0, effect=0.0))
    space = study.space.model_copy(update={"claims": CLAIMS[:1]})
    trials = trials[trials["number"] < 12]
    standing = Standing(24, 24, len(trials))
    found = verdicts(space, trials, networks, plan=trials, standing=standing, courses=True)
    marked = {one.verdict for one in found.findings if one.estimate is not None}
    assert marked == {"refuted", "open"}, "pooled it is refuted, conditions are open"
    picture = figures()["verdicts"].draw(Material(study, trials, networks, found))
    assert isinstance(picture, Picture)
    assert marked <= {key.text for key in picture.legend}
