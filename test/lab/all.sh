#!/bin/bash
# Everything that the lab tests, one part after the other: beside others programs in Wine were seen to fail. Each part runs, whatever the
# ones before it said.
#
# usage: all.sh [PART...]      parts: local server ssh openrc docker rows macos windows fleet faults; default all
#
#   local    the provider's and the host's tests as root inside a systemd host
#   server   the server's tests in there
#   ssh      the provider's tests in there again, by SSH through a jump host as a user who becomes root with sudo
#   openrc   the server's tests inside a host with OpenRC
#   docker   the server's and the host's tests on a Docker engine
#   rows     the provider's operations on servers in containers, with this machine's engine and with one behind SSH
#   macos    the operations on servers of an emulated Mac, and the server's tests
#   windows  programs and servers on Windows, as Wine plays it
#   fleet    apply and destroy on fifty hosts at once
#   faults   a sample of the faults of docs/design/reliability.md
# LAB, LAB_REQUIRED and LAB_RACE are as in run.sh.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
  -h | --help) usage "$0"; exit 0 ;;
esac
require_lab

part() {
  case $1 in
    local) "$HERE/run.sh" ./internal/provider ./internal/host ;;
    # None of these takes more than two of the six servers, so that five at a time never wait for each other.
    server) "$HERE/run.sh" -parallel=5 ./internal/server ;;
    # What has run in local or server with the race detector, or has nothing to do with what is process 1, is left out of these.
    ssh) PLEX_LAB_WAY=ssh LAB_RACE=0 "$HERE/run.sh" ./internal/provider ;;
    openrc) LAB_INIT=openrc LAB_RACE=0 "$HERE/run.sh" -parallel=5 -skip '^TestWhatIs(Planted|Swapped)' ./internal/server ;;
    docker) "$HERE/docker.sh" test ;;
    rows) "$HERE/docker.sh" rows pms-docker && "$HERE/docker.sh" rows linuxserver sshd && "$HERE/docker.sh" rows process-1 sshd ;;
    macos) "$HERE/macos.sh" test ;;
    windows) "$HERE/windows.sh" ;;
    fleet) "$HERE/fleet.sh" test 50 ;;
    faults) "$HERE/faults.sh" sample ;;
    *) die "there is no part '$1'" ;;
  esac
}

[ $# -gt 0 ] || set -- local server ssh openrc docker rows macos windows fleet faults
summary=() failed=0
for name; do
  start=$SECONDS result=ok
  say "=== $name"
  part "$name" || { result=FAILED; failed=1; }
  summary+=("$(printf '%-7s %4d s  %s' "$name" $((SECONDS - start)) "$result")")
done
say "all parts:"
printf '%s\n' "${summary[@]}" >&2
exit "$failed"
