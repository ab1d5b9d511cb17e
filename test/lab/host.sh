#!/bin/bash
# The lab's hosts: real systemd (or sysvinit and OpenRC) as process 1, in a systemd-nspawn container of its own network namespace (a loopback, and with LAB_NUMBER an
# address that this machine reaches), its own cgroup, and its own layer above the shared root file system. Users admin and root let the key
# $LAB/ssh/id_ed25519 in; $LAB/ssh/host_key.pub is every host's key.
#
# usage: host.sh up NAME              boot it, and wait until systemd has started everything; nothing to do if it runs
#        host.sh run NAME COMMAND...  run a command in it as root; standard input, output and exit status are the command's
#        host.sh pid NAME             the process id of its systemd, as this machine sees it
#        host.sh kill NAME            a power cut; its files stay, up boots it again. With LAB_DISK, what was not on the disk yet is lost
#        host.sh down NAME...         shut it down and remove every trace of it; nothing to do if there is none
#        host.sh list                 the hosts there are
#        host.sh reap                 bring down the hosts whose owner (the script that booted them, see LAB_OWNER) is gone
#
# NAME is a short name of lower-case letters, digits and hyphens. While a host is up, its root directory is $LAB/hosts/NAME/root.
#   LAB          work directory, default /var/tmp/plexlab
#   PLEXSIM      up: the program to install as plexsim and as "Plex Media Server" (default: built from cmd/plexsim)
#   LAB_MOUNT    up: directories and files of this machine to show in the host read-only, FROM:TO, separated by spaces
#   LAB_SHARE    up: a directory of this machine that the host has at the same path, to write in, too
#   LAB_DISK     up, the first time: the size of a disk of the host's own for its layer (ext4 in a file); default: a directory of this machine
#   LAB_OWNER    up: the process that the host must not outlive by long
#   LAB_INIT     up: what is process 1, systemd (the default) or openrc
#   LAB_NUMBER   up: the host's number in the lab's network (net.sh), which gives it an address that this machine reaches
#   LAB_ENV      run: names of variables to hand to the command, besides PATH, HOME and TERM
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

boot_limit=60
stop_limit=60

directory() { echo "$HOSTS/$1"; }

# Names go into paths, cgroups and host names.
check_name() { [[ ${1:-} =~ ^[a-z0-9][a-z0-9-]{0,30}$ ]] || die "not a host name: '${1:-}'"; }

cgroups() {
  local root
  for root in $(cgroup_roots); do echo "$root/plexlab-$LAB_ID-$1"; done
}

# nspawn NAME: the process id of the container's supervisor, if it lives.
nspawn() {
  local pid
  pid=$(cat "$(directory "$1")/pid" 2>/dev/null) && alive "$pid" && echo "$pid"
}

# leader NAME: the process id of the host's process 1.
# While it boots, nspawn has a child that is still in this machine's namespaces.
leader() {
  local parent child
  parent=$(nspawn "$1") || return 1
  for child in $(pgrep -P "$parent"); do
    if [ "$(readlink "/proc/$child/ns/pid")" != "$(readlink /proc/self/ns/pid)" ]; then
      echo "$child"
      return 0
    fi
  done
  return 1
}

enter() {
  local pid
  pid=$(leader "$1") || return 1
  shift
  nsenter --target "$pid" --all -- "$@"
}

# install_server ROOT: plexsim under its own name, and under the one that makes it the media server.
install_server() {
  local program=$1/usr/local/bin/plexsim
  if [ -n "${PLEXSIM:-}" ]; then
    cp "$PLEXSIM" "$program"
  else
    (cd "$REPO" && CGO_ENABLED=0 go build -o "$program" ./cmd/plexsim)
  fi
  chmod 0755 "$program"
  ln -f "$program" "$1/usr/lib/plexmediaserver/Plex Media Server"
}

# install_keys ROOT: who may log in, and what the host shows for itself.
install_keys() {
  local keys=$LAB/ssh user home
  mkdir -p "$keys"
  (
    flock 9 # the first hosts may come up at once
    [ -f "$keys/id_ed25519" ] || ssh-keygen -q -t ed25519 -N '' -C lab -f "$keys/id_ed25519"
    [ -f "$keys/host_key" ] || ssh-keygen -q -t ed25519 -N '' -C host -f "$keys/host_key"
  ) 9> "$keys/lock"
  for user in root admin; do
    home=$(awk -F: -v user="$user" '$1 == user { print $6 }' "$1/etc/passwd")
    install -d -m 0700 "$1$home/.ssh"
    install -m 0600 "$keys/id_ed25519.pub" "$1$home/.ssh/authorized_keys"
    chroot "$1" chown -R "$user:" "$home/.ssh"
  done
  rm -f "$1"/etc/ssh/ssh_host_*
  install -m 0600 "$keys/host_key" "$1/etc/ssh/ssh_host_ed25519_key"
  install -m 0644 "$keys/host_key.pub" "$1/etc/ssh/ssh_host_ed25519_key.pub"
}

