# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# Finding the server on this host: which service runs it, and where its
# preferences are. $p_rows is the table of platforms (platforms.go).

# any_of PATTERNS: does one of these paths exist? They stand between semicolons
# and may hold spaces and globs; $path is the one.
any_of() {
  any_of_left=$1
  while [ -n "$any_of_left" ]; do
    any_of_one=${any_of_left%%;*}
    any_of_left=${any_of_left#"$any_of_one"}
    any_of_left=${any_of_left#;}
    any_of_ifs=$IFS
    IFS=
    # shellcheck disable=SC2086 # a pattern, and with this IFS no words
    set -- $any_of_one
    IFS=$any_of_ifs
    for path in "$@"; do
      [ ! -e "$path" ] || return 0
    done
  done
  return 1
}

# try_directory DEFAULTS: sets $directory to where the server of $unit keeps its
# data: what its running process says, else what the service says, else the
# platform's default.
try_directory() {
  survey
  try_main=$(call main_process)
  if [ "${try_main:-0}" -gt 0 ] 2>/dev/null; then
    for candidate in $candidates; do
      ancestors "$candidate"
      case "$ancestors " in *" $try_main "*) ;; *) continue ;; esac
      directory_of "$candidate"
      [ -z "$directory" ] || return 0
    done
  fi
  directory=$(call directory)
  [ -z "$directory" ] || return 0
  try_value=$(call environment PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR)
  if [ -n "${try_value#=}" ]; then
    directory="${try_value#=}/Plex Media Server"
    return
  fi
  try_value=$(call environment HOME)
  directory=${try_value#=}
  if [ -n "$directory" ]; then directory="$directory/Library/Application Support/Plex Media Server"; fi
  if [ ! -d "$directory" ]; then
    if any_of "$1"; then directory=$path; else directory=${directory:-${1%%;*}}; fi
  fi
}

# try PLATFORM MANAGER NAME DEFAULTS: adds to $found every service of that name
# that is the server of the preferences that were asked for, if any were.
try() {
  manager=$2
  case $manager in
    runit | s6 | supervisord) try_services=$(call services "$3") ;;
    *) try_services=$3 ;;
  esac
  while IFS= read -r try_service; do
    [ -z "$try_service" ] || try_one "$1" "$2" "$try_service" "$4"
  done <<EOF
$try_services
EOF
}

try_one() {
  manager=$2 unit=$3 service_dir=
  case "$tried" in *"$newline$manager $unit$newline"*) return 0 ;; esac
  tried="$tried$manager $unit$newline"
  call has || return 0
  # One directory may have several paths.
  while IFS= read -r try_known; do
    if [ -n "$service_dir" ] && [ -n "$try_known" ] && same_directory "$service_dir" "$try_known"; then return 0; fi
  done <<EOF
$tried_dirs
EOF
  tried_dirs="$tried_dirs$service_dir$newline"
  try_directory "$4"
  # A default that means the same is how people know it.
  if any_of "$4" && same_directory "$path" "$directory"; then directory=$path; fi
  if [ -n "$wanted" ] && ! same_directory "$directory" "${wanted%/*}"; then
    passed="$passed $unit ($manager, $directory/Preferences.xml);"
    return 0
  fi
  keep "$1" "$directory"
}

# keep PLATFORM DIRECTORY: of all that was found the last is remembered whole.
keep() {
  found_count=$((found_count + 1))
  found="$found $unit ($manager, $2/Preferences.xml);"
  found_platform=$1 found_manager=$manager found_unit=$unit found_dir=$2 found_service_dir=$service_dir
  found_properties=$properties found_file=$supervisord_file
}

# take: what was kept is the server.
take() {
  platform=$found_platform manager=$found_manager unit=$found_unit data_dir=$found_dir service_dir=$found_service_dir
  properties=$found_properties supervisord_file=$found_file
}

# each_row FUNCTION: with $row_name, $row_manager, $row_services and
# $row_directories, for each row whose sign is there.
each_row() {
  while IFS='|' read -r row_name row_signs row_manager row_services row_directories; do
    [ -n "$row_name" ] || continue
    [ -z "$row_signs" ] || any_of "$row_signs" || continue
    "$1"
  done <<EOF
$p_rows
EOF
}

