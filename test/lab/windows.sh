#!/bin/bash
# Tests what is for Windows, in the Windows that wine.sh makes: programs of the tests that run there, and servers there that the provider
# reaches from here by SSH and cmd.exe.
#
# usage: windows.sh [ci|all|rows [NAME...]]
#
#   ci     everything, but of the rows of the operations table six; the default
#   all    everything
#   rows   only rows: those tests whose names match the words, or all
# One test at a time: under more load a program in Wine was seen to get stuck.
# LAB and LAB_REQUIRED are as in run.sh.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

case ${1:-ci} in
  -h | --help) usage "$0"; exit 0 ;;
  ci | all | rows) ;;
  *) usage "$0" >&2; exit 2 ;;
esac

wine=$HERE/wine.sh
made=$("$wine" up)
[ -n "$made" ] || exit 0 # it has said why
work=$LAB/wine/tests
sshd=$work/sshd
mkdir -p "$work"
clean_up() {
  trap '' HUP INT TERM
  "$wine" sshd down "$sshd"
  "$wine" stop
  rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$REPO"

summary=() failed=0
# step NAME COMMAND...
step() {
  local name=$1 start=$SECONDS result=ok
  shift
  say "--- $name"
  "$@" || { result=FAILED; failed=1; }
  summary+=("$(printf '%-34s %4d s  %s' "$name" $((SECONDS - start)) "$result")")
}

# there PACKAGE [FLAGS...]: the tests of a package as a program for Windows. Its output goes through a file, whose end is the program's: what it
# leaves behind in Wine, such as a service, would keep a pipe open.
there() {
  local package=$1 program status=0
  shift
  program=$work/$(basename "$package").test.exe
  "$wine" go test -c -o "$program" "./$package"
  (cd "$package" && PLEXSIM_BIN="Z:${work//\//\\}\\plexsim.exe" timeout 300 "$wine" run "$program" -test.count=1 -test.parallel=1 "$@") \
    > "$work/output" 2>&1 < /dev/null || status=$?
  cat "$work/output"
  return "$status"
}

# here PACKAGE [FLAGS...]: tests of a package on this machine, with servers in Wine.
here() {
  local package=$1
  shift
  PLEX_LAB=wine PLEX_LAB_WINE=$wine go test -count=1 -parallel=1 -timeout=30m "$@" "./$package"
}

# rows PATTERN: tests of the provider, by SSH.
rows() { PLEX_LAB_WAY=wine PLEX_LAB_SSHD=$sshd here internal/provider -run "$1"; }

# Of each operation one row or two: a row takes 7 s.
some='^TestOperation(CreateClaimsAnUnclaimed|CreateTakesOver|DeleteRemoves|ReplaceUnbinds|ReadOfAnUnchanged|UpdateOfAccount)'

# everything OPERATIONS: the last step is those rows.
everything() {
  GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -o "$work/plexsim.exe" ./cmd/plexsim
  step "preferences, there" there internal/prefs
  step "registry, there" there internal/server/registry
  step "emulator, there" there internal/plexsim
  step "server, there" there internal/server -test.run '^Test(OnlyThisMachines|Windows(AnEditOnThis|WhatDoesNotStart|AStoppedServer))'
  step "preferences, with its reg.exe" here internal/prefs -run '^TestRegExe'
  step "batches, from here" here internal/host -run '^TestABatch'
  step "server, from here" here internal/server -run '^TestWindows'
  step "provider's program, there" here internal/provider -run '^TestTheProgramForWindows'
  step "operations, by SSH" rows "$1"
}

"$wine" sshd up "$sshd" > /dev/null
case ${1:-ci} in
  rows) step "operations, by SSH" rows "^TestOperation.*($(IFS='|'; echo "${*:2}"))" ;;
  ci) everything "$some" ;;
  all) everything '^TestOperation' ;;
esac
say "Windows:"
printf '%s\n' "${summary[@]}" >&2
[ "$failed" = 0 ]
