// Package prefs reads and edits the preference documents of Plex Media Server: bytes in, bytes out, no I/O.
//
// A document is edited in place. Everything that an edit does not name stays as it was, to the byte in an XML file, because the
// server's other settings (its identity above all) are not ours, and because a difference that nobody asked for is one that nobody checks.
//
// The values are secrets: PlexOnlineToken is a full account credential (plex-facts.md section 3.2). No error of this package and no
// formatting of its types contains a value.
package prefs
