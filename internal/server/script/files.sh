# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# Copies, and the new preferences in the place of the old: what work.sh does, and
# what to say when it cannot.

# read_prefs: prints the preferences.
read_prefs() {
  if [ -n "$mac_live" ]; then
    export_defaults
  elif [ -n "$own_work" ]; then
    hear sink_all show_preferences
  else
    cat -- "$prefs"
  fi
}

# default_backup_dir: beside the data directory; inside it where that is a
# volume of its own, as in some containers: what is beside it does not last.
default_backup_dir() {
  case $data_dir in
    */*/*) printf '%s\n' "$data_dir.terraform-backups" ;;
    *) printf '%s\n' "$data_dir/.terraform-backups" ;;
  esac
}

# open_backups: sets $backup_at to where the copies go. They are the editor's alone,
# root's where root edits: root is in their directory from here on, and goes by no
# path that others could change.
open_backups() {
  backup_dir=${p_backup_dir:-$(default_backup_dir)}
  backup_dir=${backup_dir%"${backup_dir##*[!/]}"}
  if is_root; then
    enter_backups
    name_copies
    return
  fi
  backup_at=$backup_dir
  name_copies
  if [ -L "$backup_dir" ]; then fail backup-directory "it is a symbolic link"; fi
  if [ ! -d "$backup_dir" ]; then
    detail=$(mkdir -m 700 -- "$backup_dir" 2>&1) || fail backup-directory "$detail"
  fi
  # shellcheck disable=SC2012
  backup_mode=$(ls -ldn -- "$backup_dir" | awk 'NR == 1 { print substr($1, 2, 9), $3 }')
  if [ "$backup_mode" != "rwx------ $(id -u)" ]; then
    fail backup-directory "it must have mode 0700 and belong to $(id -un 2>/dev/null || id -u), and has $backup_mode"
  fi
}

# name_copies: the first part tells the copies of several servers in one directory
# apart. The third one orders those of the same second, as process numbers do not.
name_copies() {
  backup_server="$backup_at/$(printf %s "$prefs" | cksum | cut -d' ' -f1)"
  backup_time="$backup_server-$(date -u +%Y%m%dT%H%M%SZ)"
  backup_serial=1
  for old in "$backup_time"-[0-9]-*; do
    old=${old#"$backup_time-"}
    case $old in [0-9]-*) [ "${old%%-*}" -lt "$backup_serial" ] || backup_serial=$((${old%%-*} + 1)) ;; esac
  done
  backup_stem="$backup_time-$backup_serial-$$"
  held=$backup_stem.held
}

# copy_path FILE: where a copy is, for people.
copy_path() { printf '%s/%s' "$backup_dir" "${1##*/}"; }

