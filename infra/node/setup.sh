#!/usr/bin/env bash
# Makes a node able to run trials: Python 3.11, the pinned packages, Ockham as it was shipped to ~/ockham.
# Ray runs it on every node of a cluster; what is there already is left alone.
set -euo pipefail
source_dir=$HOME/ockham
venv=$HOME/.ockham/venv

line='. "$HOME/ockham/infra/node/env.sh"'
touch ~/.bashrc
grep -qxF "$line" ~/.bashrc || echo "$line" >> ~/.bashrc
(umask 077 && mkdir -p ~/.ockham ~/studies)
chmod 700 ~/.ray
chmod 600 ~/.ray/auth_token

# Asked for pip: a venv that failed half-way has a Python all the same. Debian's python3.11 has ensurepip, which a venv
# needs, only with the package python3.11-venv.
if ! "$venv/bin/python" -m pip --version > /dev/null 2>&1; then
  rm -rf "$venv" ~/.ockham/{installed,linked}
  if python3.11 -c 'import ensurepip' 2> /dev/null; then
    python3.11 -m venv "$venv"
  else
    # uv brings a Python along, and knows the checksum of each; its own is in uv.txt.
    python3 -m pip --version > /dev/null 2>&1 ||
      { echo "this machine has no Python 3.11 that makes environments, and no pip: install python3.11-venv" >&2; exit 1; }
    python3 -m pip install --disable-pip-version-check --quiet --upgrade --target "$HOME/.ockham/uv" \
      --require-hashes -r "$source_dir/infra/node/uv.txt"
    uv=$HOME/.ockham/uv/bin/uv
    "$uv" python install --quiet --no-bin 3.11
    # With the pip that this Python brings along: uv's own `venv --seed` takes whichever is the newest, without a hash.
    "$("$uv" python find --managed-python 3.11)" -m venv "$venv"
  fi
fi
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

wanted=$(cat "$source_dir"/{pyproject.toml,infra/node/requirements.txt} | sha256sum)
if [ "$(cat ~/.ockham/installed 2> /dev/null)" != "$wanted" ]; then
  pip install --require-hashes -r "$source_dir/infra/node/requirements.txt"
  rm -f ~/.ockham/linked
  echo "$wanted" > ~/.ockham/installed
fi
# Ockham itself runs from where it was shipped to: a later `ray up` brings changes without installing again.
if [ "$(cat ~/.ockham/linked 2> /dev/null)" != "$wanted" ]; then
  pip install --no-deps --no-build-isolation --editable "$source_dir"
  echo "$wanted" > ~/.ockham/linked
fi
