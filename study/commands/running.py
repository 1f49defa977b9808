"""launch, resume."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from study.commands import choosing
from study.commands.options import StudyName, complete_space, located
from study.commands.trusting import Trust, sure
from study.ledger.place import Place

_RUN = "How this run is carried out"
MaxConcurrent = Annotated[
    int | None,
    typer.Option(
        metavar="N", help="Trials at once.", rich_help_panel=_RUN, show_default="as many as the CPUs or GPUs hold"
    ),
]
CpusPerTrial = Annotated[float | None, typer.Option(metavar="X", rich_help_panel=_RUN, show_default="1")]
GpusPerTrial = Annotated[
    float | None,
    typer.Option(metavar="X", help="0.25 puts four trials on one.", rich_help_panel=_RUN, show_default="0"),
]
TimeBudget = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", help="Stop after this long; resumable.", rich_help_panel=_RUN, show_default="none"),
]
Address = Annotated[
    str | None,
    typer.Option(
        envvar="OCKHAM_ADDRESS",
        metavar="RAY",
        help="Ray cluster to use: HOST:PORT, auto, or local for one on this machine.",
        rich_help_panel=_RUN,
        show_default="one on this machine",
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where data sets lie, or are put.", rich_help_panel=_RUN, show_default="<home>/data"
    ),
]
PriceFile = Annotated[
    Path | None,
    typer.Option(
        "--price",
        metavar="FILE",
        help="YAML with what an hour costs: currency, core_hour, gpu_hour, hour.",
        rich_help_panel=_RUN,
        show_default="hours only",
    ),
]
KeepCheckpoints = Annotated[
    bool | None,
    typer.Option(
        "--keep-checkpoints/--drop-checkpoints",
        help="What becomes of the checkpoints of trials that ended.",
        rich_help_panel=_RUN,
        show_default="drop",
    ),
]
Offline = Annotated[
    bool | None,
    typer.Option(
        "--offline/--online",
        help="Start though the MLflow store does not answer: what it is to be told waits in the ledger.",
        rich_help_panel=_RUN,
        show_default="online",
    ),
]
ShowProgress = Annotated[
    bool | None,
    typer.Option(
        "--progress/--no-progress",
        help="Show trials as they run, or the summary only.",
        rich_help_panel=_RUN,
        show_default="progress",
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command(epilog=_LAUNCH_EXAMPLES)(located(launch))
    app.command(epilog=_RESUME_EXAMPLES)(located(resume))


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


def launch(
    *,
    place: Place,
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[SPACE|FILE.yaml]",
            help="A named study or a file; neither with a --name of yours: only what --set spans is spanned.",
            autocompletion=complete_space,
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="N", help="Name of the study.", show_default="that of the space or file")
    ] = None,
    trials: Annotated[
        int | None, typer.Option(metavar="N", help="Trials in total.", show_default="what the space says, or 24")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Fix or span a field of the trials; repeatable. See below."),
    ] = None,
    sampler: choosing.Sampler = None,
    objectives: choosing.ObjectiveText = None,
    constraints: choosing.ConstraintText = None,
    warm_start: choosing.WarmStart = None,
    scheduler: choosing.Scheduler = None,
    scheduler_metric: choosing.SchedulerMetric = None,
    scheduler_grace: choosing.SchedulerGrace = None,
    scheduler_reduction: choosing.SchedulerReduction = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Of every draw.", show_default="0")] = None,
    data_dir: DataDir = None,
    max_concurrent: MaxConcurrent = None,
    cpus_per_trial: CpusPerTrial = None,
    gpus_per_trial: GpusPerTrial = None,
    time_budget: TimeBudget = None,
    address: Address = None,
    keep_checkpoints: KeepCheckpoints = None,
    price: PriceFile = None,
    progress: ShowProgress = None,
    offline: Offline = None,
    trust: Trust = False,
    only_estimate: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Train a few trials for some seconds and say what all take: hours, machines, money."
        ),
    ] = False,
) -> None:
    """Run a study, or go on with it: train, compress, measure, answer.

    Without arguments: the study [bold]redundancy[/bold], "do memorising networks break earlier under compression than
    their clean twins?".
    """
    if sys.stdout.isatty():
        typer.echo("Starting …")  # the libraries take seconds to import
    from study.display.running import run_study
    from study.settings.loading import LaunchOptions, load_study

    loaded = load_study(
        LaunchOptions(
            source=source,
            name=name,
            trials=trials,
            settings=tuple(settings or ()),
            sampler=sampler,
            objectives=tuple(objectives or ()),
            constraints=tuple(constraints or ()),
            warm_start=warm_start,
            scheduler=scheduler,
            stopping=_given(metric=scheduler_metric, grace=scheduler_grace, reduction=scheduler_reduction),
            seed=seed,
            run=place.run_fields()
            | _given(
                data_dir=data_dir,
                max_concurrent=max_concurrent,
                cpus_per_trial=cpus_per_trial,
                gpus_per_trial=gpus_per_trial,
                time_budget=time_budget,
                address=address,
                keep_checkpoints=keep_checkpoints,
                prices=_prices(price),
                progress=progress,
                offline=offline,
            ),
        ),
        sure(trust),
    )
    if only_estimate:
        from study.operations.dry_run import dry_run

        for line in (*loaded.notes, *dry_run(loaded.config)):
            typer.echo(line)
        return
    raise typer.Exit(run_study(loaded.config, loaded.notes))


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
    data_dir: DataDir = None,
    max_concurrent: MaxConcurrent = None,
    cpus_per_trial: CpusPerTrial = None,
    gpus_per_trial: GpusPerTrial = None,
    time_budget: TimeBudget = None,
    address: Address = None,
    keep_checkpoints: KeepCheckpoints = None,
    price: PriceFile = None,
    progress: ShowProgress = None,
    offline: Offline = None,
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

    run = place.run_fields() | _given(
        data_dir=data_dir,
        max_concurrent=max_concurrent,
        cpus_per_trial=cpus_per_trial,
        gpus_per_trial=gpus_per_trial,
        time_budget=time_budget,
        address=address,
        keep_checkpoints=keep_checkpoints,
        prices=_prices(price),
        progress=progress,
        offline=offline,
    )
    asks = {"retry_failed": retry_failed, "repair": repair}
    config, wishes = load_existing(place, name, trials, run, sure=sure(trust), **asks)
    raise typer.Exit(run_study(config, wishes=wishes))


def _prices(path: Path | None) -> Any:
    from study.config.prices import read_prices

    return None if path is None else read_prices(path)


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
