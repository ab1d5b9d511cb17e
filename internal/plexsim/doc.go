// Package plexsim emulates Plex Media Server and the part of plex.tv that binds
// one to an account. Both keep state, and both are as unkind as the real thing:
// the server rewrites its preferences from memory by truncating them first,
// never opens its port on an empty file, hangs on a stale pid file, and fills in
// keys behind the caller's back; plex.tv lets claim tokens expire, consumes them
// before it answers, and fails in every way that a test asks for.
//
// What it imitates is written in plex-facts.md; a comment that says "facts 2.4"
// means that section. Where the facts leave a question open, the behaviour is an
// option whose default is the less convenient one.
//
// The package imports none of the provider's own packages: it is the judge in
// their tests, so it must not share their mistakes.
//
// Use it in process ([NewServer], [NewPlexTV]), as a program (cmd/plexsim), or
// from tests through the package simtest.
package plexsim
