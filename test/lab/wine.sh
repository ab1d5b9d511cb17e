#!/bin/bash
# A Windows of the lab's own: a prefix of Wine below $LAB/wine, without a display, with stand-ins for what Wine only pretends to have.
#
# usage: wine.sh up                     makes the prefix, once; prints its directory
#        wine.sh run X.exe ARGS...      runs a Windows program here
#        wine.sh cmd LINE               runs a line of cmd.exe
#        wine.sh go build|test ARGS...  builds for Windows, with what Go needs to remove directories in Wine
#        wine.sh sshd up DIR [PORT]     an sshd on 127.0.0.1 whose users have cmd.exe, as OpenSSH for Windows gives it; it takes the keys in
#                                       DIR/authorized_keys, has DIR/host_key.pub, and prints its port
#        wine.sh sshd down DIR
#        wine.sh stop                   ends all programs of the prefix
#        wine.sh clean                  and removes it
#
# Standard input and output are the program's own. What it starts in the background keeps standard error open: let nobody wait for its end.
#   LAB            work directory, default /var/tmp/plexlab
#   LAB_REQUIRED   1: a machine without Wine is a failure of up, not a skip
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

WINE=/usr/lib/wine/wine64
export WINEPREFIX=$LAB/wine/prefix WINEARCH=win64 WINEDEBUG=${WINEDEBUG:--all} WINEDLLOVERRIDES=mscoree,mshtml= LC_ALL=C.UTF-8
unset DISPLAY
SYSTEM=$WINEPREFIX/drive_c/windows/system32

no_wine() {
  [ -x "$WINE" ] || echo "there is no $WINE (Debian packages: wine64 wine)"
  local command
  for command in wineserver wineboot x86_64-w64-mingw32-gcc-win32; do
    command -v "$command" > /dev/null || echo "there is no $command (Debian packages: wine64 wine gcc-mingw-w64-x86-64-win32)"
  done
}

# Go's runtime needs one function of a library that Wine 8 lacks.
build_random() {
  local source=$LAB/wine/bcryptprimitives.c
  cat > "$source" << 'C'
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n) { return SystemFunction036(p, (ULONG)n); }
BOOL WINAPI DllMain(HINSTANCE h, DWORD r, LPVOID x) { return TRUE; }
C
  x86_64-w64-mingw32-gcc-win32 -O2 -s -shared -nostdlib -e DllMain -o "$SYSTEM/bcryptprimitives.dll" "$source" -ladvapi32
}

# os.RemoveAll first asks for what Wine 8 has not, and takes its answer, STATUS_NOT_IMPLEMENTED, for a failure.
write_overlay() {
  local original mended=$LAB/wine/at_windows.go
  original=$(go env GOROOT)/src/internal/syscall/windows/at_windows.go
  sed 's/^\tcase STATUS_INVALID_INFO_CLASS,/\tcase NTStatus(0xC0000002), STATUS_INVALID_INFO_CLASS,/' "$original" > "$mended"
  ! cmp -s "$original" "$mended" || die "this Go removes directories in another way: look at $original"
  printf '{"Replace": {"%s": "%s"}}\n' "$original" "$mended" > "$LAB/wine/overlay.json"
}

# The stand-ins are one program, which goes by its name.
install_standins() {
  local program=$LAB/wine/standin.exe name
  (cd "$REPO" && GOOS=windows GOARCH=amd64 CGO_ENABLED=0 go build -ldflags '-s -w' -o "$program" ./test/lab/standin)
  {
    printf 'REGEDIT4\r\n\r\n[HKEY_CURRENT_USER\\Software\\Wine\\DllOverrides]\r\n'
    for name in login certutil icacls tasklist schtasks sc timeout whoami wbem/wmic; do
      ln -f "$program" "$SYSTEM/$name.exe"
      # Else Wine now and then takes its own program of that name, which is a part of Wine and not a file.
      printf '"%s.exe"="native"\r\n' "${name#*/}"
    done
  } > "$LAB/wine/standins.reg"
  "$WINE" reg import "$LAB/wine/standins.reg" < /dev/null > /dev/null 2>&1 9>&-
}

