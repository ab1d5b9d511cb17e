package pms

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Claimed is what a server says about its binding, which need not be so: a
// revoked token still counts as claimed (plex-facts 2.6).
type Claimed int

// The zero value is unknown: old servers, and ones that are booting, do not say
// (plex-facts 2.6), and must not be taken for unclaimed.
const (
	ClaimedUnknown Claimed = iota
	ClaimedNo
	ClaimedYes
)

func (c Claimed) String() string {
	switch c {
	case ClaimedNo:
		return "no"
	case ClaimedYes:
		return "yes"
	default:
		return "unknown"
	}
}

// Identity is what a server tells anybody about itself.
type Identity struct {
	MachineIdentifier string // ProcessedMachineIdentifier: 40 hexadecimal digits (plex-facts 3.1)
	Version           string // "1.43.3.10861-0123abcde"; empty when it does not say
	Claimed           Claimed
}

var (
	askIdentity = call{method: http.MethodGet, path: "/identity", timeout: identityTimeout}
	machineID   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)
)

// Identity asks the server who it is (plex-facts 2.6). It needs no token, and
// takes at most 10 s.
//
// Errors: ErrRefused, ErrStarting, ErrNoRoute, ErrUnreachable, ErrUnexpected.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	status, body, err := c.do(ctx, askIdentity)
	if err != nil {
		return Identity{}, err
	}
	if status/100 != 2 {
		return Identity{}, c.failed(askIdentity, unexpectedStatus(status))
	}
	var answer struct {
		XMLName           xml.Name `xml:"MediaContainer"`
		MachineIdentifier string   `xml:"machineIdentifier,attr"`
		Version           string   `xml:"version,attr"`
		Claimed           string   `xml:"claimed,attr"`
	}
	if xml.Unmarshal(body, &answer) != nil || !machineID.MatchString(answer.MachineIdentifier) {
		// The parser's error quotes the answer.
		return Identity{}, c.failed(askIdentity, fmt.Errorf("%w: it holds no machine identifier, or is cut off", ErrUnexpected))
	}
	return Identity{
		MachineIdentifier: answer.MachineIdentifier,
		Version:           answer.Version,
		Claimed:           parseClaimed(answer.Claimed),
	}, nil
}

func parseClaimed(attribute string) Claimed {
	switch strings.ToLower(attribute) {
	case "1", "true":
		return ClaimedYes
	case "0", "false":
		return ClaimedNo
	default:
		return ClaimedUnknown
	}
}
