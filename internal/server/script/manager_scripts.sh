# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# Managers whose service is a script that starts a server in the background and
# ends it: OpenRC, SysV, FreeBSD, QNAP, Synology. What they do to a server that
# takes its time differs from script to script, up to kill -9; see gently().

# state_of_processes: for scripts that cannot be asked. at_rest looks at the
# processes and the port in any case.
state_of_processes() {
  find_processes
  if [ -n "$ours" ]; then state=running; else state=stopped; fi
}

# state_of_status STATUS: what an init script says with its exit status.
state_of_status() {
  case $1 in
    0) state=running ;;
    1 | 2) state=dead ;;
    3) state=stopped ;;
  esac
}

# ---------------------------------------------------------------- openrc

openrc_present() { command -v rc-service >/dev/null 2>&1; }
openrc_has() { rc-service --exists "$unit" >/dev/null 2>&1; }

openrc_environment() { file_words "$1" "/etc/conf.d/$unit" "/etc/init.d/$unit"; }

openrc_state() {
  rc-service "$unit" status >/dev/null 2>&1 3<&- 9>&-
  case $? in
    0) state=running ;;
    3) state=stopped ;;
    4) state=stopping ;;
    8) state=starting ;;
    32 | 64) state=dead ;; # crashed, or it cannot tell
  esac
}

# openrc_stop: a stop that finds nobody to end (the server has been asked by
# itself) may count as failed, and leaves the service marked as started; zap
# marks it as stopped, and does nothing else.
openrc_stop() {
  plainly rc-service "$unit" stop && return
  openrc_status=$?
  find_processes
  [ -z "$ours" ] || return "$openrc_status"
  plainly rc-service "$unit" zap
}
openrc_start() { plainly rc-service "$unit" start; }

# supervise-daemon starts again what has ended, and by its own schedule goes on
# from TERM, to KILL only where it is told so. It has to be asked itself.
openrc_disarm() {
  find_processes
  for openrc_pid in $ours; do
    ancestors "$openrc_pid"
    for openrc_parent in $ancestors; do
      comm_of "$openrc_parent"
      case $comm in supervise-daemo*) ;; *) continue ;; esac
      openrc_retry=$(tr '\000' '\n' 2>/dev/null <"/proc/$openrc_parent/cmdline" |
        sed -n -e 's/^--retry=//p' -e 's/^-R\(.\)/\1/p' -e '/^--retry$/{n;p;}' -e '/^-R$/{n;p;}')
      case /$openrc_retry/ in
        *KILL* | */9/* | */-9/*)
          detail="supervise-daemon kills $unit, whose retry is $openrc_retry; take KILL out of retry in /etc/conf.d/$unit or /etc/init.d/$unit and restart the service"
          return 1
          ;;
      esac
      return 0
    done
  done
  gently
}

# ---------------------------------------------------------------- sysv

# Where systemd or OpenRC is in charge, the scripts are theirs.
sysv_present() {
  case $p_manager:$unit in
    sysv:* | *:/*) return 0 ;;
    *) [ ! -d /run/systemd/system ] && ! command -v rc-service >/dev/null 2>&1 ;;
  esac
}

sysv_script() {
  case $unit in
    */*) printf '%s\n' "$unit" ;;
    *) printf '/etc/init.d/%s\n' "$unit" ;;
  esac
}

sysv_has() { [ -f "$(sysv_script)" ] && [ -x "$(sysv_script)" ]; }
sysv_environment() { file_words "$1" "/etc/default/${unit##*/}" "$(sysv_script)"; }

sysv_state() {
  # A script without "status" says nothing when it is asked for it.
  if grep -q 'status' "$(sysv_script)" 2>/dev/null; then
    plainly "$(sysv_script)" status >/dev/null 2>&1
    state_of_status $?
  else
    state_of_processes
  fi
}

sysv_stop() { plainly "$(sysv_script)" stop; }
sysv_start() { plainly "$(sysv_script)" start; }
sysv_disarm() { gently; }

# ---------------------------------------------------------------- freebsd

freebsd_present() { [ "$kernel" = freebsd ]; }
freebsd_has() { service -l 2>/dev/null | grep -qxF -e "$unit"; }

# The rc variable is the package's own way to say it.
freebsd_directory() {
  freebsd_support=$(sysrc -n "${unit}_support_path" 2>/dev/null) || return 0
  [ -z "$freebsd_support" ] || printf '%s\n' "$freebsd_support/Plex Media Server"
}

# The "one" forms work whether or not rc.conf enables the service.
freebsd_state() {
  service "$unit" onestatus >/dev/null 2>&1 3<&- 9>&-
  case $? in
    0) state=running ;;
    1) state=stopped ;;
  esac
}

freebsd_stop() { plainly service "$unit" onestop; }
freebsd_start() { plainly service "$unit" onestart; }
freebsd_disarm() { gently; }

# ---------------------------------------------------------------- qnap

qnap_present() { command -v getcfg >/dev/null 2>&1; }
qnap_has() { [ -x "$unit" ]; }

qnap_directory() {
  qnap_install=$(getcfg -f /etc/config/qpkg.conf PlexMediaServer Install_path 2>/dev/null)
  [ -z "$qnap_install" ] || printf '%s\n' "$qnap_install/Library/Plex Media Server"
}

qnap_state() { state_of_processes; }
qnap_stop() { plainly "$unit" stop; }
qnap_start() { plainly "$unit" start; }
qnap_disarm() { gently; }

# ---------------------------------------------------------------- synopkg

synopkg_present() { command -v synopkg >/dev/null 2>&1 || [ -x /usr/syno/bin/synopkg ]; }
synopkg_tool() { PATH=$PATH:/usr/syno/bin plainly synopkg "$@"; }

# On DSM 6 the package's own script is asked: the package's name holds spaces.
synopkg_has() {
  case $unit in
    */*) [ -x "$unit" ] ;;
    *) [ -d "/var/packages/$unit" ] ;;
  esac
}

synopkg_directory() {
  case $unit in */*) ;; *) return 0 ;; esac
  synopkg_share=$(PATH=$PATH:/usr/syno/sbin synoshare --get Plex 2>/dev/null | sed -n 's/^.*Path[^[]*\[\(.*\)\].*$/\1/p' | sed 1q)
  [ -z "$synopkg_share" ] || printf '%s\n' "$synopkg_share/Library/Application Support/Plex Media Server"
}

# DSM 7 answers in JSON, DSM 6 in a sentence; the exit status alone has changed.
synopkg_state() {
  case $unit in
    */*)
      plainly "$unit" status >/dev/null 2>&1
      state_of_status $?
      ;;
    *)
      detail=$(synopkg_tool status "$unit" 2>&1)
      synopkg_status=$?
      case $detail in
        *'"status":"running"'* | *'is started'*) state=running ;;
        *'"status":"stop'* | *'is stopped'*) state=stopped ;;
        *'"status":"starting'*) state=starting ;;
        *) state_of_status "$synopkg_status" ;;
      esac
      ;;
  esac
}

synopkg_ask() {
  case $unit in
    */*) plainly "$unit" "$1" ;;
    *) synopkg_tool "$1" "$unit" ;;
  esac
}

synopkg_stop() { synopkg_ask stop; }
synopkg_start() { synopkg_ask start; }
synopkg_disarm() { gently; }