# mount_disk DIRECTORY: of a host that has a disk of its own, or gets one.
mount_disk() {
  if [ -n "${LAB_DISK:-}" ] && [ ! -e "$1/image" ]; then
    truncate -s "$LAB_DISK" "$1/image"
    mkfs.ext4 -q "$1/image"
  fi
  if [ -e "$1/image" ] && ! mounted "$1/disk"; then mount -o loop "$1/image" "$1/disk"; fi
}

# mounted DIRECTORY: without a look at it, which a disk that was cut off refuses.
mounted() { awk -v place="$1" '$2 == place { found = 1 } END { exit !found }' /proc/mounts; }

unmount() {
  local place
  for place in root disk; do
    if mounted "$1/$place"; then umount "$1/$place" || return; fi
  done
}

prepare() {
  local name=$1 dir root
  dir=$(directory "$name")
  root=$("$HERE/rootfs.sh")
  mkdir -p "$dir"/{disk,root}
  mount_disk "$dir"
  mkdir -p "$dir"/disk/{upper,work}
  mounted "$dir/root" || mount -t overlay overlay -o "lowerdir=$root,upperdir=$dir/disk/upper,workdir=$dir/disk/work" "$dir/root"
  echo "$name" > "$dir/root/etc/hostname"
  printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" > "$dir/root/etc/hosts"
  [ -z "${LAB_OWNER:-}" ] || echo "$LAB_OWNER" > "$dir/owner"
  echo "${LAB_INIT:-systemd}" > "$dir/init"
  install_server "$dir/root"
  install_keys "$dir/root"
}

boot() {
  local name=$1 dir mount cgroup
  local -a binds=() signal=()
  dir=$(directory "$name")
  [ "$(cat "$dir/init")" != openrc ] || signal=(--kill-signal=SIGPWR)
  for mount in ${LAB_MOUNT:-}; do binds+=("--bind-ro=$mount"); done
  [ -z "${LAB_SHARE:-}" ] || binds+=("--bind=$LAB_SHARE")
  # A systemd uses about six inotify instances; a machine's usual 128 end at twenty hosts.
  [ "$(cat /proc/sys/fs/inotify/max_user_instances)" -ge 8192 ] || echo 8192 > /proc/sys/fs/inotify/max_user_instances
  (
    exec 9>&- # a lock that a caller holds must not live on in the host
    for cgroup in $(cgroups "$name"); do
      mkdir -p "$cgroup"
      echo "$BASHPID" > "$cgroup/cgroup.procs"
    done
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    exec setsid systemd-nspawn --quiet --register=no --keep-unit --machine="plexlab-$LAB_ID-$name" --directory="$dir/root" \
      --hostname="$name" --private-network --link-journal=no --resolv-conf=off --timezone=off --console=read-only \
      "${binds[@]}" "${signal[@]}" --boot < /dev/null > "$dir/console.log" 2>&1
  ) &
  echo $! > "$dir/pid"
  if ! wait_until "$boot_limit" booted_or_dead "$name" || ! started "$name" > "$dir/state"; then
    tail -n 30 "$dir/console.log" >&2
    enter "$name" systemctl --failed --no-pager --plain >&2 || true
    die "host $name did not come up ($(cat "$dir/state" 2>/dev/null || echo 'process 1 never answered'))"
  fi
  [ -z "${LAB_NUMBER:-}" ] || "$HERE/net.sh" attach "$(leader "$name")" "$LAB_NUMBER"
}

booted_or_dead() {
  nspawn "$1" || return 0
  case $(cat "$(directory "$1")/init") in
    systemd) enter "$1" test -S /run/systemd/private ;;
    openrc) enter "$1" sh -c 'test -e /run/openrc/softlevel && ! test -e /run/openrc/rc.starting && rc-service ssh status' ;;
  esac
}

# started NAME: all that the host starts has started.
started() {
  case $(cat "$(directory "$1")/init") in
    systemd) enter "$1" systemctl is-system-running --wait ;;
    openrc) nspawn "$1" ;;
  esac
}

