# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# What runs a server on macOS: the application, which a user has opened, or a job
# of launchd, in that user's session or in the system's.

launchd_domain='' launchd_job='' launchd_path='' launchd_bootout=''

# find_mac_manager: sets $manager and $unit. A job is known by its label, or by
# the process that it has started; a server that is no job's is the application.
find_mac_manager() {
  manager='' unit=$p_unit
  case $p_manager in
    commands)
      manager=commands
      return
      ;;
    '' | macos-app | launchd) ;;
    *) fail service-not-found "there is no $p_manager on macOS, which has macos-app and launchd" ;;
  esac
  find_processes
  case $p_manager:$unit in
    macos-app:* | :*/*) ;;
    *) find_job ;;
  esac
  [ -z "$manager" ] || return 0
  manager=macos-app unit=${p_unit:-Plex Media Server}
  macos_app_has || fail service-not-found "there is no application $unit"
}

# find_job: sets $manager, and $unit to its label, if there is a job.
find_job() {
  if [ -z "$unit" ] && [ -n "$ours" ]; then unit=$(job_of_process); fi
  if [ -z "$unit" ] && [ -z "$ours" ]; then unit=com.plexapp.mediaserver; fi
  for launchd_domain in ${unit:+"gui/$mac_uid" system}; do
    if launchd_has; then
      manager=launchd
      return
    fi
  done
  if [ "$p_manager" = launchd ] || [ -n "$p_unit" ]; then
    fail service-not-found "launchd has no job ${unit:-that has started the server} in gui/$mac_uid or system"
  fi
}

# job_of_process: prints the label of the job that has started the server. An
# application that was opened has a label, too, of a form of its own.
job_of_process() {
  for candidate in $ours; do
    { as_user plainly launchctl list; launchctl list; } 2>/dev/null |
      awk -v pid="$candidate" '$1 == pid && $3 !~ /^application\./ { print $3; exit }'
  done
}

# ---------------------------------------------------------------- the application

macos_app_present() { [ "$kernel" = darwin ]; }

# Where an application is that is called by its name only the system knows.
macos_app_has() { case $unit in */*) [ -d "$unit" ] ;; esac; }

macos_app_state() { state_of_processes; }

# Without a session at the screen nobody could open it again.
macos_app_disarm() {
  launchctl print "gui/$mac_uid" >/dev/null 2>&1 || fail no-session "$mac_user is not logged in at the screen of this Mac"
}

# AppleScript waits for the answer, which comes when the application has ended,
# for two minutes only, and then says that all has failed.
macos_app_stop() {
  macos_app_name=$(printf '%s' "$unit" | sed 's/[\\"]/\\&/g')
  as_user plainly osascript -e "with timeout of $((p_stop_limit + 60)) seconds" -e "tell application \"$macos_app_name\" to quit" -e 'end timeout'
}

macos_app_start() { as_user plainly open -g -a "$unit"; }

# ---------------------------------------------------------------- launchd

launchd_present() { [ "$kernel" = darwin ]; }

# launchd_has: does $launchd_domain have the job? Sets $launchd_job to what
# launchd says about it.
launchd_has() { launchd_job=$(launchctl print "$launchd_domain/$unit" 2>/dev/null); }

# launchd_property NAME: prints what launchd says.
launchd_property() { printf '%s\n' "$launchd_job" | sed -n "s/^[[:space:]]*$1 = //p" | sed 1q; }

# launchd_file NAME: prints what the job's file says.
launchd_file() { defaults read "$launchd_path" "$1" 2>/dev/null | tr -d '\n'; }

launchd_state() {
  if ! launchd_has; then
    state=stopped
    return
  fi
  case $(launchd_property state) in
    running) state=running ;;
    spawn*) state=starting ;;
    *) state=stopped ;;
  esac
}

# A job that launchd starts again when it has ended has to be taken out of it,
# and that goes on from TERM to KILL. Any other is asked by itself.
launchd_disarm() {
  launchd_path=$(launchd_property path)
  launchd_alive=$(launchd_file KeepAlive)
  case $(launchd_property properties) in *keepalive*) launchd_alive=yes ;; esac
  case $launchd_alive in
    '' | 0)
      gently
      return
      ;;
  esac
  launchd_bootout=yes
  launchd_limit=$(launchd_property 'exit timeout')
  case $launchd_limit in '' | *[!0-9]*) launchd_limit=$(launchd_file ExitTimeOut) ;; esac
  detail="$unit has KeepAlive, so it has to be taken out of launchd to stop, which kills what has not ended after its ExitTimeOut (${launchd_limit:-20} s); set ExitTimeOut to 0 in $launchd_path, and load it again (launchctl bootout $launchd_domain/$unit, then launchctl bootstrap $launchd_domain $launchd_path)"
  [ "$launchd_limit" = 0 ]
}

# launchctl says 36, "in progress", for a job that takes longer than it waits.
launchd_stop() {
  [ -n "$launchd_bootout" ] || return 0
  plainly launchctl bootout "$launchd_domain/$unit"
  case $? in 0 | 36) ;; *) return 1 ;; esac
}

# A job that comes back is started at once, where its file says so.
launchd_start() {
  if ! launchd_has; then
    plainly launchctl bootstrap "$launchd_domain" "$launchd_path" || return
    launchd_state
    [ "$state" = stopped ] || return 0
  fi
  plainly launchctl kickstart "$launchd_domain/$unit"
}

# ---------------------------------------------------------------- offline

# On a disk whose system does not run nothing runs.
offline_state() { state=stopped; }
