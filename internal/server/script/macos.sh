# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# macOS. A server's preferences are user defaults of the user who runs it, which
# the daemon cfprefsd keeps in its memory: what is edited in the file is lost. So
# they are read and edited through "defaults" alone, as that user. On a disk
# whose system does not run, the file is all there is, and is edited as such.
# Server and user go together: an application runs once for each of them.

mac_domain=com.plexapp.plexmediaserver
mac_live='' mac_self='' mac_user='' mac_home='' mac_uid='' mac_owners=''
exported='' setting='' forgotten='' added=''

# as_user HOW COMMAND…: as the user who runs the server, who has the defaults;
# with that user's home directory, without which defaults takes them for
# another's. HOW runs it: "plainly", or "exec".
as_user() {
  as_user_how=$1
  shift
  if [ -n "$mac_self" ]; then
    set -- env HOME="$mac_home" "$@"
  else
    set -- launchctl asuser "$mac_uid" sudo -n -H -u "$mac_user" -- "$@"
  fi
  "$as_user_how" "$@"
}

# The user's defaults, for limit(): the process that it ends is "defaults" itself.
exec_defaults() { as_user exec defaults "$@" 3<&- 9>&-; }
exec_import() { exec_defaults import "$mac_domain" - <"$1"; }
exec_delete() {
  exec >/dev/null 2>&1
  exec_defaults delete "$mac_domain" "$1"
}

export_defaults() { limit "$p_command_limit" exec_defaults export "$mac_domain" -; }
import_defaults() { limit "$p_command_limit" exec_import "$1"; }

# ---------------------------------------------------------------- whose it is

# each_home FUNCTION: with $home_user and $home, for each account of this Mac.
each_home() {
  while read -r home_user home; do
    [ -z "$home" ] || "$1"
  done <<EOF
$mac_homes
EOF
}

# home_of_path: is it this home whose preferences the named path lies in?
home_of_path() {
  if [ -d "$home/Library/Preferences" ] && same_directory "$home/Library/Preferences" "${p_preferences%/*}"; then
    mac_user=$home_user mac_home=$home
  fi
}

home_of_owner() {
  if [ "$home_user" = "$mac_owner" ]; then home_found; fi
}

home_with_list() {
  if [ -e "$home/Library/Preferences/$mac_domain.plist" ]; then home_found; fi
}

home_found() {
  found_count=$((found_count + 1))
  found="$found $home_user ($home/Library/Preferences/$mac_domain.plist);"
  mac_user=$home_user mac_home=$home
}

# find_user: sets $mac_user and $mac_home: to whom the path belongs that was
# named, who runs a server, or who has preferences of one. Both stay empty for a
# list on a disk whose system does not run.
find_user() {
  found='' found_count=0
  mac_homes=$(dscl . -list /Users NFSHomeDirectory 2>/dev/null)
  if [ -n "$p_preferences" ]; then
    each_home home_of_path
    if [ -n "$mac_user" ] && [ "${p_preferences##*/}" != "$mac_domain.plist" ]; then
      fail no-preferences "those of a server on macOS are called $mac_domain.plist"
    fi
    return 0
  fi
  survey
  for mac_owner in $(printf '%s\n' "$mac_owners" | awk 'NF && !seen[$2]++ { print $2 }'); do
    mac_owner=$(id -un "$mac_owner" 2>/dev/null || printf '%s' "$mac_owner")
    find_user_count=$found_count
    each_home home_of_owner
    [ "$found_count" -gt "$find_user_count" ] || fail no-preferences "the server runs as $mac_owner, who has no home directory here"
  done
  [ "$found_count" -gt 0 ] || each_home home_with_list
  case $found_count in
    1) ;;
    0) fail no-preferences "no user of this Mac has user defaults $mac_domain" ;;
    *) fail several-servers "${found# }" ;;
  esac
}

