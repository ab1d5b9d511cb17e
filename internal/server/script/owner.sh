# shellcheck shell=sh disable=SC2034,SC2154,SC3045 # variables that other pieces set and use
#
# As whom the work on files is done. A server's own user can write in its data
# directory, and swap what is there for something else at any moment; root follows
# wherever that leads, the user gets no further than it is allowed to in any case.
# So where root edits, the owner of the data directory does the work there, and root
# goes only where it can see where it is (walk).

our_id=''
own_work=''      # yes: the files are another user's work
owner_id=''
as_owner=''      # the words that run a command as that user
as_name=''       # without these, the user for whom su runs it
owner_limit=''   # the words that end it when its time is over

# most is more than preferences can have (prefs.MaxSize).
most=17000000

# find_owner: whose directory it is, and how to act as that user.
find_owner() {
  is_root || return 0
  find_owner_said=$(
    walk "$data_dir"
    find_owner_status=$?
    # shellcheck disable=SC2012 # of this one directory
    printf '%s %s %s' "$find_owner_status" "${walk_owner:--}" "${detail:-$(ls -ldn . | awk '{ print $1, $3, $4 }')}"
  )
  case $find_owner_said in
    0*) ;;
    2*) fail no-preferences "${find_owner_said#* * }" ;;
    *) fail not-private "${find_owner_said#* * }" ;;
  esac
  # shellcheck disable=SC2086 # its words
  set -- $find_owner_said
  owner_way=$2 owner_id=$4 owner_group=$5
  if [ "$owner_way" = 0 ] && [ "$owner_id" = 0 ]; then return 0; fi
  if [ "$owner_id" -eq 0 ]; then
    # Its own directory that others may write in: whose file it is acts in it.
    # shellcheck disable=SC2012,SC2046 # of this one file
    set -- $(ls -ldn -- "$prefs" 2>/dev/null | awk 'NR == 1 && /^-/ && $2 == 1 { print $3, $4 }')
    owner_id=${1:-0} owner_group=${2:-0}
    [ "$owner_id" -ne 0 ] || fail not-private "$data_dir can be changed by others than root"
  fi
  # Root's or another's file in the directory may be a link to what is not the
  # server's at all.
  # shellcheck disable=SC2012
  owner_other=$(ls -ldn -- "$prefs" 2>/dev/null | awk -v id="$owner_id" 'NR == 1 && $3 != id { print $3 }')
  if [ -n "$owner_other" ]; then
    fail foreign-owner "they belong to user $owner_other, and their directory to user $owner_id"
  fi
  own_work=yes
  name_twin
  find_as_owner
}

# name_twin: the name is also by which an edit knows its own processes.
name_twin() { twin="${prefs%/*}/.${prefs##*/}.terraform-$$"; }

# is_root: what follows is for root alone. On a QNAP everybody who logs in is root,
# and its shares are everybody's.
is_root() {
  our_id=${our_id:-$(id -u)}
  [ "$platform" != qnap ] && [ "$our_id" -eq 0 ]
}

# ---------------------------------------------------------------- where root goes

