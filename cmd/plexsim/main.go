// Command plexsim plays Plex Media Server and plex.tv; see the package plexsim.
package main

import (
	"os"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

func main() {
	os.Exit(plexsim.Main(os.Args, os.Stdout, os.Stderr))
}
