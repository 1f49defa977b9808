"""launch, resume, confirm."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.main import get_command

from study.commands import choosing
from study.commands.options import StudyName, complete_space, complete_study, driver_of, with_place_options
from study.commands.trusting import Trust, sure
from study.ledger.place import Place

if TYPE_CHECKING:
    from study.ledger import Ledger
    from study.settings.loading import LoadedStudy


def register(app: typer.Typer) -> None:
    """Adds the commands of this file, by their names and help; what each takes is read when it is asked for."""
    for command, epilog in _commands():
        app.command(epilog=epilog)(_named_like(command))


def whole_command(name: str) -> Any:
    """A command of this file with all of its options, which need the models that they come from; None: of another."""
    for command, epilog in _commands():
        if command.__name__ == name:
            from study.commands.run_options import with_run

            app = typer.Typer(rich_markup_mode="rich", add_completion=False)
            app.command(epilog=epilog)(with_place_options(with_run(command)))
            return get_command(app)
    return None


def _commands() -> tuple[tuple[Callable[..., None], str], ...]:
    return (launch, _LAUNCH_EXAMPLES), (resume, _RESUME_EXAMPLES), (confirm, _CONFIRM_EXAMPLES)


def _named_like(command: Callable[..., None]) -> Callable[[], None]:
    def without_options() -> None:
        """Never called: see `whole_command`."""

    without_options.__name__, without_options.__doc__ = command.__name__, command.__doc__
    return without_options


_LAUNCH_EXAMPLES = """[bold]--set KEY=VALUE[/bold] changes a field of every trial, by its dotted name:
  data.name=mnist              a value; none, true and false are words
  data.label_noise=0,0.5,1     a list to span
  model.width=16..512          a range to span, ends included; whole numbers
  training.lr=1e-3..1:log      the same on a log scale
  data.split=1000+400+397      a list that is one value
  training.momentum@training.optimizer:sgd=0..0.95
                               spanned only where it means something; fields of an
                               entry (compression.distill.epochs) are so by themselves
ockham spaces NAME shows what a named study spans and fixes.

[bold]Examples[/bold]
  ockham launch
  ockham launch redundancy --name placebo --set data.noise_kind=renamed
  ockham launch --name wide --trials 48 --set model.width=64..1024:log
  ockham launch blog --size small
  ockham launch blog --data-dir ~/data --set data.train_size=2000
  ockham launch --name search --sampler tpe --set model.width=16..512:log
  ockham launch --name quick --sampler tpe --scheduler asha --set training.lr=1e-3..1:log
  ockham launch my_study.yaml
  ockham launch --trials 200 --dry-run --price prices.yaml

[bold]FILE.yaml[/bold] holds any of: name, space (a named study, or base: and span:),
set, trials, sampler, objectives, constraints, warm_start, scheduler, stopping,
seed, run, and configurations (a list of explicit trials, each
{model.width: 64, …}). Options override it.