# locate_mac: sets $platform, $manager, $unit, $data_dir and $prefs.
locate_mac() {
  platform=macos
  case $p_platform in '' | macos) ;; *) fail service-not-found "this is macOS, not $p_platform" ;; esac
  find_user
  put platform macos
  put format plist
  if [ -z "$mac_user" ]; then
    locate_offline
    return
  fi
  mac_live=yes
  mac_uid=$(id -u "$mac_user" 2>/dev/null) || fail no-preferences "there is no user $mac_user"
  data_dir="$mac_home/Library/Application Support/Plex Media Server"
  prefs="$mac_home/Library/Preferences/$mac_domain.plist"
  put preferences_path "$prefs"
  if [ "$(id -u)" = "$mac_uid" ]; then
    mac_self=yes
  elif [ "$(id -u)" -ne 0 ]; then
    fail unreadable "they are user defaults of $mac_user, which $(id -un) may not read"
  fi
  if [ "$p_mode" = edit ]; then find_owner; fi
  find_mac_manager
  put manager "$manager"
  put unit "$unit"
  detail=$(read_prefs 2>&1) || fail unreadable "defaults export, as $mac_user: $detail"
  case $detail in
    *"<key>"*) detail='' ;;
    *) fail no-preferences "$mac_user has no user defaults $mac_domain" ;;
  esac
}

# locate_offline: a list that no user of the running system has.
locate_offline() {
  prefs=$p_preferences manager=offline unit=''
  # The lock and the copies belong to the data directory, if it is in its usual
  # place, and do as well beside the list.
  data_dir="${p_preferences%/*/*}/Application Support/Plex Media Server"
  [ -d "$data_dir" ] || data_dir=${p_preferences%/*}
  put preferences_path "$prefs"
  put manager "$manager"
  put unit ''
  find_owner
  check_preferences
}

# ---------------------------------------------------------------- processes

# server_processes_mac: as $candidates, and with their owners and paths in
# $mac_owners. ps cuts its lines, unless it is told -ww.
server_processes_mac() {
  mac_owners=
  while read -r mac_pid mac_owner mac_state mac_comm; do
    case $mac_state in Z*) continue ;; esac
    case $mac_comm in "Plex Media Server" | */"Plex Media Server") ;; *) continue ;; esac
    candidates="$candidates $mac_pid"
    mac_owners="$mac_owners$mac_pid $mac_owner $mac_comm$newline"
  done <<EOF
$(ps -axwwo pid=,uid=,state=,comm= 2>/dev/null)
EOF
}

find_processes_mac() {
  ours=
  [ -n "$mac_live" ] || return 0
  survey
  for candidate in $candidates; do
    case "$newline$mac_owners" in *"$newline$candidate $mac_uid "*) ours="$ours $candidate" ;; esac
  done
}

# ---------------------------------------------------------------- the defaults

# lines_of FILE: a list as defaults exports it, whatever the order of its names
# and its indentation.
lines_of() { sed 's/^[[:space:]]*//' "$1" | sort; }

# defaults_are FILE: are the defaults this list? Else they are in $exported.
defaults_are() {
  : >"$exported"
  detail=$( (read_prefs >"$exported") 2>&1) || return 1
  [ "$(lines_of "$1")" = "$(lines_of "$exported")" ] || {
    detail="the user defaults are not as they were written"
    return 1
  }
}

# delete_names NAMES: one a line. One that is not there is no error; one that
# stays there is seen when the defaults are compared.
delete_names() {
  while IFS= read -r delete_name; do
    [ -z "$delete_name" ] || limit "$p_command_limit" exec_delete "$delete_name"
  done <<EOF
$1
EOF
}

# replace_defaults FILE: the list that came from the far side, or a copy. Values
# go on standard input: an argument shows in the process list. Whether an import
# removes what it does not bring is not documented, so what has to go is deleted
# in any case, and what has come of it all is looked at. Until that is well the
# stage is "writing": whoever finishes then puts a copy back.
replace_defaults() {
  enter writing
  if [ "$1" != "$temporary" ] || [ -n "$setting" ]; then
    detail=$(import_defaults "$1" 2>&1) || return 1
  fi
  if [ "$1" = "$temporary" ]; then
    delete_names "$forgotten"
    defaults_are "$1" || accepted || return 1
  else
    delete_names "$added"
    defaults_are "$1" || return 1
  fi
  if [ "$was" = running ]; then enter stopped; else enter resting; fi
}

# accepted: the same may be said in other lines, which the far side knows.
accepted() {
  [ -s "$exported" ] || return 1
  limit "$p_silence" put_file written "$exported"
  await "$p_silence" && [ "$verb" = accept ]
}
