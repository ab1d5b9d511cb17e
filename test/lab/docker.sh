#!/bin/bash
# A Docker engine of the lab's own, and images that keep a server as the known images do. No registry and no network is involved.
#
# usage: docker.sh start        start the engine, nothing to do if it runs; prints its address
#        docker.sh images       build the images that are missing (images/*.sh says what they are)
#        docker.sh test [FLAGS AND PACKAGES OF go test...]   start, images, the tests that want an engine, stop; whatever happens
#        docker.sh rows IMAGE [WAY]   start, images, then the provider's rows of the operations table, and the search for secrets, on servers in that
#                                image (pms-docker, linuxserver, process-1), with this machine's engine or, by WAY sshd, with that of a host behind SSH; stop
#        docker.sh stop         remove every container, stop the engine; its images stay
#
#   LAB          work directory, default /var/tmp/plexlab
#   LAB_REQUIRED 1: a machine where no engine can run is a failure, not a skip
#   LAB_RACE     0: without the race detector
#   LAB_COUNT    how often each test runs, default 1
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

directory=$LAB/docker
socket=unix://$directory/docker.sock
packages=(./internal/host ./internal/server)

lab_docker() { docker -H "$socket" "$@"; }

# why_no_engine: as lib.sh's missing, for an engine.
why_no_engine() {
  [ "$(uname -s)" = Linux ] || { echo "it is not Linux"; return; }
  [ "$(id -u)" = 0 ] || { echo "it needs root"; return; }
  local command
  for command in dockerd docker containerd runc; do
    command -v "$command" > /dev/null || echo "there is no $command (Debian package: docker.io)"
  done
  command -v s6-svscan > /dev/null || echo "there is no s6-svscan (Debian package: s6)"
  command -v busybox > /dev/null || echo "there is no busybox (Debian package: busybox)"
}

require_engine() {
  local reasons
  reasons=$(why_no_engine)
  [ -n "$reasons" ] || return 0
  {
    echo '###########################################################################'
    echo '##  SKIPPED: NO DOCKER ENGINE CAN RUN ON THIS MACHINE. NOTHING WAS TESTED. ##'
    echo '###########################################################################'
    printf '##  %s\n' "$reasons" | sed '2,$s/^/##  /'
    echo '##  LAB_REQUIRED=1 makes this a failure.'
    echo '###########################################################################'
  } >&2
  [ "${LAB_REQUIRED:-0}" != 1 ] || exit 1
  exit 0
}

engine() {
  local pid
  pid=$(cat "$directory/docker.pid" 2> /dev/null) && alive "$pid" && echo "$pid"
}

answers() { lab_docker version; }
answers_or_dead() { answers || dead "$1"; }

# start: no bridge and no packet filter, neither of which every machine has; containers use this machine's network or none.
start() {
  require_engine
  if ! engine > /dev/null; then
    mkdir -p "$directory"
    rm -f "$directory/docker.pid"
    (
      exec 9>&- # a lock that a caller holds must not live on in the engine
      exec setsid dockerd -H "$socket" --data-root "$directory/data" --exec-root "$directory/exec" --pidfile "$directory/docker.pid" \
        --iptables=false --ip6tables=false --bridge=none < /dev/null > "$directory/dockerd.log" 2>&1
    ) &
    if ! wait_until 30 answers_or_dead $! || ! answers > /dev/null 2>&1; then
      tail -n 30 "$directory/dockerd.log" >&2
      die "the engine did not start"
    fi
  fi
  echo "$socket"
}

stop() {
  local pid left
  if pid=$(engine); then
    mapfile -t left < <(lab_docker ps -aq)
    [ ${#left[@]} -eq 0 ] || lab_docker rm -f -v "${left[@]}" > /dev/null
    kill -TERM "$pid"
    wait_until 30 dead "$pid" || die "the engine does not stop"
  fi
  # What it could not unmount itself.
  awk -v below="$directory/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | while read -r left; do umount "$left" || true; done
}

images() {
  start > /dev/null
  exec 8> "$directory/images.lock"
  flock 8
  DOCKER_HOST=$socket "$HERE/images/build.sh"
  exec 8>&-
}

run_rows() {
  PLEX_LAB=${1:?which image} PLEX_LAB_WAY=${2:-} run_tests -parallel=4 -run '^TestOperation|^TestSecretsStayOutByEveryWay$' ./internal/provider
}

run_tests() {
  local -a flags=("-count=${LAB_COUNT:-1}" -p=1 -timeout=20m -shuffle=on)
  trap stop EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  start > /dev/null
  images
  if [ "${LAB_RACE:-1}" != 0 ] && [ "$(go env CGO_ENABLED)" = 1 ]; then flags+=(-race); fi
  [ $# -gt 0 ] || set -- -run Container "${packages[@]}"
  cd "$REPO"
  say "go test ${flags[*]} $*"
  env --default-signal=HUP,INT,QUIT PLEX_LAB_DOCKER="$socket" go test "${flags[@]}" "$@" &
  wait $!
}

action=${1:-}
[ $# -eq 0 ] || shift
case $action in
  start) start ;;
  stop) stop ;;
  images) images ;;
  test) run_tests "$@" ;;
  rows) run_rows "$@" ;;
  -h | --help) usage "$0" ;;
  *) usage "$0" >&2; exit 2 ;;
esac
