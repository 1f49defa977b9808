"""`python study/launch.py ARGS` is `ockham launch ARGS`; its last line is `exit=N`.

`ray submit infra/cluster.yaml study/launch.py -- ARGS` copies this one file to the head node, passes only 0 or 1 on as
its exit status and loses shell quoting; so it imports installed packages only, prints the exit code, and no argument of
`ockham launch` needs a space. Imported, it is the function of its name: `study.launch` means that one, always.
"""

import sys
from pathlib import Path


def main() -> int:
    """Runs `ockham launch` with this process's arguments; returns its exit code."""
    here = str(Path(__file__).resolve().parent)
    # Run as a script, this folder comes first on the path, where its modules could hide top-level ones.
    sys.path[:] = [entry for entry in sys.path if str(Path(entry or ".").resolve()) != here]
    from study.cli import main as ockham

    code = ockham(["launch", *sys.argv[1:]])
    print(f"exit={code}", flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
else:
    from study.api import launch

    # What stands in sys.modules becomes the package's attribute: a module there would hide the function from all who
    # write `study.launch(...)`.
    sys.modules[__name__] = launch  # type: ignore[assignment]
