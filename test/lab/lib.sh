# shellcheck shell=bash
# What the lab's scripts share: where things are, what the machine must have, how to wait. Sourced, never run.

LAB=${LAB:-/var/tmp/plexlab}
HOSTS=$LAB/hosts
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
REPO=$(cd "$HERE/../.." && pwd -P)
# Two labs on one machine (two values of LAB) must not share cgroups or machine names.
LAB_ID=$(printf '%s' "$LAB" | cksum | cut -d' ' -f1)
export LAB HOSTS HERE REPO LAB_ID

say() { printf 'lab: %s\n' "$*" >&2; }

die() {
  say "$*"
  exit 1
}

# usage FILE: the comment at the head of FILE is its usage text.
usage() { sed -n '2,/^[^#]/{ s/^# \{0,1\}//p; }' "$1"; }

# Directories under which a host gets its own cgroup: the version 2 hierarchy, and systemd's own version 1 hierarchy on machines that have both.
# A systemd that shares a cgroup with another one kills the other's services.
cgroup_roots() { awk '$3 == "cgroup2" || ($3 == "cgroup" && $4 ~ /name=systemd/) { print $2 }' /proc/mounts; }

# missing: why no host can run on this machine, one reason a line; nothing when one can.
missing() {
  [ "$(uname -s)" = Linux ] || { echo "it is not Linux"; return; }
  [ "$(id -u)" = 0 ] || { echo "it needs root"; return; }
  local command root probe
  for command in mmdebstrap systemd-nspawn nsenter setsid flock pgrep; do
    command -v "$command" >/dev/null || echo "there is no $command (Debian packages: mmdebstrap systemd-container util-linux procps)"
  done
  grep -qw overlay /proc/filesystems || modprobe -q overlay 2>/dev/null || echo "the kernel has no overlay file system"
  awk '$3 == "cgroup2" { found = 1 } END { exit !found }' /proc/mounts || echo "no cgroup version 2 hierarchy is mounted"
  for root in $(cgroup_roots); do
    probe=$root/plexlab-probe-$$
    { mkdir "$probe" && rmdir "$probe"; } 2>/dev/null || echo "cgroups cannot be made below $root"
  done
}

# require_lab: returns if hosts can run here.
require_lab() { skip_or_fail "$(missing)"; }

# skip_or_fail REASONS: returns if there are none. Else it says so where nobody can miss it, and ends the script: a skip, or a failure under
# LAB_REQUIRED=1.
skip_or_fail() {
  [ -n "$1" ] || return 0
  {
    echo '########################################################################'
    echo '##  SKIPPED: THE LAB CANNOT RUN ON THIS MACHINE. NOTHING WAS TESTED.  ##'
    echo '########################################################################'
    printf '##  %s\n' "$1" | sed '2,$s/^/##  /'
    echo '##  LAB_REQUIRED=1 makes this a failure.'
    echo '########################################################################'
  } >&2
  [ "${LAB_REQUIRED:-0}" != 1 ] || exit 1
  exit 0
}

# wait_until SECONDS COMMAND...: tries COMMAND every 20 ms until it succeeds; fails when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -le "$deadline" ] || return 1
    sleep 0.02
  done
}

# alive PID: a process that ended and that nobody has asked about (a zombie) is not: process 1 of a container may never ask.
alive() {
  local status
  status=$(grep '^State:' "/proc/$1/status" 2>/dev/null) || return 1
  [[ $status != *Z* ]]
}

dead() { ! alive "$1"; }
