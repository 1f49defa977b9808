#!/usr/bin/env bash
# The MLflow server of a head: on 127.0.0.1 only, restarted whenever it ends.
# Usage: mlflow_server.sh start|wait|stop|run|supervise
# `start` makes it a systemd user service; where there is no systemd, `supervise`, a loop, watches it in the background;
# a container runs that itself. `wait` returns when it answers, which takes as long as Ray's own start.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
port=${OCKHAM_TRACKING_URI##*:}
state=$HOME/.ockham
umask 077
mkdir -p "$state" "$OCKHAM_HOME"

has_systemd() { systemctl --user show-environment > /dev/null 2>&1; }

answers() { (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; }

run() {
  # Every user of this machine can connect to it; only who has the token is let in.
  if [ ! -s "$OCKHAM_HOME/mlflow.token" ]; then
    (umask 077 && od -An -v -tx1 -N32 /dev/urandom | tr -d ' \n' > "$OCKHAM_HOME/mlflow.token")
  fi
  MLFLOW_TRACKING_TOKEN=$(cat "$OCKHAM_HOME/mlflow.token")
  export MLFLOW_TRACKING_TOKEN MLFLOW_BACKEND_STORE_URI="sqlite:///$OCKHAM_HOME/mlflow.db"
  exec python -m study.tracking.guarded_server 127.0.0.1 "$port" "${OCKHAM_ARTIFACTS:-$OCKHAM_HOME/mlartifacts}"
}

# Each round runs this script afresh, so that an update of it needs no restart of the loop.
supervise() {
  exec 9> "$state/mlflow.lock"
  flock --nonblock 9 || exit 0
  echo $$ > "$state/mlflow.pid"
  while :; do
    bash "$here/mlflow_server.sh" run 9>&- || true
    sleep 5
  done
}

start() {
  if has_systemd; then
    install -D -m 644 "$here/ockham-mlflow.service" ~/.config/systemd/user/ockham-mlflow.service
    systemctl --user daemon-reload
    systemctl --user enable --quiet --now ockham-mlflow.service
    loginctl enable-linger "$USER" || echo "without lingering MLflow ends with your last login: ask an administrator"
  else
    setsid bash "$here/mlflow_server.sh" supervise < /dev/null >> "$state/mlflow.log" 2>&1 9>&- &
  fi
}

wait_for_it() {
  for _ in $(seq 60); do
    if answers; then echo "MLflow answers on 127.0.0.1:$port"; return; fi
    sleep 1
  done
  echo "MLflow does not answer on 127.0.0.1:$port yet; see ~/.ockham/mlflow.log or journalctl --user -u ockham-mlflow" >&2
  return 1
}

stop() {
  if has_systemd; then
    systemctl --user disable --now ockham-mlflow.service
  elif [ -f "$state/mlflow.pid" ]; then
    # `setsid` made the loop the leader of its own group: this ends it and the server, and nothing else.
    kill -- "-$(cat "$state/mlflow.pid")" || true
    rm -f "$state/mlflow.pid"
  fi
}

case "${1:-}" in
  start | stop | run | supervise) "$1" ;;
  wait) wait_for_it ;;
  *) echo "usage: $0 start|wait|stop|run|supervise" >&2; exit 2 ;;
esac
