# shellcheck shell=sh
#
# server.sh looks at one Plex Media Server and edits its preferences as one
# transaction. It runs under any POSIX shell (dash, bash, BusyBox ash) and is
# held open by the provider, which decides; this script only does. What it is
# told (variables whose names begin with p_) stands before it in the same text.
#
# It answers with records: a name on a line, a value, and a line that holds
# $p_nonce, which the value cannot. It takes commands, a line each:
#   again          send the preferences once more (they were caught half-written)
#   go ID          from here on the server, whose machine identifier is ID, may
#                  be stopped
#   write N        the next N bytes are the new preferences
#   write-from-before N   the same; what the server left as it stopped is no good
#   keep           no new preferences; start what is there, if it is whole
#   check          send the preferences as they are now
#   revert         stop again, put back what was there, start again
#   done           all is well
# Whenever the far side says nothing more, the script finishes by itself: the
# server runs again, with the old preferences or with the new ones, whole.

# What the far side has set; a missing one ends the script here.
: "${p_mode:?}" "${p_nonce:?}" "${p_holder:?}" "${p_listen:?}"
: "${p_manager?}" "${p_unit?}" "${p_units?}" "${p_preferences?}"   # where to look; may be empty
: "${p_stop?}" "${p_start?}" "${p_status?}"                        # commands that replace a service manager
: "${p_backup_dir?}" "${p_keep:?}"
: "${p_stop_limit:?}" "${p_command_limit:?}" "${p_lock_limit:?}"   # all limits are whole seconds
: "${p_patience:?}" "${p_silence:?}" "${p_verify_limit:?}" "${p_linger:?}"

set -u
umask 077
locale=${LC_ALL-unset}
export LC_ALL=C
exec 3<&0 </dev/null

stage=idle    # idle → stopping → stopped → started, or resting for a server that did not
              # run; the guard reads it from $stage_file
was=unknown   # what the server was doing when we came
guard=
detail=
data_dir='' prefs='' manager='' unit=''
before='' after='' temporary='' stage_file='' locked='' in_place='' drop_in='' good=''
machine_id='' prefs_owner='' written='' done=''
ours='' others=''

# ---------------------------------------------------------------- talking

put() { printf '%s\n%s\n%s\n' "$1" "$2" "$p_nonce"; }

put_file() {
  printf '%s\n' "$1"
  cat -- "$2"
  printf '\n%s\n' "$p_nonce"
}

# fail CODE DETAIL: says what is wrong and ends; the EXIT trap cleans up.
fail() {
  put failed "$1 $2"
  exit 1
}

# join PID: its status, also when a trapped signal interrupts the waiting.
join() {
  while :; do
    wait "$1"
    join_status=$?
    if [ "$join_status" -le 128 ] || ! kill -0 "$1" 2>/dev/null; then return "$join_status"; fi
  done
}

# alive PID: a process that has ended but was not waited for is not alive.
alive() {
  kill -0 "$1" 2>/dev/null || return 1
  alive_state=
  if [ -r "/proc/$1/stat" ]; then read -r _ _ alive_state _ 2>/dev/null <"/proc/$1/stat"; fi
  [ "$alive_state" != Z ]
}

# dismiss PID: ends a child that ends at TERM. A young child still has its
# parent's trap, and loses what comes before it has set its own.
dismiss() {
  while alive "$1"; do kill "$1" 2>/dev/null; done
  wait "$1" 2>/dev/null
}

# watchdog SECONDS PID: its own sleep ends with it.
watchdog() {
  trap 'kill "$!" 2>/dev/null; wait "$!"; exit 0' TERM
  sleep "$1" &
  wait "$!"
  kill "$2"
}

# limit SECONDS COMMAND…: ends the command, not what it has started, when the
# time is over.
limit() {
  limit_seconds=$1
  shift
  "$@" &
  limit_pid=$!
  watchdog "$limit_seconds" "$limit_pid" >/dev/null 2>&1 3<&- 9>&- &
  limit_dog=$!
  join "$limit_pid"
  limit_status=$?
  dismiss "$limit_dog"
  return "$limit_status"
}

