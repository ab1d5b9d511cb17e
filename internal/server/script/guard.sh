# shellcheck shell=sh disable=SC2034,SC2154,SC3045,SC2317 # variables that other pieces set and use; functions that a trap calls
#
# The guard of a server that is the first process of its container. It runs on
# the machine that has the engine, is held open by the provider, which does all
# the work through the engine, and is told how far that is. When it is told
# nothing more, without the word that all is well, it brings the server back.
# It runs behind talk.sh, and says what it finds in the same records.
#
# It takes commands, a line each:
#   arm ID N    from here on the server, whose machine identifier is ID, may be
#               stopped; the next N bytes are an archive with its preferences
#   stopping, stopped, resting, started   how far it is; resting: the server did
#               not run, and shall not
#   revert      from here on the server comes back with what it had before
#   wait        as before; who says this is still there, and busy
#   done        all is well

: "${p_nonce:?}" "${p_holder:?}" "${p_engine:?}" "${p_id:?}" "${p_was:?}"
: "${p_file:?}" "${p_dir:?}" "${p_file_url:?}" "${p_dir_url:?}"   # in the container; as they are and for a URL
: "${p_stop_limit:?}" "${p_command_limit:?}" "${p_lock_limit:?}"
: "${p_silence:?}" "${p_linger:?}"

set -u
umask 077
export LC_ALL=C
ulimit -S -c 0 2>/dev/null
unset DOCKER_HOST DOCKER_CONTEXT
exec 3<&0 </dev/null

kernel=$(uname -s | tr '[:upper:]' '[:lower:]')   # talk.sh asks
stage=idle
program='' work='' holder_file='' machine_id='' revert='' done=''

# ---------------------------------------------------------------- the engine

# by_curl PATH ARGUMENT…: a request to the engine.
by_curl() {
  curl_path=$1
  shift
  case $p_engine in
    unix://*) curl -fsS --max-time "$p_command_limit" --unix-socket "${p_engine#unix://}" "$@" "http://engine$curl_path" ;;
    *) curl -fsS --max-time "$p_command_limit" "$@" "http://${p_engine#*://}$curl_path" ;;
  esac
}

# engine VERB: running prints true or false; get prints an archive with the
# preferences; put takes the one from before the stop; start does nothing to a
# container that runs. It is run by limit, which is to end docker itself: what goes on
# would keep the pipe by which its answer comes.
engine() {
  case $program-$1 in
    docker-running) exec docker -H "$p_engine" inspect --type container -f '{{.State.Running}}' "$p_id" ;;
    docker-get) exec docker -H "$p_engine" cp "$p_id:$p_file" - ;;
    docker-put) exec docker -H "$p_engine" cp - "$p_id:$p_dir" <"$work/before.tar" ;;
    docker-start) exec docker -H "$p_engine" start "$p_id" ;;
    curl-running) by_curl "/containers/$p_id/json" | grep -o '"Running":[a-z]*' | sed -n '1s/.*://p' ;;
    curl-get) by_curl "/containers/$p_id/archive?path=$p_file_url" ;;
    curl-put) by_curl "/containers/$p_id/archive?path=$p_dir_url" -X PUT -H 'Content-Type: application/x-tar' --data-binary @"$work/before.tar" ;;
    curl-start) by_curl "/containers/$p_id/start" -X POST ;;
  esac 3<&- 9>&-
}

# runs: does the container run? Status 2 when the engine does not say.
runs() {
  case $(limit "$p_command_limit" engine running 2>/dev/null) in
    true) return 0 ;;
    false) return 1 ;;
  esac
  return 2
}

# whole: are the preferences there, closed, and the same server's?
whole() {
  limit "$p_command_limit" engine get >"$work/now.tar" 2>/dev/null || return 1
  tr -d '\000 \t\r\n' <"$work/now.tar" | tail -c 1 | grep -q '>' && grep -qaF -e "$machine_id" "$work/now.tar"
}

# whole_at_last: a server that rewrites its file is caught in between at times.
whole_at_last() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if whole; then return 0; fi
    nap
  done
  return 1
}

restore() { limit "$p_command_limit" engine put >/dev/null 2>&1; }
start() { limit "$p_command_limit" engine start >/dev/null 2>&1; }

# find_program: the one by which this machine can talk to the engine.
find_program() {
  find_said=
  for program in docker curl; do
    if ! command -v "$program" >/dev/null 2>&1; then
      find_said="$find_said there is no $program;"
      continue
    fi
    find_answer=$(limit "$p_command_limit" engine running 2>&1)
    case $find_answer in true | false) return 0 ;; esac
    find_said="$find_said $program: $(printf '%s' "$find_answer" | tail -n 1 | cut -c1-300);"
  done
  fail no-guard "$find_said"
}

# ---------------------------------------------------------------- one editor