# try_row: the services of one row; the one that was named instead, if one was.
try_row() {
  manager=$row_manager unit=
  if [ "$manager" = none ]; then
    try_unmanaged
    return
  fi
  call present || return 0
  try_row_left=$row_services
  if [ -n "$p_unit" ]; then
    case "$manager:;$row_services;" in
      *";$p_unit;"* | systemd*";$p_unit.service;"*) ;;
      *) return 0 ;;
    esac
    try_row_left=$p_unit
  fi
  while [ -n "$try_row_left" ]; do
    try_row_one=${try_row_left%%;*}
    try_row_left=${try_row_left#"$try_row_one"}
    try_row_left=${try_row_left#;}
    try "$row_name" "$row_manager" "$try_row_one" "$row_directories"
  done
}

# try_unmanaged: a platform that is known by its directory alone.
try_unmanaged() {
  [ -z "$p_unit" ] && any_of "$row_directories" || return 0
  service_dir=
  if [ -n "$wanted" ] && ! same_directory "$path" "${wanted%/*}"; then return 0; fi
  keep "$row_name" "$path"
}

# try_name: a name that no row knows, with the manager that was named or with
# every one that is there.
try_name() {
  name_managers=
  for try_manager in ${p_manager:-$p_managers}; do
    manager=$try_manager unit=$p_unit
    case $manager:$unit in
      systemd*:*/* | snap:*/* | freebsd:*/* | openrc:*/* | supervisord:*/*) continue ;;
      synopkg:/* | qnap:/* | sysv:/*)
        # One script is as good as the other; only the first manager has it.
        [ "$found_count" -eq 0 ] || continue
        ;;
      qnap:*) continue ;;
    esac
    call present || continue
    name_managers="$name_managers $manager"
    try "${p_platform:-linux}" "$manager" "$p_unit" ''
  done
}

# try_processes: servers that run under a name that nobody has told us. Their
# supervisor is one of their ancestors, or their control group is their unit.
try_processes() {
  [ "$kernel" = linux ] || return 0
  survey
  for server in $candidates; do
    # A process of another root is a container's.
    if [ -e "/proc/$server/root" ] && ! same_directory "/proc/$server/root" /; then continue; fi
    ancestors "$server"
    for try_ancestor in $ancestors; do
      comm_of "$try_ancestor"
      case $comm in runsv | s6-supervise) believed "$try_ancestor" || continue ;; esac
      case $comm in
        runsv) try_service_of runit "$(readlink "/proc/$try_ancestor/cwd" 2>/dev/null)" ;;
        s6-supervise) try_service_of s6 "$(readlink "/proc/$try_ancestor/cwd" 2>/dev/null)" ;;
        *) continue ;;
      esac
      break
    done
    try_control_group
  done
  manager=supervisord
  if try_allowed && call present; then
    while IFS=$tab read -r supervisord_file supervisord_line; do
      try_main=$(supervisord_main_process)
      try_program=${supervisord_line%% *}
      [ -n "$try_main" ] || continue
      [ "${p_unit:-$try_program}" = "$try_program" ] || continue
      for server in $candidates; do
        ancestors "$server"
        case "$ancestors " in *" $try_main "*) try_one linux supervisord "$supervisord_file$tab$try_program" '' ;; esac
      done
    done <<EOF
$supervisord_programs
EOF
  fi
}

# try_allowed: only the platform and the manager that were asked for.
try_allowed() {
  [ -z "$p_platform" ] || [ "$p_platform" = linux ] || return 1
  [ -z "$p_manager" ] || [ "$p_manager" = "$manager" ]
}

try_service_of() {
  manager=$1
  [ -n "$2" ] && try_allowed && call present || return 0
  if [ -n "$p_unit" ] && [ "$p_unit" != "${2##*/}" ]; then return 0; fi
  try_one linux "$1" "$2" ''
}

# A container's systemd has a unit of the same name, maybe, in a group of its
# own; the unit here is the one that has started the process.
try_control_group() {
  try_group=
  while IFS= read -r try_line; do
    case $try_line in 0::*.service | *:name=systemd:*.service) try_group=${try_line##*/} ;; esac
  done 2>/dev/null <"/proc/$server/cgroup"
  case $try_group in '' | user@*) return 0 ;; esac
  for manager in systemd systemd-user; do
    unit=$try_group
    try_allowed || continue
    call present || continue
    call has || continue
    property MainPID
    ancestors "$server"
    case "$ancestors " in *" $property "*) try_service_of "$manager" "$try_group" ;; esac
  done
}

