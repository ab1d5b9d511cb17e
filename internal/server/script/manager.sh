# shellcheck shell=sh disable=SC2034,SC2154,SC3045 # variables that other pieces set and use
#
# Service managers. Each has a piece of its own, with functions NAME_VERB; a
# verb that a manager lacks has nothing to do there, and succeeds.
#   present      is that manager on this host?
#   services NAME   prints, a line each, what $unit is to be for "has" to be asked
#                of the services of that name, where that is not the name
#   has          does it know $unit? May complete $unit, or set $service_dir
#   main_process prints the process that it has started
#   environment VARIABLE   prints "=" and the value, where its configuration sets it
#   directory    prints the data directory, where the manager has a way to say it
#   state        sets $state: running, stopped, starting, stopping, unknown, or
#                dead for a process that has ended without being asked to
#   stop, start  asks it, and may wait for the answer
#   disarm       keeps it from killing the server in the course of this edit; sets
#                $by_signal where the server itself is asked to end, before the
#                manager is. False with $detail: it cannot be kept from it
#   rearm        takes back what disarm has done
#   want         the server that was told to stop and did not is wanted after all

call() {
  call_verb=$1
  shift
  case $manager in
    systemd-user | snap) call_function=systemd_$call_verb ;;
    macos-app) call_function=macos_app_$call_verb ;;
    *) call_function=${manager}_$call_verb ;;
  esac
  command -v "$call_function" >/dev/null 2>&1 || return 0
  "$call_function" "$@"
}

# service_state: sets $state.
service_state() {
  state=unknown
  call state
}

# plainly COMMAND…: with none of our descriptors, and with the environment and
# the signals and limits that we were given, where we were: what it starts must not
# inherit a lock, or a TERM that is ignored.
plainly() {
  (
    exec 3<&- 8<&- 9>&- </dev/null
    cd "$here" 2>/dev/null || cd /
    if [ "$locale" = unset ]; then unset LC_ALL; else LC_ALL=$locale; fi
    trap - HUP INT QUIT TERM PIPE
    if [ -n "$core_limit" ]; then ulimit -S -c "$core_limit"; fi
    exec "$@"
  )
}

# gently: for the managers that do not start again what has ended: the server is
# asked to end by a signal to its own process, and when it has ended, the
# manager is told. However a script or a schedule goes on from TERM to KILL, it
# finds nobody to kill. For that the process must be seen, and be ours to ask.
gently() {
  by_signal=yes
  find_processes
  [ -n "$ours" ] || {
    detail="$manager may kill what does not stop in time, and the server's own process is not to be seen by $(id -un 2>/dev/null || id -u)"
    return 1
  }
  for gently_pid in $ours; do
    kill -0 "$gently_pid" 2>/dev/null || {
      detail="$manager may kill what does not stop in time, and $(id -un 2>/dev/null || id -u) may not send a signal to process $gently_pid"
      return 1
    }
  done
}

# ---------------------------------------------------------------- commands

commands_state() {
  detail=$(limit_sink "$p_command_limit" sink_end status_command)
  case ${detail##*"$newline"} in
    0) state=running ;;
    1 | 2 | 3) state=stopped ;;
    '') detail="the status command has not ended within $p_command_limit s$newline" ;;
  esac
  detail=${detail%"$newline"*}
}

# status_command: what it says, and its status on a line behind that. It may never
# end, and must not keep the lock.
status_command() {
  exec 3<&- 8<&- 9>&-
  plainly /bin/sh -c "$p_status" 2>&1
  printf '\n%s' "$?"
}
sink_end() { exec tail -c 4000; }

commands_stop() { plainly /bin/sh -c "$p_stop"; }
commands_start() { plainly /bin/sh -c "$p_start"; }

# ---------------------------------------------------------------- none

# Nobody knows how to stop and start it here; it can be looked at.
none_state() { state_of_processes; }
