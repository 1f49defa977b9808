"""Which data a trial is given: two trials have the same if their identities are equal, wherever the files lie."""

import hashlib
import json
from pathlib import Path

from trainables.config import DataConfig
from trainables.data.digests import content_digests
from trainables.data.interfaces import dataset_of
from trainables.data.splits import SPLITTING


def data_identity(config: DataConfig, data_dir: Path) -> str:
    """32 hex digits of what the examples of a data set come from, once it is there (see `loading.prepare`).

    Covers the data set's name and own fields, the contents of its files, the revision of the code that makes examples
    of them and of the code that splits. Does not cover where files lie, and not what else `config` says (sizes of the
    split, noise, inputs) nor the seed: whoever keeps something of a trial adds those.

    Costs a look at the size and times of each file; contents are read where those are new.

    Raises:
        DataUnavailable: A file is not there or can't be read.
    """
    dataset = dataset_of(config)
    fields = dataset.model_dump(mode="json", exclude_defaults=True, exclude=dataset.places())
    files = content_digests(dataset.files(data_dir))
    whole = [config.name, fields, dataset.revision, SPLITTING, sorted(files.items())]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]
