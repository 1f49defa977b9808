"""How one run of a study is carried out: where things lie, what it may use, for how long."""

import re
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from study.config.addresses import own_store
from study.config.environment import said_in, usual_home
from study.config.options import Option
from study.config.prices import Prices, read_prices
from study.errors import UsageError
from study.passwords import HIDDEN, lacks_password, remember
from study.trust import check_address
from trainables.parts import ConfigSection
from trainables.problems import Refused

OF_ONE_RUN = ("time_budget", "offline")  # a run's settings that the next one does not inherit


class RunConfig(ConfigSection):
    """How a run is carried out; may differ from launch to launch without making another study.

    What the environment says (`$OCKHAM_HOME`, `_LEDGER`, `_TRACKING_URI`, `_STORAGE`, `_ADDRESS`) holds unless told
    otherwise, as for commands.
    """

    refusal: ClassVar[type[Refused]] = UsageError

    home: Path = Field(default_factory=usual_home, description="directory of all studies")
    data_dir: Annotated[Path | None, Option("<home>/data", "DIR")] = Field(
        None, description="where data sets lie or are downloaded to"
    )
    ledger: str | None = Field(
        default_factory=said_in("OCKHAM_LEDGER"), description="database URL; none: SQLite in the study's directory"
    )
    tracking_uri: str | None = Field(
        default_factory=said_in("OCKHAM_TRACKING_URI"), description="MLflow; none: SQLite in the home"
    )
    offline: Annotated[bool, Option("online", flags="--offline/--online")] = Field(
        False, description="start though the MLflow store does not answer: what it is to be told waits in the ledger"
    )
    storage: str | None = Field(
        default_factory=said_in("OCKHAM_STORAGE"),
        description="path or URI for checkpoints and copies of ledger and results; none: the study's directory",
    )
    address: Annotated[str | None, Option("one on this machine", "RAY", envvar="OCKHAM_ADDRESS")] = Field(
        default_factory=said_in("OCKHAM_ADDRESS"),
        description="Ray cluster to use: HOST:PORT, auto, or local for one on this machine",
    )
    max_concurrent: Annotated[int | None, Option("as many as the CPUs or GPUs hold", "N")] = Field(
        None, ge=1, description="trials at once"
    )
    cpus_per_trial: Annotated[float, Option("1", "X")] = Field(1.0, gt=0, description="cores and threads of a trial")
    gpus_per_trial: Annotated[float, Option("0", "X")] = Field(
        0.0, ge=0, description="share of a GPU, or whole ones: 0.25 puts four trials on one"
    )
    time_budget: Annotated[float | None, Option("none", "SECONDS")] = Field(
        None, gt=0, description="stop after this long; resumable"
    )
    until_decided: Annotated[bool, Option("all trials", flags="--until-decided/--all-trials")] = Field(
        False, description="stop as soon as every claim is decided, at most after --trials; looks at balanced blocks"
    )
    prices: Annotated[Prices | None, Option("hours only", "FILE", flags="--price", reads=read_prices)] = Field(
        None, description="YAML with what an hour costs: currency, core_hour, gpu_hour, hour"
    )
    dense_cache: Annotated[float, Option("2", "GIB")] = Field(
        2.0, ge=0, description="keep so much of dense networks in the home, to be used again; 0: none"
    )
    keep_checkpoints: Annotated[bool, Option("drop", flags="--keep-checkpoints/--drop-checkpoints")] = Field(
        False, description="what becomes of the checkpoints of trials that ended"
    )
    progress: Annotated[bool, Option("progress", flags="--progress/--no-progress")] = Field(
        True, description="show trials as they run, or the summary only"
    )

    @field_validator("home", "data_dir")
    @classmethod
    def _from_anywhere(cls, path: Path | None) -> Path | None:
        """A study is gone on with, and reported on, from other folders than the one that it was launched in."""
        if path is None:
            return None
        try:
            str(path).encode()
        except UnicodeEncodeError:  # no ledger, YAML file, URI nor Ray could hold it
            raise ValueError(f"{str(path)!r} is no UTF-8; give a folder whose name is, or a link to it") from None
        return path.expanduser().absolute()

    @field_validator("ledger", "tracking_uri", "storage", "address")
    @classmethod
    def _check_address(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None or (info.context or {}).get("stored"):  # a study opens, whatever earlier versions let pass
            remember(url)
            return url
        check_address(url)
        if lacks_password(url):
            raise ValueError(f"{url} has {HIDDEN} where its password was left out of a file; give the whole URL again")
        return url

    @field_validator("address")
    @classmethod
    def _of_ones_own(cls, address: str | None) -> str | None:
        """`local`, Ray's word for one on this machine, takes back what the environment or the last run says."""
        return None if address == "local" else address

    @field_validator("storage")
    @classmethod
    def _absolute(cls, storage: str | None) -> str | None:
        """Workers stand in other folders than the driver."""
        return storage if storage is None or "://" in storage else str(Path(storage).expanduser().absolute())

    def place(self, name: Literal["ledger", "tracking_uri", "storage", "address"]) -> str | None:
        """One of the places to connect to, as it can be used.

        Raises:
            ValueError: It comes from a ledger or a file, which keep no passwords.
        """
        place: str | None = getattr(self, name)
        if place is not None and lacks_password(place):
            option = name.replace("_", "-")
            raise ValueError(f"--{option}: {place} is kept without its password; give it again: --{option} URL")
        return place

    def with_home(self, home: Path) -> "RunConfig":
        """The same with its home there: what lay in the home lies in it still, as after `mv` or `cp -r`."""
        inside = re.compile(rf"((?:(?:file|sqlite)[\w+]*:(?:///|//)?)?){re.escape(str(self.home))}(?=/)")
        changed: dict[str, Path | str] = {"home": home}
        for name in ("data_dir", "tracking_uri", "storage"):
            place = getattr(self, name)
            if found := inside.match(str(place)):
                changed[name] = type(place)(f"{found[1]}{home}{str(place)[found.end() :]}")
        return self.model_copy(update=changed)

    @property
    def own_store(self) -> Path | None:
        """The home's own MLflow store, a SQLite file; None where MLflow is somewhere else."""
        return own_store(self.home, self.tracking_uri)

    @property
    def data_path(self) -> Path:
        """Where data sets lie."""
        return self.data_dir or self.home / "data"
