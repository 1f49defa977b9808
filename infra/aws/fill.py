"""Writes the outputs of the stack into the cluster file, into the lines that end in `# stack: NAME`.

aws cloudformation describe-stacks --stack-name ockham --query "Stacks[0].Outputs" --output json |
    python infra/aws/fill.py [--new-head]

The head's image stays what it is once it was filled in: `ray up` exchanges a head whose image has changed, and the old
one keeps its disk with the ledgers. `--new-head` takes the stack's current one.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path

CLUSTER_FILE = Path(__file__).resolve().parents[1] / "cluster.yaml"
# What is replaced: an identifier, a bucket in a URI, or a region.
_VALUE = r"(?:subnet|sg|ami)-\w+|(?<=s3://)[a-z0-9.-]+|[a-z]{2}(?:-[a-z]+)+-\d"
_MARKED = re.compile(rf"^(?P<before>.*?)(?P<value>{_VALUE})(?P<after>.*# stack: (?P<name>\w+))\Z")
_NOT_FILLED = re.compile(r"ami-0{10,}\d")  # as the file comes
HEAD_IMAGE = "HeadImage"


def filled(text: str, outputs: Mapping[str, str], *, new_head: bool = False) -> str:
    """`text` of a cluster file with the values of `outputs` (name → value) in its marked lines.

    Args:
        new_head: Replace a head's image that is filled in already.
    Raises:
        KeyError: A marked line names an output that the stack does not have.
    """

    def fill(line: str) -> str:
        marked = _MARKED.match(line)
        if marked is None:
            return line
        lasting = marked["name"] == HEAD_IMAGE and not _NOT_FILLED.fullmatch(marked["value"])
        value = marked["value"] if lasting and not new_head else outputs[marked["name"]]
        return marked["before"] + value + marked["after"]

    return "\n".join(fill(line) for line in text.split("\n"))


def main() -> None:
    """Reads `describe-stacks` outputs from standard input and rewrites infra/cluster.yaml."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--new-head", action="store_true", help="take the stack's current image for the head too")
    new_head = parser.parse_args().new_head
    outputs = {output["OutputKey"]: output["OutputValue"] for output in json.load(sys.stdin)}
    text = filled(CLUSTER_FILE.read_text(), outputs, new_head=new_head)
    CLUSTER_FILE.write_text(text)
    print(f"{CLUSTER_FILE} now names {', '.join(value for value in outputs.values() if value in text)}")
    if outputs[HEAD_IMAGE] not in text:
        print(f"The head keeps its image, and with it its disk; --new-head would take {outputs[HEAD_IMAGE]}.")


if __name__ == "__main__":
    main()
