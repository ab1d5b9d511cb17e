//go:build unix

// Command macsim plays the programs of a Mac; see the package macsim.
package main

import (
	"os"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim"
)

func main() {
	os.Exit(macsim.Main(os.Args, os.Stdin, os.Stdout, os.Stderr))
}
