#!/bin/bash
# Injects faults into operations with real Terraform, and judges what is left (test/faults, docs/design/reliability.md).
#
# usage: faults.sh [full|sample|replay|paste] [FLAGS OF test/faults...]      default: full
#
#   full     600 faults: by local shell, SSH and a command; on lab hosts, where one can run, a power cut at every step among them; and in
#            containers, where an engine can run
#   sample   some, for about two minutes
#   replay   what the flags say: -seed S for the same choices, -trial N for one of them, -only EXPRESSION for a part. With PLEX_LAB=host on a
#            lab host, with PLEX_LAB (the name of an image: pms-docker, process-1) in a container.
#
#   paste    puts the table of the last full or sample into docs/design/reliability.md
#
# One table of all that full or sample have run is printed at the end. Needs root, for what happens to disks.
#   LAB            work directory, default /var/tmp/plexlab
#   LAB_REQUIRED   1: a machine where this cannot run is a failure, not a skip
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

action=${1:-full}
case $action in
  full) runs=430 cuts=51 host_runs=51 container_runs=30 budget=0 host_budget=0 container_budget=0 ;;
  sample) runs=60 cuts=3 host_runs=0 container_runs=4 budget=70s host_budget=10s container_budget=10s ;;
  replay) runs=1 ;;
  paste) ;;
  -h | --help) usage "$0"; exit 0 ;;
  *) usage "$0" >&2; exit 2 ;;
esac
[ $# -eq 0 ] || shift

why_not() {
  [ "$(uname -s)" = Linux ] || { echo "it is not Linux"; return; }
  [ "$(id -u)" = 0 ] || echo "it needs root"
  local command
  for command in terraform go gcc ssh ssh-keygen mkfs.ext4 mkfs.btrfs chattr setpriv flock; do
    command -v "$command" > /dev/null || echo "there is no $command"
  done
  [ -x /usr/sbin/sshd ] || echo "there is no sshd (Debian package: openssh-server)"
}

reasons=$(why_not)
if [ -n "$reasons" ]; then
  {
    echo "## NOT RUN: no faults can be injected on this machine."
    printf '##  %s\n' "$reasons"
  } >&2
  [ "${LAB_REQUIRED:-0}" != 1 ] || exit 1
  exit 0
fi

table=$LAB/faults.md
if [ "$action" = paste ]; then
  page=$REPO/docs/design/reliability.md
  awk -v table="$table" '
    /^\| fault \| transport \|/ { old = 1; while ((getline line < table) > 0) print line }
    !old { print }
    /operations ended before they came to the place/ { old = 0 }
  ' "$page" > "$page.new"
  mv "$page.new" "$page"
  exit 0
fi

test=("$LAB/faults.test" -test.count=1 -test.parallel=2 -test.timeout=4h)
# Hosts have this directory, and find in it what the harness makes.
export TMPDIR=$LAB/tmp
mkdir -p "$TMPDIR"
cd "$REPO/test/faults"
go test -c -o "$LAB/faults.test" .

failed=0 running="" socket="" hosts=""

# inject FLAGS...: in the background, since bash obeys a signal only while it waits in wait.
inject() {
  env --default-signal=HUP,INT,QUIT "${test[@]}" "$@" &
  running=$!
  wait "$running" || failed=1
  running=""
}
# shellcheck disable=SC2317 # a trap calls it
finish() {
  trap '' HUP INT TERM
  if [ -n "$running" ]; then
    kill -TERM "$running" 2> /dev/null || true
    wait "$running" || true
  fi
  if [ -n "$socket" ]; then "$HERE/docker.sh" stop; fi
  if [ -n "$hosts" ]; then "$HERE/host.sh" reap; fi
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

start_engine() {
  socket=$("$HERE/docker.sh" start) # which says so where there can be none
  [ -n "$socket" ] || return 1
  "$HERE/docker.sh" images
}

# start_hosts: makes once what they need. Fails where there can be none.
start_hosts() {
  (require_lab) || failed=1 # which says so
  [ -z "$(missing)" ] || return 1
  hosts=yes
  export PLEXSIM=$LAB/plexsim
  (cd "$REPO" && CGO_ENABLED=0 go build -o "$PLEXSIM" ./cmd/plexsim)
  "$HERE/rootfs.sh" > /dev/null
}

# on_hosts FLAGS...
on_hosts() {
  say "lab hosts"
  PLEX_LAB='' inject -transports host "$@"
}

# in_containers IMAGE FLAGS...: what ends the engine comes in a run of its own, since it ends all containers.
in_containers() {
  local image=$1
  shift
  say "containers of $image"
  PLEX_LAB=$image PLEX_LAB_DOCKER=$socket inject -transports container "$@"
}

if [ "$action" = replay ]; then
  if [ "${PLEX_LAB:-}" = host ]; then
    start_hosts && on_hosts -runs "$runs" "$@"
  elif [ -n "${PLEX_LAB:-}" ]; then
    start_engine && in_containers "$PLEX_LAB" -runs "$runs" "$@"
  else
    inject -runs "$runs" "$@"
  fi
  exit "$failed"
fi

found=$LAB/faults.json
rm -f "$found"
set -- -results "$found" "$@"
inject -runs "$runs" -budget "$budget" "$@"
if start_hosts; then
  on_hosts -only '^power cut/' -runs "$cuts" -budget "$host_budget" "$@"
  [ "$host_runs" = 0 ] || on_hosts -without '^power cut/' -runs "$host_runs" "$@"
fi
if start_engine; then
  for image in pms-docker process-1; do
    in_containers "$image" -without '^engine' -runs "$container_runs" -budget "$container_budget" "$@"
    [ "$action" = sample ] || in_containers "$image" -only '^engine' -test.parallel=1 -runs 4 "$@"
  done
fi
"${test[@]}" -test.run '^TestFaults$' -results "$found" | sed '/^PASS$/d' | tee "$table"
exit "$failed"
