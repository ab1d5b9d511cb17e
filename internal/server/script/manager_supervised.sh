# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# runit and s6: a supervisor for each service directory, which starts again what
# has ended. Neither kills what it was told to stop, but for the timeout-kill of
# s6. What they are asked they do later; nobody has to wait for the answer.

# service_directories NAME DIRECTORIES: those of a service of that name, which may
# be a path, in any of the directories, a line each.
service_directories() {
  case $1 in
    */*) printf '%s\n' "$1" ;;
    *)
      printf '%s\n' "$2" | while IFS= read -r services_dir; do
        [ ! -d "$services_dir/$1/supervise" ] || printf '%s\n' "$services_dir/$1"
      done
      ;;
  esac
}

# What the service is given: files of an environment directory, or what its run
# script exports.
service_environment() {
  for environment_file in "$service_dir/env/$1" "/run/s6/container_environment/$1" "/var/run/s6/container_environment/$1"; do
    if [ -f "$environment_file" ] && private_file "$environment_file"; then
      printf '=%s\n' "$(sed 1q "$environment_file")"
      return
    fi
  done
  file_word "$service_dir/run" "$1" shell
}

# service_believed: root writes into the control pipe of a supervisor that nobody
# else can have put there.
service_believed() {
  [ -d "$service_dir" ] && private_directory "$service_dir" && private_directory "$service_dir/supervise"
}

# directories_of NAME: where the running supervisors of that name look.
directories_of() {
  for process in /proc/[0-9]*; do
    name=
    IFS= read -r name 2>/dev/null <"$process/comm" || continue
    [ "$name" = "$1" ] || continue
    believed "${process#/proc/}" || continue
    # runsvdir is told its directory, s6-svscan works in it.
    case $1 in
      runsvdir) tr '\000' '\n' <"$process/cmdline" | sed -n '2,$p' | grep '^/' | sed 1q ;;
      *) readlink "$process/cwd" 2>/dev/null ;;
    esac
  done
}

# ---------------------------------------------------------------- runit

runit_present() {
  command -v sv >/dev/null 2>&1 || return 1
  runit_dirs=${SVDIR:-/etc/service
/var/service
/service
/run/runit/service
$(directories_of runsvdir)}
}

runit_services() { service_directories "$1" "$runit_dirs"; }

runit_has() {
  service_dir=$unit
  service_believed || return 1
  runit_status
  case $runit_status in run:* | down:* | finish:*) ;; *) return 1 ;; esac
}

# "run: DIRECTORY: (pid N) 3s, want down, got TERM; run: log: …"
runit_status() {
  runit_status=$(sv status "$service_dir" 2>&1 3<&- 9>&-)
  runit_status=${runit_status%%; *log: *}
}

runit_main_process() { printf '%s\n' "$runit_status" | sed -n 's/^run: .*(pid \([0-9]*\)).*/\1/p'; }
runit_environment() { service_environment "$1"; }

runit_state() {
  runit_status
  case $runit_status in
    run:*"want down"* | run:*"got TERM"* | finish:*) state=stopping ;;
    run:*) state=running ;;
    down:*"want up"*) state=starting ;;
    down:*) state=stopped ;;
    *) detail=$runit_status ;;
  esac
}

runit_stop() { sv down "$service_dir"; }
runit_start() { plainly sv up "$service_dir"; }
runit_want() { plainly sv up "$service_dir"; }

# ---------------------------------------------------------------- s6

s6_present() {
  command -v s6-svc >/dev/null 2>&1 || return 1
  s6_dirs="/run/service
/var/run/service
/var/run/s6/services
/service
$(directories_of s6-svscan)"
}

s6_services() { service_directories "$1" "$s6_dirs"; }

s6_has() {
  service_dir=$unit
  service_believed || return 1
  s6_status
  case $s6_status in up* | down*) ;; *) return 1 ;; esac
}

# "up (pid N …) 3 seconds, want down" or "down (exitcode 0) 3 seconds, normally up"
s6_status() { s6_status=$(s6-svstat "$service_dir" 2>&1 3<&- 9>&-); }

s6_main_process() { printf '%s\n' "$s6_status" | sed -n 's/^up (pid \([0-9]*\).*/\1/p'; }
s6_environment() { service_environment "$1"; }

s6_state() {
  s6_status
  case $s6_status in
    up*"want down"*) state=stopping ;;
    up*) state=running ;;
    down*"want up"*) state=starting ;;
    down*) state=stopped ;;
    *) detail=$s6_status ;;
  esac
}

# "Down" arms the kill of a timeout-kill file. "Once", and then the signal alone,
# ends in the same without it.
s6_stop() {
  if [ -s "$service_dir/timeout-kill" ]; then
    s6-svc -O -t "$service_dir"
  else
    s6-svc -d "$service_dir"
  fi
}

s6_start() { plainly s6-svc -u "$service_dir"; }
s6_want() { plainly s6-svc -u "$service_dir"; }
