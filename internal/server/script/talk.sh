# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# Talking to the far side, and waiting no longer than a limit.

put() { printf '%s\n%s\n%s\n' "$1" "$2" "$p_nonce"; }

put_file() {
  printf '%s\n' "$1"
  cat -- "$2"
  printf '\n%s\n' "$p_nonce"
}

put_prefs() {
  printf 'preferences\n'
  read_prefs
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
  if [ "$kernel" != linux ]; then
    alive_state=$(ps -o state= -p "$1" 2>/dev/null)
  elif [ -r "/proc/$1/stat" ]; then
    IFS= read -r alive_state 2>/dev/null <"/proc/$1/stat"
    alive_state=${alive_state##*) } # behind the name, which may hold spaces
  fi
  case $alive_state in Z*) return 1 ;; esac
}

# dismiss PID: ends a child that ends at TERM. A young child still has its
# parent's trap, and loses what comes before it has set its own.
dismiss() {
  while alive "$1"; do kill "$1" 2>/dev/null; done
  wait "$1" 2>/dev/null
}

# own_pid: of the shell that asks by $(own_pid), which may be a subshell; $$ is always the
# script.
own_pid() { exec /bin/sh -c 'echo "$PPID"' 2>/dev/null; }

# on_exit FUNCTION [PID]: for the EXIT trap of the script, or of its subshell PID. bash also
# runs it in a child that is told to end before it has begun. What does not know who it is
# counts as the one that has set the trap.
on_exit() {
  case $(own_pid) in
    '' | "${2:-$$}") "$1" ;;
  esac
}

# doze SECONDS: for a child that TERM may end; its sleep ends with it, from the moment that
# it has one: $! is another then, before any variable can say so. A signal that its parent
# caught as it forked interrupts a wait of its own.
doze() {
  doze_before=${!-}
  trap 'trap "" TERM; [ "${!-}" = "$doze_before" ] || dismiss "$!"; exit 0' TERM
  sleep "$1" &
  join "$!"
}

# watchdog SECONDS PID: its status is 1 if the time was over.
watchdog() {
  # On the call they would be handed on all the same, as limit says.
  exec >/dev/null 2>&1 3<&- 8<&- 9>&-
  doze "$1"
  kill "$2"
  exit 1
}

# limit SECONDS COMMAND…: ends the command, not what it has started, when the
# time is over. What is to be redirected the command redirects itself, by exec: dash
# keeps what it replaces for a call of limit, and hands it on to watchdog.
limit() {
  limit_seconds=$1
  shift
  "$@" &
  limit_process "$limit_seconds" "$!"
}

# limit_process SECONDS PID [JOIN]: its status, once it has ended or was ended. JOIN
# waits for it. limit_over is 1 if the time was over.
limit_process() {
  limit_pid=$2
  watchdog "$1" "$limit_pid" &
  limit_dog=$!
  "${3:-join}" "$limit_pid"
  limit_status=$?
  dismiss "$limit_dog"
  limit_over=$?
  return "$limit_status"
}

# limit_sink SECONDS SINK COMMAND…: what the command says goes into SINK, and it is the
# sink that is waited for, and only so long: who writes can go on, or keep the pipe.
limit_sink() {
  limit_seconds=$1
  limit_into=$2
  shift 2
  # Some shells wait for the whole of a pipeline, so the command is not of it.
  { "$@" 2>/dev/null & } | "$limit_into" 3<&- 8<&- 9>&- &
  limit_process "$limit_seconds" "$!" join_sink
  limit_status=$?
  # Interrupted, or ended: only the watchdog knows.
  if [ "$limit_status" -gt 128 ] && [ "$limit_over" != 1 ]; then limit_status=0; fi
  return "$limit_status"
}

# join_sink PID: waits for the end of a pipeline. When a trapped signal interrupts
# bash, it can forget that a part of it has ended, and would wait for ever.
join_sink() {
  wait "$1"
  join_status=$?
  if [ "$join_status" -gt 128 ]; then
    while alive "$1"; do nap; done
  fi
  return "$join_status"
}

read_line() {
  IFS= read -r read_line_text <&3 || return 1
  printf '%s\n' "$read_line_text"
}

# await SECONDS: the next command, in $verb and $argument; false when the far
# side has gone or stays silent for so long.
await() {
  # By exec: a script that is killed here would have left its standard error to what reads.
  await_line=$(exec 2>/dev/null; limit "$1" read_line) || return 1
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

# now: seconds of a clock that nobody sets. Where there is only one that somebody
# may set, more than can have passed between two looks counts as one second, and so
# does less than nothing.
now() {
  if [ "$kernel" = linux ] && [ -r /proc/uptime ]; then
    IFS=' .' read -r now _ </proc/uptime
  else
    now_before=${now_date:-$(date +%s)}
    now_date=$(date +%s)
    now_passed=$((now_date - now_before))
    if [ "$now_passed" -lt 0 ] || [ "$now_passed" -gt "$((p_stop_limit + p_command_limit))" ]; then now_passed=1; fi
    now=$((${now:-0} + now_passed))
  fi
}

nap() { sleep 0.05 2>/dev/null || sleep 1; }
