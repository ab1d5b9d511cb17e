# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# systemd: units of the system and, as systemd-user, of the user who looks. A
# snap is a unit, too: snapd's own stop goes on to SIGKILL after its time, so it
# is the unit that is asked.

# ctl ARGUMENT…: systemctl for the manager of this unit.
ctl() {
  case $manager in
    systemd-user) systemctl --user --no-ask-password "$@" 3<&- 9>&- ;;
    *) systemctl --no-ask-password "$@" 3<&- 9>&- ;;
  esac
}

# A user's manager is asked by itself only for a user who has one.
systemd_present() {
  command -v systemctl >/dev/null 2>&1 || return 1
  case $manager in
    systemd-user) [ -n "$p_manager" ] || [ "$(id -u)" -ne 0 ] ;;
    snap) command -v snap >/dev/null 2>&1 ;;
  esac
}

systemd_has() {
  case $manager:$unit in
    snap:snap.*) ;;
    snap:*) unit=snap.$unit.$unit.service ;;
    *.*) ;;
    *) unit=$unit.service ;;
  esac
  properties=$(ctl show -p LoadState -p MainPID -p User -p Environment -p EnvironmentFiles \
    -p TimeoutStopUSec -p SendSIGKILL -- "$unit" 2>/dev/null) || return 1
  property LoadState
  [ "$property" = loaded ]
}

# property NAME: sets $property to its value.
property() {
  property="$newline$properties$newline"
  case $property in
    *"$newline$1="*)
      property=${property#*"$newline$1="}
      property=${property%%"$newline"*}
      ;;
    *) property= ;;
  esac
}

systemd_main_process() {
  property MainPID
  printf '%s\n' "$property"
}

# Environment files come last, as systemd applies them. HOME is that of the
# unit's user when nothing sets it.
systemd_environment() {
  property Environment
  systemd_value=$(systemd_word "$property" "$1")
  while IFS= read -r systemd_line; do
    case $systemd_line in EnvironmentFiles=*) ;; *) continue ;; esac
    systemd_line=${systemd_line#EnvironmentFiles=}
    file_value=$(file_word "${systemd_line% (ignore_errors=*}" "$1" '')
    [ -z "$file_value" ] || systemd_value=$file_value
  done <<EOF
$properties
EOF
  if [ -z "$systemd_value" ] && [ "$1" = HOME ]; then
    property User
    if [ -z "$property" ]; then
      if [ "$manager" = systemd-user ]; then property=$(id -un); else property=root; fi
    fi
    systemd_value="=$(home_of "$property")"
  fi
  printf '%s\n' "$systemd_value"
}

systemd_state() {
  case $(ctl show -p ActiveState --value -- "$unit" 2>/dev/null) in
    active | reloading | refreshing) state=running ;;
    inactive | failed) state=stopped ;;
    activating) state=starting ;;
    deactivating) state=stopping ;;
  esac
}

systemd_stop() { ctl stop -- "$unit"; }

# The unit's own start limit may be used up (three in a minute).
systemd_start() {
  ctl start -- "$unit" || {
    ctl reset-failed -- "$unit" >/dev/null 2>&1
    ctl start -- "$unit"
  }
}

systemd_want() { ctl --no-block start -- "$unit"; }

# systemd kills when the unit's own stop limit is over (90 s by default). A
# drop-in lifts the limit; it lives in /run and goes when the edit is over.
systemd_disarm() {
  case $manager in
    systemd-user) disarm_dir=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/systemd/user ;;
    *) disarm_dir=/run/systemd/system ;;
  esac
  # Counted starts are forgotten, so that our own start is not one too many.
  ctl reset-failed -- "$unit" >/dev/null 2>&1
  # Drop-ins are read in the order of their names, whatever directory they are in.
  drop_in="$disarm_dir/$unit.d/zzzz-terraform-provider-plex.conf"
  property SendSIGKILL
  disarm_kills=$property
  property TimeoutStopUSec
  if [ "$property" = infinity ] || [ "$disarm_kills" = no ]; then
    # An edit that had to leave its drop-in behind is tidied up after now.
    [ -e "$drop_in" ] || drop_in=
    return 0
  fi
  detail="systemd kills what does not stop within the TimeoutStopSec of $unit; only root can lift that limit for the edit, or the unit can say TimeoutStopSec=infinity"
  # Mode 0755: the manager's own tools read it, and it holds no secret.
  (
    umask 022
    mkdir -p -- "$disarm_dir/$unit.d" &&
      printf '[Service]\nTimeoutStopSec=infinity\n' >"$drop_in"
  ) 2>/dev/null || return 1
  case $property in
    *min* | *h* | *day* | *week*)
      lift_late &
      lifter=$!
      ;;
    *) lift ;;
  esac
}

# lift: systemd reads the drop-in, also for a unit that is stopping already. It
# reads every other unit again, too, which takes a tenth of a second of a small
# machine.
lift() {
  ctl daemon-reload >/dev/null 2>&1 && [ "$(ctl show -p TimeoutStopUSec --value -- "$unit" 2>/dev/null)" = infinity ]
}

# lift_late: a limit of a minute and more need not be lifted for a server that
# stops within seconds.
lift_late() {
  exec >/dev/null 2>&1 3<&- 9>&- # as watchdog
  trap : HUP INT PIPE
  doze 3
  trap : TERM
  service_state
  [ "$state" != stopping ] || lift
}

systemd_rearm() {
  [ -n "$drop_in" ] || return 0
  # While systemd still waits for the server, a reload would apply the unit's
  # own limit at once, and kill it.
  service_state
  [ "$state" != stopping ] || return 0
  if [ -n "$lifter" ]; then dismiss "$lifter"; fi
  rm -f -- "$drop_in"
  rmdir -- "${drop_in%/*}" 2>/dev/null
  if [ "$(ctl show -p TimeoutStopUSec --value -- "$unit" 2>/dev/null)" = infinity ]; then
    ctl daemon-reload >/dev/null 2>&1
  fi
  drop_in=
}
