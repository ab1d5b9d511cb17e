# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# supervisord. It kills what has not ended stopwaitsecs after it was told to
# stop (10 by default), so it is told only when that is longer than the edit
# could last. Else the server itself is asked, where supervisord then leaves it
# alone.

# supervisord_configs: the configuration files of the supervisord that run here
# and, when none is seen, where one would look for it.
supervisord_configs() {
  grep -l supervisord /proc/[0-9]*/cmdline 2>/dev/null | while IFS= read -r supervisord_args; do
    supervisord_pid=${supervisord_args#/proc/}
    # A configuration can name code that supervisorctl runs.
    believed "${supervisord_pid%/cmdline}" || continue
    supervisord_dir=$(readlink "${supervisord_args%/cmdline}/cwd" 2>/dev/null)
    supervisord_root=${supervisord_args%/cmdline}/root
    if [ -e "$supervisord_root" ] && ! same_directory "$supervisord_root" /; then continue; fi
    tr '\000' '\n' 2>/dev/null <"$supervisord_args" | awk -v dir="$supervisord_dir" '
      NR <= 2 && /(^|\/)supervisord$/ { is = 1 }
      take { file = $0; take = 0; next }
      /^(-c|--configuration)$/ { take = 1; next }
      /^--configuration=/ { file = substr($0, 17); next }
      /^-c./ { file = substr($0, 3) }
      END { if (is && file != "") print (file ~ /^\// ? "" : dir "/") file; else if (is) print "" }'
  done
}

supervisor_ctl() {
  supervisor_file=$1
  shift
  supervisorctl ${supervisor_file:+-c "$supervisor_file"} "$@" 3<&- 9>&-
}

# What every supervisord here says of all its programs, a line each: its
# configuration file, a tab, and its own line. Asking takes a tenth of a second.
supervisord_present() {
  command -v supervisorctl >/dev/null 2>&1 || return 1
  if [ -z "${supervisord_programs+asked}" ]; then
    supervisord_programs=$(supervisord_configs | sort -u | while IFS= read -r supervisord_file; do
      supervisor_ctl "$supervisord_file" status 2>/dev/null | while IFS= read -r supervisord_line; do
        printf '%s\t%s\n' "$supervisord_file" "$supervisord_line"
      done
    done)
  fi
  [ -n "$supervisord_programs" ]
}

# Programs of one name may run under several; which is said before the name.
supervisord_services() {
  while IFS=$tab read -r supervisord_try supervisord_rest; do
    case $supervisord_rest in "$1 "*) printf '%s\t%s\n' "$supervisord_try" "$1" ;; esac
  done <<EOF
$supervisord_programs
EOF
}

supervisord_has() {
  supervisord_file=${unit%%"$tab"*}
  unit=${unit#*"$tab"}
  supervisord_line=
  while IFS=$tab read -r supervisord_try supervisord_rest; do
    case $supervisord_try:$supervisord_rest in
      "$supervisord_file:$unit "*)
        supervisord_line=$supervisord_rest
        return 0
        ;;
    esac
  done <<EOF
$supervisord_programs
EOF
  return 1
}

supervisord_main_process() { printf '%s\n' "$supervisord_line" | sed -n 's/.* pid \([0-9]*\),.*/\1/p'; }

# supervisord_setting KEY: what the section of the program says, in the file or
# in those that it includes.
supervisord_setting() {
  supervisord_name=${unit##*:}
  {
    printf '%s\n' "$supervisord_file"
    # shellcheck disable=SC2013,SC2046 # a list of patterns, which are words
    (
      cd -- "${supervisord_file%/*}" 2>/dev/null || exit
      for supervisord_included in $(awk '
        /^\[/ { in_include = /^\[include\]/ }
        in_include && sub(/^[ \t]*files[ \t]*=/, "") { on = 1; print; next }
        in_include && on && /^[ \t]/ { print; next }
        { on = 0 }' "$supervisord_file" | sed "s|%(here)s|.|g"); do
        case $supervisord_included in
          /*) printf '%s\n' "$supervisord_included" ;;
          *) printf '%s\n' "${supervisord_file%/*}/$supervisord_included" ;;
        esac
      done
    )
  } | while IFS= read -r supervisord_one; do cat -- "$supervisord_one" 2>/dev/null; done |
    awk -v section="[program:$supervisord_name]" -v key="$1" '
      { sub(/[ \t\r]+$/, "") }
      /^\[/ { inside = ($0 == section); next }
      inside && index($0, key) == 1 {
        line = substr($0, length(key) + 1)
        if (sub(/^[ \t]*[=:][ \t]*/, "", line)) { sub(/[ \t]+;.*$/, "", line); value = line; on = 1; next }
      }
      inside && on && /^[ \t]+[^ \t]/ { value = value $0; next }
      { on = 0 }
      END { print value }'
}

# environment=A="one",B=two
supervisord_environment() {
  supervisord_value=$(supervisord_setting environment | awk -v name="$1" '
    {
      text = $0 ","; word = ""; quote = ""; n = length(text)
      for (i = 1; i <= n; i++) {
        c = substr(text, i, 1)
        if (quote != "") { if (c == quote) quote = ""; else word = word c; continue }
        if (c == "\"" || c == "\047") { quote = c; continue }
        if (c != ",") { word = word c; continue }
        sub(/^[ \t]+/, "", word)
        if (index(word, name "=") == 1) value = substr(word, length(name) + 1)
        word = ""
      }
    }
    END { print value }')
  case $supervisord_value in *%\(*) ;; *) printf '%s\n' "$supervisord_value" ;; esac
}

supervisord_ask() { supervisor_ctl "$supervisord_file" "$1" "$unit"; }

supervisord_state() {
  supervisord_status
  # Between an exit that it did not expect and the start that follows there is a
  # moment in which it has EXITED. It has decided by the next question.
  if [ "$supervisord_word" = EXITED ] && [ "$supervisord_restart" = unexpected ]; then supervisord_status; fi
  case $supervisord_word in
    RUNNING) state=running ;;
    STOPPED | EXITED | FATAL) state=stopped ;;
    STARTING | BACKOFF) state=starting ;;
    STOPPING) state=stopping ;;
    *) detail=$supervisord_line ;;
  esac
}

supervisord_status() {
  supervisord_line=$(supervisord_ask status 2>&1)
  read -r _ supervisord_word _ <<EOF
$supervisord_line
EOF
}

supervisord_stop() { supervisord_ask stop; }
supervisord_start() { supervisord_ask start; }

supervisord_disarm() {
  supervisord_wait=$(supervisord_setting stopwaitsecs)
  supervisord_wait=${supervisord_wait:-10}
  supervisord_restart=$(supervisord_setting autorestart)
  supervisord_restart=${supervisord_restart:-unexpected}
  # It starts nothing again by itself: nobody has to tell it.
  case $supervisord_restart in false | no | off | 0) gently; return ;; esac
  [ "$supervisord_wait" -lt $((p_stop_limit + p_linger)) ] 2>/dev/null || return 0
  case $supervisord_restart in unexpected) gently; return ;; esac
  detail="supervisord kills $unit after its stopwaitsecs of $supervisord_wait and, since its autorestart is $supervisord_restart, the server itself cannot be asked; set stopwaitsecs to $((p_stop_limit + p_linger)) or more in [program:${unit##*:}] of $supervisord_file or what it includes, and let supervisord read it again (supervisorctl update)"
  return 1
}
