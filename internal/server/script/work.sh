# shellcheck shell=sh disable=SC2154 # variables that other pieces set
#
# Work on the files of the server: its preferences and the lock. It is done by the
# script itself or, where the script is root's and the directory is not, by a shell
# of the directory's owner (owner.sh). So it knows only the variables that worker()
# hands on, and changes none for others.

# flush PATH: the file or directory is on the disk. A sync that takes no
# operands flushes everything.
flush() {
  case $kernel in
    linux) sync -- "$1" 2>/dev/null || sync ;;
    *) fsync -- "$1" 2>/dev/null || sync ;;
  esac
}

# attributes PATH: what a file has besides its bytes.
attributes() {
  # shellcheck disable=SC2012
  ls -ldn -- "$1" | awk 'NR == 1 { print $1, $3, $4 }'
  if command -v getfacl >/dev/null 2>&1; then getfacl -cnp -- "$1" 2>/dev/null; fi
  if command -v getfattr >/dev/null 2>&1; then getfattr -d -m - --absolute-names -- "$1" 2>/dev/null | sed 1d; fi
}

# make_twin FILE: an empty-handed copy of the preferences with the same owner,
# group, mode, access list, extended attributes and label; its bytes are
# replaced later, which keeps all of these.
make_twin() {
  cp --preserve=all -- "$prefs" "$1" 2>/dev/null || cp -p -- "$prefs" "$1"
}

# put_in_place: the twin becomes the preferences, in one step where rename works.
put_in_place() {
  flush "$twin" || return 1
  if [ -z "$in_place" ]; then
    # A directory in the place of the file would take it in.
    if [ -d "$prefs" ]; then
      echo "$prefs is a directory"
      return 1
    fi
    if mv -f -- "$twin" "$prefs"; then
      flush "${prefs%/*}" 2>/dev/null
      return 0
    fi
    [ -f "$twin" ] || return 1
  fi
  # A file that is a mount of its own cannot be renamed over.
  cat -- "$twin" >"$prefs" && flush "$prefs" && cmp -s -- "$twin" "$prefs"
}

# remove_twins: a twin that nobody works with holds a token.
remove_twins() { rm -f -- "${prefs%/*}/.${prefs##*/}.terraform-"*; }

# remove_pid_files: false when that of the server itself is there still. Some
# packages have it one directory up.
remove_pid_files() {
  rm -f -- "${data_dir%/*}/plexmediaserver.pid" "$data_dir/plexmediaserver.pid" 2>/dev/null && return
  rm -f -- "$data_dir/plexmediaserver.pid" 2>/dev/null
}

# plain_lock FILE: nothing else stands in the place of the lock file.
plain_lock() { [ ! -L "$1" ] && { [ ! -e "$1" ] || [ -f "$1" ]; }; }

# The lock comes into being with its content, in one step that only one can do: a
# link to a file that each prepares for itself.
link_lock() { ln -- "$1" "$2" 2>/dev/null && rm -f -- "$1"; }

# clear_lock HELD: only one may clear away what is left, and it looks again before
# it does: the file may be the next editor's by now.
clear_lock() {
  lock_left "$1" || return 1
  if mkdir -- "${1%.held}.clearing" 2>/dev/null; then
    if lock_left "$1"; then rm -f -- "$1"; fi
    rmdir -- "${1%.held}.clearing"
  fi
}

# lock_left HELD: it is certain that all who hold the lock have ended: they are of
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
  } 2>/dev/null <"$1"
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

# ---------------------------------------------------------------- as the owner alone

# answer FUNCTION ARGUMENT…: what it says, and a last line with its status.
answer() {
  "$@" 2>&1
  printf '\n%s' "$?"
}

# inspect_preferences: prints as whom, and whether they can be read.
inspect_preferences() {
  id -u
  if [ -L "$prefs" ]; then
    readlink -- "$prefs"
    return 11
  fi
  if [ ! -e "$prefs" ]; then
    if [ -d "$data_dir" ] && [ ! -x "$data_dir" ]; then return 14; fi
    return 12
  fi
  [ -f "$prefs" ] || return 13
  [ -r "$prefs" ] || return 14
}

# show_preferences: also past a FIFO, which would keep who opens it.
show_preferences() { [ -f "$prefs" ] && exec cat -- "$prefs" 2>/dev/null; }

# take_room: the new file takes its room. Prints how it gets into the place of the
# old.
take_room() {
  make_twin "$twin" && printf '%0512d' 0 >>"$twin" || return 1
  if [ "$(attributes "$twin")" = "$(attributes "$prefs")" ]; then
    echo renamed
  elif [ -w "$prefs" ]; then
    echo in-place
  else
    echo "$prefs can neither be replaced by a file with all that it has, nor be written"
    return 2
  fi
}

# install SIZE: so many bytes of input become the preferences.
install() {
  if [ ! -f "$twin" ]; then
    if [ -f "$prefs" ]; then make_twin "$twin"; else : >"$twin"; fi || return 1
  fi
  cat >"$twin" && [ "$(wc -c <"$twin")" -eq "$1" ] || return 1
  # Nobody listens any more to one that was held up. It ends here.
  echo arrived || return 1
  remove_pid_files || echo "no pid file could be removed"
  put_in_place
}

# hold FILE HOLDER: takes the lock, and holds it for as long as anybody has the
# other end of standard input. Status 2: it cannot be written.
hold() {
  plain_lock "$1" || return 3
  (: >>"$1") 2>/dev/null || return 2
  exec 7>>"$1" 8<&0
  flock -n 7 || return 1
  printf '%s\n' "$2" >"$1"
  remove_twins
  (
    trap '' HUP TERM
    exec cat <&8 >/dev/null 2>&1
  ) &
}

# held_by FILE: what it says about who holds the lock.
held_by() { [ -f "$1" ] && head -c 400 "$1"; }

write_line() { printf '%s\n' "$2" >"$1"; }
append_line() { printf '%s\n' "$2" >>"$1"; }

# end_workers: those of before that something keeps, and what they have started: all
# have the name of the twin in their environment. By the user who owns them, and who
# can end no others.
# shellcheck disable=SC3067 # as with -ef
end_workers() {
  for end_process in /proc/[0-9]*; do
    end_pid=${end_process#/proc/}
    if [ "$end_pid" = "$$" ] || [ ! -O "$end_process" ]; then continue; fi
    # Line by line: grep -F of BusyBox sees nothing behind a NUL.
    if tr '\000' '\n' <"$end_process/environ" | grep -qxF -e "twin=$twin"; then kill "$end_pid"; fi
  done 2>/dev/null
}

# let_go FILE…: what is over goes: the twin, and what is left of a lock.
let_go() { rm -f -- "$twin" "$@"; }

# let_go_of_flock FILE: the lock file stays, empty.
let_go_of_flock() {
  rm -f -- "$twin"
  : >"$1"
}
