#!/bin/bash
# Makes the lab's images from what this machine has: BusyBox, s6 and their libraries, and plexsim as the server.
#
# usage: DOCKER_HOST=unix://... images/build.sh
#
#   plexlab/pms-docker    s6 as plexinc/pms-docker has it: s6-svscan is process 1, the service is /var/run/s6/services/plex
#   plexlab/linuxserver   s6 as linuxserver has it: the service is /run/service/svc-plex
#   plexlab/process-1     the server is process 1; there is a shell
#   plexlab/bare          the same, without a shell or anything else
#
# An image is built anew when this file, its entry point or plexsim changes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
repo=$(cd "$here/../../.." && pwd -P)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
server="/usr/lib/plexmediaserver/Plex Media Server"
support='ENV PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR="/config/Library/Application Support"'

(cd "$repo" && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o "$work/plexsim" ./cmd/plexsim)
recipe=$(cat "$here"/* "$work/plexsim" | sha256sum | cut -c1-16)

# libraries PROGRAM...: the shared libraries and the loader that they need.
libraries() { ldd "$@" 2> /dev/null | grep -o '/[^ ]*' | grep -v ':$' | sort -u; }

# install_tools ROOT: a shell and its commands, and s6.
install_tools() {
  local program
  local -a programs
  mapfile -t programs < <(command -v busybox; compgen -c s6- | sort -u | xargs -r -n1 which | sort -u)
  mkdir -p "$1"/{bin,usr/bin,etc,tmp,run,var/run,proc,sys,dev}
  chmod 1777 "$1/tmp"
  for program in "${programs[@]}"; do cp -L "$program" "$1/usr/bin/"; done
  mv "$1/usr/bin/busybox" "$1/bin/busybox"
  libraries "${programs[@]}" | while read -r program; do
    mkdir -p "$1/$(dirname "$program")"
    cp -L "$program" "$1/$program"
  done
  for program in $("$1/bin/busybox" --list); do ln -s busybox "$1/bin/$program"; done
  printf 'root:x:0:0:root:/root:/bin/sh\nplex:x:1000:1000:plex:/config:/bin/sh\nabc:x:911:911:abc:/config:/bin/sh\n' > "$1/etc/passwd"
  printf 'root:x:0:\nplex:x:1000:\nabc:x:911:\n' > "$1/etc/group"
}

install_server() { install -D -m 0755 "$work/plexsim" "$1$server"; }

# make NAME ROOT CHANGE...: the image of a root directory.
make() {
  local name=$1 root=$2 change
  local -a changes=()
  shift 2
  for change; do changes+=(--change "$change"); done
  tar -C "$root" --numeric-owner --owner=0 --group=0 -c . | docker import --change "LABEL plexlab.recipe=$recipe" "${changes[@]}" - "plexlab/$name" > /dev/null
}

current() { [ "$(docker image inspect -f '{{index .Config.Labels "plexlab.recipe"}}' "plexlab/$1" 2> /dev/null)" = "$recipe" ]; }

for name in pms-docker linuxserver process-1 bare; do
  ! current "$name" || continue
  root=$work/$name
  mkdir -p "$root"
  install_server "$root"
  [ "$name" = bare ] || install_tools "$root"
  case $name in
    pms-docker | linuxserver)
      install -m 0755 "$here/$name.sh" "$root/init"
      make "$name" "$root" 'ENTRYPOINT ["/init"]' "$support" 'ENV PATH=/bin:/usr/bin'
      ;;
    *) make "$name" "$root" "ENTRYPOINT [\"$server\"]" "$support" 'ENV PATH=/bin:/usr/bin' 'USER 1000:1000' ;;
  esac
done
