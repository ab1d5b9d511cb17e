#!/bin/bash
# The provider's operations on servers of an emulated Mac: real terraform and the real script, with stand-ins for the programs of macOS in PATH
# (internal/plexsim/macsim) and a user of the Mac for each server.
#
# usage: macos.sh rows [KIND [WAY [FLAGS AND PACKAGES OF go test...]]]   rows of the operations table; KIND is app (the default) or launchd,
#                  WAY is sshd (by SSH as root, through a jump host) or as this machine
#        macos.sh test    what CI runs: all rows as this machine, a third of them by SSH, a few with launchd, and the tests of internal/server
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

# make_mac: in a directory that every user can enter.
make_mac() {
  mac=$(mktemp -d "${TMPDIR:-/tmp}/mac-XXXXXX")
  trap 'rm -rf "$mac"' EXIT
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
  if [ "${LAB_RACE:-1}" != 0 ] && [ "$(go env CGO_ENABLED)" = 1 ]; then echo -race; fi
}

# go_test KIND WAY ARGUMENT...
go_test() {
  local kind=$1 way=$2
  shift 2
  say "macos: $kind, ${way:-as this machine}: go test $*"
  (
    cd "$REPO"
    PATH=$mac/mac/bin:$PATH PLEX_LAB=macos PLEX_LAB_MAC=$kind PLEX_LAB_MAC_ROOT=$mac/mac PLEX_LAB_WAY=$way PLEXSIM_BIN=$mac/build/plexsim \
      exec env --default-signal=HUP,INT,QUIT go test "${options[@]}" "$@"
  ) &
  wait $!
}

rows() {
  local kind=${1:-app} way=${2:-}
  shift $(($# < 2 ? $# : 2))
  [ $# -gt 0 ] || set -- -run '^TestOperation' ./internal/provider
  go_test "$kind" "$way" -parallel=4 "$@"
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
mapfile -t options < <(flags)
case $action in
  rows) rows "$@" ;;
  test)
    rows
    rows app sshd -run '^TestOperation(Delete|Replace|ForEach|Import)' ./internal/provider
    rows launchd '' -run '^TestOperation(CreateClaimsAServer|DeleteRemoves|ReplaceUnbinds|UpdateOfAccount)' ./internal/provider
    # The tests named MacOS have Macs of their own, and run with all others.
    go_test app '' -parallel=4 -run '^Test(Edit|AnEdit|TheServerComesBack|AServer|ASecond|TheCopies|NothingIsStopped)' -skip '^Test(MacOS|Container|Listen)' ./internal/server
    ;;
esac