up() {
  require_lab
  if nspawn "$1" > /dev/null; then return 0; fi
  prepare "$1"
  boot "$1"
}

# The command gets a cgroup of the host, beside systemd's own, as a login would: left in this machine's it would look, to
# whatever asks in the host, like a process of some other container.
run() {
  local name=$1 cgroup variable
  local -a environment=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "TERM=${TERM:-dumb}")
  shift
  [ $# -gt 0 ] || die "run: no command"
  leader "$name" > /dev/null || die "host $name is not up"
  for variable in ${LAB_ENV:-}; do
    if [ -n "${!variable+set}" ]; then environment+=("$variable=${!variable}"); fi
  done
  for cgroup in $(cgroups "$name"); do
    [ ! -d "$cgroup/payload" ] || cgroup=$cgroup/payload/lab.scope
    mkdir -p "$cgroup"
    echo "$BASHPID" > "$cgroup/cgroup.procs"
  done
  exec nsenter --target "$(leader "$name")" --all -- env -i "${environment[@]}" "$@"
}

# no_commands NAME: kills what run started in the host and what came of it; fails while any of it is left. An orderly power-off stops all
# processes for a moment, and nsenter, seeing its child stopped, stops for good: the child is then never reaped, and the host never ends.
no_commands() {
  local cgroup pid none=0
  for cgroup in $(cgroups "$1"); do
    while read -r pid; do
      # The nsenter that waits for the command is this machine's, and must live to reap it.
      [ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ] || continue
      kill -KILL "$pid" 2> /dev/null || true
      none=1
    done < <(cat "$cgroup/payload/lab.scope/cgroup.procs" 2> /dev/null)
  done
  return "$none"
}

# cut_disk DIRECTORY: nothing more is written to the disk from here on (EXT4_IOC_SHUTDOWN, without the journal).
cut_disk() {
  perl -e '
    my ($disk, $without_journal) = (undef, pack("L", 2));
    sysopen($disk, $ARGV[0], 0) && ioctl($disk, 0x8004587d, $without_journal) or die "$ARGV[0]: $!\n";
  ' "$1/disk"
}

power_cut() {
  local pid supervisor dir
  dir=$(directory "$1")
  supervisor=$(nspawn "$1") || return 0
  [ ! -e "$dir/image" ] || cut_disk "$dir"
  if pid=$(leader "$1"); then kill -KILL "$pid" || true; else kill -KILL "$supervisor" || true; fi
  wait_until "$stop_limit" dead "$supervisor" || die "host $1 does not die"
  [ -e "$dir/image" ] || return 0
  wait_until "$stop_limit" unmount "$dir" || die "the disk of host $1 is still in use"
  # A copy: hosts that were booted in the meantime have the old one in their mount namespaces, and as long as that is mounted anywhere a mount
  # gives the file system that was shut down.
  cp --sparse=always "$dir/image" "$dir/image.new"
  mv "$dir/image.new" "$dir/image"
}

down() {
  local dir supervisor cgroup
  dir=$(directory "$1")
  [ -d "$dir" ] || return 0
  if supervisor=$(nspawn "$1"); then
    wait_until 10 no_commands "$1" || true
    kill -TERM "$supervisor" # nspawn turns it into an orderly power-off
    if ! wait_until "$stop_limit" dead "$supervisor"; then
      say "host $1 did not shut down within $stop_limit s: cutting its power"
      power_cut "$1"
    fi
  fi
  unmount "$dir"
  rm -rf "$dir"
  for cgroup in $(cgroups "$1"); do
    [ ! -d "$cgroup" ] || find "$cgroup" -depth -type d -exec rmdir {} +
  done
}

list() { [ ! -d "$HOSTS" ] || ls "$HOSTS"; }

reap() {
  local name owner
  for name in $(list); do
    owner=$(cat "$(directory "$name")/owner" 2>/dev/null) || continue
    if dead "$owner"; then
      say "host $name was left behind by process $owner"
      down "$name"
    fi
  done
}

action=${1:-}
[ $# -eq 0 ] || shift
case $action in
  up | run | pid | kill) check_name "${1:-}" ;;
  down) for name in "${@:-}"; do check_name "$name"; done ;;
esac
case $action in
  up) up "$1" ;;
  run) run "$@" ;;
  pid) leader "$1" ;;
  kill) power_cut "$1" ;;
  down) for name in "$@"; do down "$name"; done ;;
  list) list ;;
  reap) reap ;;
  -h | --help) usage "$0" ;;
  *) usage "$0" >&2; exit 2 ;;
esac
