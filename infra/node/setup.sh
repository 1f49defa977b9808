#!/usr/bin/env bash
# Makes a node able to run trials: Python 3.11, the pinned packages, Ockham as it was shipped to ~/ockham.
# Ray runs it on every node of a cluster; what is there already is left alone.
set -euo pipefail
source_dir=$HOME/ockham
venv=$HOME/.ockham/venv
uv_version=0.13.9

line='. "$HOME/ockham/infra/node/env.sh"'
touch ~/.bashrc
grep -qxF "$line" ~/.bashrc || echo "$line" >> ~/.bashrc
mkdir -p ~/.ockham ~/studies
chmod 700 ~/.ray
chmod 600 ~/.ray/auth_token

# Asked for pip: a venv that failed half-way has a Python all the same. Debian's python3.11 has ensurepip, which a venv
# needs, only with the package python3.11-venv.
if ! "$venv/bin/python" -m pip --version > /dev/null 2>&1; then
  rm -rf "$venv" ~/.ockham/{installed,linked}
  if python3.11 -c 'import ensurepip' 2> /dev/null; then
    python3.11 -m venv "$venv"
  else
    curl --proto '=https' --tlsv1.2 -LsSf "https://astral.sh/uv/$uv_version/install.sh" |
      env UV_INSTALL_DIR="$HOME/.ockham/bin" UV_NO_MODIFY_PATH=1 sh
    "$HOME/.ockham/bin/uv" venv --quiet --seed --python 3.11 "$venv"
  fi
fi
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

wanted=$(cat "$source_dir"/{constraints.txt,pyproject.toml,infra/node/requirements.txt} | sha256sum)
if [ "$(cat ~/.ockham/installed 2> /dev/null)" != "$wanted" ]; then
  pip install -c "$source_dir/constraints.txt" -r "$source_dir/infra/node/requirements.txt" "$source_dir"
  rm -f ~/.ockham/linked
  echo "$wanted" > ~/.ockham/installed
fi
# Ockham itself runs from where it was shipped to: a later `ray up` brings changes without installing again.
if [ "$(cat ~/.ockham/linked 2> /dev/null)" != "$wanted" ]; then
  pip install --no-deps --no-build-isolation --editable "$source_dir"
  echo "$wanted" > ~/.ockham/linked
fi
