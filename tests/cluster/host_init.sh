#!/bin/sh
# First process of a host of the test cluster: gives it files of its own, then runs the rest of its arguments.
# It runs in fresh mount, PID, UTS, IPC and network namespaces, so all of this ends with it.
#   NAME    host name
#   HOST    folder outside: home/ and tmp/ become /root and /tmp; upper/ and work/ are for VENV's overlay;
#           ../shared/ is what all hosts see as /mnt/shared
#   REPO    this checkout, hidden from the host: it has only what the launcher ships
#   VENV    the tests' virtual environment, seen at its own path, writable without harm (overlay)
#   PYTHON  the Python that VENV was made from, which may lie in the home that gets hidden
set -eu
NAME=$1 HOST=$2 REPO=$3 VENV=$4 PYTHON=$5
shift 5
hostname "$NAME"
mount -t proc proc /proc
mount -t tmpfs tmpfs /dev/shm

# Everything is fetched to /mnt first: what is laid over a path below may hide what another needs.
mount -t tmpfs tmpfs /mnt
mkdir /mnt/home /mnt/tmp /mnt/python /mnt/venv /mnt/shared
mount --bind "$HOST/home" /mnt/home
mount --bind "$HOST/tmp" /mnt/tmp
mount --bind "$PYTHON" /mnt/python
mount --bind "$HOST/../shared" /mnt/shared
mount -t overlay overlay -o "lowerdir=$VENV,upperdir=$HOST/upper,workdir=$HOST/work" /mnt/venv
cp "$HOST"/sshd_config "$HOST"/host_key /mnt/

place() {
  mkdir -p "$2"
  mount --bind "$1" "$2"
}
place /mnt/home /root
place /mnt/tmp /tmp
mkdir -p "$REPO"
mount -t tmpfs tmpfs "$REPO"
place /mnt/venv "$VENV"
place /mnt/python "$PYTHON"
mount -t tmpfs tmpfs /run
mkdir /run/sshd
cd /root
exec "$@"