read_line() {
  IFS= read -r read_line_text <&3 || return 1
  printf '%s\n' "$read_line_text"
}

# await SECONDS: the next command, in $verb and $argument; false when the far
# side has gone or stays silent for so long.
await() {
  await_line=$(limit "$1" read_line 2>/dev/null) || return 1
  verb=${await_line%% *}
  argument=${await_line#"$verb"}
  argument=${argument# }
}

# receive N FILE: exactly N bytes of input into FILE.
take_bytes() { head -c "$1" <&3 >"$2"; }
receive() {
  limit "$p_silence" take_bytes "$1" "$2" && [ "$(wc -c <"$2")" -eq "$1" ]
}

# ---------------------------------------------------------------- time

# now: seconds of a clock that nobody sets.
now() {
  if [ -r /proc/uptime ]; then
    IFS=' .' read -r now _ </proc/uptime
  else
    now=$(date +%s)
  fi
}

nap() { sleep 0.05 2>/dev/null || sleep 1; }

# ---------------------------------------------------------------- the service

# user_command TEXT: one of the commands that the user gave, with none of our
# descriptors and with the environment and signals that we were given: what it
# starts must not inherit a lock, or a TERM that is ignored.
user_command() {
  (
    exec 3<&- 9>&- </dev/null
    if [ "$locale" = unset ]; then unset LC_ALL; else LC_ALL=$locale; fi
    trap - HUP INT TERM PIPE
    exec /bin/sh -c "$1"
  )
}

# ctl ARGUMENT…: systemctl for the manager of this unit.
ctl() {
  case $manager in
    systemd-user) systemctl --user --no-ask-password "$@" 3<&- 9>&- ;;
    *) systemctl --no-ask-password "$@" 3<&- 9>&- ;;
  esac
}

property() { printf '%s\n' "$properties" | sed -n "s/^$1=//p" | sed 1q; }

# service_state: sets $state to running, stopped, starting, stopping or unknown.
service_state() {
  state=unknown
  case $manager in
    commands)
      detail=$(limit "$p_command_limit" user_command "$p_status" 2>&1)
      case $? in
        0) state=running ;;
        1 | 2 | 3) state=stopped ;;
      esac
      ;;
    systemd | systemd-user)
      case $(ctl show -p ActiveState --value -- "$unit" 2>/dev/null) in
        active | reloading | refreshing) state=running ;;
        inactive | failed) state=stopped ;;
        activating) state=starting ;;
        deactivating) state=stopping ;;
      esac
      ;;
  esac
}

# same_directory A B: -ef compares device and inode, and every shell that we
# know of has it.
# shellcheck disable=SC3013
same_directory() { [ "$1" -ef "$2" ]; }

# environment_of PID NAME: the value there. Looked up through a swap of newline
# and NUL, so that a value may hold a newline.
environment_of() {
  tr '\000\n' '\n\001' 2>/dev/null <"/proc/$1/environ" | sed -n "/^$2=/{s///p;q;}" | tr '\001' '\n'
}

# is_ours PID: is that process the server of this data directory? Its directory
# is looked up through its own root, so that a server in a container on this
# host counts when, and only when, it really uses the same directory.
is_ours() {
  # One that has just ended, as after a stop, is not worth the programs below.
  true 2>/dev/null <"/proc/$1/environ" || return 1
  is_ours_dir=$(environment_of "$1" PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR)
  if [ -z "$is_ours_dir" ]; then
    is_ours_dir=$(environment_of "$1" HOME)
    [ -n "$is_ours_dir" ] || return 1
    is_ours_dir="$is_ours_dir/Library/Application Support"
  fi
  same_directory "/proc/$1/root$is_ours_dir/Plex Media Server" "$data_dir"
}

