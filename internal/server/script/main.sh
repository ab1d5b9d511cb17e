# shellcheck shell=sh disable=SC2034,SC2154 # variables that other pieces set and use
#
# The order in which all begins.

put hello 1
locate
"$p_mode"