# walk PATH: root goes to that directory, and knows where it has got. Sets
# $walk_owner: 0 when nobody but root can put anything else in the place of what
# leads there; else every directory from the first on that others can change belongs
# to that user, and so does this one, wherever a link may have led. Empty for a
# directory of root's own in which others can write. False with $detail, with a
# status of 2 when there is no such directory, of 3 for a file of root's that nobody
# else can change.
walk() {
  detail='' walk_owner=0 walk_links=0 walk_to=$1
  while :; do
    walk_ways "$walk_to" || return
    case $walk_kind in
      end)
        cd -P -- "${walk_way:-/}" 2>/dev/null || walk_missing || return
        [ "$walk_last" = private ] || walk_owner=
        return 0
        ;;
      link)
        # Nobody else can change it, so it is read, and followed by hand.
        walk_links=$((walk_links + 1))
        walk_target=$(readlink -- "$walk_way/$walk_part") || walk_missing || return
        while :; do
          case $walk_target in
            ../*) walk_target=${walk_target#../} walk_way=${walk_way%/*} ;;
            ..) walk_target='' walk_way=${walk_way%/*} ;;
            *) break ;;
          esac
        done
        case $walk_target in
          /*) walk_to=$walk_target/$walk_rest ;;
          *) walk_to=$walk_way/$walk_target/$walk_rest ;;
        esac
        [ "$walk_links" -le 40 ] || walk_missing || return
        ;;
      file) return 3 ;;
      none | '')
        walk_missing
        return
        ;;
      *) break ;;
    esac
  done
  # From here on others can change what is there: step by step.
  walk_owner=$walk_kind
  [ "$walk_owner" != anybody ] || walk_owner=
  cd -P -- "${walk_way:-/}" 2>/dev/null || walk_missing || return
  walk_rest=$walk_part/$walk_rest
  while [ -n "$walk_rest" ]; do
    walk_part=${walk_rest%%/*}
    walk_rest=${walk_rest#"$walk_part"}
    walk_rest=${walk_rest#/}
    case $walk_part in '' | .) continue ;; esac
    cd -P "./$walk_part" 2>/dev/null || walk_missing || return
    # shellcheck disable=SC2012,SC2046 # of this one directory
    set -- $(ls -ldn .)
    walk_owner=${walk_owner:-$3}
    if [ "$3" != "$walk_owner" ] || [ "$3" = 0 ]; then
      detail="others than root can change what is on the way to $walk_to, where $walk_part belongs to user $3"
      if [ "$walk_owner" != 0 ]; then detail="$detail, and what is above it to user $walk_owner"; fi
      return 1
    fi
  done
}

walk_missing() {
  detail="there is no directory $walk_to"
  return 2
}

# walk_ways PATH: how far nobody but root can change what leads there. Sets
# $walk_way to the directory up to which that is so, without links in it,
# $walk_part to what comes next and $walk_rest to what comes then, and $walk_kind
# to what $walk_part is: link, file, none, the user who can change it, anybody; or
# end, and then $walk_last to private or open.
walk_ways() {
  case $1/ in
    */../*)
      detail="$1 holds .."
      return 1
      ;;
  esac
  walk_rest=$1 walk_way=
  set -- /
  while [ -n "$walk_rest" ]; do
    walk_part=${walk_rest%%/*}
    walk_rest=${walk_rest#"$walk_part"}
    walk_rest=${walk_rest#/}
    case $walk_part in '' | .) continue ;; esac
    walk_way=$walk_way/$walk_part
    set -- "$@" "$walk_way"
  done
  # In a directory that is sticky, others cannot change what is root's. A group of
  # root's own counts as root, but for an access list.
  # shellcheck disable=SC2012
  walk_said=$(ls -ldn -- "$@" 2>/dev/null | awk -v count=$# '
    function is(what, where) { print where, what; over = 1; exit }
    !/^[-bcdlps][-r][-w]/ || $3 !~ /^[0-9]+$/ { next } # a name may hold a newline
    {
      at++
      loose = /^........w/ || /^.....w/ && ($4 != 0 || /^..........[+]/)
      if (/^l/) is(sticky ? $3 : "link", at)
      if (/^-/ && at == count && $3 == 0 && !loose) is("file", at)
      if (!/^d/) is("none", at)
      if ($3 != 0) is($3, at)
      sticky = loose && /^.........[tT]/
      if (loose && !sticky && at < count) is("anybody", at + 1)
    }
    END { if (!over && at == count) print count + 1, "end", (loose ? "open" : "private"); else if (!over) print at + 1, "none" }')
  walk_kind=${walk_said#* }
  walk_last=${walk_kind#end }
  walk_kind=${walk_kind%% *}
  walk_count=${walk_said%% *}
  # The directories up to there, and what is left of the path.
  walk_way='' walk_part='' walk_rest=''
  shift
  while [ $# -gt 0 ]; do
    walk_count=$((walk_count - 1))
    if [ "$walk_count" -gt 1 ]; then
      walk_way=$1
    elif [ "$walk_count" -eq 1 ]; then
      walk_part=${1##*/}
    else
      walk_rest=$walk_rest/${1##*/}
    fi
    shift
  done
  walk_rest=${walk_rest#/}
}

# enter_directory NAME: root makes the directory NAME where it is, or finds it there,
# and enters it; it is root's, nobody else can enter it, and it is the one that
# stands here. False with $detail.
enter_directory() {
  exec 8<.
  detail=$(mkdir -m 700 -- "./$1" 2>&1)
  enter_wrong="it is not where it was a moment ago"
  if [ -L "./$1" ]; then enter_wrong="it is a symbolic link"; fi
  cd -P "./$1" 2>/dev/null || {
    detail=${detail:-"it cannot be entered"}
    return 1
  }
  came_from || {
    detail=$enter_wrong
    return 1
  }
  exec 8<&-
  # shellcheck disable=SC2012 # of this one directory
  enter_mode=$(ls -ldn . | awk '{ print substr($1, 2, 9), $3 }')
  if [ "$enter_mode" != "rwx------ 0" ]; then
    detail="it must have mode 0700 and belong to root, and has $enter_mode"
    return 1
  fi
}

# came_from: is the directory above this one that of descriptor 8?
came_from() {
  case $kernel in
    linux) same_directory .. /proc/self/fd/8 ;;
    *)
      same_directory .. /dev/fd/8 && return
      # Without an operand it is about its standard input.
      came_from=$(stat -f %d:%i <&8 2>/dev/null)
      [ -n "$came_from" ] && [ "$came_from" = "$(stat -f %d:%i .. 2>/dev/null)" ]
      ;;
  esac
}

# private_file FILE: root reads only what nobody else can have put there.
private_file() {
  is_root || return 0
  (walk "$1")
  [ $? -eq 3 ]
}

# private_directory DIR: root believes only what nobody else can have put there.
private_directory() {
  is_root || return 0
  (walk "$1" && [ "$walk_owner" = 0 ])
}

# ---------------------------------------------------------------- acting as the owner

