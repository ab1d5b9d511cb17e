# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# Copies, and the new preferences in the place of the old.

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

# read_prefs: prints the preferences.
read_prefs() {
  if [ -n "$mac_live" ]; then
    export_defaults
  else
    cat -- "$prefs"
  fi
}

# make_twin FILE: an empty-handed copy of the preferences with the same owner,
# group, mode, access list, extended attributes and label; its bytes are
# replaced later, which keeps all of these.
make_twin() {
  cp --preserve=all -- "$prefs" "$1" 2>/dev/null || cp -p -- "$prefs" "$1"
}

# default_backup_dir: beside the data directory; inside it where that is a
# volume of its own, as in some containers: what is beside it does not last.
default_backup_dir() {
  case $data_dir in
    */*/*) printf '%s\n' "$data_dir.terraform-backups" ;;
    *) printf '%s\n' "$data_dir/.terraform-backups" ;;
  esac
}

# prepare: everything that can fail for want of room or rights, before the stop.
prepare() {
  backup_dir=${p_backup_dir:-$(default_backup_dir)}
  if [ -L "$backup_dir" ]; then fail backup-directory "it is a symbolic link"; fi
  if [ ! -d "$backup_dir" ]; then
    detail=$(mkdir -m 700 -- "$backup_dir" 2>&1) || fail backup-directory "$detail"
  fi
  # shellcheck disable=SC2012
  backup_mode=$(ls -ldn -- "$backup_dir" | awk 'NR == 1 { print substr($1, 2, 9), $3 }')
  if [ "$backup_mode" != "rwx------ $(id -u)" ]; then
    fail backup-directory "it must have mode 0700 and belong to $(id -un 2>/dev/null || id -u), and has $backup_mode"
  fi
  # The first part tells the copies of several servers in one directory apart.
  backup_server="$backup_dir/$(printf %s "$prefs" | cksum | cut -d' ' -f1)"
  backup_stem="$backup_server-$(date -u +%Y%m%dT%H%M%SZ)-$$"
  case $prefs in *.plist) copy_kind=plist ;; *) copy_kind=xml ;; esac
  before="$backup_stem.before.$copy_kind"
  after="$backup_stem.after.$copy_kind"
  stage_file="$backup_stem.stage"
  temporary="${prefs%/*}/.${prefs##*/}.terraform-$$"
  if [ -n "$mac_live" ]; then temporary="$backup_stem.new" exported="$backup_stem.now"; fi
  copy_before || fail no-room "$detail"
  # The second copy and the new file take their room now.
  detail=$(cp -- "$before" "$after" 2>&1) || fail no-room "$detail"
  if [ -n "$mac_live" ]; then
    detail=$( { cp -- "$before" "$temporary" && cp -- "$before" "$exported"; } 2>&1) || fail no-room "$detail"
  else
    detail=$(make_twin "$temporary" 2>&1) || fail no-room "$detail"
    if [ "$(attributes "$temporary")" != "$(attributes "$prefs")" ]; then in_place=yes; fi
  fi
  detail=$( (printf '%0512d' 0 >>"$temporary") 2>&1) || fail no-room "$detail"
  printf 'idle\n' >"$stage_file" || fail no-room "$stage_file"
}

# copy_before: the copy from before the stop. The server may be writing: it is
# taken again until two readings agree.
copy_before() {
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    detail=$( (read_prefs >"$before") 2>&1) || return 1
    if read_prefs 2>/dev/null | cmp -s - "$before"; then
      detail=$(flush "$before" 2>&1)
      return
    fi
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

# preferences_whole: are the preferences?
preferences_whole() {
  if [ -n "$mac_live" ]; then
    (read_prefs >"$exported") 2>/dev/null && whole "$exported"
  else
    whole "$prefs"
  fi
}

# renew_temporary: there is a twin to write into, also when the server has
# removed its preferences.
renew_temporary() {
  if [ -f "$temporary" ]; then return 0; fi
  if [ -f "$prefs" ]; then
    make_twin "$temporary"
  else
    cp -- "$before" "$temporary" && chown "$prefs_owner" "$temporary"
  fi
}

# replace FILE: makes FILE's bytes the preferences, in one step where rename
# works, else in place. FILE is $temporary or a copy. False with $detail.
replace() {
  if [ -n "$mac_live" ]; then
    replace_defaults "$1"
    return
  fi
  if [ "$1" != "$temporary" ]; then
    detail=$( { renew_temporary && cat -- "$1" >"$temporary"; } 2>&1) || return 1
  fi
  detail=$(flush "$temporary" 2>&1) || return 1
  if [ -z "$in_place" ]; then
    if detail=$(mv -f -- "$temporary" "$prefs" 2>&1); then
      flush "${prefs%/*}" 2>/dev/null
      return 0
    fi
    [ -f "$temporary" ] || return 1
  fi
  # A file that is a mount of its own cannot be renamed over.
  detail=$( (cat -- "$temporary" >"$prefs") 2>&1) && detail=$(flush "$prefs" 2>&1) &&
    cmp -s -- "$temporary" "$prefs"
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