# server_processes: every process that carries a server's name (plex-facts 5.2).
# The kernel cuts names to 15 bytes.
server_processes() {
  candidates=
  for process in /proc/[0-9]*; do
    name=
    IFS= read -r name 2>/dev/null <"$process/comm" || continue
    case $name in
      "Plex Media Serv"* | Plex_Media_Serv*) candidates="$candidates ${process#/proc/}" ;;
    esac
  done
}

# find_processes: sets $ours. Those that were seen to be another server's are
# not asked again: between stop and start every millisecond is downtime.
find_processes() {
  server_processes
  ours=
  for candidate in $candidates; do
    case " $others " in *" $candidate "*) continue ;; esac
    if is_ours "$candidate"; then
      ours="$ours $candidate"
    else
      others="$others $candidate"
    fi
  done
}

# listening: does anything listen where the server does? No answer counts as no.
listening() { grep -Eqis -e "$p_listen" /proc/net/tcp /proc/net/tcp6; }

# at_rest: the service manager, the processes of this instance and the port
# agree that the server does not run.
at_rest() {
  find_processes
  [ -z "$ours" ] || { detail="process$ours still runs"; return 1; }
  ! listening || { detail="something still listens on its port"; return 1; }
  service_state
  [ "$state" = stopped ] || { detail="the service manager says that it is $state"; return 1; }
}

# ask_to_stop: tells the service manager to stop the server, and waits for its
# answer at most $p_stop_limit seconds.
ask_to_stop() {
  case $manager in
    commands) limit "$p_stop_limit" user_command "$p_stop" >"$stage_file.log" 2>&1 ;;
    *) limit "$p_stop_limit" ctl stop -- "$unit" >"$stage_file.log" 2>&1 ;;
  esac
}

# stop_server: asks, then sees. Status 1 with $detail when the server still runs
# at the limit (it is never killed); 2 when the service manager refused, and
# says itself that the server simply goes on running.
stop_server() {
  now
  stop_until=$((now + p_stop_limit))
  ask_to_stop
  stop_status=$?
  if [ "$stop_status" -ne 0 ] && [ "$manager" != commands ]; then
    service_state
    if [ "$state" = running ]; then
      detail="systemctl stop ended with status $stop_status: $(tail -c 400 "$stage_file.log")"
      return 2
    fi
  fi
  until at_rest; do
    now
    if [ "$now" -ge "$stop_until" ]; then
      if [ "$stop_status" -ne 0 ]; then
        detail="$detail; the stop command ended with status $stop_status: $(tail -c 400 "$stage_file.log")"
      fi
      return 1
    fi
    nap
  done
}

# start_server: false with $detail when the service manager would not. A stale
# pid file keeps a server from ever opening its port (plex-facts 4), so it goes
# first: at_rest has just proven that nobody holds it.
start_server() {
  rm -f -- "$data_dir/plexmediaserver.pid"
  case $manager in
    commands) limit "$p_command_limit" user_command "$p_start" >"$stage_file.log" 2>&1 ;;
    *)
      limit "$p_command_limit" ctl start -- "$unit" >"$stage_file.log" 2>&1 || {
        # The unit's own start limit may be used up (three in a minute).
        ctl reset-failed -- "$unit" >/dev/null 2>&1
        limit "$p_command_limit" ctl start -- "$unit" >"$stage_file.log" 2>&1
      }
      ;;
  esac
  start_status=$?
  if [ "$start_status" -ne 0 ]; then
    detail="the start command ended with status $start_status: $(tail -c 400 "$stage_file.log")"
    return 1
  fi
}

