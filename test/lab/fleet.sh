#!/bin/bash
# Many lab hosts at once, which this machine reaches by SSH, and the tests that need them.
#
# usage: fleet.sh up N                 boot the hosts fleet-1 to fleet-N in the lab's network; nothing to do for those that run
#        fleet.sh down                 shut them all down, and the network where nobody else is in it
#        fleet.sh test [N] [FLAGS]     Terraform binds and unbinds the servers of N hosts at once (default 50)
#        fleet.sh bench [N] [FLAGS]    the provider against remote-exec, Ansible and plain ssh, on one and on N hosts (default 20)
#
# test and bench boot the hosts and shut them down, whatever happens. FLAGS are those of a test program: -test.v, -rounds=1. bench needs
# ansible-playbook and, for the hosts, /usr/bin/python3.11.
# Host N has the address 10.99.0.N. Its server is claimed by nobody, takes this machine's end of the network (10.98.0.1) for plex.tv, and writes
# what happens to it to the file "events", beside its data directory.
#   LAB            work directory, default /var/tmp/plexlab
#   LAB_REQUIRED   1: a machine where no host can run is a failure, not a skip
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

files=$LAB/fleet
# The emulator of plex.tv listens at this machine's end of the lab's network, where nobody else does.
export FLEET_PLEXTV=10.98.0.1:32480
mounts=("$files/environment:/etc/default/plexmediaserver")

check_count() {
  if ! [[ ${1:-} =~ ^[0-9]+$ ]] || [ "$1" -lt 1 ] || [ "$1" -gt 250 ]; then die "not a number of hosts from 1 to 250: '${1:-}'"; fi
}

# abreast COMMAND...: the command, a few at a time, once for each line of standard input, which it gets as its last argument. They are
# background commands of this shell, so that clean_up can wait for those that have been started.
abreast() {
  local line job failed=0
  local -a jobs=()
  while read -r line; do
    if [ ${#jobs[@]} -ge "$((2 * $(nproc)))" ]; then
      wait "${jobs[0]}" || failed=1
      jobs=("${jobs[@]:1}")
    fi
    "$@" "$line" < /dev/null &
    jobs+=($!)
  done
  for job in "${jobs[@]}"; do wait "$job" || failed=1; done
  return "$failed"
}

boot() { LAB_NUMBER=$1 PLEXSIM=$files/plexsim LAB_MOUNT=${mounts[*]} "$HERE/host.sh" up "fleet-$1"; }

names() { "$HERE/host.sh" list | grep -E '^fleet-[0-9]+$' || true; }

up() {
  check_count "$1"
  mkdir -p "$files"
  (cd "$REPO" && CGO_ENABLED=0 go build -o "$files/plexsim" ./cmd/plexsim)
  printf '%s\n' PLEXSIM_ADDR=127.0.0.1:32400 "PLEXSIM_PLEXTV_URL=http://$FLEET_PLEXTV" PLEXSIM_EVENTS=events > "$files/environment"
  "$HERE/net.sh" up
  say "booting $1 hosts"
  boot 1 # alone: the first one makes the root file system and the keys
  abreast boot < <(seq 2 "$1")
}

down() {
  abreast "$HERE/host.sh" down < <(names)
  # Somebody else's hosts may be in the network.
  if ! ip -n plexlab -o link show 2> /dev/null | grep -qE ': host[0-9]+@'; then "$HERE/net.sh" down; fi
}

clean_up() {
  trap '' HUP INT TERM
  [ -z "$program" ] || kill "$program" 2> /dev/null || true
  wait || true
  down
}

# with_fleet N TEST [FLAGS...]: boots N hosts, runs the test, shuts the hosts down.
with_fleet() {
  local count=$1 test=$2
  shift 2
  check_count "$count"
  exec 9> "$LAB/fleet.lock"
  flock -n 9 || die "another run of fleet.sh has the hosts"
  program=
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  export LAB_OWNER=$$
  "$HERE/host.sh" reap
  [ -z "$(names)" ] || die "there are hosts already; end them with fleet.sh down"
  up "$count"
  cd "$REPO/test/fleet"
  go test -c -o "$files/test" .
  # In the background, since bash obeys a signal only while it waits in wait; with the signals that bash makes its background commands ignore
  # back as they were: the program passes an interrupt on to terraform.
  env --default-signal=HUP,INT,QUIT "$files/test" -test.run "^$test\$" -test.timeout=60m "-hosts=$count" "$@" 9>&- &
  program=$!
  wait "$program"
}

# The hosts have no Python, which Ansible needs there. They see this machine's, and have the libraries that it needs.
show_python() {
  local python=/usr/bin/python3.11
  if ! command -v ansible-playbook > /dev/null || ! [ -x "$python" ]; then
    die "there is no ansible-playbook or no $python; on Debian 12: apt-get install --no-install-recommends ansible (540 MB)"
  fi
  mounts+=("$python:/usr/bin/python3" /usr/lib/python3.11:/usr/lib/python3.11)
}

action=${1:-}
[ $# -eq 0 ] || shift
case $action in
  -h | --help) usage "$0"; exit 0 ;;
  up | down | test | bench) ;;
  *) usage "$0" >&2; exit 2 ;;
esac
require_lab
mkdir -p "$LAB"
count=
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
  count=$1
  shift
fi
case $action in
  up) up "$count" ;;
  down) down ;;
  test) with_fleet "${count:-50}" TestTerraformOverAFleet -test.v "$@" ;;
  bench)
    show_python
    with_fleet "${count:-20}" TestRivals -measure "$@"
    ;;
esac
