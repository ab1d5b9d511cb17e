#!/bin/bash
# Builds the root file system of the lab's hosts, once, and prints where it is.
#
# usage: rootfs.sh [--print]
#   --print   only print where it is or would be
#
# Debian 12 with systemd, dbus, sshd, sudo, and the three shells that scripts meet (dash as sh, bash, BusyBox); the users plex (runs the servers)
# and admin (sudo without a password, lingering, so that it has a user manager); the units in units/. It is read-only to hosts: each has its
# own layer above it. The server's program is not in it: host.sh puts it there, so that a new build needs no new root file system.
# It is rebuilt when this file or a unit changes. LAB names the work directory (default /var/tmp/plexlab); LAB_INIT what is process 1: systemd,
# or openrc, which has init scripts in place of units, and no user managers; LAB_APT_SOURCES a sources file or mirror for Debian 12 (default:
# this machine's, where that is Debian 12, else mmdebstrap's own choice).
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

init=${LAB_INIT:-systemd}
case $init in systemd | openrc) ;; *) die "LAB_INIT is '$init'" ;; esac
recipe=$(cat "$HERE/rootfs.sh" "$HERE"/units/* | sha256sum | cut -c1-12)
root=$LAB/rootfs-$init-$recipe

case ${1:-} in
  -h | --help) usage "$0"; exit 0 ;;
  --print) echo "$root"; exit 0 ;;
  '') ;;
  *) usage "$0" >&2; exit 2 ;;
esac

packages=(
  openssh-server openssh-sftp-server sudo
  acl attr busybox ca-certificates curl iproute2 passwd procps
)
case $init in
  systemd) packages+=(systemd systemd-sysv dbus dbus-user-session libpam-systemd) ;;
  openrc) packages+=(sysvinit-core openrc elogind libpam-elogind) ;;
esac
# What boots for nobody's sake; each costs time in every host.
masked=(
  console-getty.service getty.target systemd-networkd-wait-online.service
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer
)

apt_sources() {
  if [ -n "${LAB_APT_SOURCES:-}" ]; then
    echo "$LAB_APT_SOURCES"
  elif grep -qs bookworm /etc/apt/sources.list.d/debian.sources; then
    echo /etc/apt/sources.list.d/debian.sources
  fi
}

install_debian() {
  local sources
  mapfile -t sources < <(apt_sources)
  mmdebstrap --quiet --mode=root --variant=minbase \
    --include="$(IFS=,; echo "${packages[*]}")" \
    --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    bookworm "$1" "${sources[@]}" >&2
}

# install_users ROOT
install_users() {
  chroot "$1" sh -ec '
    useradd --system --home-dir /var/lib/plexmediaserver --create-home --shell /usr/sbin/nologin plex
    useradd --create-home --shell /bin/bash --groups sudo admin
    usermod --password "*" admin
    install -d /var/lib/systemd/linger /usr/lib/plexmediaserver
    : > /var/lib/systemd/linger/admin
    install -d -o plex -g plex /var/lib/plexmediaserver/Library "/var/lib/plexmediaserver/Library/Application Support"
  '
  echo 'admin ALL=(ALL) NOPASSWD:ALL' | install -m 0440 /dev/stdin "$1/etc/sudoers.d/admin"
}

# install_scripts ROOT: the same servers as services of OpenRC.
install_scripts() {
  local root=$1 name
  mkdir -p "$root/etc/conf.d"
  printf '#!/bin/sh\nexec "/usr/lib/plexmediaserver/Plex Media Server"\n' | install -m 0755 /dev/stdin "$root/usr/lib/plexmediaserver/start"
  for name in plexmediaserver plexmediaserver-{1..5}; do
    install -m 0755 "$HERE/units/plexmediaserver.openrc" "$root/etc/init.d/$name"
    {
      echo "PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=\"/var/lib/$name/Library/Application Support\""
      cat "$root/etc/default/$name"
    } > "$root/etc/conf.d/$name"
  done
  chroot "$root" rc-update --quiet add plexmediaserver default
  chroot "$root" rc-update --quiet add ssh default
  # There is no console to log in at, and what nspawn sends to shut down is the signal of a power failure.
  sed -i '/getty/s/^/#/' "$root/etc/inittab"
  sed -i '/^rc_sys=/d' "$root/etc/rc.conf"
  echo 'rc_sys="systemd-nspawn"' >> "$root/etc/rc.conf"
  printf '#!/bin/sh\nexec /sbin/shutdown -h now\n' | install -m 0755 /dev/stdin "$root/etc/init.d/powerfail"
}

# settings ROOT NAME PORT: the environment file of a unit. Only the port is in it: what it says wins over the plexsim.json that a test writes.
settings() { echo "PLEXSIM_ADDR=127.0.0.1:$3" > "$1/etc/default/$2"; }

# install_data ROOT: where six servers keep their data, and listen.
install_data() {
  local n
  settings "$1" plexmediaserver 32400
  for n in 1 2 3 4 5; do
    settings "$1" "plexmediaserver-$n" "3241$n"
    chroot "$1" install -d -o plex -g plex "/var/lib/plexmediaserver-$n" "/var/lib/plexmediaserver-$n/Library" \
      "/var/lib/plexmediaserver-$n/Library/Application Support"
  done
}

# install_units ROOT: plexmediaserver as Plex's package leaves it (enabled), five more servers beside it and one of admin's own, all disabled.
install_units() {
  local root=$1 system=$1/etc/systemd/system n
  chroot "$root" usermod --append --groups systemd-journal admin
  install -m 0644 "$HERE/units/plexmediaserver.service" "$root/lib/systemd/system/plexmediaserver.service"
  for n in 1 2 3 4 5; do
    sed "s/@N@/$n/g" "$HERE/units/plexmediaserver-N.service" > "$system/plexmediaserver-$n.service"
  done
  chroot "$root" su admin -c 'mkdir -p ~/.config/systemd/user'
  install -m 0644 "$HERE/units/plexmediaserver-user.service" "$root/home/admin/.config/systemd/user/plexmediaserver.service"
  chroot "$root" systemctl --quiet enable ssh.service plexmediaserver.service
  chroot "$root" systemctl --quiet mask "${masked[@]}" 2>/dev/null
}

build() {
  local new=$root.new
  rm -rf "$new"
  say "building the root file system (once, about a minute): $root"
  install_debian "$new"
  rm -f "$new/usr/sbin/policy-rc.d"
  install_users "$new"
  install_data "$new"
  case $init in
    systemd) install_units "$new" ;;
    openrc) install_scripts "$new" ;;
  esac
  : > "$new/etc/machine-id"
  mv "$new" "$root"
}

# The root file systems of older recipes go when no host can be standing on one.
remove_old() {
  local old
  [ -z "$(ls -A "$HOSTS" 2>/dev/null)" ] || return 0
  for old in "$LAB"/rootfs-*; do
    case $old in *"-$recipe") ;; *) rm -rf "$old" ;; esac
  done
}

require_lab
mkdir -p "$LAB"
exec 9> "$LAB/rootfs.lock"
flock 9
if [ ! -d "$root" ]; then
  remove_old
  build
fi
echo "$root"
