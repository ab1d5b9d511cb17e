package plexsim

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The four keys of the binding (facts 3.2) and the identifiers (facts 3.1).
const (
	keyHome      = "PlexOnlineHome"
	keyMail      = "PlexOnlineMail"
	keyToken     = "PlexOnlineToken"
	keyUsername  = "PlexOnlineUsername"
	keyMachine   = "MachineIdentifier"
	keyProcessed = "ProcessedMachineIdentifier"
	keyAnonymous = "AnonymousMachineIdentifier"
)

// preferences are the attributes of Preferences.xml, known or not, in their order.
type preferences struct {
	attributes []attribute
}

type attribute struct{ name, value string }

// newPreferences is what a server starts with that finds no file: a new identity.
func newPreferences(version string) *preferences {
	return &preferences{attributes: []attribute{
		{"OldestPreviousVersion", version},
		{keyMachine, newUUID()},
		{keyProcessed, newHex(20)},
		{keyAnonymous, newUUID()},
		{"MetricsEpoch", "1"},
	}}
}

// parsePreferences accepts one empty element "Preferences" and nothing else.
func parsePreferences(data []byte) (*preferences, error) {
	decoder := xml.NewDecoder(bytes.NewReader(data))
	var found *preferences
	depth := 0
	for {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if found != nil || token.Name.Local != "Preferences" {
				return nil, fmt.Errorf("unexpected element %q", token.Name.Local)
			}
			depth++
			if found, err = preferencesOf(token); err != nil {
				return nil, err
			}
		case xml.EndElement:
			if depth--; depth < 0 || token.Name.Local != "Preferences" {
				return nil, fmt.Errorf("unexpected end of %q", token.Name.Local)
			}
		case xml.CharData:
			if strings.TrimSpace(string(token)) != "" {
				return nil, errors.New("text outside of attributes")
			}
		}
	}
	if found == nil || depth != 0 {
		return nil, errors.New("no complete Preferences element")
	}
	return found, nil
}

func preferencesOf(element xml.StartElement) (*preferences, error) {
	p := &preferences{}
	for _, a := range element.Attr {
		name := a.Name.Local
		if a.Name.Space != "" {
			name = a.Name.Space + ":" + name
		}
		if p.has(name) {
			return nil, fmt.Errorf("attribute %q twice", name)
		}
		p.attributes = append(p.attributes, attribute{name, a.Value})
	}
	return p, nil
}

var attributeEscapes = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;")

// render writes the layout of the real server: a declaration and one line (facts 4).
func (p *preferences) render() []byte {
	var out bytes.Buffer
	out.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Preferences")
	for _, a := range p.attributes {
		fmt.Fprintf(&out, ` %s="%s"`, a.name, attributeEscapes.Replace(a.value))
	}
	out.WriteString("/>\n")
	return out.Bytes()
}

func (p *preferences) has(name string) bool {
	for _, a := range p.attributes {
		if a.name == name {
			return true
		}
	}
	return false
}

// get is a value, or "" for an attribute that is empty or absent: the server makes
// no difference between the two (facts 3.2).
func (p *preferences) get(name string) string {
	for _, a := range p.attributes {
		if a.name == name {
			return a.value
		}
	}
	return ""
}

// set replaces a value where it stands, or appends it, and says whether that
// changed anything.
func (p *preferences) set(name, value string) bool {
	for i := range p.attributes {
		if p.attributes[i].name == name {
			changed := p.attributes[i].value != value
			p.attributes[i].value = value
			return changed
		}
	}
	p.attributes = append(p.attributes, attribute{name, value})
	return true
}

func (p *preferences) remove(names ...string) {
	p.attributes = slices.DeleteFunc(p.attributes, func(a attribute) bool {
		return slices.Contains(names, a.name)
	})
}

func (p *preferences) clone() *preferences {
	return &preferences{attributes: slices.Clone(p.attributes)}
}

func newHex(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails: it ends the program instead
	return hex.EncodeToString(raw)
}

func newUUID() string {
	h := newHex(16)
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:])
}