# disarm: keeps systemd from killing the server when the unit's own stop limit
# is over (90 s by default): what does not stop is left running. The drop-in
# lives in /run and goes when the server has been started.
disarm() {
  case $manager in
    systemd) disarm_dir=/run/systemd/system ;;
    systemd-user) disarm_dir=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/systemd/user ;;
    *) return 0 ;;
  esac
  # Counted starts are forgotten, so that our own start is not one too many.
  ctl reset-failed -- "$unit" >/dev/null 2>&1
  # Drop-ins are read in the order of their names, whatever directory they are in.
  drop_in="$disarm_dir/$unit.d/zzzz-terraform-provider-plex.conf"
  if [ "$(property TimeoutStopUSec)" = infinity ] || [ "$(property SendSIGKILL)" = no ]; then
    # An edit that had to leave its drop-in behind is tidied up after now.
    [ -e "$drop_in" ] || drop_in=
    return 0
  fi
  # Mode 0755: the manager's own tools read it, and it holds no secret.
  (
    umask 022
    mkdir -p -- "$disarm_dir/$unit.d" &&
      printf '[Service]\nTimeoutStopSec=infinity\n' >"$drop_in"
  ) 2>/dev/null && ctl daemon-reload >/dev/null 2>&1 &&
    [ "$(ctl show -p TimeoutStopUSec --value -- "$unit" 2>/dev/null)" = infinity ]
}

rearm() {
  [ -n "$drop_in" ] || return 0
  # While systemd still waits for the server, a reload would apply the unit's
  # own limit at once, and kill it.
  service_state
  [ "$state" != stopping ] || return 0
  rm -f -- "$drop_in"
  rmdir -- "${drop_in%/*}" 2>/dev/null
  ctl daemon-reload >/dev/null 2>&1
  drop_in=
}

# ---------------------------------------------------------------- finding it

# systemd_word TEXT NAME: the value of NAME in a list of systemd assignments,
# such as the property Environment: words, in double quotes where they hold
# spaces, with backslash escapes.
systemd_word() {
  printf '%s\n' "$1" | awk -v name="$2=" '
    {
      text = $0; word = ""; quote = ""; n = length(text); found = ""
      for (i = 1; i <= n + 1; i++) {
        c = i > n ? " " : substr(text, i, 1)
        if (c == "\\" && quote != "\047" && i < n) { word = word substr(text, ++i, 1); continue }
        if (quote != "") { if (c == quote && i <= n) quote = ""; else word = word c; continue }
        if (c == "\"" || c == "\047") { quote = c; continue }
        if (c == " ") {
          if (index(word, name) == 1) found = substr(word, length(name) + 1)
          word = ""; continue
        }
        word = word c
      }
      if (found != "") last = found
    }
    END { print last }'
}