# What Wine starts for all programs, which is the server process, the service manager and the desktop, keeps nothing open of whoever would have
# been the first to need it. A program with a window that nobody ends has it stay: it would go within seconds of the last program, and be started
# again by the next, with the files that this one has open.
serve() (
  cd /
  exec < /dev/null > /dev/null 2>&1
  "$WINE" notepad &
  "$WINE" taskkill /pid 0 || true # waits for the desktop
)

up() {
  local reasons
  reasons=$(no_wine)
  skip_or_fail "$reasons"
  mkdir -p "$LAB/wine"
  exec 9> "$LAB/wine/lock"
  flock 9
  if [ ! -e "$LAB/wine/made" ]; then
    say "making a Windows in $WINEPREFIX"
    rm -rf "$WINEPREFIX"
    wineboot --init < /dev/null > /dev/null 2>&1 9>&-
    wineserver -w
    build_random
    # Without a display there are windows only with this driver, and taskkill needs them.
    "$WINE" reg add 'HKCU\Software\Wine\Drivers' /v Graphics /d null /f < /dev/null > /dev/null 2>&1 9>&-
    wineserver -w
    touch "$LAB/wine/made"
  fi
  write_overlay
  install_standins
  serve 9>&-
  exec 9>&-
  echo "$WINEPREFIX"
}

# login is what sshd starts. What is started in the background would keep sshd's standard error open, and sshd waits for its end.
login() {
  local errors status=0
  errors=$(mktemp -p "$LAB/wine")
  "$WINE" login.exe 2> "$errors" || status=$?
  cat "$errors" >&2
  rm -f "$errors"
  exit "$status"
}

answers() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

sshd_up() {
  local dir=$1 port=${2:-}
  mkdir -p "$dir"
  chmod 700 "$dir"
  [ -e "$dir/host_key" ] || ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
  touch "$dir/authorized_keys"
  if [ -z "$port" ]; then
    port=$((15000 + RANDOM % 5000))
    while answers "$port"; do port=$((port + 1)); done
  fi
  [ "$(id -u)" != 0 ] || mkdir -p /run/sshd
  cat > "$dir/sshd_config" << EOF
ListenAddress 127.0.0.1
Port $port
HostKey $dir/host_key
AuthorizedKeysFile $dir/authorized_keys
PidFile $dir/pid
ForceCommand LAB='$LAB' '$HERE/wine.sh' login
AllowTcpForwarding yes
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
MaxSessions 100
EOF
  "$(PATH=$PATH:/usr/sbin command -v sshd)" -f "$dir/sshd_config" -E "$dir/log" || die "sshd does not start; see $dir/log"
  wait_until 10 answers "$port" || die "sshd does not answer; see $dir/log"
  echo "$port" | tee "$dir/port"
}

sshd_down() {
  local pid
  pid=$(cat "$1/pid" 2> /dev/null) || return 0
  # Its connections are processes of their own.
  pkill -TERM -P "$pid" 2> /dev/null || true
  kill "$pid" 2> /dev/null || true
  wait_until 10 dead "$pid" || die "sshd $pid does not end"
}

case ${1:-} in
  up) up ;;
  run) shift; exec "$WINE" "$@" ;;
  go) GOOS=windows GOARCH=amd64 CGO_ENABLED=0 exec go "$2" "-overlay=$LAB/wine/overlay.json" "${@:3}" ;;
  cmd) shift; SSH_ORIGINAL_COMMAND=$* exec "$WINE" login.exe ;;
  login) login ;;
  sshd)
    case ${2:-}:${3:+x} in
      up:x) sshd_up "$(realpath -m "$3")" "${4:-}" ;;
      down:x) sshd_down "$(realpath -m "$3")" ;;
      *) usage "$0" >&2; exit 2 ;;
    esac ;;
  stop | clean)
    if [ -d "$WINEPREFIX" ]; then
      wineserver -k || true
      wineserver -w
    fi
    [ "$1" = stop ] || rm -rf "$LAB/wine" ;;
  -h | --help) usage "$0" ;;
  *) usage "$0" >&2; exit 2 ;;
esac
