"""The page of replications: what ledgers and files have of named studies, a section a study, never typed.

A section says of which declaration it is, so that a page can be gone on with from another home or machine: what is
recorded here replaces its section, and what is not stays as it was written if the declaration is still the same.
"""

import json
import os
import platform
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from search_spaces import catalog
from search_spaces.recorded import MARK
from study.answer.gap_model import GapAssociation, GapTable
from study.answer.pairwise import Estimate
from study.answer.verdict import WHOLE
from study.answer.words import bare_p, ends_words, with_ends, with_sign
from study.config import StudyConfig
from study.errors import UsageError
from study.operations.comparing import ComparedStudy
from study.report.provenance import commit, versions
from trainables.opening import NotReadable, read_file

GAP = "Which measure tracks the generalization gap"
_MOST_MEASURES = 15
_LARGEST = 16_000_000


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading, with what it was made of.

    Attributes:
        heading: The study's name, or `GAP`.
        text: Markdown, from the heading on.
        mark: What it is of: `identities` of declarations by study; of one study also `verdicts`: how many claims have
            each, its `size` and, once it is finished, the `core_minutes` that it took: `search_spaces.recorded`.
    """

    heading: str
    text: str
    mark: Mapping[str, Any] = field(default_factory=dict)

    @property
    def identities(self) -> dict[str, str]:
        """Study → identity of the declaration that it was recorded of."""
        return dict(self.mark["identities"])


def study_section(name: str, declared: StudyConfig, size: str, recorded: ComparedStudy) -> Section:
    """The question of a study, its command, and a line for each claim and condition.

    Args:
        name: Of the named study; what is recorded of another size than its own is called `NAME-SIZE`.
    """
    space, minutes = recorded.config.space, recorded.cost.core_hours * 60
    failed = f", {recorded.failed_count} failed" if recorded.failed_count else ""
    verdicts = Counter(
        f"placebo {one.verdict}" if one.role == "placebo" else one.verdict for one in recorded.verdicts.headlines
    )
    mark = {
        "identities": {name: declared.fingerprint()},
        "verdicts": dict(sorted(verdicts.items())),
        "size": size,
        **({"core_minutes": round(minutes, 1)} if recorded.is_finished else {}),
    }
    lines = [
        *_opening(name, mark),
        f"*{space.title}* {space.source}.",
        "",
        f"    ockham launch {name} --size {size}",
        "",
        *(line for note in catalog.study(name).notes for line in (f"Note: {note}", "")),
        f"{recorded.ended_count} of {recorded.config.trials} trials{failed}, {minutes:.1f} core-minutes. {_machine()}",
        "",
        "| claim | published | supported if | verdict | estimate | interval | n |",
        "|---|---|---|---|---|---|---|",
        *(_line(_cells(row)) for row in recorded.rows()),
    ]
    return Section(name, "\n".join(lines), mark)


def gap_section(identities: Mapping[str, str], table: GapTable, picture: str) -> Section:
    """The measures that follow the gap most clearly, over all units of these studies.

    Args:
        identities: Study → that of its declaration.
        picture: Name of the file beside the page that shows all of them.
    """
    studies = f"{len(identities)} {'study' if len(identities) == 1 else 'studies'}"
    mark = {"identities": dict(identities)}
    tested = [row for row in table.rows if not row.reason]
    lines = [
        *_opening(GAP, mark),
        f"Over {studies}: {', '.join(f'`{name}`' for name in identities)}. Dense "
        "networks are compared only within a study, and there at equal label noise and instrument; the association is "
        "the rank correlation with the gap, positive where larger numbers go with larger gaps; the last column is what "
        f"is left of it once norm and margin are given. {_machine()}",
        "",
        f"![Rank correlation of each measure with the gap]({picture})",
        "",
        "| measure | association (95 %) | τ | q | Ψ | CMI | given norm and margin | n |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(_gap_cells(row)) for row in tested[:_MOST_MEASURES]),
        "",
        *([f"The {_MOST_MEASURES} clearest of {len(tested)}.", ""] if len(tested) > _MOST_MEASURES else []),
        " ".join(table.notes),
    ]
    return Section(GAP, "\n".join(lines), mark)


def sections_of(page: Path, size: str) -> dict[str, Section]:
    """Heading → section, of a page that was written earlier; none where there is no page, or one of another size.

    Raises:
        UsageError: It can't be read.
    """
    if not page.exists():
        return {}
    try:
        text = read_file(page, largest=_LARGEST).decode()
    except (NotReadable, UnicodeDecodeError) as error:
        raise UsageError(f"--out {page}: no page of replications ({error}); give another name") from None
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    if f"at size `{size}`" not in head:
        return {}
    sections = {}
    for part in parts:
        mark = MARK.search(part)
        if mark is not None:
            heading = part.partition("\n")[0].strip()
            sections[heading] = Section(heading, "## " + part.rstrip("\n"), json.loads(mark.group(1)))
    return sections


def whole_page(size: str, sections: Sequence[Section], missing: Mapping[str, str]) -> str:
    """Markdown, without the end of its last line.

    Args:
        sections: In the order of the page.
        missing: Study → why it has no section.
    """
    parts = [
        "# Replications: what the papers claim, and what came out here",
        f"Every named study at size `{size}`, as ledgers and files have it; written by `ockham replicate`, never by "
        "hand. An interval is simultaneous over all claims of its study (5 % together). A verdict says what this size "
        "shows, and nothing of other data or networks.",
    ]
    counts = sum((Counter(section.mark.get("verdicts", {})) for section in sections), Counter[str]())
    if counts:
        parts.append("Together: " + ", ".join(f"{count} {word}" for word, count in sorted(counts.items())) + ".")
    parts += [section.text for section in sections]
    if missing:
        parts.append("\n".join(["## Not recorded", "", *(f"- `{name}`: {why}" for name, why in missing.items())]))
    return "\n\n".join(parts)


def _opening(heading: str, mark: Mapping[str, Any]) -> list[str]:
    return [f"## {heading}", "", f"<!-- recorded {json.dumps(mark)} -->", ""]


def _machine() -> str:
    return (
        f"Written on {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}; {versions()}; commit {commit()}."
    )


def _cells(row: Mapping[str, Any]) -> Sequence[str]:
    where = f" ({row['condition']})" if row["condition"] else ""
    placebo = " *(placebo)*" if row["role"] == "placebo" else ""
    return (
        f"{row['says']}{where}{placebo}",
        row["published"] or "–",
        row["supported_if"] or "–",
        f"**{row['verdict']}**" if row["condition"] in WHOLE else row["verdict"],
        row["reason"] if row["estimate"] is None else with_sign(row["estimate"]),
        ends_words(*row["interval"], to="…") or "–",
        f"{row['n']} {row['unit']}s",
    )


def _gap_cells(row: GapAssociation) -> Sequence[str]:
    name = f"**{row.name}**" if row.is_discovery else row.name
    one, psi, cmi, partial = (_interval_text(value) for value in (row.association, row.psi, row.cmi, row.partial))
    tau = "–" if row.tau is None else with_sign(row.tau)
    return name, one, tau, bare_p(row.q), psi, cmi, partial, str(row.n)


def _interval_text(one: Estimate) -> str:
    return "–" if one.value is None else with_ends(one.value, one.low, one.high, to="…")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "∣") for cell in cells) + " |"