# find_as_owner: sets $owner_limit, and $as_owner or $as_name, and $owner_said to what that user says
# of the preferences.
find_as_owner() {
  owner_name=$(id -un "$owner_id" 2>/dev/null)
  owner_groups=$owner_group
  if [ -n "$owner_name" ]; then
    owner_group=$(id -g "$owner_name")
    owner_groups=$(id -G "$owner_name" | tr ' ' ',')
  fi
  # What was planted may keep a command for ever.
  owner_limit="timeout $p_command_limit"
  $owner_limit true 2>/dev/null || owner_limit=
  for as_owner in \
    "setpriv --no-new-privs --reuid $owner_id --regid $owner_group --groups $owner_groups --" \
    "s6-applyuidgid -u $owner_id -g $owner_group -G $owner_groups" \
    "chroot --userspec=$owner_id:$owner_group --groups=$owner_groups /" \
    "chpst -u :$owner_id:$(printf '%s' "$owner_group,$owner_groups" | tr , :)"; do
    if it_acts; then return 0; fi
  done
  as_owner='' as_name=$owner_name
  if [ -n "$as_name" ] && it_acts; then return 0; fi
  fail no-owner "this host has no setpriv, and no su for user $owner_id"
}

it_acts() {
  ask inspect_preferences
  owner_status=$?
  case $detail in
    "$owner_id") detail='' ;;
    "$owner_id$newline"*) detail=${detail#*"$newline"} ;;
    *) return 1 ;;
  esac
  owner_said=$detail
}

# worker FUNCTION ARGUMENT…: a function of work.sh, as that user. None of our own
# descriptors goes with it: another process of that user could use them.
worker() {
  worker_text=
  for worker_word in "$data_dir" "$prefs" "$twin" "$in_place" "$kernel" "$@"; do
    quote "$worker_word"
    worker_text="$worker_text $quoted"
  done
  worker_text="set -u; umask 077; export LC_ALL=C; cd /; set --$worker_text
data_dir=\$1 prefs=\$2 twin=\$3 in_place=\$4 kernel=\$5; shift 5
$p_work\"\$@\""
  exec 3<&- 8<&- 9>&-
  export twin # by which end_workers knows them
  # shellcheck disable=SC2086 # these are words
  case $as_name:$kernel in
    :*) exec $owner_limit $as_owner /bin/sh -c "$worker_text" ;;
    *:linux) exec $owner_limit su -s /bin/sh "$as_name" -c "$worker_text" ;;
    *) exec $owner_limit su -m "$as_name" -c "$worker_text" ;;
  esac
}

# hear SINK FUNCTION ARGUMENT…: what the worker says goes into SINK, for only so long:
# that user can keep the worker, or the pipe.
hear() {
  hear_sink=$1
  shift
  limit_sink "$((p_command_limit + 1))" "$hear_sink" start_worker "$@"
}

hear_input='' hear_lock='' # what the worker has as its input: a file's bytes, or the other end of 9

# start_worker FUNCTION ARGUMENT…: with that input, in a process of its own.
start_worker() {
  if [ -n "$hear_lock" ]; then exec <&8; fi
  exec 3<&- 8<&- 9>&-
  if [ -n "$hear_input" ]; then
    cat -- "$hear_input" | worker "$@"
  else
    worker "$@"
  fi
}

# in_haste: while the server is down no worker has a clock of its own. Those that
# something keeps are ended when all is over.
owner_clock=''
in_haste() {
  if [ "$kernel" = linux ] && [ -n "$own_work" ]; then owner_clock=$owner_limit owner_limit=; fi
}
at_leisure() {
  if [ -n "$owner_clock" ]; then owner_limit=$owner_clock owner_clock=; fi
}
end_kept() {
  if [ -n "$own_work" ] && [ "$kernel" = linux ]; then ask end_workers; fi
}

sink_all() { exec head -c "$most"; }
sink_words() { exec head -c 4000; }

# sink_copy: into the copy from after the stop, and on. Blocks are of 512 bytes, or
# of 1024.
sink_copy() {
  ulimit -f $((most / 512)) 2>/dev/null
  exec tee -- "$after" 2>/dev/null
}

# ask FUNCTION ARGUMENT…: a function of work.sh, by whose work it is. Its status, and
# what it says in $detail.
ask() {
  if [ -z "$own_work" ]; then
    detail=$("$@" 2>&1)
    return
  fi
  detail=$(hear sink_words answer "$@")
  case $detail in *"$newline"*) ask_status=${detail##*"$newline"} ;; *) ask_status= ;; esac
  case $ask_status in
    [0-9] | [0-9][0-9] | [0-9][0-9][0-9]) ;;
    *)
      detail="user $owner_id, who owns $data_dir, did not get it done in $p_command_limit s"
      return 1
      ;;
  esac
  detail=${detail%"$newline$ask_status"}
  detail=${detail%"$newline"}
  return "$ask_status"
}

# quote TEXT: sets $quoted to one word of shell.
quote() {
  quoted=
  quote_rest=$1
  while :; do
    case $quote_rest in
      *\'*) quoted="$quoted${quote_rest%%\'*}'\\''" quote_rest=${quote_rest#*\'} ;;
      *) break ;;
    esac
  done
  quoted="'$quoted$quote_rest'"
}