# lock: by a file that everybody can read, and nobody but its maker can write.
# Opened for reading it is not refused to a second user, as a write would be in
# a directory that is everybody's. The file stays. Everybody can plant something
# there: nothing is opened to be made, and what is opened cannot keep this script.
lock() {
  command -v flock >/dev/null 2>&1 || fail no-lock "there is no flock command on this host"
  for lock_dir in /run/lock /var/lock /tmp; do
    # shellcheck disable=SC2012 # of this one directory
    [ "$(ls -ld "$lock_dir/." 2>/dev/null | cut -c1-10)" != drwxrwxrwt ] || break
  done
  lock_file=$lock_dir/terraform-provider-plex-$p_id.lock
  if [ ! -e "$lock_file" ] && [ ! -L "$lock_file" ]; then make_lock 2>/dev/null; fi
  if [ -L "$lock_file" ] || [ ! -f "$lock_file" ]; then fail no-lock "$lock_file is not a regular file"; fi
  mkfifo -m 600 "$work/held" || fail no-guard "no pipe could be made for the lock"
  # shellcheck disable=SC2094 # the two ends of one pipe
  exec 9<>"$work/held" 8<"$work/held"
  now
  lock_until=$((now + p_lock_limit))
  until limit "$p_command_limit" hold_lock; do
    [ "$limit_status" -eq 1 ] || fail no-lock "$lock_file cannot be read"
    now
    if [ "$now" -ge "$lock_until" ]; then fail locked "$(holders | head -c 400)"; fi
    nap
  done
  exec 8<&-
  # A link is made and read without that anything is opened.
  holder_file=$lock_file.$(id -u)
  rm -f -- "$holder_file" 2>/dev/null && ln -s -n -- "$p_holder" "$holder_file" 2>/dev/null
}

# make_lock: the file comes into being under a name that nobody knows, and then under
# its own if that is free.
make_lock() {
  lock_new=$(mktemp "$lock_dir/terraform-provider-plex.XXXXXX") || return
  chmod 644 "$lock_new"
  ln -n -- "$lock_new" "$lock_file"
  rm -f -- "$lock_new"
}

# hold_lock: a process has the lock for as long as anybody has descriptor 9.
hold_lock() {
  exec 3<&- 9>&- 7<"$lock_file" || exit 2
  flock -n 7 || exit 1
  cat <&8 >/dev/null 2>&1 &
  exit 0
}

# holders: who has the lock, by their own words.
holders() {
  for holders_file in "$lock_file".*; do
    if [ -L "$holders_file" ]; then readlink -- "$holders_file" 2>/dev/null; fi
  done
}

# ---------------------------------------------------------------- the guard

# arm: proves that this script could do what it is here for. To start a
# container that runs does nothing, and is allowed to whom a start is.
arm() {
  machine_id=${argument% *}
  receive "${argument##* }" "$work/before.tar" || fail no-guard "the copy of the preferences did not arrive whole"
  whole_at_last || fail no-guard "the preferences could not be read through the engine by $program"
  if [ "$p_was" = running ]; then
    arm_said=$(limit "$p_command_limit" engine start 2>&1) || fail no-guard "$(printf '%s' "$arm_said" | tail -n 1 | cut -c1-300)"
  fi
  put armed ''
}

# bring_back: for a container that has stopped. The engine may be away itself,
# as when it is being updated.
bring_back() {
  now
  back_until=$((now + p_linger))
  while [ "$now" -lt "$back_until" ]; do
    if { [ -z "$revert" ] && whole; } || restore; then
      [ "$p_was" = running ] || return 0
      if start; then return 0; fi
    fi
    sleep 1
    now
  done
}

# settle: a server that dies at once with its new preferences gets the old ones.
settle() {
  for _ in 1 2 3 4 5 6; do
    sleep 0.5 2>/dev/null || sleep 1
    runs
    if [ $? -eq 1 ]; then
      restore && start
      return
    fi
  done
}

# linger: it was asked to stop. It is never killed; but once it has stopped, it
# must not stay down.
linger() {
  now
  linger_until=$((now + p_linger))
  while [ "$now" -lt "$linger_until" ]; do
    runs
    case $? in
      1)
        bring_back
        return
        ;;
    esac
    sleep 0.5 2>/dev/null || sleep 1
    now
  done
}

finish() {
  trap - EXIT
  exec >/dev/null 2>&1
  if [ -z "$done" ]; then
    case $stage in
      stopping) linger ;;
      resting) bring_back ;;
      started) settle ;;
      stopped) if runs; then settle; else bring_back; fi ;;
    esac
  fi
  if [ -n "$work" ]; then rm -rf -- "$work"; fi
  if [ -n "$holder_file" ]; then rm -f -- "$holder_file"; fi
}

# told_until: how long the provider may take for what it is doing.
told_until() {
  case $stage in
    stopping) told_until=$((p_stop_limit + p_command_limit)) ;;
    stopped | resting) told_until=$((3 * p_silence + p_command_limit)) ;;
    *) told_until=$((p_silence + p_command_limit)) ;;
  esac
}

work=$(mktemp -d) || fail no-guard "no directory could be made for the copy"
trap 'on_exit finish' EXIT
trap 'exit 1' HUP INT TERM
trap : PIPE
find_program
lock
put ready "$program"
told_until
while await "$told_until"; do
  case $verb in
    arm)
      arm
      # From here on nobody ends this script half-way.
      trap : HUP INT TERM
      ;;
    stopping | stopped | resting | started) stage=$verb ;;
    revert) revert=yes ;;
    done)
      done=yes
      break
      ;;
  esac
  told_until
done
[ -n "$done" ] || put taken ''
exit 0
