# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# One editor at a time. Where there is flock the lock is held by a descriptor,
# and the kernel drops it with its last holder; the file stays, empty: to remove
# it would let two editors hold two files. Elsewhere (FreeBSD, macOS, some NAS) the
# lock is that a file exists, which names the processes that hold it.

lock() {
  lock_file="$data_dir/.terraform-provider-plex.lock"
  lock_kind=pids
  # Not that of somebody's own on macOS: root may not find it, and lock otherwise.
  if [ "$kernel" != darwin ] && command -v flock >/dev/null 2>&1; then lock_kind=flock; fi
  # What does this for root looks as it takes it.
  [ "$own_work$lock_kind" = yesflock ] || ask plain_lock "$lock_file" || lock_no_file
  now
  lock_until=$((now + p_lock_limit))
  "lock_open_$lock_kind"
  until "lock_take_$lock_kind"; do
    now
    if [ "$now" -ge "$lock_until" ]; then
      ask held_by "$lock_held"
      fail locked "$detail"
    fi
    nap
  done
  locked=yes
}

lock_no_file() { fail no-lock "$lock_file is not a regular file"; }
lock_unwritable() { fail unwritable "$(id -un ${owner_id:+"$owner_id"} 2>/dev/null || echo "user ${owner_id:-$(id -u)}") cannot write in $data_dir"; }

# lock_hold PID: that process holds the lock as well; it goes on when we do not.
lock_hold() {
  if [ "$lock_kind" = pids ]; then ask append_line "$lock_held" "$(process_line "$1")"; fi
}

unlock() {
  if [ -n "$own_work" ]; then
    case $locked:$lock_kind in
      yes:flock) ask let_go_of_flock "$lock_file" ;;
      yes:*) ask let_go ${lock_mine:+"$lock_mine"} "$lock_held" ;;
      *) [ -z "$lock_mine" ] || ask let_go "$lock_mine" ;;
    esac
    return
  fi
  if [ -n "$lock_mine" ]; then rm -f -- "$lock_mine"; fi
  [ -n "$locked" ] || return 0
  if [ "$lock_kind" = flock ]; then : >"$lock_file"; else rm -f -- "$lock_held"; fi
}

# ---------------------------------------------------------------- flock

lock_open_flock() {
  lock_held=$lock_file
  if [ -n "$own_work" ]; then
    # A file that its owner opens cannot be one that the owner may not open. It is
    # held by a process of the owner's for as long as one of ours has descriptor 9.
    detail=$(mkfifo -m 600 "$held" 2>&1) || fail no-room "$detail"
    # shellcheck disable=SC2094 # its two ends
    exec 9<>"$held" 8<"$held"
    rm -f -- "$held"
    return
  fi
  # In a subshell first: a redirection that fails ends some shells.
  (: >>"$lock_file") 2>/dev/null || lock_unwritable
  exec 9>>"$lock_file"
}

lock_take_flock() {
  if [ -z "$own_work" ]; then
    flock -n 9 || return 1
    printf '%s\n' "$p_holder" >"$lock_file"
    return
  fi
  hear_lock=yes
  ask hold "$lock_file" "$p_holder"
  lock_status=$?
  hear_lock=
  case $lock_status in
    0) exec 8<&- ;;
    2) lock_unwritable ;;
    3) lock_no_file ;;
    *) return 1 ;;
  esac
}

# ---------------------------------------------------------------- pids

lock_open_pids() {
  lock_held=$lock_file.held
  lock_mine=$lock_file.$$
  ask write_line "$lock_mine" "$p_holder$newline$(uname -n)$newline$(process_line $$)" || lock_unwritable
}

lock_take_pids() {
  ask link_lock "$lock_mine" "$lock_held" && return
  ask clear_lock "$lock_held" || return 1
  ask link_lock "$lock_mine" "$lock_held"
}
