"""A server that speaks S3 over HTTP on this machine: `moto`, in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from trainables.storage import ObjectFolder

BUCKET = "ockham-tests"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}


class S3Server:
    """Can be stopped (it then refuses connections) and go on with what it had."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, "moto ended"
            assert time.monotonic() < deadline, "moto does not answer"
            time.sleep(0.1)

    def uri(self, prefix: str) -> str:
        """Of a folder in the bucket."""
        return f"s3://{BUCKET}/{prefix}?endpoint_override=127.0.0.1:{self.port}&scheme=http&region=us-east-1"

    def impatient_folder(self, prefix: str) -> ObjectFolder:
        """A folder in the bucket for which nobody waits long where nothing answers."""
        from pyarrow import fs

        endpoint = {"endpoint_override": f"127.0.0.1:{self.port}", "scheme": "http", "region": "us-east-1"}
        retries = fs.AwsStandardS3RetryStrategy(max_attempts=2)
        return ObjectFolder(fs.S3FileSystem(retry_strategy=retries, **endpoint), f"{BUCKET}/{prefix}", patience_s=1.0)

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        with socket.socket() as attempt:
            attempt.settimeout(1.0)
            return attempt.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """A server with an empty bucket, and credentials for it in the environment."""
    from pyarrow import fs

    before = {name: os.environ.get(name) for name in _CREDENTIALS}
    os.environ.update(_CREDENTIALS)
    server = S3Server()
    try:
        endpoint = {"endpoint_override": f"127.0.0.1:{server.port}", "scheme": "http", "region": "us-east-1"}
        fs.S3FileSystem(allow_bucket_creation=True, **endpoint).create_dir(BUCKET)
        yield server
    finally:
        server.close()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
