"""The versions of Ray, Optuna and MLflow that were tested, where the code reaches into what they keep to themselves.

With others the public way is taken: slower, or with less that is private, and said once.
"""

import logging
from functools import cache
from importlib.metadata import version

TESTED = {"ray": ("2.60",), "optuna": ("5.0",), "mlflow": ("3.17",)}


@cache
def is_tested(package: str, instead: str) -> bool:
    """Whether the installed version is one of those; if not, a warning says what is done instead.

    Args:
        package: As it is installed.
        instead: Ends the sentence "…: ", e.g. "trials are told one by one".
    """
    there = version(package)
    if ".".join(there.split(".")[:2]) in TESTED[package]:
        return True
    known = " or ".join(f"{one}.*" for one in TESTED[package])
    logging.getLogger(__name__).warning("%s %s is not %s, which was tested: %s", package, there, known, instead)
    return False
