# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# The server's own processes, and its port. On Linux they are looked up in
# /proc, on FreeBSD and macOS they are asked of its tools.

# same_directory A B: -ef compares device and inode, and every shell that we
# know of has it.
# shellcheck disable=SC3013
same_directory() { [ "$1" -ef "$2" ]; }

# comm_of PID: sets $comm to the name that the kernel has for it.
comm_of() {
  comm=
  IFS= read -r comm 2>/dev/null <"/proc/$1/comm"
}

# believed PID: a process of root's or of ours. What another one says of itself
# may be there to lead us astray; so may what sudo was told that asks another user
# for a password, and is root's but for its real user.
believed() {
  believed_id=$(awk '$1 == "Uid:" && $2 == $3 { print $2 }' "/proc/$1/status" 2>/dev/null)
  [ "$believed_id" = 0 ] || [ "$believed_id" = "$(id -u)" ]
}

# server_processes: sets $candidates to every process that carries a server's
# name (plex-facts 5.2). The kernel of Linux cuts names to 15 bytes.
server_processes() {
  candidates=
  case $kernel in
    linux) ;;
    darwin)
      server_processes_mac
      return
      ;;
    *)
      server_processes_bsd
      return
      ;;
  esac
  for process in /proc/[0-9]*; do
    name=
    IFS= read -r name 2>/dev/null <"$process/comm" || continue
    case $name in
      "Plex Media Serv"* | Plex_Media_Serv*) candidates="$candidates ${process#/proc/}" ;;
    esac
  done
}

# A host sees the processes of its jails, and those are not its own.
server_processes_bsd() {
  bsd_jail=$(ps -o jid= -p $$ 2>/dev/null | tr -d ' ')
  while read -r bsd_pid bsd_jid bsd_state bsd_name; do
    case $bsd_state in Z*) continue ;; esac
    case $bsd_name in "Plex Media Serv"* | Plex_Media_Serv*) ;; *) continue ;; esac
    [ "$bsd_jid" != "$bsd_jail" ] || candidates="$candidates $bsd_pid"
  done <<EOF
$(ps -axo pid=,jid=,state=,comm= 2>/dev/null)
EOF
}

# read_directories PID…: adds to $directories, for each, a line with its number
# and the data directory that its environment says. All environments are read in
# one go, each between two readings of the process's stat, a line with the number
# and the name. One that ends in the course of this lacks the second, and is
# nobody's. What an environment holds cannot pass for such a line: the true one
# follows, out of order, and then each is read by itself.
read_directories() {
  if [ "$kernel" != linux ]; then
    read_directories_bsd "$@"
    return
  fi
  read_files=
  for read_pid in "$@"; do
    read_files="$read_files /proc/$read_pid/stat /proc/$read_pid/environ /proc/$read_pid/stat"
  done
  # shellcheck disable=SC2086 # a list of paths without spaces
  read_lines=$(cat $read_files 2>/dev/null | tr '\000\n' '\n\001' | awk -v pids="$*" '
    BEGIN { n = split(pids, expected, " "); for (i = 1; i <= n; i++) place[expected[i]] = i }
    function variable(line) {
      if (index(line, "PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=") == 1 && support == "") support = substr(line, 43)
      if (index(line, "HOME=") == 1 && home == "") home = substr(line, 6)
    }
    function mark(pid) {
      if (pid == inside) {
        if (support == "" && home != "") support = home "/Library/Application Support"
        if (support != "") answer = answer pid " " support "/Plex Media Server\n"
        inside = ""
      } else {
        if (!(pid in place) || place[pid] <= reached) forged = 1
        inside = pid; reached = place[pid]
      }
      support = home = ""
    }
    {
      line = $0
      while (line ~ /^[0-9]+ \(Plex[ _]Media[ _]Serv/) {
        pid = line; sub(/ .*/, "", pid)
        mark(pid)
        # A stat ends with a newline, without a NUL: the next file follows.
        cut = index(line, "\001")
        line = cut ? substr(line, cut + 1) : ""
      }
      variable(line)
    }
    END { print (forged ? "forged" : answer) }')
  if [ "$read_lines" = forged ] && [ $# -gt 1 ]; then
    for read_pid in "$@"; do read_directories "$read_pid"; done
    return
  fi
  directories="$directories$read_lines$newline"
}

# The values are not marked off: one goes on to the next word that is a name and
# an equals sign.
read_directories_bsd() {
  for read_pid in "$@"; do
    read_lines=$(procstat -e "$read_pid" 2>/dev/null | awk -v pid="$read_pid" '
      function variable(name, at, value) {
        at = index(text, " " name "=")
        if (!at) return ""
        value = substr(text, at + length(name) + 2)
        if (match(value, / [A-Za-z_][A-Za-z0-9_]*=/)) value = substr(value, 1, RSTART - 1)
        sub(/ +$/, "", value)
        return value
      }
      $1 == pid { text = text " " $0 }
      END {
        support = variable("PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR")
        if (support == "" && variable("HOME") != "") support = variable("HOME") "/Library/Application Support"
        if (support != "") print pid " " support "/Plex Media Server"
      }')
    directories="$directories$read_lines$newline"
  done
}

# directory_of PID: sets $directory to what read_directories has found; empty
# when it found nothing.
directory_of() {
  case "$newline$directories" in
    *"$newline$1 "*)
      directory="$newline$directories"
      directory=${directory#*"$newline$1 "}
      directory=${directory%%"$newline"*}
      ;;
    *) directory= ;;
  esac
  case $directory in *"$unprintable"*) directory=$(printf '%s' "$directory" | tr '\001' '\n') ;; esac
}

# root_of PID: where that process has its /. A directory is looked up there, so
# that a server in a container on this host counts when, and only when, it
# really uses the same one.
root_of() {
  root=
  if [ "$kernel" = linux ]; then root=/proc/$1/root; fi
}

# Set by find_processes as it goes: what was found out about a process holds for
# as long as it lives, and between stop and start every program that is started
# is downtime.
directories='' mine='' others=''

# survey: sets $candidates, and knows the directory of each.
survey() {
  server_processes
  [ "$kernel" != darwin ] || return 0
  unknown_processes=
  for candidate in $candidates; do
    case " $mine $others $surveyed " in *" $candidate "*) ;; *) unknown_processes="$unknown_processes $candidate" ;; esac
  done
  [ -n "$unknown_processes" ] || return 0
  surveyed="$surveyed$unknown_processes"
  # shellcheck disable=SC2086 # a list of numbers
  read_directories $unknown_processes
}

