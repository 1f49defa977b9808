# What every shell of a node knows; setup.sh makes ~/.bashrc read it.
export PATH="$HOME/.ockham/venv/bin:$PATH"
# Without the token of ~/.ray/auth_token nobody talks to this Ray.
export RAY_AUTH_MODE=token
export RAY_USAGE_STATS_ENABLED=0 MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
# The head's disk holds the studies: a ledger belongs on a local disk, never on NFS or S3.
export OCKHAM_HOME="${OCKHAM_HOME:-$HOME/studies}"
# `ockham launch` uses this cluster instead of starting a Ray of its own.
export OCKHAM_ADDRESS=auto
# What differs from cluster to cluster, e.g. OCKHAM_STORAGE=s3://bucket/ockham.
if [ -f "$HOME/.ockham/site.sh" ]; then . "$HOME/.ockham/site.sh"; fi
