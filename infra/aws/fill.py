"""Writes the outputs of the stack into the cluster file, into the lines that end in `# stack: NAME`.

aws cloudformation describe-stacks --stack-name ockham --query "Stacks[0].Outputs" | python infra/aws/fill.py
"""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

CLUSTER_FILE = Path(__file__).resolve().parents[1] / "cluster.yaml"
# What is replaced: an identifier, a bucket in a URI, or a region.
_VALUE = r"(?:subnet|sg|ami)-\w+|(?<=s3://)[a-z0-9.-]+|[a-z]{2}(?:-[a-z]+)+-\d"
_MARKED = re.compile(rf"^(?P<before>.*?)(?:{_VALUE})(?P<after>.*# stack: (?P<name>\w+))$")


def filled(text: str, outputs: Mapping[str, str]) -> str:
    """`text` of a cluster file with the values of `outputs` (name → value) in its marked lines.

    Raises:
        KeyError: A marked line names an output that the stack does not have.
    """

    def fill(line: str) -> str:
        marked = _MARKED.match(line)
        return marked["before"] + outputs[marked["name"]] + marked["after"] if marked else line

    return "\n".join(fill(line) for line in text.split("\n"))


def main() -> None:
    """Reads `describe-stacks` outputs from standard input and rewrites infra/cluster.yaml."""
    outputs = {output["OutputKey"]: output["OutputValue"] for output in json.load(sys.stdin)}
    CLUSTER_FILE.write_text(filled(CLUSTER_FILE.read_text(), outputs))
    print(f"{CLUSTER_FILE} now names {', '.join(outputs.values())}")


if __name__ == "__main__":
    main()
