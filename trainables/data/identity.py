"""Which data a trial is given: two trials have the same if their identities are equal, wherever the files lie."""

import hashlib
import json
import time
from pathlib import Path

from trainables.config import DataConfig
from trainables.data.digests import content_digests
from trainables.data.interfaces import Dataset, dataset_of
from trainables.data.splits import SPLITTING

# Looking at very many files takes at most one part in so many of a process' time. What is quicker is always done.
_MOST_PARTS, _QUICK_S = 20, 0.2
_looked_at: dict[str, tuple[float, dict[str, str]]] = {}


def data_identity(config: DataConfig, data_dir: Path) -> str:
    """32 hex digits of what the examples of a data set come from, once it is there (see `loading.prepare`).

    Covers the data set's name and own fields, the contents of its files, the revision of the code that makes examples
    of them and of the code that splits. Does not cover where files lie, and not what else `config` says (sizes of the
    split, noise, inputs) nor the seed: whoever keeps something of a trial adds those.

    Costs a look at the size and times of each file, see `dataset_digests`; contents are read where those are new.

    Raises:
        DataUnavailable: A file is not there or can't be read.
    """
    dataset = dataset_of(config)
    fields = dataset.model_dump(mode="json", exclude_defaults=True, exclude=dataset.places())
    files = dataset_digests(dataset, data_dir)
    whole = [config.name, fields, dataset.revision, SPLITTING, sorted(files.items())]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]


def dataset_digests(dataset: Dataset, data_dir: Path, *, fresh: bool = False) -> dict[str, str]:
    """What each file of a data set holds, see `content_digests`.

    Args:
        fresh: Look now. Else, where looking took longer than 0.2 s, this process does not look again for 20 times as
            long: trials on a folder of a hundred thousand images must not spend their time on that.
    """
    key = json.dumps([dataset.name(), dataset.model_dump(mode="json"), str(data_dir.absolute())])
    until, digests = _looked_at.get(key, (0.0, {}))
    begun = time.monotonic()
    if fresh or begun >= until:
        digests = content_digests(dataset.files(data_dir))
        took = time.monotonic() - begun
        _looked_at[key] = (begun + _MOST_PARTS * took if took > _QUICK_S else 0.0, digests)
    return digests
