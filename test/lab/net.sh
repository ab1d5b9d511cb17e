#!/bin/bash
# The lab's network: hosts with addresses of their own, which this machine reaches, over a line whose round trip can be set.
#
# usage: net.sh up                      make it; nothing to do if it is there
#        net.sh delay TIME              the round trip from this machine to every host: 50ms; 0 for the shortest there is
#        net.sh attach PID NUMBER       give the network namespace of process PID the address of host NUMBER (1 to 250)
#        net.sh address NUMBER          print that address
#        net.sh down                    remove it
#
# The hosts stand on a bridge in a namespace of its own, which one line joins to this machine: 10.98.0.1 here, 10.99.0.NUMBER there. There is
# no way on from this machine, so that nothing that a test does leaves it.
#   LAB   work directory, default /var/tmp/plexlab
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

space=plexlab
here=10.98.0.1 there=10.98.0.2 gateway=10.99.0.254
pid_file=$LAB/delay.pid

address() {
  if ! [[ ${1:-} =~ ^[0-9]+$ ]] || [ "$1" -lt 1 ] || [ "$1" -gt 250 ]; then die "not the number of a host: '${1:-}'"; fi
  echo "10.99.0.$1"
}

exists() { ip netns list | grep -q "^$space\b"; }

# cut_line: whatever joins the two sides now goes.
cut_line() {
  local pid
  if pid=$(cat "$pid_file" 2> /dev/null) && [[ $(readlink "/proc/$pid/exe" 2> /dev/null) == "$LAB"/* ]]; then
    kill "$pid" 2> /dev/null || true
    wait_until 10 dead "$pid" || die "the line does not end (process $pid)"
  fi
  rm -f "$pid_file"
  ip link delete plexlab0 2> /dev/null || true
}

# join_line DEVICE DEVICE: the first is this machine's end, the second the hosts'.
join_line() {
  ip link set "$2" netns "$space"
  ip -n "$space" address add "$there" peer "$here" dev "$2"
  ip -n "$space" link set "$2" up
  ip address add "$here" peer "$there" dev "$1"
  ip link set "$1" up
  ip route replace 10.99.0.0/24 via "$there" dev "$1" src "$here"
}

direct_line() {
  cut_line
  ip link add plexlab0 type veth peer name plexlab1
  join_line plexlab0 plexlab1
}

# slow_line MILLISECONDS, there and back.
slow_line() {
  cut_line
  (cd "$REPO" && CGO_ENABLED=0 go build -o "$LAB/delay" ./test/lab/delay)
  setsid "$LAB/delay" plexlab0 plexlab1 "$(($1 * 500))us" < /dev/null > "$LAB/delay.log" 2>&1 9>&- &
  echo $! > "$pid_file"
  wait_until 10 grep -q ready "$LAB/delay.log" || die "there is no slow line: $(cat "$LAB/delay.log")"
  join_line plexlab0 plexlab1
}

up() {
  require_lab
  if exists; then return 0; fi
  mkdir -p "$LAB"
  ip netns add "$space"
  ip -n "$space" link set lo up
  ip netns exec "$space" sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
  ip -n "$space" link add hosts type bridge
  ip -n "$space" address add "$gateway/24" dev hosts
  ip -n "$space" link set hosts up
  direct_line
}

delay() {
  exists || die "there is no network; make it with net.sh up"
  case ${1:-} in
    0) direct_line ;;
    *[!0-9]*ms | ms | '') die "not a time: '${1:-}' (50ms, or 0)" ;;
    *ms) slow_line "${1%ms}" ;;
    *) die "not a time: '$1' (50ms, or 0)" ;;
  esac
}

attach() {
  local own
  own=$(address "$2")
  exists || die "there is no network; make it with net.sh up"
  ip -n "$space" link add "host$2" type veth peer name host0 netns "$1"
  ip -n "$space" link set "host$2" master hosts up
  nsenter --target "$1" --net sh -ec "
    ip address add $own/24 dev host0
    ip link set host0 up
    ip route add default via $gateway
  "
}

down() {
  exists || return 0
  cut_line
  ip netns delete "$space"
}

action=${1:-}
[ $# -eq 0 ] || shift
case $action in
  up) up ;;
  delay) delay "$@" ;;
  attach) attach "$@" ;;
  address) address "$@" ;;
  down) down ;;
  -h | --help) usage "$0" ;;
  *) usage "$0" >&2; exit 2 ;;
esac
