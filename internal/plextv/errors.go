package plextv

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// What callers act on. Match with errors.Is; one error may match several.
var (
	// ErrNoAccountToken: the step needs an account token and none was given.
	ErrNoAccountToken = errors.New("no account token is set")
	// ErrUnauthorized: plex.tv refused the account token (401, 403), or it
	// cannot be an account token at all.
	ErrUnauthorized = errors.New("the account token is refused")
	// ErrClaimRejected: the claim token is expired, used, malformed or wrong.
	ErrClaimRejected = errors.New("the claim token is refused")
	// ErrRateLimited: 429, still, after all the waiting that was allowed. No
	// claim token was used up.
	ErrRateLimited = errors.New("too many requests")
	// ErrUnavailable: 5xx, no network, no answer in time, or interrupted.
	ErrUnavailable = errors.New("plex.tv is unavailable")
	// ErrUnexpected: an answer that does not have the documented shape, is cut
	// off, too large, or a redirect.
	ErrUnexpected = errors.New("the answer is not what plex.tv gives")
	// ErrMaybeConsumed comes with ErrUnavailable or ErrUnexpected: the
	// exchange was sent and its outcome is not known, so that the claim token
	// may be used up. Mint another to try again.
	ErrMaybeConsumed = errors.New("the claim token may be used up")
	// ErrInvalid: an argument or the base URL cannot be right; nothing was sent.
	ErrInvalid = errors.New("invalid argument")
)

// advice is what a person can do about each condition.
var advice = map[error]string{
	ErrNoAccountToken: "set account_token on the provider, or PLEX_TOKEN in the environment",
	ErrUnauthorized:   "account_token (PLEX_TOKEN) may be mistyped, signed out, or revoked by a password change: get a new one",
	ErrClaimRejected:  "a claim token works once and for four minutes: get a new one from https://plex.tv/claim, or let account_token mint it",
	ErrRateLimited:    "apply again later",
	ErrUnavailable:    "check this machine's network, DNS and proxy settings and https://status.plex.tv, then apply again",
	ErrUnexpected:     "check plextv_url, and whether a proxy or a captive portal answers in its place",
	ErrMaybeConsumed:  "use a new claim token",
}

// failure is every error of this package. All its parts are safe to print: it
// keeps no error of net/http, whose texts hold the URL or the server's bytes.
type failure struct {
	step    string  // "exchange the claim token"
	where   string  // "POST https://plex.tv/api/claim/exchange", empty if nothing was sent
	status  int     // 0 if there was no answer
	tries   int     // requests sent, or tried to
	said    string  // what the server gave as its reason, sanitised
	detail  string  // what is wrong, beyond the kinds
	kinds   []error // sentinels
	context error   // why it was interrupted, or nil
}

func (f *failure) Error() string {
	parts := []string{f.step}
	if f.where != "" {
		parts = append(parts, f.where)
	}
	if f.status != 0 {
		parts = append(parts, f.answer())
	}
	if f.detail != "" {
		parts = append(parts, f.detail)
	}
	var kinds, todo []string
	for _, kind := range f.kinds {
		kinds = append(kinds, kind.Error())
		if a := advice[kind]; a != "" {
			todo = append(todo, a)
		}
	}
	parts = append(parts, strings.Join(kinds, ", and "))
	if f.context != nil {
		parts = append(parts, f.context.Error())
	}
	text := strings.Join(parts, ": ")
	if len(todo) > 0 {
		text += " (" + strings.Join(todo, "; ") + ")"
	}
	return text
}

func (f *failure) answer() string {
	text := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", f.status, http.StatusText(f.status)))
	if f.tries > 1 {
		text += fmt.Sprintf(" after %d tries", f.tries)
	}
	if f.said != "" {
		text += fmt.Sprintf(" (it says %q)", f.said)
	}
	return text
}

// Unwrap lets errors.Is find the sentinels and the context's error.
func (f *failure) Unwrap() []error {
	if f.context == nil {
		return f.kinds
	}
	return append(f.kinds[:len(f.kinds):len(f.kinds)], f.context)
}
