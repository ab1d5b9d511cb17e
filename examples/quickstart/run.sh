#!/usr/bin/env bash
# run.sh: the main job against the built-in emulator, in one walk: apply, plan,
# a rebind to a second account, -replace and destroy. Needs Go and Terraform,
# and no network but the Go module proxy. Leaves nothing running and nothing
# behind: all of it happens in a temporary directory.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
version=0.1.0
work=$(mktemp -d)
support="$work/Library/Application Support"
plexsim="$work/bin/plexsim"
plextv_pid=

cleanup() {
  trap - EXIT INT TERM
  if [ -x "$plexsim" ]; then "$plexsim" stop --timeout 10s "$support" || true; fi
  if [ -n "$plextv_pid" ]; then
    kill "$plextv_pid" 2>/dev/null || true
    wait "$plextv_pid" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# Colours only for a person.
bold='' dim='' plain=''
if [ -t 1 ]; then
  bold=$'\033[1m' dim=$'\033[2m' plain=$'\033[0m'
else
  export TF_CLI_ARGS=-no-color
fi

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# stops: how often the server has been stopped so far, as it wrote down itself.
stops() { grep -c '"event":"stopping"' "$support/events" || true; }

# preferences: the four keys as the server has them, the token masked.
preferences() {
  printf '  Preferences.xml: '
  found=$(grep -o ' PlexOnline\(Home\|Mail\|Token\|Username\)="[^"]*"' "$support/Plex Media Server/Preferences.xml" |
    sed 's/\(PlexOnlineToken="\)[^"]*/\1••••••••/' | tr -d '\n') || true
  printf '%s\n' "${found:- none of the four keys: the server is unclaimed}"
  printf '  Stopped so far: %s\n' "$(stops)"
}

# terraform_in: never asks, and keeps its files in the temporary directory.
terraform_in() {
  printf '%s$ terraform %s%s\n' "$dim" "$*" "$plain"
  terraform -chdir="$work/configuration" "$@"
}

# start_server: on the first port from a start that is free.
start_server() {
  port=$((20000 + $$ % 20000))
  for _ in 1 2 3 4 5; do
    port=$((port + 1))
    printf '{"addr": "127.0.0.1:%d", "plextv_url": "%s", "events": "events"}\n' "$port" "$plextv_url" >"$support/plexsim.json"
    "$plexsim" start "$support"
    for _ in $(seq 100); do
      "$plexsim" status "$support" >/dev/null || break
      if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return; fi
      sleep 0.05
    done
    "$plexsim" stop "$support"
  done
  echo "the emulated server did not start" >&2
  return 1
}

say "1. Build the provider and the emulator"
cd "$root"
mkdir -p "$work/bin" "$work/configuration" "$support"
mirror="$work/plugins/registry.terraform.io/homelab-iac/plex/$version/$(go env GOOS)_$(go env GOARCH)"
mkdir -p "$mirror"
go build -o "$mirror/terraform-provider-plex_v$version" .
go build -o "$plexsim" ./cmd/plexsim

say "2. Start the emulator: plex.tv with two accounts, and a server that nobody has claimed"
mkfifo "$work/plextv.url"
"$plexsim" plextv --addr 127.0.0.1:0 \
  --account ada,ada@example.com,quickstart-token-of-ada \
  --account bob,bob@example.com,quickstart-token-of-bob >"$work/plextv.url" &
plextv_pid=$!
read -r plextv_url <"$work/plextv.url"
start_server
preferences

unset TF_CLI_CONFIG_FILE
export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1
export TF_VAR_plextv_url="$plextv_url" TF_VAR_plexsim="$plexsim" TF_VAR_support_dir="$support" TF_VAR_url="http://127.0.0.1:$port"
cp "$here/main.tf" "$work/configuration/"
terraform_in init -plugin-dir="$work/plugins" >/dev/null

say "3. Apply: ada claims the server. It is not restarted for that."
export TF_VAR_account=ada@example.com PLEX_TOKEN=quickstart-token-of-ada
terraform_in apply -auto-approve
preferences

say "4. Plan: nothing to do"
terraform_in plan -detailed-exitcode

say "5. Rebind to bob, in one stop and one start: at no moment the server is unclaimed"
export TF_VAR_account=bob@example.com PLEX_TOKEN=quickstart-token-of-bob
terraform_in apply -auto-approve
preferences

say "6. Replace: stop, remove the four keys, start; then claim it again, with a new token"
terraform_in apply -auto-approve -replace=plex_server_account_binding.den
preferences

say "7. Destroy: stop, back up, remove the four keys, start"
terraform_in destroy -auto-approve
preferences
printf '  Copies that were kept:\n'
find "$support/Plex Media Server.terraform-backups" -type f -printf '    %m %f\n' | sort -k 2

say "Done: $(stops) stops, for the rebind, the replacement and the destroy."
[ "$(stops)" -eq 3 ]
