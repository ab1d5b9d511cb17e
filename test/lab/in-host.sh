#!/bin/bash
# Runs a test program in a lab host; run.sh gives it to go test -exec.
#
# usage: in-host.sh HOST PROGRAM [ARGUMENTS...]
#
# go test starts it in the directory of the package, and the program runs in the same directory of the tree that the host sees at /src.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 2 ] || { usage "$0" >&2; exit 2; }
host=$1
program=$2
shift 2

package=$(realpath --relative-to="$REPO" "$PWD")
inside=/opt/lab/${program##*/}
install -D -m 0755 "$program" "$HOSTS/$host/root$inside"

export PLEX_LAB=${LAB_INIT:-systemd} PLEXSIM_BIN=/usr/local/bin/plexsim PLEX_PROVIDER_BIN=/usr/local/bin/terraform-provider-plex
export TF_ACC=1 TF_ACC_TERRAFORM_PATH=/usr/local/bin/terraform CHECKPOINT_DISABLE=1
LAB_ENV="PLEX_LAB PLEXSIM_BIN PLEX_PROVIDER_BIN TF_ACC TF_ACC_TERRAFORM_PATH CHECKPOINT_DISABLE ${!TF_LOG*} ${!PLEX_LAB_*}"
export LAB_ENV
exec "$HERE/host.sh" run "$host" env --chdir="/src/$package" "$inside" "$@"