Everything of the study is in <home>/<name>/. Launching it again with the same
configuration resumes it; with another one it is refused."""


_Source = Annotated[
    str | None,
    typer.Argument(
        metavar="[SPACE|FILE.yaml]",
        help="A named study or a file; neither with a --name of yours: only what --set spans is spanned.",
        autocompletion=complete_space,
        show_default=False,
    ),
]
_Name = Annotated[
    str | None, typer.Option(metavar="N", help="Name of the study.", show_default="that of the space or file")
]
_Size = Annotated[
    str | None,
    typer.Option(
        metavar="small|paper|large",
        help="Of a named study: at most minutes on two cores, the paper's protocol, or more than that. "
        "ockham spaces says what each takes.",
        autocompletion=lambda: ["small", "paper", "large"],
        show_default="the study's own",
    ),
]
_Trials = Annotated[
    int | None, typer.Option(metavar="N", help="Trials in total.", show_default="what the space says, or 24")
]
_Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Fix or span a field of the trials; repeatable. See below."),
]
_Seed = Annotated[int | None, typer.Option(metavar="N", help="Of every draw.", show_default="0")]
_OnlyEstimate = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Train a few trials for some seconds and say what all take: hours, machines, money; and what effects "
        "they find.",
    ),
]
_Like = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="With --dry-run: a pilot or similar study, whose spread says what effects this one finds.",
        autocompletion=complete_study,
        show_default="the default study's",
    ),
]


def launch(
    *,
    place: Place,
    run: dict[str, Any],
    source: _Source = None,
    name: _Name = None,
    size: _Size = None,
    trials: _Trials = None,
    settings: _Settings = None,
    sampler: choosing.Sampler = None,
    objectives: choosing.ObjectiveText = None,
    constraints: choosing.ConstraintText = None,
    warm_start: choosing.WarmStart = None,
    scheduler: choosing.Scheduler = None,
    scheduler_metric: choosing.SchedulerMetric = None,
    scheduler_grace: choosing.SchedulerGrace = None,
    scheduler_reduction: choosing.SchedulerReduction = None,
    seed: _Seed = None,
    trust: Trust = False,
    only_estimate: _OnlyEstimate = False,
    like: _Like = None,
) -> None:
    """Run a study, or go on with it: train, compress, measure, answer.

    Without arguments: the study [bold]redundancy[/bold], "do memorising networks break earlier under compression than
    their clean twins?".
    """
    if sys.stdout.isatty():
        typer.echo("Starting …")  # the libraries take seconds to import
    from study.display.running import run_study
    from study.settings.loading import LaunchOptions, load_study

    asked = LaunchOptions(
        source=source,
        name=name,
        size=size,
        trials=trials,
        settings=tuple(settings or ()),
        sampler=sampler,
        objectives=tuple(objectives or ()),
        constraints=tuple(constraints or ()),
        warm_start=warm_start,
        scheduler=scheduler,
        stopping=_without_none(metric=scheduler_metric, grace=scheduler_grace, reduction=scheduler_reduction),
        seed=seed,
        run=place.run_fields() | run,
    )
    loaded = load_study(asked, sure(trust))
    if like is not None and not only_estimate:
        raise typer.BadParameter("--like says what a dry run goes by; add --dry-run, or leave it out")
    if only_estimate:
        _print_estimate(loaded, None if like is None else place.open(like))
    else:
        raise typer.Exit(run_study(loaded.config, loaded.notes))


def _print_estimate(loaded: "LoadedStudy", like: "Ledger | None") -> None:
    """What the study would take and find, with what its settings came to."""
    from study.operations.dry_run import dry_run

    for line in (*loaded.notes, *dry_run(loaded.config, like)):
        typer.echo(line)


_RESUME_EXAMPLES = """[bold]Examples[/bold]
  ockham resume redundancy                go on where it stopped
  ockham resume redundancy --trials +24   24 trials more than it has
  ockham resume redundancy --trials 100   100 in total, more or fewer than before
  ockham resume redundancy --retry-failed what failed once more, e.g. after more memory was found

  ockham resume wide --storage s3://bucket/ockham    on a new machine, from the newest copy of its ledger there

Results that had not reached MLflow are sent as well."""


def resume(
    *,
    place: Place,
    run: dict[str, Any],
    name: StudyName,
    trials: Annotated[
        str | None,
        typer.Option(metavar="N|+N", help="Trials in total, or how many more.", show_default="what is left"),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run failed trials once more, under their numbers.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Run trials whose results are damaged once more, under their numbers.")
    ] = False,
    trust: Trust = False,
) -> None:
    """Go on with a study that was stopped or killed, or extend one that is finished.

    Trials that ended are never run again; a trial that was running continues under its own number from its last
    checkpoint.
    """
    from study.display.running import run_study
    from study.settings.loading import load_existing
    from study.storing.restoring import restore_lost

    restore_lost(place.home, name, place.storage, place.ledger, typer.echo)

    asks = {"retry_failed": retry_failed, "repair": repair}
    config, request = load_existing(place, name, trials, place.run_fields() | run, sure=sure(trust), **asks)
    raise typer.Exit(run_study(config, request=request))


_CONFIRM_EXAMPLES = """[bold]Examples[/bold]
  ockham confirm search                  all complete trials that a sampler or scheduler chose
  ockham confirm search 12 31 --times 8  the two that were picked, eight times each: from
                                         eight units on claims can be decided at any time

Killed on the way, it goes on with `ockham resume NAME`; asked again, it runs what is
left of it, nothing twice."""


def confirm(
    *,
    place: Place,
    run: dict[str, Any],
    name: StudyName,
    trials: Annotated[
        list[int] | None,
        typer.Argument(metavar="[TRIALS]...", min=0, help="Their numbers.", show_default="all that explored"),
    ] = None,
    times: Annotated[int, typer.Option(min=1, help="How often each is run again, in all.")] = 1,
    trust: Trust = False,
) -> None:
    """Run trials again that were explored, or picked, with fresh seeds, as design trials of the same study.

    What a sampler, a scheduler or somebody chose is a selection and decides no claim; these trials do, and verdicts say
    that they are there. If another process runs the study it takes them.
    """
    from study.display.running import run_study
    from study.operations.confirming import confirm as confirm_in
    from study.settings.loading import load_existing

    config, request = load_existing(place, name, None, place.run_fields() | run, sure=sure(trust))
    ledger = place.open(name)
    queued = confirm_in(ledger, trials or (), times=times)
    holder = driver_of(ledger)
    ledger.close()
    typer.echo(f"{len(queued)} more to run of {name}." if queued else f"All of that is in {name} already.")
    if holder is not None:
        typer.echo(f"{holder} takes them within seconds.")
        return
    raise typer.Exit(run_study(config, request=request))


def _without_none(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
