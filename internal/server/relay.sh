# shellcheck shell=sh disable=SC3045 # ulimit -S -c, which every shell here has
#
# relay.sh asks a server on this host with the host's own curl or wget, where no
# connection can be made from outside. It is told p_method, p_url and p_seconds
# by assignments before it, on standard input: the URL may hold a claim token,
# which must not show in a process list.
# It writes the answer's body, and a last line that says how it went:
# `status NUMBER`, `refused`, `none` (no program can do it) or `failed DETAIL`.

: "${p_method:?}" "${p_url:?}" "${p_seconds:?}"

set -u
umask 077
export LC_ALL=C
# No memory of what holds the token is written to a disk.
ulimit -S -c 0 2>/dev/null

# by_curl: the URL goes to curl in a configuration on its standard input.
by_curl() {
  printf 'url = "%s"\nrequest = "%s"\nheader = "Accept: application/xml"\nmax-time = %s\n' "$p_url" "$p_method" "$p_seconds" |
    curl --config - --silent --insecure --noproxy '*' --write-out '\nstatus %{http_code}' 2>/dev/null
  case $? in
    0) ;;
    7) printf '\nrefused' ;;
    28) printf '\nfailed no answer in time' ;;
    *) printf '\nfailed curl could not ask the server' ;;
  esac
}

# ended_in SECONDS PID: ends the process when the time is over. Its own sleep
# ends with it.
ended_in() {
  trap 'kill "$!" 2>/dev/null; exit 0' TERM
  sleep "$1" &
  wait "$!"
  kill "$2"
}

# small_wget: BusyBox's has the URL as an argument only, and not everywhere a
# time limit.
small_wget() {
  wget -S -O - "$p_url" >&3 &
  wget=$!
  ended_in "$p_seconds" "$wget" >/dev/null 2>&1 3>&- &
  limit=$!
  wait "$wget"
  kill "$limit" 2>/dev/null
  wait "$limit" 2>/dev/null
}

# gnu_wget reads the URL from standard input.
gnu_wget() {
  set -- --server-response --no-check-certificate --tries=1 --max-redirect=0 --content-on-error --input-file=-
  [ "$p_method" = GET ] || set -- "$@" --post-data=
  printf '%s\n' "$p_url" | wget "$@" --timeout="$p_seconds" --output-document=- >&3
}

by_wget() {
  unset http_proxy https_proxy HTTP_PROXY HTTPS_PROXY
  if wget --version 2>/dev/null | grep -q GNU; then
    said=$(gnu_wget 2>&1)
  elif [ "$p_method" = GET ]; then
    said=$(small_wget 2>&1)
  else
    printf '\nnone' # a claim token must not be an argument
    return
  fi
  # A line of the answer's head, or the error that quotes it.
  http=$(printf '%s\n' "$said" | sed -n 's/^.*HTTP\/1\.[01] \([0-9][0-9][0-9]\).*/\1/p' | tail -n 1)
  case $said in
    *HTTP/1*) printf '\nstatus %s' "$http" ;;
    *refused*) printf '\nrefused' ;;
    *'timed out'*) printf '\nfailed no answer in time' ;;
    *) printf '\nfailed wget could not ask the server' ;;
  esac
}

if command -v curl >/dev/null 2>&1; then
  by_curl
elif command -v wget >/dev/null 2>&1; then
  by_wget 3>&1
else
  printf '\nnone'
fi
