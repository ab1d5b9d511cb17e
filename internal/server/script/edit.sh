# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# The edit and the inspection.

# stopped_phase: between stop and start. One answer from the far side decides.
stopped_phase() {
  if [ -n "$own_work" ] && [ -z "$mac_live" ]; then
    # One look at what somebody else shows, for the copy and for the far side.
    printf 'stopped\n'
    hear sink_copy show_preferences
    copied=$?
    # Where nobody reads any more, it is the next command that is waited for.
    printf '\n%s\n' "$p_nonce" 3<&- 9>&- &
    # It came to no end: what is there may be half of it.
    [ "$copied" -le 128 ] || return 1
    [ "$copied" -eq 0 ] || no_copy=yes
  else
    detail=$( (read_prefs >"$after") 2>&1) || put warning "no copy could be made after the stop: $detail"
    if [ -n "$mac_live" ]; then
      limit "$p_silence" put_file stopped "$after"
    else
      limit "$p_silence" put_file stopped "$prefs"
    fi
  fi
  while :; do
    if ! await "$p_silence"; then return 1; fi
    if [ -n "$no_copy" ]; then
      no_copy=
      put warning "no copy could be made after the stop"
    fi
    case $verb in
      forget) forgotten="$forgotten$argument$newline" ;;
      set) setting=yes ;;
      add) setting=yes added="$added$argument$newline" ;;
      write | write-from-before) break ;;
      *) return 0 ;;
    esac
  done
  [ "$verb" = write-from-before ] || good=after
  receive "$argument" "$temporary" || { put note "the new preferences did not arrive whole or could not be written"; return 1; }
  replace "$temporary" || { put note "the new preferences could not be put in place: $detail"; return 1; }
  written=yes
}

edit() {
  [ "$manager" != none ] || fail no-commands "$platform"
  trap 'on_exit at_exit' EXIT
  trap 'exit 1' HUP INT TERM
  trap : PIPE
  # Root's own place first, where another does the work on files.
  if [ -n "$own_work" ]; then open_backups; fi
  lock
  clear_left
  resume
  look
  if [ -z "$own_work" ]; then open_backups; fi
  prepare
  put_file preferences "$before"
  put ready ''
  while :; do
    await "$p_silence" || exit 0
    case $verb in
      wait) ;;
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
  if [ "$was" = running ]; then call disarm || fail kill-limit "$detail"; fi
  # From here on nobody ends this script half-way.
  trap : HUP INT TERM
  watch "$$" &
  guard=$!
  lock_hold "$guard"
  if [ "$was" = running ]; then
    enter stopping
    flush "$stage_file" # also a power cut leaves it to who comes next
    stop_server
    case $? in
      0) enter stopped ;;
      1) fail stop-timeout "$detail" ;;
      3)
        enter idle
        fail respawned "$detail"
        ;;
      *)
        enter idle
        fail stop-failed "$detail"
        ;;
    esac
  else
    at_rest || fail moving "$detail"
    enter resting
  fi
  in_haste
  stopped_phase
  at_leisure
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
  put copy_before "$(copy_path "$before")"
  put copy_after "$(copy_path "$after")"
  while await "$p_silence"; do
    case $verb in
      wait) ;;
      check) put_prefs ;;
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
  resume
  look
  put_prefs
  put ready ''
  while await 30; do
    [ "$verb" = again ] || break
    put_prefs
    put ready ''
  done
}
