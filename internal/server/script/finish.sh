# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# How it ends, whoever is left to end it.

# enter STAGE: with the server that it is about, and the names that go if a copy is
# put back, a line each.
enter() {
  stage=$1
  printf '%s %s\n%s' "$1" "$machine_id" "$added" >"$stage_file" 2>/dev/null
}

# bring_back: the server runs again, with whole preferences. For every way in
# which the far side can go away while the server is stopped.
bring_back() {
  if [ "$stage" = writing ] || ! preferences_are whole; then
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
    # One look for both: a server that ends between two would be started while
    # its manager still takes it for started.
    if at_rest_but_for_the_manager; then
      if [ -n "$by_signal" ]; then close_books; fi
      if at_rest; then
        bring_back
        return
      fi
    fi
    sleep 0.5 2>/dev/null || sleep 1
    now
  done
  call want >/dev/null 2>&1
}

# clear_left: nobody else edits now, so that a twin of the preferences is what an
# edit has left that was killed before it had a guard.
clear_left() {
  # It was done with the lock.
  [ "$own_work$lock_kind" = yesflock ] || ask remove_twins
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
  stage= # not that of when this was forked, where there is no stage file any more
  read -r stage _ <"$stage_file"
  added=$(sed 1d "$stage_file")
  trap : TERM
  finish
}

finish() {
  case $stage in
    stopping) linger ;;
    stopped | writing | resting) bring_back ;;
    started) [ -n "$done" ] || settle ;;
  esac
  at_leisure
  call rearm
  end_kept
  if [ -n "$twin" ] && [ -z "$own_work" ]; then rm -f -- "$twin"; fi
  if [ -n "$temporary" ]; then rm -f -- "$temporary"; fi
  if [ -n "$exported" ]; then rm -f -- "$exported"; fi
  if [ -n "$stage_file" ]; then rm -f -- "$stage_file" "$stage_file.log"; fi
  if [ "$stage" = idle ] && [ -n "$before" ]; then rm -f -- "$before" "$after"; fi
  unlock
}

at_exit() {
  trap - EXIT
  if [ -n "$guard" ]; then dismiss "$guard"; fi
  finish
}
