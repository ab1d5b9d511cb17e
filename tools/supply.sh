#!/bin/bash
# Checks where the program comes from: the modules are what their checksums say, their licences may be shipped, nothing has a known advisory,
# and there is a list of all that is in it (bin/sbom.cdx.json).
#
# usage: tools/supply.sh
#
# The advisories are those of the Go vulnerability database, in the version that tools/supply/go.mod pins, so that a run needs no server and says
# the same again. `go -C tools/supply get golang.org/x/vulndb@latest` takes the newest.
set -euo pipefail
cd "$(dirname "$0")/.."
GO=${GO:-go}

step() { printf '\n--- %s\n' "$1"; }

step 'checksums of every module'
git ls-files --cached --others --exclude-standard '*go.mod' | while IFS= read -r mod; do
  printf '%s: ' "$mod"
  "$GO" -C "$(dirname "$mod")" mod verify
done

step 'licences of what is linked into the provider, on every system that it is built for'
for system in linux darwin windows freebsd; do
  GOOS=$system CGO_ENABLED=0 "$GO" list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}}{{"\t"}}{{.Version}}{{"\t"}}{{.Dir}}{{end}}{{end}}' .
done | sed '/^$/d' | sort -u | "$GO" -C tools/supply run ./licences

step 'software bill of materials, of the program as it was built'
mkdir -p bin
"$GO" build -o bin/terraform-provider-plex .
"$GO" tool -modfile=tools/supply/go.mod cyclonedx-gomod bin -json -std -version "${VERSION:-0.0.0}" -output bin/sbom.cdx.json bin/terraform-provider-plex
listed=$(grep -c '"purl"' bin/sbom.cdx.json)
printf 'bin/sbom.cdx.json lists %d components\n' "$listed"
[ "$listed" -gt 10 ]

step 'known advisories'
database=$("$GO" -C tools/supply list -m -f '{{.Dir}}' golang.org/x/vulndb)
if [ -z "$database" ]; then
  "$GO" -C tools/supply mod download golang.org/x/vulndb
  database=$("$GO" -C tools/supply list -m -f '{{.Dir}}' golang.org/x/vulndb)
fi
printf 'database: %s\n' "$("$GO" -C tools/supply list -m golang.org/x/vulndb)"
found=bin/advisories.txt
status=0
"$GO" tool -modfile=tools/supply/go.mod govulncheck -db "file://$database/data/osv" ./... > "$found" || status=$?
case $status in
  0) cat "$found" ;;
  3)
    # Those of the standard library go away with a newer toolchain, which whoever builds chooses; those of a module with its newer version.
    awk '/^Vulnerability #/ { id = $3 } /^    (Found|Fixed) in: / { line[id] = line[id] " " $1 " in " $3 ";" } /^  (Module|Standard)/ { kind[id] = $1 }
      END { for (id in line) print (kind[id] == "Standard" ? "of the standard library" : "OF A MODULE") ": " id ":" line[id] }' "$found" | sort
    printf 'this is %s; all of it is in %s\n' "$("$GO" version)" "$found"
    if grep -q '^  Module: ' "$found"; then
      echo 'a module has a known advisory that this code is affected by' >&2
      exit 1
    fi
    ;;
  *) exit "$status" ;;
esac

cat << 'END'

--- not checked here
advisories that are younger than the database above, or are in no database;
the tools that build and test (tools/go.mod, tools/supply/go.mod): they are pinned and verified, and no part of the provider;
the Go toolchain and Terraform themselves, beyond what the database says of the standard library. What it says of that is told above and is no failure:
a release is built with the newest toolchain.
END
