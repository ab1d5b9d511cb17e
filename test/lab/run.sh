#!/bin/bash
# Boots a lab host, runs Go tests inside it as root, and shuts it down, whatever happens.
#
# usage: run.sh [FLAGS AND PACKAGES OF go test...]     default: ./internal/provider ./internal/server ./internal/host
#        run.sh -v -run TestAccBindingDelete ./internal/provider
#
# The test programs are built here and run there, each in its package's own directory of this source tree (read-only, at /src), with Terraform at
# /usr/local/bin/terraform, and with PLEX_LAB, PLEXSIM_BIN and PLEX_PROVIDER_BIN (the two programs, since there is no Go in the host).
# Packages run one after the other: they share the host's servers. Output and exit status are those of go test. Variables named TF_LOG* and
# PLEX_LAB_* are handed on.
#   LAB            work directory, default /var/tmp/plexlab
#   LAB_INIT       what is process 1 of the host: systemd (the default) or openrc; PLEX_LAB says the same to the tests
#   PLEX_LAB_WAY   how the provider's tests reach the servers: ssh, or as this machine (the default)
#   LAB_REQUIRED   1: a machine where no host can run is a failure, not a skip
#   LAB_RACE       1 or 0: with or without the race detector (default: with it, where this machine's C library is no newer than the host's)
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-} in
  -h | --help) usage "$0"; exit 0 ;;
esac

packages=(./internal/provider ./internal/server ./internal/host)
timeout=20m
host=test-$$
tests=

has_package() {
  local argument
  for argument; do [[ $argument != ./* ]] || return 0; done
  return 1
}

# race ROOT: whether a test program with the race detector, which is linked against this machine's C library, runs in the host.
race() {
  if [ -n "${LAB_RACE:-}" ]; then
    [ "$LAB_RACE" = 1 ]
    return
  fi
  [ "$(go env CGO_ENABLED)" = 1 ] || return 1
  local ours theirs
  ours=$(getconf GNU_LIBC_VERSION 2>/dev/null) || return 1
  theirs=$(chroot "$1" getconf GNU_LIBC_VERSION)
  [ "$(printf '%s\n%s\n' "$ours" "$theirs" | sort -V | tail -n 1)" = "$theirs" ]
}

require_lab
terraform=$(command -v terraform) || die "terraform is not on the PATH"
terraform=$(readlink -f "$terraform")

clean_up() {
  trap '' HUP INT TERM
  [ -z "$tests" ] || kill "$tests" 2> /dev/null || true
  "$HERE/host.sh" down "$host"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$REPO"
"$HERE/host.sh" reap
root=$("$HERE/rootfs.sh")
say "booting host $host"
LAB_OWNER=$$ LAB_MOUNT="$REPO:/src $terraform:/usr/local/bin/terraform" "$HERE/host.sh" up "$host"
wait_until 30 "$HERE/host.sh" run "$host" curl --silent --fail --output /dev/null http://127.0.0.1:32400/identity ||
  die "the server on host $host does not answer"

CGO_ENABLED=0 go build -o "$HOSTS/$host/root/usr/local/bin/terraform-provider-plex" .

# Two tests at a time: of six servers one test may take five, and another two.
flags=(-count=1 -p=1 -parallel=2 "-timeout=$timeout" "-exec=$HERE/in-host.sh $host")
if race "$root"; then
  flags+=(-race)
else
  say "no race detector in this run"
  export CGO_ENABLED=0
fi
has_package "$@" || set -- "$@" "${packages[@]}"
say "go test ${flags[*]} $*"
# In the background, since bash obeys a signal only while it waits in wait; and with the signals that bash makes its background commands
# ignore, which what they start would ignore too, back as they were: tests interrupt editors.
env --default-signal=HUP,INT,QUIT go test "${flags[@]}" "$@" &
tests=$!
wait "$tests"
