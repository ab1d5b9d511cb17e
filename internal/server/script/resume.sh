# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# An edit that was cut off with all that could have ended it: a power cut, or the
# end of a session that takes its guard with it. Its stage file is still there, and
# tells whoever comes next what is owed: a server that runs, on preferences that
# are whole. As with the journal of a database, a mere look pays it, too.

# left_behind: is there a stage file? Nearly always there is none, and this is all.
left_behind() {
  [ -z "$mac_live" ] || return 1
  backup_dir=${p_backup_dir:-$(default_backup_dir)}
  set -- "$backup_dir"/*.stage
  [ -e "$1" ]
}

# resume: without waiting for who edits now, since that one will end his edit himself.
resume() {
  left_behind || return 0
  resume_said=$(end_left 2>/dev/null)
  [ -z "$resume_said" ] || put warning "$resume_said"
}

# end_left: prints what it did. Where it cannot, the stage file stays, for the next.
end_left() {
  # What somebody else could have written is not believed: that ends this subshell.
  if [ -z "$backup_at" ]; then open_backups >/dev/null; fi
  if [ -z "$locked" ]; then
    end_left_pid=$(own_pid)
    trap 'on_exit unlock "$end_left_pid"' EXIT
    p_lock_limit=0
    lock >/dev/null # ends it too, where somebody has the lock
  fi
  clear_left
  left=
  for left_file in "$backup_server"-*.stage; do
    if [ -f "$left_file" ]; then left=$left_file; fi
  done
  [ -n "$left" ] || return # another server's, or by now somebody else has ended it
  read -r stage machine_id <"$left"
  before=${left%.stage}.before.xml after=${left%.stage}.after.xml stage_file=$left
  name_twin
  if [ -n "$own_work" ]; then exported=$backup_stem.now; fi
  case $stage in
    stopping | stopped) was=running ;;
    resting) was=stopped ;;
    *) was= ;; # not stopped yet, or started again
  esac
  if [ -z "$was" ] || [ -z "$machine_id" ] || pay; then
    if [ "$stage" = idle ]; then rm -f -- "$before" "$after"; fi
    rm -f -- "$backup_server"-*.stage "$backup_server"-*.stage.log
  fi
  call rearm
  end_kept
  clear_work
}

# pay: false where what is owed is still owed.
pay() {
  find_processes
  # For a manager that has to see a server, there may be none.
  call disarm || [ -z "$ours" ] || return 1
  owed=
  if ! closed_at_last; then
    # On these a server opens no port (plex-facts 4); one that has its port has others.
    ! listening || return 1
    [ -z "$ours" ] || stop_server || return 1
    if whole "$after"; then replace "$after"; else whole "$before" && replace "$before"; fi || return 1
    owed="had left preferences that are not whole; they were restored from its copy"
  elif ! preferences_are whole; then
    return 0 # somebody has set up another server there
  elif [ -n "$ours" ]; then
    # One without a port is on its way up or down.
    listening
    return
  elif [ "$was" = running ] && [ -n "$(find "$left" -mtime -1 2>/dev/null)" ]; then
    # Within a day. Later than that, somebody will have stopped it.
    owed="had left the server stopped"
  fi
  [ -n "$owed" ] || return 0
  if [ "$was" = running ]; then
    start_server || return 1
    owed="$owed, and the server was started"
  fi
  printf 'An edit that was cut off, and with it whoever could have ended it, %s.\n' "$owed"
}

# closed_at_last: a server that writes is caught in between at times.
closed_at_last() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if preferences_are closed; then return 0; fi
    nap
  done
  return 1
}
