package plextv

import (
	"encoding/json"
	"encoding/xml"
	"strings"
)

// element is any XML element. The schema of some answers is not known, so they
// are read as a tree and searched (plex-facts 2.3).
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// find gives the trimmed text of the outermost element of that name, the first
// of several at one depth.
func (e element) find(name string) (text string, found bool) {
	for level := []element{e}; len(level) > 0; {
		var below []element
		for _, at := range level {
			if at.XMLName.Local == name {
				return strings.TrimSpace(at.Text), true
			}
			below = append(below, at.Children...)
		}
		level = below
	}
	return "", false
}

// readJSON reads one JSON value of the kind that begins with open: '{' or '['.
// Without that, a null would pass for an empty object, or for a list in which
// nothing is.
func (c *Client) readJSON(what call, body []byte, open byte, into any) error {
	text := strings.TrimSpace(string(body))
	if text == "" || text[0] != open || json.Unmarshal(body, into) != nil {
		return c.unexpected(what, "the answer is not the JSON that was asked for")
	}
	return nil
}

// unexpected is an answer of status 2xx without the documented shape. The
// parsers' own errors are dropped, since they quote the answer.
func (c *Client) unexpected(what call, detail string) *failure {
	return &failure{step: what.step, where: c.where(what), detail: detail, kinds: []error{ErrUnexpected}}
}