find_nothing() { found='' found_count=0 passed='' tried=$newline tried_dirs='' wanted=$p_preferences; }

# find_server: sets $platform, $manager, $unit and $data_dir to the one server.
find_server() {
  find_nothing
  # A service that was named is taken at its word, unless there are several.
  if [ -n "$p_unit" ]; then wanted=; fi
  find_all
  if [ "$found_count" -gt 1 ] && [ -n "$p_unit" ] && [ -n "$p_preferences" ]; then
    find_nothing
    find_all
  fi
  case $found_count in
    1) take ;;
    0) not_found ;;
    *) fail several-servers "${found# }" ;;
  esac
}

find_all() {
  each_row try_row
  if [ "$found_count" -eq 0 ] && [ -n "$p_unit" ]; then try_name; fi
  if [ "$found_count" -eq 0 ]; then try_processes; fi
}

not_found() {
  if [ -z "$p_manager$p_unit" ]; then process_1; fi
  not_found_where=${p_platform:+" on the platform $p_platform"}
  if [ -n "$p_unit" ]; then
    if [ -n "$p_manager" ]; then
      fail service-not-found "$p_manager has no service $p_unit$not_found_where"
    fi
    [ -n "$name_managers" ] || fail service-not-found "there is no service manager on this host that is known"
    fail service-not-found "no service manager here (${name_managers# }) has a service $p_unit$not_found_where"
  fi
  if [ -n "$passed" ]; then
    fail service-not-found "no service keeps its preferences at $p_preferences$not_found_where; looked at:$passed"
  fi
  looked=
  each_row looked_for
  fail service-not-found "no service of these names is there$not_found_where: ${looked# }"
}

# check_manager: the one that is named must be one of this host's.
check_manager() {
  manager=$p_manager unit=$p_unit
  case " $p_managers " in *" $manager "*) ! call present || return 0 ;; esac
  unit='' check_others=
  for manager in $p_managers; do
    ! call present || check_others="$check_others, $manager"
  done
  check_others=${check_others#, }
  fail service-not-found "$p_manager is not there (no $(tool_of "$p_manager")); this host has ${check_others:-no service manager that is known}"
}

looked_for() { looked="$looked $row_services ($row_manager);"; }

tool_of() {
  case $1 in
    systemd*) printf 'systemctl' ;;
    openrc) printf 'rc-service' ;;
    runit) printf 'sv' ;;
    s6) printf 's6-svc' ;;
    supervisord) printf 'supervisord that answers supervisorctl' ;;
    freebsd) printf 'FreeBSD' ;;
    macos-app | launchd) printf 'macOS' ;;
    windows-*) printf 'Windows' ;;
    *) printf '%s' "$1" ;;
  esac
}

# process_1: in a container without a supervisor the server is process 1, or the
# child of a bare init. To stop it is to stop the container, which cannot be
# done from inside: the far side is told, and where the preferences are.
process_1() {
  [ "$kernel" = linux ] || return 0
  comm_of 1
  case $comm in
    "Plex Media Serv"* | tini | catatonit | dumb-init | docker-init | podman-init | pause | sh | ash | bash | dash | entrypoint*) ;;
    *) return 0 ;;
  esac
  survey
  for candidate in $candidates; do
    ancestors "$candidate"
    case "$ancestors " in *" 1 "*) ;; *) continue ;; esac
    directory_of "$candidate"
    if [ -z "$directory" ] || [ ! -d "$directory" ]; then directory=/config; fi
    if [ -n "$p_preferences" ] && ! same_directory "$directory" "${p_preferences%/*}"; then continue; fi
    put platform "${p_platform:-linux}"
    put preferences_path "$(cd -P -- "$directory" 2>/dev/null && pwd -P)/Preferences.xml"
    fail process-1 "process 1 is $comm"
  done
}

