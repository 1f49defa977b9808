"""examples."""

from typing import Annotated, cast

import typer

from study.commands.formats import Out, chosen_form, form_option
from study.commands.options import StudyName, with_place_options
from study.ledger.place import Place

_EXAMPLES = """[bold]Examples[/bold]
  ockham launch --name memorised --set data.subset=0.7 --set data.noise_draw=study
  ockham examples memorised
  ockham examples memorised --by lost_at --top 50
  ockham examples memorised --influence --by influence
  ockham examples memorised --format csv --out examples.csv"""


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command(epilog=_EXAMPLES)(with_place_options(examples))


def examples(
    *,
    place: Place,
    name: StudyName,
    top: Annotated[int, typer.Option(metavar="N", min=1, help="How many are shown; CSV has all.")] = 20,
    by: Annotated[
        str,
        typer.Option(
            metavar="memorisation|forgotten|learned|lost_at|influence",
            help="First the most memorised, most often forgotten, learned last, first lost under compression, or most "
            "helpful to a test example.",
            autocompletion=lambda: ["memorisation", "forgotten", "learned", "lost_at", "influence"],
        ),
    ] = "memorisation",
    influence: Annotated[
        bool, typer.Option("--influence", help="Also the test example that each training example helps most.")
    ] = False,
    form: Annotated[str | None, form_option("text", "json", "csv")] = None,
    out: Out = None,
) -> None:
    """Which training examples were memorised: right in networks that were given them, wrong in those that were not.

    The score is the share of networks right on an example among those given it, less that among those it was left out
    of (Feldman & Zhang 2020): 1 is pure memory. Every condition and arm apart, one vote a distinct dense network;
    intervals are over networks. Of networks that were given an example and ever had it right: "learned" is the epoch
    in which that was first so, "forgotten" how often it was wrong after that, "lost at" the share of the compression
    after which it is missed for good, 1 if it never is. "influence": by how much more of the networks that were given
    it than of the others are right on a test example, where that is most.

    How many labels are wrong is estimated apart from how much is memorised, as rare examples with right labels are too.
    """
    from study.commands.examples_table import FORMS, ORDERS, By, print_examples

    if by not in ORDERS:
        raise typer.BadParameter(f"--by {by}: choose one of {', '.join(ORDERS)}")
    print_examples(place.open(name), top, cast("By", by), chosen_form(form, out, FORMS), out, influences=influence)
