# shellcheck shell=sh disable=SC2034,SC2154,SC3045 # variables that other pieces set and use
#
# server.sh looks at one Plex Media Server and edits its preferences as one
# transaction. It runs under any POSIX shell (dash, bash, BusyBox ash) and is
# held open by the provider, which decides; this script only does. What it is
# told (variables whose names begin with p_) stands before it in the same text.
#
# It answers with records: a name on a line, a value, and a line that holds
# $p_nonce, which the value cannot. It takes commands, a line each:
#   again          send the preferences once more (they were caught half-written)
#   wait           I am still here, and busy
#   go ID          from here on the server, whose machine identifier is ID, may
#                  be stopped
#   forget NAME, set NAME, add NAME   what the next write takes away, alters, brings;
#                  only for a store that takes no file (macOS)
#   write N        the next N bytes are the new preferences
#   write-from-before N   the same; what the server left as it stopped is no good
#   accept         what was written says what was meant (macOS)
#   keep           no new preferences; start what is there, if it is whole
#   check          send the preferences as they are now
#   revert         stop again, put back what was there, start again
#   done           all is well
# Whenever the far side says nothing more, the script finishes by itself: the
# server runs again, with the old preferences or with the new ones, whole.

# What the far side has set; a missing one ends the script here.
: "${p_mode:?}" "${p_nonce:?}" "${p_holder:?}" "${p_listen:?}"
: "${p_manager?}" "${p_unit?}" "${p_managers:?}" "${p_platform?}" "${p_preferences?}"   # which server; may be empty
: "${p_rows?}" "${p_listen_bsd:?}" "${p_listen_mac:?}"                                 # the table of platforms; platforms.go
: "${p_stop?}" "${p_start?}" "${p_status?}"                        # commands that replace a service manager
: "${p_backup_dir?}" "${p_keep:?}" "${p_work:?}"
: "${p_stop_limit:?}" "${p_command_limit:?}" "${p_lock_limit:?}"   # all limits are whole seconds
: "${p_silence:?}" "${p_linger:?}"

set -u
umask 077
locale=${LC_ALL-unset}
export LC_ALL=C
# No memory of this shell, which holds the new preferences, is written to a disk.
# The soft limit alone: the server gets its own back.
core_limit=$(ulimit -S -c 2>/dev/null)
ulimit -S -c 0 2>/dev/null
exec 3<&0 </dev/null
here=$PWD
eval "$p_work" # work.sh, which others run, too

stage=idle    # idle → stopping → stopped → started, or resting for a server that did not
              # run; writing while preferences that are no file are half edited; the guard reads it from $stage_file
was=unknown   # what the server was doing when we came
guard=
detail=
data_dir='' prefs='' manager='' unit=''
backup_at='' before='' after='' twin='' temporary='' stage_file='' locked='' lock_mine='' in_place='' drop_in='' lifter='' good=''
machine_id='' prefs_owner='' written='' done='' no_copy='' pid_file_gone=''
by_signal='' properties='' service_dir='' supervisord_file='' supervisord_restart='' platform='' kernel=''
newline='
'
tab=$(printf '\t')
unprintable=$(printf '\001')