# find_directory: for a server that is managed by commands, and whose
# preferences nobody has named: a default that is there, or a process.
find_directory() {
  found='' found_count=0 wanted=
  each_row find_directory_row
  survey
  for candidate in $candidates; do
    root_of "$candidate"
    if [ -n "$root" ] && ! same_directory "$root" /; then continue; fi
    directory_of "$candidate"
    [ -z "$directory" ] || [ ! -e "$directory/Preferences.xml" ] || find_directory_keep linux "$directory"
  done
  case $found_count in
    1) platform=$found_platform data_dir=$found_dir ;;
    0) fail no-preferences "none of the usual places has them" ;;
    *) fail several-servers "${found# }" ;;
  esac
}

find_directory_row() {
  find_directory_left=$row_directories
  while [ -n "$find_directory_left" ]; do
    find_directory_one=${find_directory_left%%;*}
    find_directory_left=${find_directory_left#"$find_directory_one"}
    find_directory_left=${find_directory_left#;}
    if any_of "$find_directory_one" && [ -e "$path/Preferences.xml" ]; then find_directory_keep "$row_name" "$path"; fi
  done
}

find_directory_keep() {
  if [ "$found_count" -gt 0 ] && same_directory "$2" "$found_dir"; then return 0; fi
  unit=commands manager=commands service_dir=
  keep "$1" "$2"
}

# platform_of_directory: commands were given, and the preferences; the name of
# the platform is for people.
platform_of_directory() {
  if [ "$platform" = linux ] && any_of "$row_directories" && same_directory "$path" "$data_dir"; then platform=$row_name; fi
}

# locate: sets $manager, $unit, $data_dir, $prefs and $platform.
locate() {
  kernel=$(uname -s | tr '[:upper:]' '[:lower:]')
  case $kernel in
    linux | freebsd) ;;
    darwin)
      locate_mac
      return
      ;;
    *) fail unsupported "$(uname -s)" ;;
  esac
  platform=${p_platform:-linux}
  if [ "$p_manager" != commands ]; then
    [ -z "$p_manager" ] || check_manager
    find_server
  else
    manager=commands
    if [ -z "$p_preferences" ]; then
      find_directory
    else
      data_dir=${p_preferences%/*}
      each_row platform_of_directory
    fi
    manager=commands unit=
  fi
  prefs="$data_dir/Preferences.xml"
  if [ -n "$p_preferences" ]; then
    data_dir=${p_preferences%/*}
    prefs=$p_preferences
  fi
  # What only Linux's own row knows is the system's own.
  if [ "$platform" = linux ]; then platform=$kernel; fi
  put platform "$platform"
  put manager "$manager"
  put unit "$unit"
  put preferences_path "$prefs"
  find_owner
  check_preferences
}

check_preferences() {
  if [ -n "$own_work" ]; then
    case $owner_status in
      0) ;;
      11) fail not-regular "it is a symbolic link to $owner_said" ;;
      12) fail no-preferences "there is no such file" ;;
      13) fail not-regular "it is not a regular file" ;;
      *) fail unreadable "permission denied" ;;
    esac
    return
  fi
  if [ -L "$prefs" ]; then
    fail not-regular "it is a symbolic link to $(readlink "$prefs")"
  fi
  if [ ! -e "$prefs" ]; then
    # A directory on the way that cannot be entered hides the file.
    if [ -d "$data_dir" ] && [ ! -x "$data_dir" ]; then fail unreadable "permission denied"; fi
    fail no-preferences "there is no such file"
  fi
  [ -f "$prefs" ] || fail not-regular "it is not a regular file"
  [ -r "$prefs" ] || fail unreadable "permission denied"
}

# look: reports on the server that was found.
look() {
  service_state
  # A service whose process has died is one that does not run.
  if [ "$state" = dead ]; then state=stopped; fi
  was=$state
  find_processes
  put user "$(id -un 2>/dev/null || id -u)"
  if [ -n "$mac_live" ]; then
    put owner "$mac_user"
  else
    # shellcheck disable=SC2012 # of this one file, and find cannot print owners everywhere
    put owner "$(ls -ld -- "$prefs" | awk 'NR == 1 { print $3 ":" $4 }')"
    # shellcheck disable=SC2012
    prefs_owner=$(ls -ldn -- "$prefs" | awk 'NR == 1 { print $3 ":" $4 }')
  fi
  put state "$was"
  put state_detail "$(printf '%s' "$detail" | tail -c 400)"
  put processes "${ours# }"
}
