"""Options of launch about how trials are chosen and which of them are given up."""

from typing import Annotated

import typer

from trainables.listing import names_in

_PANEL = "How trials are chosen"
_SAMPLERS = names_in("study.sampling.samplers")  # as registries have them, which this need not load
_SCHEDULERS = ("none", *names_in("study.stopping.schedulers"))

Sampler = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help=f"{', '.join(_SAMPLERS)}. design, grid, qmc and random lay trials out; the others learn from them, "
        "and leave data conditions alone.",
        autocompletion=lambda: list(_SAMPLERS),
        rich_help_panel=_PANEL,
        show_default="design",
    ),
]
ObjectiveText = Annotated[
    list[str] | None,
    typer.Option(
        "--objective",
        metavar="METRIC",
        help="What a learning sampler optimises, e.g. val/loss:min; repeatable. Never a test metric.",
        rich_help_panel=_PANEL,
        show_default="contrast/auc control/val/accuracy, or …/r2",
    ),
]
ConstraintText = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        metavar="METRIC:max=X",
        help="A bound that a learning sampler keeps to, e.g. cost/seconds:max=30 or val/accuracy:min=0.8; repeatable.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
WarmStart = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="A study of the same home whose complete trials a learning sampler knows from the start.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="|".join(_SCHEDULERS),
        help="What stops trials early, while their dense networks train.",
        autocompletion=lambda: list(_SCHEDULERS),
        rich_help_panel=_PANEL,
        show_default="none",
    ),
]
SchedulerMetric = Annotated[
    str | None,
    typer.Option(
        metavar="METRIC",
        help="What it goes by, e.g. val/loss:min.",
        rich_help_panel=_PANEL,
        show_default="val/accuracy, or val/r2",
    ),
]
SchedulerGrace = Annotated[
    int | None,
    typer.Option(
        metavar="EPOCHS",
        help="What every trial gets.",
        rich_help_panel=_PANEL,
        show_default="a sixteenth of training.epochs",
    ),
]
SchedulerReduction = Annotated[
    float | None,
    typer.Option(metavar="X", help="asha: one in X goes on at each rung.", rich_help_panel=_PANEL, show_default="4"),
]