surveyed=''

# find_processes: sets $ours to the processes of this server: those whose data
# directory is $data_dir; on macOS, those of its user.
find_processes() {
  if [ "$kernel" = darwin ]; then
    find_processes_mac
    return
  fi
  survey
  ours=
  for candidate in $candidates; do
    case " $others " in *" $candidate "*) continue ;; esac
    # One that has just ended has its name still, and nothing else.
    if [ "$kernel" = linux ] && ! true 2>/dev/null <"/proc/$candidate/environ"; then
      if hidden "$candidate"; then ours="$ours $candidate"; fi
      continue
    fi
    case " $mine " in
      *" $candidate "*) ours="$ours $candidate" ;;
      *)
        directory_of "$candidate"
        root_of "$candidate"
        if [ -n "$directory" ] && same_directory "$root$directory" "$data_dir"; then
          mine="$mine $candidate" ours="$ours $candidate"
        else
          others="$others $candidate"
        fi
        ;;
    esac
  done
}

# hidden PID: a process that lives, and into which even root may not look, as in
# a container without the capability for it. There a server that runs as the
# owner of the preferences counts as theirs. One that is just ending cannot be
# looked into either: it has no memory any more, and is nobody's.
hidden() {
  [ -f "$prefs" ] || return 1
  stat=
  IFS= read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  # shellcheck disable=SC2046,SC2086 # fields, of which the 23rd is the memory
  set -- "$1" ${stat##*) }
  [ "${22:-0}" != 0 ] || return 1
  # shellcheck disable=SC2012 # find cannot print owners everywhere
  hidden_owners=$(ls -ldn -- "/proc/$1" "$prefs" 2>/dev/null | awk '{ print $3 }' | sort -u | grep -c '')
  [ "$hidden_owners" -eq 1 ]
}

# ancestors PID: sets $ancestors to it, its parent, and so on.
ancestors() {
  ancestors=
  ancestor=$1
  while [ "${ancestor:-0}" -gt 0 ]; do
    ancestors="$ancestors $ancestor"
    if [ "$kernel" = linux ]; then
      stat=
      IFS= read -r stat 2>/dev/null <"/proc/$ancestor/stat"
      # PID (NAME) STATE PARENT …; a name may hold spaces and parentheses.
      stat=${stat##*) ? }
      ancestor=${stat%% *}
    else
      ancestor=$(ps -o ppid= -p "$ancestor" 2>/dev/null | tr -d ' ')
    fi
    case $ancestor in *[!0-9]*) ancestor=0 ;; esac
  done
}

# listening: does anything listen where the server does? No answer counts as no.
listening() {
  case $kernel in
    linux) grep -Eqis -e "$p_listen" /proc/net/tcp /proc/net/tcp6 ;;
    darwin) netstat -an -p tcp 2>/dev/null | grep -Eq -e "$p_listen_mac" ;;
    *) sockstat -46l 2>/dev/null | grep -Eq -e "$p_listen_bsd" ;;
  esac
}
