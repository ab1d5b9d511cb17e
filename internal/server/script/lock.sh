# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# One editor at a time. Where there is flock the lock is held by a descriptor,
# and the kernel drops it with its last holder; the file stays, empty: to remove
# it would let two editors hold two files. Elsewhere (FreeBSD, macOS, some NAS) the
# lock is that a file exists, which names the processes that hold it.

lock() {
  lock_file="$data_dir/.terraform-provider-plex.lock"
  if [ -L "$lock_file" ] || { [ -e "$lock_file" ] && [ ! -f "$lock_file" ]; }; then
    fail no-lock "$lock_file is not a regular file"
  fi
  lock_kind=pids
  # Not that of somebody's own on macOS: root may not find it, and lock otherwise.
  if [ "$kernel" != darwin ] && command -v flock >/dev/null 2>&1; then lock_kind=flock; fi
  now
  lock_until=$((now + p_lock_limit))
  "lock_open_$lock_kind"
  until "lock_take_$lock_kind"; do
    now
    if [ "$now" -ge "$lock_until" ]; then fail locked "$(head -c 400 "$lock_held")"; fi
    nap
  done
  locked=yes
}

# lock_hold PID: that process holds the lock as well; it goes on when we do not.
lock_hold() {
  if [ "$lock_kind" = pids ]; then process_line "$1" >>"$lock_held"; fi
}

unlock() {
  if [ -n "$lock_mine" ]; then rm -f -- "$lock_mine"; fi
  [ -n "$locked" ] || return 0
  if [ "$lock_kind" = flock ]; then : >"$lock_file"; else rm -f -- "$lock_held"; fi
}

# ---------------------------------------------------------------- flock

lock_open_flock() {
  lock_held=$lock_file
  # In a subshell first: a redirection that fails ends some shells.
  (: >>"$lock_file") 2>/dev/null || fail unwritable "$(id -un 2>/dev/null || id -u) cannot write in $data_dir"
  exec 9>>"$lock_file"
}

lock_take_flock() {
  flock -n 9 || return 1
  printf '%s\n' "$p_holder" >"$lock_file"
}

# ---------------------------------------------------------------- pids

# The file comes into being with its content, in one step that only one can do:
# a link to a file that each prepares for itself.
lock_open_pids() {
  lock_held=$lock_file.held
  lock_mine=$lock_file.$$
  (
    printf '%s\n%s\n' "$p_holder" "$(uname -n)" >"$lock_mine" && process_line $$ >>"$lock_mine"
  ) 2>/dev/null || fail unwritable "$(id -un 2>/dev/null || id -u) cannot write in $data_dir"
}

lock_take_pids() {
  lock_link && return 0
  lock_left || return 1
  # Only one may clear away what is left, and it looks again before it does: the
  # file may be the next editor's by now.
  if mkdir -- "$lock_file.clearing" 2>/dev/null; then
    if lock_left; then rm -f -- "$lock_held"; fi
    rmdir -- "$lock_file.clearing"
  fi
  lock_link
}

lock_link() { ln -- "$lock_mine" "$lock_held" 2>/dev/null && rm -f -- "$lock_mine"; }

# lock_left: it is certain that all who hold the lock have ended: they are of
# this machine, and every one of them is gone.
lock_left() {
  {
    read -r _ && IFS= read -r lock_machine && [ "$lock_machine" = "$(uname -n)" ] || return 1
    lock_lines=0
    while IFS= read -r lock_line; do
      lock_lines=$((lock_lines + 1))
      if [ "$(process_line "${lock_line%% *}")" = "$lock_line" ]; then return 1; fi
    done
    [ "$lock_lines" -gt 0 ]
  } 2>/dev/null <"$lock_held"
}

# process_line PID: its number, and when it started, which tells it from a later
# one with the same number; the number alone when it is not there.
process_line() {
  if [ "$kernel" = linux ]; then
    process_stat=
    IFS= read -r process_stat 2>/dev/null <"/proc/$1/stat"
    # The 22nd field; behind the name, which may hold spaces, it is the 20th.
    printf '%s %s\n' "$1" "$(printf '%s' "${process_stat##*) }" | cut -d' ' -f20)"
  else
    printf '%s %s\n' "$1" "$(ps -o lstart= -p "$1" 2>/dev/null)"
  fi
}
