// Package registry keeps the preferences of a server on Windows where they are: in values of one key of the registry of the user who runs
// it (plex-facts.md section 5.4). It works on this machine, in the account of this process, and on no other system than Windows.
package registry