enter_backups() {
  { walk "${backup_dir%/*}" && enter_directory "${backup_dir##*/}"; } || fail backup-directory "$detail"
  backup_at=.
  [ "$walk_owner" != 0 ] || return 0
  # Who may give another of root's directories this name shall not have it cleared.
  for backup_found in ./* ./.[!.]*; do
    case $backup_found in
      ./*.before.* | ./*.after.* | ./*-*T*Z-*.stage* | ./*-*T*Z-*.new | ./*-*T*Z-*.now | ./*-*T*Z-*.held) ;;
      *) [ ! -e "$backup_found" ] || fail backup-directory "it holds ${backup_found#./}, which is no copy" ;;
    esac
  done
}

# prepare: everything that can fail for want of room or rights, before the stop.
prepare() {
  case $prefs in *.plist) copy_kind=plist ;; *) copy_kind=xml ;; esac
  before="$backup_stem.before.$copy_kind"
  after="$backup_stem.after.$copy_kind"
  stage_file="$backup_stem.stage"
  name_twin
  clear_work
  temporary=$twin exported=
  if [ -n "$mac_live$own_work" ]; then temporary="$backup_stem.new" exported="$backup_stem.now"; fi
  copy_before || fail no-room "$detail"
  # The second copy and the new file take their room now.
  detail=$(cp -- "$before" "$after" 2>&1) || fail no-room "$detail"
  if [ -n "$exported" ]; then
    detail=$( { cp -- "$before" "$temporary" && cp -- "$before" "$exported"; } 2>&1) || fail no-room "$detail"
  fi
  if [ -z "$mac_live" ]; then
    ask take_room
    case $? in
      0) ;;
      2) fail unwritable "$detail" ;;
      *) fail no-room "$detail" ;;
    esac
    case $detail in *renamed) ;; *) in_place=yes ;; esac
  fi
  if [ -n "$exported" ]; then
    detail=$( (printf '%0512d' 0 >>"$temporary") 2>&1) || fail no-room "$detail"
  fi
  printf 'idle\n' >"$stage_file" || fail no-room "$stage_file"
}

# clear_work: nobody else edits now, so that these are what a killed edit has worked
# with. They hold a token.
clear_work() { rm -f -- "$backup_server"-*.new "$backup_server"-*.now "$backup_server"-*.held; }

# copy_before: the copy from before the stop. The server may be writing: it is
# taken again until two readings agree.
copy_before() {
  now
  copy_until=$((now + p_command_limit))
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    detail=$( (read_prefs >"$before") 2>&1) || return 1
    if read_prefs 2>/dev/null | cmp -s - "$before"; then
      detail=$(flush "$before" 2>&1)
      return
    fi
    now
    [ "$now" -lt "$copy_until" ] || break
    nap
  done
  detail="the preferences changed at every reading"
  return 1
}

# whole FILE: a last look by the script alone, for when the far side has gone:
# not empty, closed, and the same server's. What a property list in binary ends
# with says nothing.
whole() { closed "$1" && grep -qF -e "$machine_id" "$1"; }

closed() {
  [ -s "$1" ] && { [ "$(head -c 6 "$1")" = bplist ] || tail -c 64 "$1" | tr -d ' \t\r\n' | grep -q '>$'; }
}

# preferences_are TEST: what whole or closed says of the preferences.
preferences_are() {
  if [ -n "$exported" ]; then
    (read_prefs >"$exported") 2>/dev/null && "$1" "$exported"
  else
    "$1" "$prefs"
  fi
}

# replace FILE: makes FILE's bytes the preferences, in one step where rename
# works, else in place. FILE is $temporary or a copy. False with $detail.
replace() {
  if [ -n "$mac_live" ]; then
    replace_defaults "$1"
    return
  fi
  if [ -n "$own_work" ]; then
    replace_by_owner "$1"
    return
  fi
  if [ "$1" != "$twin" ]; then
    detail=$( { renew_twin && cat -- "$1" >"$twin"; } 2>&1) || return 1
  fi
  detail=$(put_in_place 2>&1)
}

# renew_twin: there is a twin to write into, also when the server has removed its
# preferences.
renew_twin() {
  if [ -f "$twin" ]; then return 0; fi
  if [ -f "$prefs" ]; then
    make_twin "$twin"
  else
    cp -- "$before" "$twin" && chown "$prefs_owner" "$twin"
  fi
}

# replace_by_owner FILE: as replace. The same process removes the pid file, which
# nobody has whose server does not run.
replace_by_owner() {
  hear_input=$1
  case $1 in
    "$temporary") replace_size=$argument ;;
    *) replace_size=$(($(wc -c <"$1"))) ;;
  esac
  ask install "$replace_size"
  replace_status=$?
  hear_input=
  case $replace_status:$detail in
    0:*"no pid file"*) ;;
    0:*) pid_file_gone=yes ;;
  esac
  return "$replace_status"
}

# prune: keeps the copies of the last p_keep operations on this server, and those
# of this one, whatever the clock says.
prune() {
  for old in "$backup_server"-*.before."$copy_kind"; do
    [ -f "$old" ] && printf '%s\n' "${old%".before.$copy_kind"}"
  done | sort -r | sed "1,${p_keep}d" | while IFS= read -r old; do
    [ "$old" = "$backup_stem" ] || rm -f -- "$old.before.$copy_kind" "$old.after.$copy_kind"
  done
}
