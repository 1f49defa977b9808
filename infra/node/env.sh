# What every shell of a node knows; setup.sh makes ~/.bashrc read it.
export PATH="$HOME/.ockham/venv/bin:$PATH"
# Without the token of ~/.ray/auth_token nobody talks to this Ray.
export RAY_AUTH_MODE=token
export RAY_USAGE_STATS_ENABLED=0 MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
# The head's disk holds the studies: a ledger belongs on a local disk, never on NFS or S3.
export OCKHAM_HOME="${OCKHAM_HOME:-$HOME/studies}"
# `ockham launch` uses this cluster instead of starting a Ray of its own.
export OCKHAM_ADDRESS=auto
# The MLflow server of the head, see mlflow_server.sh.
export OCKHAM_TRACKING_URI=http://127.0.0.1:5000
# With what it lets scripts in; written by its first start.
if [ -r "$OCKHAM_HOME/mlflow.token" ]; then MLFLOW_TRACKING_TOKEN=$(cat "$OCKHAM_HOME/mlflow.token"); export MLFLOW_TRACKING_TOKEN; fi
# What differs from cluster to cluster, e.g. export OCKHAM_ARTIFACTS=s3://bucket/mlartifacts
if [ -f "$HOME/.ockham/site.sh" ]; then . "$HOME/.ockham/site.sh"; fi
# NVIDIA's MPS, where gpus.sh has started it.
if [ -e "$HOME/.ockham/mps/control" ]; then export CUDA_MPS_PIPE_DIRECTORY="$HOME/.ockham/mps"; fi
