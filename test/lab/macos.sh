#!/bin/bash
# The provider's operations on servers of an emulated Mac: real terraform and the real script, with stand-ins for the programs of macOS in PATH
# (internal/plexsim/macsim) and a user of the Mac for each server.
#
# usage: macos.sh rows [KIND [WAY [FLAGS AND PACKAGES OF go test...]]]   rows of the operations table; KIND is app (the default) or launchd,
#                  WAY is sshd (by SSH as root, through a jump host) or as this machine
#        macos.sh test    what CI runs: all rows as this machine and by SSH, a few with launchd, and, beside them, the tests of internal/server
#
#   LAB_REQUIRED   1: a machine where this cannot run is a failure, not a skip
#   LAB_RACE       0: without the race detector
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

mac=

# why_no_mac: as lib.sh's missing, for this.
why_no_mac() {
  [ "$(uname -s)" = Linux ] || { echo "it is not Linux"; return; }
  [ "$(id -u)" = 0 ] || { echo "it needs root"; return; }
  local command
  for command in terraform ssh-keygen; do
    command -v "$command" > /dev/null || echo "there is no $command"
  done
  [ -x /usr/sbin/sshd ] || echo "there is no sshd (Debian package: openssh-server)"
}

require_mac() {
  local reasons
  reasons=$(why_no_mac)
  [ -n "$reasons" ] || return 0
  {
    echo '########################################################################'
    echo '##  SKIPPED: NO MAC CAN BE EMULATED HERE. NOTHING WAS TESTED.         ##'
    echo '########################################################################'
    printf '##  %s\n' "$reasons" | sed '2,$s/^/##  /'
    echo '##  LAB_REQUIRED=1 makes this a failure.'
    echo '########################################################################'
  } >&2
  [ "${LAB_REQUIRED:-0}" != 1 ] || exit 1
  exit 0
}

clean_up() {
  trap '' HUP INT TERM
  local left
  left=$(jobs -p)
  # shellcheck disable=SC2086 # several words
  [ -z "$left" ] || { kill $left && wait $left; } 2> /dev/null || true
  rm -rf "$mac"
}

# make_mac: in a directory that every user can enter.
make_mac() {
  mac=$(mktemp -d "${TMPDIR:-/tmp}/mac-XXXXXX")
  trap clean_up EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  chmod 755 "$mac"
  (
    cd "$REPO"
    CGO_ENABLED=0 go build -o "$mac/build/" ./cmd/macsim ./cmd/plexsim
  )
  "$mac/build/macsim" make "$mac/mac" "$mac/build/plexsim"
}

flags() {
  printf '%s\n' -count=1 -p=1 -timeout=20m -shuffle=on
  race
}

race() {
  if [ "${LAB_RACE:-1}" != 0 ] && [ "$(go env CGO_ENABLED)" = 1 ]; then echo -race; fi
}

# on_mac DIRECTORY KIND WAY COMMAND...: tests of servers of that kind that are reached that way. The command takes the place of the shell, which
# is one in the background: bash obeys a signal only while it waits in wait.
on_mac() {
  local directory=$1 kind=$2 way=$3
  shift 3
  say "macos: $kind, ${way:-as this machine}: ${*##*/}"
  cd "$REPO/$directory"
  PATH=$mac/mac/bin:$PATH PLEX_LAB=macos PLEX_LAB_MAC=$kind PLEX_LAB_MAC_ROOT=$mac/mac PLEX_LAB_WAY=$way PLEXSIM_BIN=$mac/build/plexsim \
    exec env --default-signal=HUP,INT,QUIT "$@"
}

rows() {
  local kind=${1:-app} way=${2:-}
  shift $(($# < 2 ? $# : 2))
  [ $# -gt 0 ] || set -- -run '^TestOperation' ./internal/provider
  mapfile -t options < <(flags)
  on_mac . "$kind" "$way" go test "${options[@]}" -parallel=4 "$@" &
  wait $!
}

# build_tests: each test program is built once, and so is the provider's program.
build_tests() {
  local race=()
  mapfile -t race < <(race)
  cd "$REPO"
  go build -o "$mac/build/terraform-provider-plex" .
  go test -c "${race[@]}" -o "$mac/build/" ./internal/provider ./internal/server
  export PLEX_PROVIDER_BIN=$mac/build/terraform-provider-plex
}

# tests PACKAGE KIND WAY PATTERN [FLAGS...]
tests() {
  local package=$1 kind=$2 way=$3 pattern=$4
  shift 4
  on_mac "internal/$package" "$kind" "$way" "$mac/build/$package.test" -test.timeout=20m -test.shuffle=on -test.parallel=4 -test.run "$pattern" "$@"
}

# test_all: the tests of internal/server wait most of their time, so they run beside the rows.
test_all() {
  local failed=0 server
  build_tests
  # Those named MacOS have Macs of their own, and run with all others.
  tests server app '' '^Test(Edit|AnEdit|TheServerComesBack|AServer|ASecond|TheCopies|NothingIsStopped)' -test.skip '^Test(MacOS|Container|Listen)' \
    > "$mac/server" 2>&1 &
  server=$!
  tests provider app '' '^TestOperation' &
  wait $! || failed=1
  tests provider app sshd '^TestOperation' &
  wait $! || failed=1
  tests provider launchd '' '^TestOperation(CreateClaimsAServer|DeleteRemoves|ReplaceUnbinds|UpdateOfAccount)' &
  wait $! || failed=1
  wait "$server" || failed=1
  cat "$mac/server"
  return "$failed"
}

action=${1:-}
[ $# -eq 0 ] || shift
case $action in
  -h | --help) usage "$0"; exit 0 ;;
  rows | test) ;;
  *) usage "$0" >&2; exit 2 ;;
esac
require_mac
make_mac
case $action in
  rows) rows "$@" ;;
  test) test_all ;;
esac