# file_word FILE NAME: the same of an environment file: one assignment a line,
# whose value may be quoted and, unlike a word, may hold spaces when it is not.
file_word() {
  awk -v name="$2" '
    /^[ \t]*[#;]/ { next }
    {
      line = $0; sub(/^[ \t]+/, "", line)
      if (index(line, name "=") != 1) next
      value = substr(line, length(name) + 2)
      sub(/[ \t\r]+$/, "", value)
      c = substr(value, 1, 1)
      if (length(value) > 1 && (c == "\"" || c == "\047") && substr(value, length(value)) == c) {
        value = substr(value, 2, length(value) - 2)
        if (c == "\"") gsub(/\\"/, "\"", value)
      }
      last = value
    }
    END { print last }' "$1" 2>/dev/null
}

# unit_environment NAME: of the running process where it can be read, else as
# the unit says it, environment files last, as systemd applies them.
unit_environment() {
  unit_pid=$(property MainPID)
  if [ "${unit_pid:-0}" -gt 0 ] && [ -r "/proc/$unit_pid/environ" ]; then
    environment_of "$unit_pid" "$1"
    return
  fi
  unit_value=$(systemd_word "$(property Environment)" "$1")
  unit_files=$(printf '%s\n' "$properties" | sed -n 's/^EnvironmentFiles=\(.*\) (ignore_errors=[a-z]*)$/\1/p')
  while IFS= read -r unit_file; do
    [ -n "$unit_file" ] || continue
    file_value=$(file_word "$unit_file" "$1")
    [ -z "$file_value" ] || unit_value=$file_value
  done <<EOF
$unit_files
EOF
  printf '%s\n' "$unit_value"
}

home_of() {
  { getent passwd "$1" 2>/dev/null || grep "^$1:" /etc/passwd; } | sed 1q | cut -d: -f6
}

# unit_data_dir: where the server of the unit in $properties keeps its data.
unit_data_dir() {
  unit_support=$(unit_environment PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR)
  if [ -z "$unit_support" ]; then
    unit_user=$(property User)
    if [ -z "$unit_user" ]; then
      if [ "$manager" = systemd-user ]; then unit_user=$(id -un); else unit_user=root; fi
    fi
    unit_support="$(home_of "$unit_user")/Library/Application Support"
  fi
  printf '%s\n' "$unit_support/Plex Media Server"
}

read_unit() {
  properties=$(ctl show -p LoadState -p MainPID -p User -p Environment -p EnvironmentFiles \
    -p TimeoutStopUSec -p SendSIGKILL -- "$1" 2>/dev/null) || properties=
}

# try_unit MANAGER UNIT: adds it to $found when it is there and is the server of
# the preferences that were asked for, if any were.
try_unit() {
  manager=$1
  read_unit "$2"
  [ "$(property LoadState)" = loaded ] || return 0
  try_dir=$(unit_data_dir)
  if [ -n "$p_preferences" ] && ! same_directory "$try_dir" "${p_preferences%/*}"; then
    passed="$passed $2 ($try_dir/Preferences.xml)"
    return 0
  fi
  found_count=$((found_count + 1))
  found="$found $2 ($manager, $try_dir/Preferences.xml);"
  unit=$2 found_manager=$manager found_properties=$properties found_dir=$try_dir
}

# find_unit: the one unit on this host that is the server.
find_unit() {
  found='' found_count=0 passed=''
  if command -v systemctl >/dev/null 2>&1; then
    for candidate_unit in $p_units; do
      try_unit systemd "$candidate_unit"
    done
    if [ "$(id -u)" -ne 0 ]; then
      for candidate_unit in $p_units; do
        try_unit systemd-user "$candidate_unit"
      done
    fi
  fi
  case $found_count in
    1) manager=$found_manager properties=$found_properties data_dir=$found_dir ;;
    0)
      if [ -n "$passed" ]; then
        fail service-not-found "no systemd unit keeps its preferences at $p_preferences; looked at:$passed"
      fi
      fail service-not-found "no systemd unit of these names is loaded: $p_units"
      ;;
    *) fail several-servers "$found" ;;
  esac
}

