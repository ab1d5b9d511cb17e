# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# Stopping and starting the server, and seeing that it has stopped.

# at_rest: the service manager, the processes of this instance and the port
# agree that the server does not run.
at_rest() {
  [ "$manager" != offline ] || return 0
  at_rest_but_for_the_manager || return 1
  service_state
  case $state in stopped | dead) ;; *) detail="the service manager says that it is $state"; return 1 ;; esac
}

at_rest_but_for_the_manager() {
  find_processes
  [ -z "$ours" ] || { detail="process$ours still runs"; return 1; }
  ! listening || { detail="something still listens on its port"; return 1; }
}

# terminate: the server's own processes are asked to end, and have until
# $stop_until. Status 1 with $detail: they still run; 2: they could not be asked;
# 3: something has started the server again.
terminate() {
  find_processes
  asked=$ours
  # shellcheck disable=SC2086 # a list of numbers
  detail=$(kill -TERM $asked 2>&1) || {
    find_processes
    [ -z "$ours" ] || return 2
  }
  while :; do
    find_processes
    [ -n "$ours" ] || return 0
    for process in $ours; do
      case " $asked " in *" $process "*) ;; *) detail="process $process was started in the place of$asked"; return 3 ;; esac
    done
    now
    if [ "$now" -ge "$stop_until" ]; then
      detail="process$ours still runs"
      return 1
    fi
    nap
  done
}

# tell_the_manager SECONDS VERB: and keeps what it says, where the disk takes it.
# A disk that takes nothing more must not be why the server stays down.
tell_the_manager() {
  told=$stage_file.log
  (: >"$told") 2>/dev/null || told=/dev/null
  limit "$1" call_into_told "$2"
}
call_into_told() {
  exec >"$told" 2>&1
  call "$1"
}

# close_books: the server has ended by itself; its manager is told to stop it all
# the same: what it takes for started it would not start. supervisord has seen it
# end, and has nothing to be told.
close_books() {
  [ "$manager" = supervisord ] || tell_the_manager "$p_command_limit" stop
}

# stop_server: asks, then sees. Status 1 with $detail when the server still runs
# at the limit (it is never killed); 2 when it could not be asked, and its
# manager says itself that it simply goes on running; 3 when something has
# started it again.
stop_server() {
  now
  stop_until=$((now + p_stop_limit))
  stop_status=0
  if [ -n "$by_signal" ]; then
    terminate || return
    close_books
  else
    tell_the_manager "$p_stop_limit" stop
  fi
  stop_status=$?
  if [ "$stop_status" -ne 0 ] && [ "$manager" != commands ] && [ -z "$by_signal" ]; then
    service_state
    now
    # One that was cut off at the limit may have asked all the same.
    if [ "$state" = running ] && [ "$now" -lt "$stop_until" ]; then
      detail="the stop command ended with status $stop_status: $(tail -c 400 "$told")"
      return 2
    fi
  fi
  until at_rest; do
    if [ -n "$by_signal" ] && [ -n "$ours" ]; then
      detail="process$ours was started when the server had stopped"
      return 3
    fi
    now
    if [ "$now" -ge "$stop_until" ]; then
      if [ "$stop_status" -ne 0 ]; then
        detail="$detail; the stop command ended with status $stop_status: $(tail -c 400 "$told")"
      fi
      return 1
    fi
    nap
  done
}

# remove_pid_file: a stale one keeps a server from ever opening its port, however
# long it runs (plex-facts 4); at_rest has just proven that nobody holds it. A disk
# that has become read-only is waited for: on it no server could run.
remove_pid_file() {
  if [ -n "$pid_file_gone" ]; then
    pid_file_gone=
    return
  fi
  now
  pid_until=$((now + p_linger))
  until ask remove_pid_files; do
    now
    [ "$now" -lt "$pid_until" ] || return
    nap
  done
}

# start_server: false with $detail when the service manager would not.
start_server() {
  remove_pid_file
  tell_the_manager "$p_command_limit" start
  start_status=$?
  if [ "$start_status" -ne 0 ]; then
    detail="the start command ended with status $start_status: $(tail -c 400 "$told")"
    return 1
  fi
}
