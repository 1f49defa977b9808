"""stop, add, claim: what can be asked of a study from another terminal."""

from pathlib import Path
from typing import Annotated

import typer

from study.commands.options import StudyName, driver_of, with_place_options
from study.ledger.place import Place

_ADD_EXAMPLE = """[bold]FILE.yaml[/bold] holds a list of trials; what a trial does not say is as in the study:
  - {model.width: 512, data.label_noise: 1}
  - {model.width: 1024, data.label_noise: 1, training.lr: 0.05}"""


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command()(with_place_options(stop))
    app.command(epilog=_ADD_EXAMPLE)(with_place_options(add))
    app.command(epilog=_CLAIM_EXAMPLE)(with_place_options(claim))


_CLAIM_EXAMPLE = """[bold]FILE.yaml[/bold] holds a list of claims:
  - name: wider_compresses_further
    says: Wider networks compress further.
    quantity: {kind: slope, over: model.width, of: {kind: metric, metric: compressibility/auc}}
    comparison: {kind: greater}
Kinds of quantities: metric, level, twins, above_scratch, kept_over_changed, difference,
between, order, slope, association, share; of comparisons: greater, less, equivalent,
at_least, at_most, exactly. Claims stated before the data stand in the space of a study
file instead (space: {claims: …}); those are decided first."""


def claim(
    *, place: Place, name: StudyName, file: Annotated[Path, typer.Argument(metavar="FILE.yaml", show_default=False)]
) -> None:
    """State claims about a study that has data already: exploratory ones, shown apart with how many were tried."""
    from study.settings.exploratory import add_claims
    from study.storing.safekeeping import keep_claims

    ledger = place.open(name)
    known = frozenset[str]().union(*(row.metrics for row in ledger.trials(states=("COMPLETE",))))
    new = add_claims(ledger.config, file, known)
    if not keep_claims(ledger.config):
        typer.echo("The storage did not take them; the next run of the study sends them there.")
    listed = ", ".join(each.name for each in new)
    typer.echo(f"Added to {name}, as exploratory: {listed}. Look with: {place.command('verdicts', name)}")


def stop(
    *,
    place: Place,
    name: StudyName,
    drain: Annotated[
        bool, typer.Option("--drain", help="Pause: let running trials end, start no new ones.", show_default=False)
    ] = False,
) -> None:
    """Ask the driver of a study to stop within seconds, from any terminal. `ockham resume NAME` goes on."""
    from study.ledger import ENDED

    ledger = place.open(name)
    holder, resume = driver_of(ledger), place.command("resume", name)
    if holder is None:
        left = ledger.config.trials - sum(ledger.counts()[state] for state in ENDED)
        hint = f"Go on with: {resume}" if left > 0 else f"Extend it with: {resume} --trials +N"
        typer.echo(f"Nobody runs {name}. {hint}")
        return
    ledger.request_stop(drain=drain)
    when = "when the trials that run now have ended" if drain else "within seconds"
    typer.echo(f"Asked {holder} to stop {name}: it will, {when}. Go on later with: {resume}")


def add(
    *, place: Place, name: StudyName, file: Annotated[Path, typer.Argument(metavar="FILE.yaml", show_default=False)]
) -> None:
    """Put trials of your own into the queue of a study, also while it runs.

    They get the next free numbers and run before what the sampler proposes. They explore: the answer rests on designed
    trials only.
    """
    from study.operations.adding import add as add_to
    from study.operations.adding import read_configurations

    ledger = place.open(name)
    configurations = read_configurations(file)
    add_to(ledger, configurations)
    many = f"{len(configurations)} trial{'s' if len(configurations) > 1 else ''}"
    holder = driver_of(ledger)
    then = f"{holder} takes them within seconds" if holder else f"run them with: {place.command('resume', name)}"
    typer.echo(f"Added {many} to {name}; {then}.")