# locate: sets $manager, $unit, $data_dir and $prefs.
locate() {
  [ "$(uname -s)" = Linux ] || fail unsupported "$(uname -s)"
  manager=$p_manager
  case $manager in
    commands) ;;
    systemd | systemd-user)
      unit=$p_unit
      command -v systemctl >/dev/null 2>&1 || fail service-not-found "there is no systemctl on this host"
      read_unit "$unit"
      [ "$(property LoadState)" = loaded ] || fail service-not-found "the unit $unit is not loaded ($manager)"
      data_dir=$(unit_data_dir)
      ;;
    *) find_unit ;;
  esac
  if [ -n "$p_preferences" ]; then data_dir=${p_preferences%/*}; fi
  prefs="$data_dir/Preferences.xml"
  if [ -n "$p_preferences" ]; then prefs=$p_preferences; fi
  put manager "$manager"
  put unit "$unit"
  put preferences_path "$prefs"
  if [ -L "$prefs" ]; then
    fail not-regular "it is a symbolic link to $(readlink "$prefs")"
  fi
  if [ ! -e "$prefs" ]; then
    # A directory on the way that cannot be entered hides the file.
    if [ -d "$data_dir" ] && [ ! -x "$data_dir" ]; then fail unreadable "permission denied"; fi
    fail no-preferences "there is no such file"
  fi
  [ -f "$prefs" ] || fail not-regular "it is not a regular file"
  [ -r "$prefs" ] || fail unreadable "permission denied"
}

look() {
  service_state
  was=$state
  find_processes
  put user "$(id -un 2>/dev/null || id -u)"
  # shellcheck disable=SC2012 # of this one file, and find cannot print owners everywhere
  put owner "$(ls -ld -- "$prefs" | awk '{ print $3 ":" $4 }')"
  # shellcheck disable=SC2012
  prefs_owner=$(ls -ldn -- "$prefs" | awk '{ print $3 ":" $4 }')
  put state "$was"
  put state_detail "$(printf '%s' "$detail" | tail -c 400)"
  put processes "${ours# }"
}

# ---------------------------------------------------------------- one editor

# lock: held by a descriptor, so the kernel drops it with its last holder. The
# file stays, empty: to remove it would let two editors hold two files.
lock() {
  command -v flock >/dev/null 2>&1 || fail no-lock "there is no flock command on this host"
  lock_file="$data_dir/.terraform-provider-plex.lock"
  if [ -L "$lock_file" ] || { [ -e "$lock_file" ] && [ ! -f "$lock_file" ]; }; then
    fail no-lock "$lock_file is not a regular file"
  fi
  # In a subshell first: a redirection that fails ends some shells.
  (: >>"$lock_file") 2>/dev/null || fail unwritable "$(id -un 2>/dev/null || id -u) cannot write in $data_dir"
  exec 9>>"$lock_file"
  now
  lock_until=$((now + p_lock_limit))
  until flock -n 9; do
    now
    if [ "$now" -ge "$lock_until" ]; then
      fail locked "$(head -c 400 "$lock_file")"
    fi
    nap
  done
  locked=yes
  printf '%s\n' "$p_holder" >"$lock_file"
}

# ---------------------------------------------------------------- files

# flush PATH: the file or directory is on the disk. A sync that takes no
# operands flushes everything.
flush() { sync -- "$1" 2>/dev/null || sync; }

# attributes PATH: what a file has besides its bytes.
attributes() {
  # shellcheck disable=SC2012
  ls -ldn -- "$1" | awk '{ print $1, $3, $4 }'
  if command -v getfacl >/dev/null 2>&1; then getfacl -cnp -- "$1" 2>/dev/null; fi
  if command -v getfattr >/dev/null 2>&1; then getfattr -d -m - --absolute-names -- "$1" 2>/dev/null | sed 1d; fi
}

# make_twin FILE: an empty-handed copy of the preferences with the same owner,
# group, mode, access list, extended attributes and label; its bytes are
# replaced later, which keeps all of these.
make_twin() {
  cp --preserve=all -- "$prefs" "$1" 2>/dev/null || cp -p -- "$prefs" "$1"
}

# prepare: everything that can fail for want of room or rights, before the stop.
prepare() {
  backup_dir=$p_backup_dir
  [ -n "$backup_dir" ] || backup_dir="$data_dir.terraform-backups"
  if [ -L "$backup_dir" ]; then fail backup-directory "it is a symbolic link"; fi
  if [ ! -d "$backup_dir" ]; then
    detail=$(mkdir -m 700 -- "$backup_dir" 2>&1) || fail backup-directory "$detail"
  fi
  # shellcheck disable=SC2012
  backup_mode=$(ls -ldn -- "$backup_dir" | awk '{ print substr($1, 2, 9), $3 }')
  if [ "$backup_mode" != "rwx------ $(id -u)" ]; then
    fail backup-directory "it must have mode 0700 and belong to $(id -un 2>/dev/null || id -u), and has $backup_mode"
  fi
  backup_stem="$backup_dir/$(printf %s "$prefs" | cksum | cut -d' ' -f1)-$(date -u +%Y%m%dT%H%M%SZ)-$$"
  before="$backup_stem.before.xml"
  after="$backup_stem.after.xml"
  stage_file="$backup_stem.stage"
  temporary="$data_dir/.Preferences.xml.terraform-$$"
  copy_before || fail no-room "$detail"
  # The second copy and the new file take their room now.
  detail=$(cp -- "$before" "$after" 2>&1) || fail no-room "$detail"
  detail=$(make_twin "$temporary" 2>&1) || fail no-room "$detail"
  detail=$( (printf '%0512d' 0 >>"$temporary") 2>&1) || fail no-room "$detail"
  if [ "$(attributes "$temporary")" != "$(attributes "$prefs")" ]; then in_place=yes; fi
  printf 'idle\n' >"$stage_file" || fail no-room "$stage_file"
}

# copy_before: the copy from before the stop. The server may be writing: it is
# taken again until two readings agree.
copy_before() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    detail=$( (cat -- "$prefs" >"$before") 2>&1) || return 1
    if cmp -s -- "$prefs" "$before"; then
      detail=$(flush "$before" 2>&1)
      return
    fi
    nap
  done
  detail="the preferences changed at every reading"
  return 1
}

# whole FILE: a last look by the script alone, for when the far side has gone:
# not empty, closed, and the same server's.
whole() {
  [ -s "$1" ] && tail -c 64 "$1" | tr -d ' \t\r\n' | grep -q '>$' &&
    grep -qF -e "$machine_id" "$1"
}

# renew_temporary: there is a twin to write into, also when the server has
# removed its preferences.
renew_temporary() {
  if [ -f "$temporary" ]; then return 0; fi
  if [ -f "$prefs" ]; then
    make_twin "$temporary"
  else
    cp -- "$before" "$temporary" && chown "$prefs_owner" "$temporary"
  fi
}

# replace FILE: makes FILE's bytes the preferences, in one step where rename
# works, else in place. FILE is $temporary or a copy. False with $detail.
replace() {
  if [ "$1" != "$temporary" ]; then
    detail=$( { renew_temporary && cat -- "$1" >"$temporary"; } 2>&1) || return 1
  fi
  detail=$(flush "$temporary" 2>&1) || return 1
  if [ -z "$in_place" ]; then
    if detail=$(mv -f -- "$temporary" "$prefs"  2>&1); then
      flush "$data_dir" 2>/dev/null
      return 0
    fi
    [ -f "$temporary" ] || return 1
  fi
  # A file that is a mount of its own cannot be renamed over.
  detail=$( (cat -- "$temporary" >"$prefs") 2>&1) && detail=$(flush "$prefs" 2>&1) &&
    cmp -s -- "$temporary" "$prefs"
}

# prune: keeps the copies of the last p_keep operations on this server.
prune() {
  for old in "$backup_dir/$(printf %s "$prefs" | cksum | cut -d' ' -f1)"-*.before.xml; do
    [ -f "$old" ] && printf '%s\n' "${old%.before.xml}"
  done | sort -r | sed "1,${p_keep}d" | while IFS= read -r old; do
    rm -f -- "$old.before.xml" "$old.after.xml"
  done
}

# ---------------------------------------------------------------- finishing

enter() {
  stage=$1
  printf '%s\n' "$1" >"$stage_file" 2>/dev/null
}

# bring_back: the server runs again, with whole preferences. For every way in
# which the far side can go away while the server is stopped.
bring_back() {
  if ! whole "$prefs"; then
    if whole "$after"; then replace "$after"; else replace "$before"; fi
  fi
  [ "$was" != running ] || start_server
}

# settle: the far side went away after the start. A server that dies at once
# with the new preferences gets the old ones back.
settle() {
  for _ in 1 2 3 4 5 6; do
    sleep 0.5 2>/dev/null || sleep 1
    service_state
    if [ "$state" = stopped ]; then
      put_back
      return
    fi
  done
}

# put_back: what was there before, and the server runs.
put_back() {
  if [ "$was" = running ]; then
    stop_server || return 1
    enter stopped
  fi
  if [ "$good" = after ] && whole "$after"; then replace "$after"; else replace "$before"; fi || return 1
  [ "$was" = running ] || return 0
  start_server && enter started
}

# linger: the server did not stop in time and is left alone; but if it stops
# late, it must not stay down.
linger() {
  now
  linger_until=$((now + p_linger))
  while [ "$now" -lt "$linger_until" ]; do
    if at_rest; then
      bring_back
      return
    fi
    sleep 0.5 2>/dev/null || sleep 1
    now
  done
  case $manager in systemd*) ctl --no-block start -- "$unit" >/dev/null 2>&1 ;; esac
}

# watch: the guard, a process of its own. When the script itself is killed it
# does what the script would have done.
watch() {
  watched=$1
  trap : HUP INT PIPE
  trap 'kill "$!" 2>/dev/null; wait "$!"; exit 0' TERM
  exec >/dev/null 2>&1 3<&-
  while alive "$watched"; do
    sleep 1 &
    wait "$!"
  done
  stage=$(cat -- "$stage_file")
  trap : TERM
  finish
}

finish() {
  case $stage in
    stopping) linger ;;
    stopped | resting) bring_back ;;
    started) [ -n "$done" ] || settle ;;
  esac
  rearm
  if [ -n "$temporary" ]; then rm -f -- "$temporary"; fi
  if [ -n "$stage_file" ]; then rm -f -- "$stage_file" "$stage_file.log"; fi
  if [ "$stage" = idle ] && [ -n "$before" ]; then rm -f -- "$before" "$after"; fi
  if [ -n "$locked" ]; then : >"$lock_file"; fi
}

at_exit() {
  trap - EXIT
  if [ -n "$guard" ]; then dismiss "$guard"; fi
  finish
}

# ---------------------------------------------------------------- the edit

# stopped_phase: between stop and start. One answer from the far side decides.
stopped_phase() {
  detail=$( (cat -- "$prefs" >"$after") 2>&1) || put warning "no copy could be made after the stop: $detail"
  limit "$p_silence" put_file stopped "$prefs"
  if ! await "$p_silence"; then return 1; fi
  case $verb in
    write | write-from-before) ;;
    *) return 0 ;;
  esac
  [ "$verb" = write-from-before ] || good=after
  receive "$argument" "$temporary" || { put note "the new preferences did not arrive whole or could not be written"; return 1; }
  replace "$temporary" || { put note "the new preferences could not be put in place: $detail"; return 1; }
  written=yes
}

edit() {
  trap 'at_exit' EXIT
  trap 'exit 1' HUP INT TERM
  trap : PIPE
  lock
  look
  prepare
  put_file preferences "$before"
  put ready ''
  while :; do
    await "$p_patience" || exit 0
    case $verb in
      again)
        copy_before || fail no-room "$detail"
        put_file preferences "$before"
        put ready ''
        ;;
      go)
        machine_id=$argument
        break
        ;;
      *) exit 0 ;;
    esac
  done
  if [ "$was" = running ] && ! disarm; then
    fail kill-limit "$unit"
  fi
  # From here on nobody ends this script half-way.
  trap : HUP INT TERM
  watch "$$" &
  guard=$!
  if [ "$was" = running ]; then
    enter stopping
    stop_server
    case $? in
      0) enter stopped ;;
      1) fail stop-timeout "$detail" ;;
      *)
        enter idle
        fail stop-failed "$detail"
        ;;
    esac
  else
    at_rest || fail moving "$detail"
    enter resting
  fi
  stopped_phase
  if [ "$was" = running ]; then
    if [ -z "$written" ]; then
      if bring_back; then started=kept; else started="failed $detail"; fi
    elif start_server; then
      started=yes
    else
      started="failed $detail"
    fi
    case $started in failed*) ;; *) enter started ;; esac
  elif [ -n "$written" ]; then
    started=left
  else
    bring_back
    started=kept
  fi
  [ -n "$written" ] || done=yes
  put started "$started"
  put copy_before "$before"
  put copy_after "$after"
  while await "$p_verify_limit"; do
    case $verb in
      check) put_file preferences "$prefs" ;;
      revert)
        if put_back; then put reverted yes; else put reverted "no $detail"; fi
        done=yes
        ;;
      *)
        done=yes
        prune
        break
        ;;
    esac
  done
  exit 0
}

inspect() {
  look
  put_file preferences "$prefs"
  put ready ''
  while await 30; do
    [ "$verb" = again ] || break
    put_file preferences "$prefs"
    put ready ''
  done
}

put hello 1
put platform "$(uname -s | tr '[:upper:]' '[:lower:]')"
locate
"$p_mode"
